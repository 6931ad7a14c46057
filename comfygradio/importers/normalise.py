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
    tidied = []
    for hint in annotations:
        free = [slot for slot in hint.slots if slot not in taken and editor.is_free(slot)]
        slots = tuple(dict.fromkeys(free))
        if slots:
            taken.update(slots)
            tidied.append(normalise_annotation(editor, replace(hint, slots=slots)))
    return tidied


def normalise_annotation(editor: WorkflowEditor, annotation: Annotation) -> Annotation:
    """Drop what does not suit the inputs of an annotation. Adds a note about what its author will
    miss.
    """
    known = [editor.spec(slot) for slot in annotation.slots]
    specs = [spec for spec in known if spec is not None]
    if not specs:
        return annotation
    annotation = _tidy_limits(editor, annotation, specs)
    annotation = _tidy_choices(editor, annotation, specs)
    if not all(_suits(annotation, spec) for spec in specs):
        annotation = replace(annotation, widget=None)
    if not _takes_default(annotation, specs):
        annotation = replace(annotation, default=None)
    return annotation


def _tidy_limits(
    editor: WorkflowEditor, annotation: Annotation, specs: list[InputSpec]
) -> Annotation:
    if not all(NUMBERS & spec.types for spec in specs):
        return replace(annotation, minimum=None, maximum=None, step=None)
    low = to_number(annotation.minimum)
    high = to_number(annotation.maximum)
    step = to_number(annotation.step)
    says_limits = low is not None or high is not None
    if says_limits and not _leave_value(low, high, specs):
        editor.notes.append(
            f"{_call(annotation)}: its limits {low} to {high} leave no value, so that they were "
            "ignored."
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
    lows = [low, *(spec.minimum for spec in specs)]
    highs = [high, *(spec.maximum for spec in specs)]
    least = max((limit for limit in lows if limit is not None), default=-math.inf)
    most = min((limit for limit in highs if limit is not None), default=math.inf)
    return not least > most


def _whole(value: int | float | None) -> int | float | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _tidy_choices(
    editor: WorkflowEditor, annotation: Annotation, specs: list[InputSpec]
) -> Annotation:
    """Drop choices if the server has its own, which are always up to date."""
    offered = next((spec.choices for spec in specs if spec.choices is not None), None)
    if offered is None or not annotation.choices:
        return annotation
    listed = {str(choice) for choice in offered}
    if set(annotation.choices) < listed:
        names = ", ".join(annotation.choices)
        editor.notes.append(f"{_call(annotation)} offered only {names:.300}; the server has more.")
    return replace(annotation, choices=())


def _suits(annotation: Annotation, spec: InputSpec) -> bool:
    """Whether the annotation's widget can fill an input."""
    if annotation.widget is None:
        return True
    has_choices = bool(annotation.choices)
    return KINDS[annotation.widget].is_likely_for(spec, has_choices)


def _takes_default(annotation: Annotation, specs: list[InputSpec]) -> bool:
    if annotation.default is None:
        return False
    if any(check_literal(spec, annotation.default) for spec in specs):
        return False
    if annotation.choices and annotation.default not in annotation.choices:
        return False
    number = to_number(annotation.default) if NUMBERS & specs[0].types else None
    if number is None:
        return True
    if annotation.minimum is not None and number < annotation.minimum:
        return False
    return annotation.maximum is None or number <= annotation.maximum


def _call(annotation: Annotation) -> str:
    return annotation.label or annotation.name or f"The field of {annotation.slots[0]}"
