"""Annotations: what the author of a workflow declared about one field for another front end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot


@dataclass(frozen=True)
class Annotation:
    """One marked field: the inputs it fills, and what its front end (`source`) lets authors say
    about it.

    Empty strings, None and () mean that nothing was said. `order` sorts annotations; ties keep the
    order of the workflow. With `is_exact` exactly these inputs are meant, without related ones.
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
    is_exact: bool = False

    def add_slots(self, slots: Iterable[Slot]) -> Annotation:
        """Return this annotation with further inputs to fill."""
        filled = dict.fromkeys([*self.slots, *slots])
        return replace(self, slots=tuple(filled))


@dataclass(frozen=True)
class AnnotatedWorkflow:
    """A workflow without the marker nodes that stock servers lack, and the annotations they
    contained.

    `outputs` are ids of the nodes whose results are shown (empty if not said). `notes` say what was
    changed or ignored.
    """

    workflow: Workflow
    annotations: tuple[Annotation, ...] = ()
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def number_annotations(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Set the order of annotations to that in which they come."""
    return [replace(annotation, order=order) for order, annotation in enumerate(annotations)]
