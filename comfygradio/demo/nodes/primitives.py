"""Numbers, texts and switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.node_run import NodeRun
from comfygradio.demo.values import NodeInputs

if TYPE_CHECKING:
    from comfygradio.demo.nodes import NodeFunction

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
