"""Tidying: what a hint says is kept only as far as it suits the inputs that it fills."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.values import to_number
from comfygradio.forms.field import MEDIA
from comfygradio.forms.literals import check_literal
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

NUMBERS = frozenset({"INT", "FLOAT"})
SUITED: Mapping[Widget, frozenset[str]] = {
    "text": frozenset({"STRING", "COLOR"}),
    "textarea": frozenset({"STRING"}),
    "number": NUMBERS,
    "slider": NUMBERS,
    "checkbox": frozenset({"BOOLEAN"}),
    "seed": frozenset({"INT"}),
    "color": frozenset({"STRING", "COLOR"}),
}
"""What a widget can fill."""


def tidy_hints(graph: Graph, hints: list[Hint]) -> list[Hint]:
    """The hints with inputs that are still there and free, each input in the first hint that names
    it.
    """
    taken: set[Slot] = set()
    tidied = []
    for hint in hints:
        free = [slot for slot in hint.slots if slot not in taken and graph.is_free(slot)]
        slots = tuple(dict.fromkeys(free))
        if slots:
            taken.update(slots)
            tidied.append(tidy_hint(graph, replace(hint, slots=slots)))
    return tidied


def tidy_hint(graph: Graph, hint: Hint) -> Hint:
    """A hint without what does not suit its inputs; says in a note what its author will miss."""
    known = [graph.spec(slot) for slot in hint.slots]
    specs = [spec for spec in known if spec is not None]
    if not specs:
        return hint
    hint = _tidy_limits(graph, hint, specs)
    hint = _tidy_choices(graph, hint, specs)
    if not all(_suits(hint, spec) for spec in specs):
        hint = replace(hint, widget=None)
    if not _takes_default(hint, specs):
        hint = replace(hint, default=None)
    return hint


def _tidy_limits(graph: Graph, hint: Hint, specs: list[InputSpec]) -> Hint:
    if not all(NUMBERS & spec.types for spec in specs):
        return replace(hint, minimum=None, maximum=None, step=None)
    low = to_number(hint.minimum)
    high = to_number(hint.maximum)
    step = to_number(hint.step)
    says_limits = low is not None or high is not None
    if says_limits and not _leave_value(low, high, specs):
        graph.notes.append(
            f"{_call(hint)}: its limits {low} to {high} leave no value, so that they were ignored."
        )
        low = None
        high = None
    if all("FLOAT" not in spec.types for spec in specs):
        low = _whole(low)
        high = _whole(high)
        step = _whole(step)
    if step is not None and step <= 0:
        step = None
    return replace(hint, minimum=low, maximum=high, step=step)


def _leave_value(low: int | float | None, high: int | float | None, specs: list[InputSpec]) -> bool:
    """Whether there is a value within these limits and those of the server."""
    lows = [low, *(spec.minimum for spec in specs)]
    highs = [high, *(spec.maximum for spec in specs)]
    least = max((limit for limit in lows if limit is not None), default=-math.inf)
    most = min((limit for limit in highs if limit is not None), default=math.inf)
    return not least > most


def _whole(value: int | float | None) -> int | float | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _tidy_choices(graph: Graph, hint: Hint, specs: list[InputSpec]) -> Hint:
    """Choices stay only where the server has none, since the server's own are always up to date."""
    offered = next((spec.choices for spec in specs if spec.choices is not None), None)
    if offered is None or not hint.choices:
        return hint
    listed = {str(choice) for choice in offered}
    if set(hint.choices) < listed:
        names = ", ".join(hint.choices)
        graph.notes.append(f"{_call(hint)} offered only {names:.300}; the server has more.")
    return replace(hint, choices=())


def _suits(hint: Hint, spec: InputSpec) -> bool:
    """Whether the hint's widget can fill an input."""
    if hint.widget is None:
        return True
    if hint.widget in MEDIA:
        return bool(spec.media) or spec.choices is not None or "STRING" in spec.types
    if hint.widget in ("dropdown", "radio"):
        return spec.choices is not None or bool(hint.choices)
    if hint.widget == "color" and spec.options.get("display") == "color":
        return True
    suited = SUITED.get(hint.widget, frozenset())
    return not suited.isdisjoint(spec.types)


def _takes_default(hint: Hint, specs: list[InputSpec]) -> bool:
    if hint.default is None:
        return False
    if any(check_literal(spec, hint.default) for spec in specs):
        return False
    if hint.choices and hint.default not in hint.choices:
        return False
    number = to_number(hint.default) if NUMBERS & specs[0].types else None
    if number is None:
        return True
    if hint.minimum is not None and number < hint.minimum:
        return False
    return hint.maximum is None or number <= hint.maximum


def _call(hint: Hint) -> str:
    return hint.label or hint.name or f"The field of {hint.slots[0]}"
