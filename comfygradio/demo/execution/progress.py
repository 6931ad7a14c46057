"""How far each node of a running prompt is (the progress_state message)."""

from __future__ import annotations

from typing import Any

from comfygradio.demo.execution.messages import Event


class NodeProgress:
    """Values of all nodes that have started, in the order they did."""

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._nodes: dict[str, dict[str, Any]] = {}

    def set(self, node_id: str, value: float, maximum: float, state: str) -> None:
        """`state` is running or finished."""
        self._nodes[node_id] = {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": node_id,
            "prompt_id": self._prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }

    def finish(self, node_id: str) -> tuple[float, float]:
        """Value and maximum at the end: whatever maximum the node announced itself."""
        maximum = self._nodes[node_id]["max"]
        return maximum, maximum

    def event(self) -> Event:
        """The message as it is now; later changes do not reach it."""
        nodes = dict(self._nodes)
        return Event("progress_state", {"prompt_id": self._prompt_id, "nodes": nodes})
