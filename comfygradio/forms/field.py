"""Fields: the lines of a form, bound to what a server accepts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from comfygradio.forms.formula import Formula, FormulaError, round_half_up
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.lora_stack import LoraStack
from comfygradio.forms.kinds.registry import KINDS, Widget
from comfygradio.forms.kinds.value import Choice, InvalidValue, shorten
from comfygradio.forms.slots import Slot
from comfygradio.forms.step_grid import StepGrid, intersect_grids

MIN_SIDE_STEP = 8
"""Minimum number of pixels between two sides that the page computes."""


class ComputedInput(NamedTuple):
    """An input that gets a number computed from the field's, within the input's own limits.

    With `wraps_around` (seeds), a number beyond one limit continues from the other limit.
    """

    slot: Slot
    formula: Formula
    is_integer: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    wraps_around: bool = False

    def compute(self, number: int | float) -> int | float:
        """Compute the number for this input; it is rounded for an INT. Raises InvalidValue."""
        found: int | float
        try:
            exact = self.formula.evaluate(number)
            found = round_half_up(exact) if self.is_integer else float(exact)
        except (FormulaError, OverflowError) as error:
            # float() raises OverflowError for a fraction beyond 1.8e308.
            raise InvalidValue(f"{shorten(number)} is not possible: {error}.") from error
        low = self.minimum
        high = self.maximum
        if self.wraps_around and low is not None and high is not None:
            count = high - low + 1
            # In Python the remainder is never negative, also below the lower limit.
            found = low + (found - low) % count
        is_too_small = low is not None and found < low
        is_too_large = high is not None and found > high
        if is_too_small or is_too_large:
            raise InvalidValue(
                f"{shorten(number)} is not possible: {self.slot.input} would become "
                f"{shorten(found)}."
            )
        return found


@dataclass(frozen=True)
class Field:
    """One line of a form: the inputs that it fills, the values that it accepts, and its default.

    `slots` maps each part of a value to the inputs that it fills. A value without parts has the
    part "", and a size has "width" and "height". A LoRA list has either "" (its loader nodes, in
    the order of the chain, or the `lora_stack` of one node) or "model" and "clip" (the inputs that
    the chain feeds).

    `minimum` and `maximum` are the narrower limits of preset and server, and `grids` are the steps
    of whole numbers, by part. `computed` are further inputs, which get what formulas compute from
    the value. `exempt_value` is the only value that is accepted outside of these limits, since the
    workflow or the preset's author has set it.

    `expanding_slots` are the slots in whose text `{a|b}` is expanded. With `always_expands` it
    always is, else only if a person typed the text into the form. With `takes_wildcards`, the
    `__colours__` in its texts are drawn, whoever wrote them. `embeddings` are the names that a text
    may use.
    A text with `defers_when_empty` shares its slots with other fields, and does not fill them while
    it is empty.

    A text with `starts_empty` is the form's main prompt, whose default is the workflow's own: on
    the page it is a placeholder, and people write their own words.

    `bypass` are ids of nodes that are bypassed while the field is empty or off. `show_if` maps
    other fields to their values for which this field is shown.
    """

    name: str
    widget: Widget
    label: str
    slots: Mapping[str, tuple[Slot, ...]]
    help: str = ""
    placeholder: str = ""
    group: str = ""
    advanced: bool = False
    default: Any = None
    exempt_value: Any = None
    choices: tuple[Choice, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    is_integer: bool = False
    is_multiple: bool = False
    max_mb: float = 50.0
    template: str = ""
    optional: bool = False
    bypass: tuple[str, ...] = ()
    show_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    grids: Mapping[str, StepGrid] = field(default_factory=dict)
    expanding_slots: frozenset[Slot] = frozenset()
    always_expands: bool = False
    takes_wildcards: bool = True
    embeddings: tuple[str, ...] = ()
    computed: tuple[ComputedInput, ...] = ()
    defers_when_empty: bool = False
    starts_empty: bool = False
    lora_stack: LoraStack | None = None

    @property
    def kind(self) -> Kind:
        """The kind of the field's widget."""
        return KINDS[self.widget]

    @property
    def allowed(self) -> str:
        """The numbers that are allowed, as part of a sentence."""
        numbers = "whole numbers" if self.is_integer else "numbers"
        if self.minimum is not None and self.maximum is not None:
            return f"{numbers} from {self.minimum} to {self.maximum} are allowed"
        if self.minimum is not None:
            return f"{numbers} from {self.minimum} are allowed"
        if self.maximum is not None:
            return f"{numbers} up to {self.maximum} are allowed"
        return f"{numbers} are allowed"

    @property
    def size_grid(self) -> StepGrid:
        """The grid for sides that the page computes: on the steps of both sides, and at least 8
        pixels apart.
        """
        step = int(self.step or MIN_SIDE_STEP)
        shared = intersect_grids(self.grids.values())
        # Both sides take every whole number.
        if shared is None:
            return StepGrid(max(step, MIN_SIDE_STEP), 0)
        factor = math.ceil(MIN_SIDE_STEP / step)
        return StepGrid(step * factor, shared.start)

    @property
    def all_slots(self) -> tuple[Slot, ...]:
        """Every input that the field fills, including those of its choices and formulas."""
        slots: list[Slot] = []
        for part in self.slots.values():
            slots.extend(part)
        for computed in self.computed:
            slots.append(computed.slot)
        for choice in self.choices or ():
            for slot, _ in choice.sets:
                slots.append(slot)
        distinct = dict.fromkeys(slots)
        return tuple(distinct)
