"""Fields: the lines of a form, bound to a server."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from comfygradio.comfy.object_info import Scalar
from comfygradio.forms.formula import Formula, FormulaError, round_half_up
from comfygradio.forms.grid import Grid, join_grids
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.rows import Rows
from comfygradio.forms.slots import Slot

MEDIA: frozenset[Widget] = frozenset({"image", "mask", "video", "audio", "file"})
"""Widgets whose value is a file that is uploaded."""

TEXTS: frozenset[Widget] = frozenset({"text", "textarea"})

HUGE = 10**60
"""Whole numbers from here on are taken by no field: Python refuses to write out much larger ones.
"""


class Refused(Exception):
    """A value that a field does not take; the text says what is allowed.

    Never leaves this package's forms.
    """


@dataclass(frozen=True)
class Choice:
    """One entry of a list: what people see, and the value as the server spells it.

    A choice that sets several slots has its label for a value, and in `sets` what it puts where.
    """

    label: str
    value: Scalar
    sets: tuple[tuple[Slot, Scalar], ...] = ()


@dataclass(frozen=True)
class Lora:
    """One row of a LoRA list: the file as the server spells it, and its strength (1 is its own)."""

    name: str
    strength: float = 1.0

    def __str__(self) -> str:
        return f"{self.name}:{self.strength:g}"


@dataclass(frozen=True)
class Computed:
    """An input that is filled with a number worked out of the field's, within the input's own
    limits.

    With `goes_round`, as for seeds, what leaves the limits comes in again at their other end.
    """

    slot: Slot
    formula: Formula
    is_integer: bool = False
    minimum: int | float | None = None
    maximum: int | float | None = None
    goes_round: bool = False

    def work_out(self, number: int | float) -> int | float:
        """The number for this input, rounded where it takes whole ones. Raises Refused."""
        found: int | float
        try:
            exact = self.formula.work_out(number)
            found = round_half_up(exact) if self.is_integer else float(exact)
        except (FormulaError, OverflowError) as error:
            raise Refused(f"{show(number)} is not possible: {error}.") from error
        low = self.minimum
        high = self.maximum
        if self.goes_round and low is not None and high is not None:
            count = high - low + 1
            found = low + (found - low) % count
        is_too_small = low is not None and found < low
        is_too_large = high is not None and found > high
        if is_too_small or is_too_large:
            raise Refused(
                f"{show(number)} is not possible: {self.slot.input} would become {show(found)}."
            )
        return found


@dataclass(frozen=True)
class Field:
    """One line of a form, bound to a server: what it fills, what it allows and what it starts with.

    `slots` maps the part of a value to the inputs it fills: "" for a plain value, "width" and
    "height" of a size; of a LoRA list either "" (its loader nodes, in the order of the chain, or
    the `rows` of one node) or
    "model" and "clip" (the inputs that the chain feeds). `minimum` and `maximum` are the narrower
    of preset and server, and `grids` the steps of whole numbers by part. `computed` are further
    inputs, filled with what formulas make of the value. A text that `yields` shares its slots with
    other fields, whose values stay where it is empty. `kept` is a value that the workflow itself,
    or the preset's author, has put there although people may not: it alone is taken beside what the
    field allows. `dynamic` are the slots in whose text `{a|b}` may be drawn; `is_dynamic` says that
    it is drawn whoever sends it, not only where a person wrote it into the form. `embeddings` are
    the names that such a text may use. `bypass` are ids of nodes that are bypassed while the field
    is empty or off; `show_if` maps other fields to the values that show it.
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
    kept: Any = None
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
    grids: Mapping[str, Grid] = field(default_factory=dict)
    dynamic: frozenset[Slot] = frozenset()
    is_dynamic: bool = False
    embeddings: tuple[str, ...] = ()
    computed: tuple[Computed, ...] = ()
    yields: bool = False
    rows: Rows | None = None

    @property
    def allowed(self) -> str:
        """What a number may be, for people."""
        numbers = "whole numbers" if self.is_integer else "numbers"
        if self.minimum is not None and self.maximum is not None:
            return f"{numbers} from {self.minimum} to {self.maximum} are allowed"
        if self.minimum is not None:
            return f"{numbers} from {self.minimum} are allowed"
        if self.maximum is not None:
            return f"{numbers} up to {self.maximum} are allowed"
        return f"{numbers} are allowed"

    @property
    def size_grid(self) -> Grid:
        """The sides that are offered where a size is worked out: at least 8 pixels apart, and on
        the steps of both sides.
        """
        step = int(self.step or 8)
        shared = join_grids(self.grids.values())
        if shared is None:
            return Grid(max(step, 8), 0)
        return Grid(step * math.ceil(8 / step), shared.start)

    @property
    def all_slots(self) -> tuple[Slot, ...]:
        """Every input that the field fills, those of its choices and formulas included."""
        slots: list[Slot] = []
        for part in self.slots.values():
            slots.extend(part)
        slots.extend(one.slot for one in self.computed)
        for choice in self.choices or ():
            slots.extend(slot for slot, _ in choice.sets)
        return tuple(dict.fromkeys(slots))


def show(value: Any) -> str:
    """A value inside a sentence, at most 60 characters of it, whatever it is; of a file its name,
    since its folder is nobody's business.
    """
    if isinstance(value, PurePath):
        value = value.name
    if isinstance(value, int) and abs(value) >= HUGE:
        return "this huge number"
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):
        return "this value"
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= 60 else f"{text[:57]}…"


def list_choices(choices: tuple[Choice, ...], limit: int = 12) -> str:
    """The first choices, for people."""
    if not choices:
        return "the server offers nothing here."
    shown = ", ".join(choice.label for choice in choices[:limit])
    more = len(choices) - limit
    if more > 0:
        shown += f" and {more} more"
    return f"allowed: {shown}."
