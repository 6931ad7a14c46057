"""Numbers, texts and switches."""

from __future__ import annotations

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs

PRIMITIVES = (
    "PrimitiveInt",
    "PrimitiveFloat",
    "PrimitiveBoolean",
    "PrimitiveString",
    "PrimitiveStringMultiline",
)


def nodes() -> dict[str, NodeFunction]:
    return {**dict.fromkeys(PRIMITIVES, pass_on), "StringConcatenate": concatenate}


def pass_on(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return NodeResult((inputs.get("value"),))


def concatenate(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    delimiter = inputs.text("delimiter")
    texts = [inputs.text("string_a"), inputs.text("string_b")]
    return NodeResult((delimiter.join(texts),))
