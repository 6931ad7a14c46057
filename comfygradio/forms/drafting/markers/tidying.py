"""Tidying: what a hint says is kept only as far as it suits the inputs that it fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Link
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
        free = (slot for slot in hint.slots if slot not in taken and _is_free(graph, slot))
        if slots := tuple(dict.fromkeys(free)):
            taken.update(slots)
            tidied.append(tidy_hint(graph, replace(hint, slots=slots)))
    return tidied


def tidy_hint(graph: Graph, hint: Hint) -> Hint:
    """A hint without what does not suit its inputs; says in a note what its author will miss."""
    specs = [spec for slot in hint.slots if (spec := graph.spec(slot))]
    if not specs:
        return hint
    hint = _tidy_limits(graph, hint, specs)
    hint = _tidy_choices(graph, hint, specs)
    if not all(_suits(hint, spec) for spec in specs):
        hint = replace(hint, widget=None)
    return hint if _takes_default(hint, specs) else replace(hint, default=None)


def _is_free(graph: Graph, slot: Slot) -> bool:
    return slot.node_id in graph.nodes and not Link.parse(graph.read(slot))


def _tidy_limits(graph: Graph, hint: Hint, specs: list[InputSpec]) -> Hint:
    low, high, step = (to_number(value) for value in (hint.minimum, hint.maximum, hint.step))
    if not all(NUMBERS & spec.types for spec in specs):
        return replace(hint, minimum=None, maximum=None, step=None)
    lows = [limit for limit in (low, *(spec.minimum for spec in specs)) if limit is not None]
    highs = [limit for limit in (high, *(spec.maximum for spec in specs)) if limit is not None]
    if lows and highs and max(lows) > min(highs) and (low, high) != (None, None):
        graph.notes.append(
            f"{_call(hint)}: its limits {low} to {high} leave no value, so that they were ignored."
        )
        low = high = None
    if all("FLOAT" not in spec.types for spec in specs):
        low, high, step = (_whole(value) for value in (low, high, step))
    return replace(
        hint, minimum=low, maximum=high, step=step if step is not None and step > 0 else None
    )


def _whole(value: int | float | None) -> int | float | None:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _tidy_choices(graph: Graph, hint: Hint, specs: list[InputSpec]) -> Hint:
    """Choices stay only where the server has none, since the server's own are always up to date."""
    offered = next((spec.choices for spec in specs if spec.choices is not None), None)
    if offered is None or not hint.choices:
        return hint
    listed = {str(choice) for choice in offered}
    if set(hint.choices) < listed:
        graph.notes.append(
            f"{_call(hint)} offered only {', '.join(hint.choices):.300}; the server has more."
        )
    return replace(hint, choices=())


def _suits(hint: Hint, spec: InputSpec) -> bool:
    if hint.widget is None:
        return True
    if hint.widget in MEDIA:
        return bool(spec.media) or spec.choices is not None or "STRING" in spec.types
    if hint.widget in ("dropdown", "radio"):
        return spec.choices is not None or bool(hint.choices)
    if hint.widget == "color" and spec.options.get("display") == "color":
        return True
    return bool(SUITED.get(hint.widget, frozenset()) & spec.types)


def _takes_default(hint: Hint, specs: list[InputSpec]) -> bool:
    if hint.default is None or any(check_literal(spec, hint.default) for spec in specs):
        return False
    if hint.choices and hint.default not in hint.choices:
        return False
    number = to_number(hint.default) if NUMBERS & specs[0].types else None
    is_low = number is not None and hint.minimum is not None and number < hint.minimum
    return not is_low and not (
        number is not None and hint.maximum is not None and number > hint.maximum
    )


def _call(hint: Hint) -> str:
    return hint.label or hint.name or f"The field of {hint.slots[0]}"
