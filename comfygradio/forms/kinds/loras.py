"""LoRA lists: rows of a name and a strength."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.object_info import Scalar, is_number
from comfygradio.forms.kinds.axis_text import MAX_VALUES, TOO_MANY, Item, quote, quote_if_split
from comfygradio.forms.kinds.axis_values import (
    AxisContext,
    AxisValues,
    combine_parts,
    find_choices,
)
from comfygradio.forms.kinds.choice import MAX_CHOICE_TEXT
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.lora_loaders import MAX_ROWS, insert_loras, is_lora_loader
from comfygradio.forms.kinds.model_name import fold_file_name
from comfygradio.forms.kinds.number import EXACT_LIMIT
from comfygradio.forms.kinds.number_range import expand_numbers
from comfygradio.forms.kinds.numerals import format_short, parse_numeral, suggest_numerals
from comfygradio.forms.kinds.value import Choice, InvalidValue, Lora, list_choices, shorten

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import ObjectInfo
    from comfygradio.forms.field import Field
    from comfygradio.forms.slots import Slot

SPLIT_STRENGTH = r":([+-]?[0-9]+),([0-9]+)(?=\s*(?:,|>|$))"
"""Matches a strength with a decimal comma."""

TAG = r"<lora:([^<>]+)>"

STRENGTH = r"[^,]*:([+-]?[0-9]+)"
"""Matches a name with a strength of which a comma may have cut off the decimals."""

ONLY_DIGITS = r"[0-9]+"

MAX_ENTRIES = 100
"""Maximum number of entries that are checked, including those without a name."""


class LorasKind(Kind):
    """Rows of a LoRA file and its strength."""

    max_length = MAX_CHOICE_TEXT
    is_lora_list = True
    keys = frozenset({"choices", "min", "max", "step"})
    syntax = (
        'name:0.8, other:0.2-1 (+0.2); several at once in quotes ("name:0.8, other"); none '
        "for no LoRA"
    )

    def check(self, field: Field, value: Any) -> tuple[Lora, ...]:
        """Convert to rows of name and strength. Raises InvalidValue."""
        return check_loras(field, value)

    def to_json(self, field: Field, value: Any) -> Any:
        """Convert rows to objects with a name and a strength."""
        if value is None:
            return None
        rows: list[dict[str, Any]] = []
        for row in value:
            if isinstance(row, Lora):
                rows.append({"name": row.name, "strength": row.strength})
        return rows

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """List no inputs, since each row becomes a node."""
        return []

    def holds_list(self, field: Field) -> bool:
        """Always."""
        return True

    def change_graph(
        self, graph: dict[str, dict[str, Any]], field: Field, value: Any, object_info: ObjectInfo
    ) -> list[str]:
        """Insert a loader for each row. Loaders that get no row are to be bypassed."""
        rows = value or ()
        return insert_loras(graph, field, rows, object_info)

    def is_own_node(self, field: Field, node_id: str) -> bool:
        """Whether a node is a loader of this list."""
        return is_lora_loader(field, node_id)

    def salvage(self, value: Any) -> Any:
        """Return the rows that have a name."""
        if not isinstance(value, list | tuple):
            return super().salvage(value)
        rows = []
        for row in value:
            if isinstance(row, Mapping) and isinstance(row.get("name"), str):
                strength = _salvage_strength(row.get("strength"))
                rows.append({"name": row["name"], "strength": strength})
        return rows

    def describe(self, field: Field, value: Any) -> str:
        """Describe rows to people."""
        if not value:
            return "none"
        rows: list[str] = []
        for row in value:
            strength = f"{row['strength']:g}"
            rows.append(f"{row['name']} × {strength}")
        return ", ".join(rows)

    def find_python_type(self, field: Field) -> type:
        """A list, of rows."""
        return list

    def offers_none(self, field: Field) -> bool:
        """Never, since the syntax says so already."""
        return False

    def explain_comma(self, field: Field, parts: Sequence[str]) -> str:
        """Explain two items that may be one strength, written with a decimal comma."""
        strength = re.fullmatch(STRENGTH, parts[0])
        decimals = parts[1]
        if strength is None or not re.fullmatch(ONLY_DIGITS, decimals):
            return ""
        return _describe_decimals(strength[1], decimals)

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse a list of `name:strength`; a pattern stands for several names, a range for several
        strengths.

        Raises InvalidValue.
        """

        def parse(part: Item) -> AxisValues:
            return _parse_axis_part(axis, part)

        found = combine_parts(items[index], parse)
        checked = [_check_known(axis, rows) for rows in found.values]
        return AxisValues(checked, found.is_open)

    def accepts_none(self, field: Field) -> bool:
        """Always: a list of LoRAs may be empty."""
        return True

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format names, and strengths other than 1."""
        labels = [_format_label(row) for row in value]
        return " + ".join(labels)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format names with their strengths, in quotes."""
        rows: list[str] = []
        for row in value:
            text = f"{row.name}:{row.strength!r}"
            rows.append(quote_if_split(text))
        return quote(", ".join(rows))


