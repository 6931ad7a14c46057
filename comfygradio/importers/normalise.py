"""Normalise annotations: drop what does not fit the inputs they fill."""

from __future__ import annotations

import math
from dataclasses import replace

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.kinds.registry import KINDS
from comfygradio.forms.literals import check_literal
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.values import to_number
from comfygradio.importers.workflow_editor import WorkflowEditor

NUMBERS = frozenset({"INT", "FLOAT"})


def normalise_annotations(
    editor: WorkflowEditor, annotations: list[Annotation]
) -> list[Annotation]:
    """Keep the inputs that still exist and are not linked, each in the first annotation that names
    it.

    Annotations without such an input are dropped.
    """
    taken: set[Slot] = set()
    normalised = []
    for annotation in annotations:
        slots = []
        for slot in annotation.slots:
            if slot not in taken and editor.is_free(slot):
                slots.append(slot)
                taken.add(slot)
        if slots:
            kept = replace(annotation, slots=tuple(slots))
            normalised.append(normalise_annotation(editor, kept))
    return normalised


def normalise_annotation(editor: WorkflowEditor, annotation: Annotation) -> Annotation:
    """Drop what does not suit the inputs of an annotation. Adds a note about what its author will
    miss.
    """
    known = [editor.spec(slot) for slot in annotation.slots]
    specs = [spec for spec in known if spec is not None]
    if not specs:
        return annotation
    annotation = _normalise_limits(editor, annotation, specs)
    annotation = _drop_choices(editor, annotation, specs)
    if not all(_suits(annotation, spec) for spec in specs):
        annotation = replace(annotation, widget=None)
    if not _takes_default(annotation, specs):
        annotation = replace(annotation, default=None)
    return annotation


def _normalise_limits(
    editor: WorkflowEditor, annotation: Annotation, specs: list[InputSpec]
) -> Annotation:
    """Drop limits that are none for these inputs, and turn texts into numbers."""
    # Limits mean nothing where one of the inputs takes no numbers.
    if any(NUMBERS.isdisjoint(spec.types) for spec in specs):
        return replace(annotation, minimum=None, maximum=None, step=None)
    low = to_number(annotation.minimum)
    high = to_number(annotation.maximum)
    step = to_number(annotation.step)
    says_limits = low is not None or high is not None
    if says_limits and not _leave_value(low, high, specs):
        shown = _describe(annotation)
        editor.notes.append(
            f"{shown}: its limits {low} to {high} leave no value, so that they were ignored."
        )
        low = None
        high = None
    if all("FLOAT" not in spec.types for spec in specs):
        low = _whole(low)
        high = _whole(high)
        step = _whole(step)
    if step is not None and step <= 0:
        step = None
    return replace(annotation, minimum=low, maximum=high, step=step)


def _leave_value(low: int | float | None, high: int | float | None, specs: list[InputSpec]) -> bool:
    """Whether some value is within these limits and those of the server."""
    least: int | float = -math.inf
    most: int | float = math.inf
    for limit in (low, *(spec.minimum for spec in specs)):
        if limit is not None:
            least = max(least, limit)
    for limit in (high, *(spec.maximum for spec in specs)):
        if limit is not None:
            most = min(most, limit)
    return not least > most


def _whole(value: int | float | None) -> int | float | None:
    """Return 1 for 1.0, as whole numbers are written."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _drop_choices(
    editor: WorkflowEditor, annotation: Annotation, specs: list[InputSpec]
) -> Annotation:
    """Drop choices if the server has its own, which are always up to date."""
    offered = [spec.choices for spec in specs if spec.choices is not None]
    if not offered or not annotation.choices:
        return annotation
    listed = {str(choice) for choice in offered[0]}
    if set(annotation.choices) < listed:
        names = ", ".join(annotation.choices)
        editor.notes.append(
            f"{_describe(annotation)} offered only {names:.300}; the server has more."
        )
    return replace(annotation, choices=())


def _suits(annotation: Annotation, spec: InputSpec) -> bool:
    """Whether the annotation's widget can fill an input."""
    if annotation.widget is None:
        return True
    has_choices = bool(annotation.choices)
    return KINDS[annotation.widget].is_likely_for(spec, has_choices)


def _takes_default(annotation: Annotation, specs: list[InputSpec]) -> bool:
    """Whether the default is possible on the server, and among the annotation's own choices and
    limits.
    """
    if annotation.default is None:
        return False
    if any(check_literal(spec, annotation.default) for spec in specs):
        return False
    if annotation.choices and annotation.default not in annotation.choices:
        return False
    # Only numbers have limits.
    if NUMBERS.isdisjoint(specs[0].types):
        return True
    number = to_number(annotation.default)
    if number is None:
        return True
    if annotation.minimum is not None and number < annotation.minimum:
        return False
    return annotation.maximum is None or number <= annotation.maximum


def _describe(annotation: Annotation) -> str:
    """Name an annotation for people."""
    first = annotation.slots[0]
    return annotation.label or annotation.name or f"The field of {first}"
