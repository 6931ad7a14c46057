"""Hints: what the author of a workflow already said about one field, in the words of another front
end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot


@dataclass(frozen=True)
class Hint:
    """One marked field: the inputs it fills, and whatever its front end (`source`) lets people say
    about it.

    Empty texts, None and () mean that nothing was said; `order` sorts hints, ties keep the order of
    the workflow. With `alone` exactly these inputs are meant, and none that stand beside them.
    """

    source: str
    slots: tuple[Slot, ...]
    name: str = ""
    label: str = ""
    help: str = ""
    group: str = ""
    order: float = 0
    advanced: bool = False
    optional: bool = False
    widget: Widget | None = None
    default: Any = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    choices: tuple[str, ...] = ()
    template: str = ""
    alone: bool = False


@dataclass(frozen=True)
class Marked:
    """A workflow freed of marker nodes that stock servers lack, and what the markers said.

    `outputs` are ids of the nodes whose results are shown (empty: not said); `notes` tell what was
    changed or ignored.
    """

    workflow: Workflow
    hints: tuple[Hint, ...] = ()
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
