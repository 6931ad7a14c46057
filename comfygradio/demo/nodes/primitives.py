"""Numbers, texts and switches."""

from __future__ import annotations

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs


def nodes() -> dict[str, NodeFunction]:
    return {
        "PrimitiveInt": pass_on,
        "PrimitiveFloat": pass_on,
        "PrimitiveBoolean": pass_on,
        "PrimitiveString": pass_on,
        "PrimitiveStringMultiline": pass_on,
        "StringConcatenate": concatenate,
    }


def pass_on(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    value = inputs.get("value")
    return NodeResult((value,))


def concatenate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    delimiter = inputs.text("delimiter")
    first = inputs.text("string_a")
    second = inputs.text("string_b")
    return NodeResult((first + delimiter + second,))