def check_loras(field: Field, value: Any) -> tuple[Lora, ...]:
    """Check rows of name and strength, given as `name:0.8, other`, or as a list of names, pairs or
    objects.

    Raises InvalidValue.
    """
    rows = value
    if value is None:
        rows = []
    elif isinstance(value, str):
        rows = _split_text(value)
    if not isinstance(rows, list | tuple):
        raise InvalidValue("a list of LoRAs is expected, for example film-grain:0.8, soft-light.")
    if isinstance(value, str):
        _refuse_comma(value)
    # Rows that nobody has filled in yet.
    nothing: tuple[Any, ...] = (None, "", [], ["", None])
    filled = [row for row in rows if row not in nothing]
    if len(filled) > MAX_ENTRIES:
        raise InvalidValue(f"{len(filled)} LoRAs are too many; at most {MAX_ROWS} are allowed.")
    loras = [_check_row(field, row) for row in filled]
    # A node with a fixed number of rows takes no more than those.
    most = MAX_ROWS
    if field.lora_stack is not None and not field.lora_stack.is_growing:
        most = min(MAX_ROWS, len(field.lora_stack.rows))
    if len(loras) > most:
        raise InvalidValue(f"{len(loras)} LoRAs are too many; at most {most} are allowed.")
    return tuple(lora for lora in loras if lora is not None)


def _refuse_comma(text: str) -> None:
    """Raise InvalidValue for a strength such as `0,8`, since commas separate LoRAs."""
    split = re.search(SPLIT_STRENGTH, text)
    if split:
        whole, decimals = split.groups()
        raise InvalidValue(_describe_decimals(whole, decimals))


def _describe_decimals(whole: str, decimals: str) -> str:
    return f"write the strength {whole},{decimals} as {whole}.{decimals}."


def _split_text(text: str) -> list[str]:
    tagged = re.findall(TAG, text)
    if tagged:
        return tagged
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part]


def _check_row(field: Field, row: Any) -> Lora | None:
    name, strength = _split_row(field, row)
    if name in ("", None):
        return None
    choices = field.choices or ()
    found = _find_file(choices, name)
    if found is None:
        raise InvalidValue(f"{shorten(name)} is not in the list; {list_choices(choices)}")
    if strength in (None, ""):
        strength = 1.0
    return Lora(str(found), _check_strength(field, strength))


def _find_file(choices: tuple[Choice, ...], name: Any) -> Scalar | None:
    """Find the file with this name or label, or the only one with this name without folders and
    suffix.
    """
    for choice in choices:
        if name in (choice.value, choice.label):
            return choice.value
    if not isinstance(name, str):
        return None
    wanted = name.casefold()
    found: list[Scalar] = []
    for choice in choices:
        if _take_stem(str(choice.value)) == wanted:
            found.append(choice.value)
    return found[0] if len(found) == 1 else None


def _take_stem(name: str) -> str:
    """Return the name of a file without folders and suffix, in lower case."""
    stem, _, _ = fold_file_name(name).rpartition(".")
    return stem


def _split_row(field: Field, row: Any) -> tuple[Any, Any]:
    if isinstance(row, Lora):
        return row.name, row.strength
    if isinstance(row, Mapping):
        return row.get("name"), row.get("strength")
    if isinstance(row, str):
        name, colon, strength = row.rpartition(":")
        # The name of a file may hold a colon itself.
        if not colon or _find_file(field.choices or (), row) is not None:
            return row, None
        return name.strip(), strength
    if isinstance(row, list | tuple) and len(row) == 2:
        return row[0], row[1]
    raise InvalidValue(f"{shorten(row)} is no LoRA; a name and a strength are expected.")


def _check_strength(field: Field, value: Any) -> float:
    low = -100 if field.minimum is None else field.minimum
    high = 100 if field.maximum is None else field.maximum
    strength = _parse_strength(value)
    if low <= strength <= high:
        return strength
    meant = suggest_numerals(value) if isinstance(value, str) else ()
    fitting = [numeral for numeral in meant if low <= float(numeral) <= high]
    if fitting:
        advice = f"write {' or '.join(fitting)}"
    else:
        advice = f"numbers from {low:g} to {high:g} are allowed"
    raise InvalidValue(f"the strength {shorten(value)} is not possible; {advice}.")


def _salvage_strength(value: Any) -> float:
    if not isinstance(value, int | float):
        return 1.0
    # Out of a file may come NaN, or a whole number that is too long for a float.
    if not abs(value) < EXACT_LIMIT:
        return 1.0
    return float(value)


def _parse_strength(value: Any) -> float:
    """Parse a number or its text. Returns NaN for anything else."""
    number = parse_numeral(value) if isinstance(value, str) else value
    if not is_number(number):
        return math.nan
    try:
        return float(number)
    except OverflowError:
        return math.nan


def _parse_axis_part(axis: AxisContext, item: Item) -> AxisValues:
    """Parse `name:strength`, or what a pattern and a range stand for. Raises InvalidValue."""
    tag = re.fullmatch(TAG, item.text)
    name = tag[1] if tag else item.text
    strength = ""
    # A name may hold a colon itself.
    is_whole = len(axis.choice_index.find_candidates(name)) == 1
    if ":" in name and not is_whole:
        name, _, strength = name.rpartition(":")
    named = Item(name.strip(), is_quoted=item.is_quoted)
    names = find_choices(axis, named)
    strengths = [1.0]
    if strength.strip():
        numbers = expand_numbers([strength.strip()], 0)
        strengths = [float(number) for number in numbers]
    if len(names.values) * len(strengths) > MAX_VALUES:
        raise InvalidValue(TOO_MANY)
    loras = []
    for found in names.values:
        loras += [Lora(str(found), one) for one in strengths]
    return AxisValues(loras, names.is_open)


def _check_known(axis: AxisContext, rows: tuple[Lora, ...]) -> Any:
    """Check rows whose names are known. They are not looked for among all choices again, which
    would be slow for thousands of values.
    """
    known = [Choice(row.name, row.name) for row in rows]
    narrowed = replace(axis.field, choices=tuple(known))
    return axis.check_value(narrowed, rows)


def _format_label(row: Lora) -> str:
    if row.strength == 1:
        return row.name
    return f"{row.name}:{format_short(row.strength)}"


LORAS = LorasKind()
