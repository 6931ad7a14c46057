"""How much a conversion may read and copy: a small file could ask for any amount, because each
instance of a subgraph copies all that is in it.
"""

from __future__ import annotations

from typing import Any

from comfygradio.conversion.shown_text import CANNOT
from comfygradio.errors import WorkflowError

MAX_SIZE = 300_000
"""Maximum size of a workflow, as `measure` counts it, each instance of a subgraph included. The
largest real one of five hundred has 30,000.
"""

TEXT_PART = 64
"""So many characters of a text count as one value."""

TOO_LARGE = (
    f"{CANNOT} it has too many nodes, links and values. Those in a subgraph count once for each of "
    "its instances."
)


class Budget:
    """What one conversion may still read and copy."""

    def __init__(self) -> None:
        self._left = MAX_SIZE

    def spend(self, size: int) -> None:
        """Take a size off the budget. Raises WorkflowError if not so much is left."""
        self._left -= size
        if self._left < 0:
            raise WorkflowError(TOO_LARGE)


def measure(value: Any) -> int:
    """Count the values in JSON, nested ones and keys included; long texts count several times.
    Counting ends where the size is beyond what is converted at all.
    """
    size = 0
    waiting = [value]
    while waiting and size <= MAX_SIZE:
        inner = waiting.pop()
        size += 1
        if isinstance(inner, str):
            size += len(inner) // TEXT_PART
        elif isinstance(inner, list):
            waiting.extend(inner)
        elif isinstance(inner, dict):
            waiting.extend(inner)
            waiting.extend(inner.values())
    return size


def copy_json(value: Any) -> Any:
    """Copy JSON: lists and objects are new ones. Raises RecursionError."""
    if isinstance(value, list):
        return [copy_json(item) for item in value]
    if isinstance(value, dict):
        return {key: copy_json(item) for key, item in value.items()}
    return value
