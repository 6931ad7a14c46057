"""What each node class of the demo server does: a function from its inputs to its result."""

from __future__ import annotations

from comfygradio.demo.execution.node_run import NodeFunction
from comfygradio.demo.nodes import (
    conditioning,
    images,
    lab,
    lab_forms,
    latents,
    loaders,
    masks,
    outputs,
    primitives,
    sampling,
    sounds,
    videos,
)


def all_nodes() -> dict[str, NodeFunction]:
    """Class name to function, lab nodes included."""
    found: dict[str, NodeFunction] = {}
    for module in (
        conditioning,
        images,
        lab,
        lab_forms,
        latents,
        loaders,
        masks,
        outputs,
        primitives,
        sampling,
        sounds,
        videos,
    ):
        found |= module.nodes()
    return found
