"""What each node class of the demo server does: a function from its inputs to its result."""

from __future__ import annotations

from collections.abc import Callable

from comfygradio.demo.cache import NodeResult
from comfygradio.demo.node_run import NodeRun
from comfygradio.demo.values import NodeInputs

NodeFunction = Callable[[NodeRun, NodeInputs], NodeResult]


def all_nodes() -> dict[str, NodeFunction]:
    """Class name to function, lab nodes included."""
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
