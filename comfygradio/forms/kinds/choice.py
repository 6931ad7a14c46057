"""Choice fields: a value, or several, of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.nested_input import wrap_list
from comfygradio.comfy.object_info import Scalar
from comfygradio.forms.kinds.axis_text import Item, quote, quote_if_split
from comfygradio.forms.kinds.axis_values import (
    AxisContext,
    AxisValues,
    combine_parts,
    find_choices,
)
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.model_name import find_respelled
from comfygradio.forms.kinds.numerals import explain_comma, parse_numeral
from comfygradio.forms.kinds.value import Choice, InvalidValue, list_choices, shorten

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import InputSpec
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar
    from comfygradio.forms.slots import Slot

MAX_CHOICE_TEXT = 10_000
"""Characters of a choice, or of all LoRAs written as one text."""


MAX_CHOSEN = 200
"""Choices of one field."""


class ChoiceKind(Kind):
    """An entry of a list, or several where the field takes more than one."""

    max_length = MAX_CHOICE_TEXT
    keys = frozenset({"choices", "min", "max", "step", "dynamic", "template"})
    syntax = "choices with commas between them; * for all, or a pattern such as"
    is_list = True

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Whether there is anything to choose from."""
        return spec.choices is not None or has_choices

    def check(self, field: Field, value: Any) -> Any:
        """Find the chosen value, or several as a tuple. Raises InvalidValue."""
        return check_choice(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Find the choice with this text, number or boolean. A choice may be called `null`."""
        choices = field.choices or ()
        found = scalar.find_in(choice.value for choice in choices)
        if found is not None:
            return found
        is_label = any(choice.label == scalar.text for choice in choices)
        if scalar.is_null and field.optional and not is_label:
            return None
        return scalar.text

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Keep several values although they are not in the list; a single one is not kept."""
        if field.is_multiple and isinstance(value, list):
            return tuple(value)
        return None

    def holds_list(self, field: Field) -> bool:
        """Whether several choices may be selected."""
        return field.is_multiple

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """List the inputs of a field; several choices are posted as one list."""
        literal = wrap_list(value)
        return super().list_inputs(field, literal)

    def find_python_type(self, field: Field) -> type:
        """A list if several choices may be selected, else a text."""
        return list if field.is_multiple else str

    def describe_syntax(self, field: Field) -> str:
        """Names and patterns, with one that fits some of the field's own choices."""
        pattern = _find_pattern(field)
        if field.is_multiple:
            return f"{self.syntax} {pattern}; several at once in quotes"
        return f"{self.syntax} {pattern}"

    def explain_comma(self, field: Field, parts: Sequence[str]) -> str:
        """Explain two items that may be one number of the list, written with a decimal comma."""
        if len(parts) != 2:
            return ""
        joined = ".".join(parts)
        numbers = []
        for choice in field.choices or ():
            if not isinstance(choice.value, bool | str):
                numbers.append(choice.value)
        # 0,5 is ambiguous only if 0.5 is one of the choices.
        if parse_numeral(joined) not in numbers:
            return ""
        return explain_comma(",".join(parts), joined, parts)

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Find a choice by value or label, or several by a pattern. An item of a field that takes
        several choices is a list of them.

        Raises InvalidValue.
        """
        item = items[index]
        if not axis.field.is_multiple:
            return find_choices(axis, item)
        choice = axis.choice_index.find_exact(item.text)
        if choice is not None:
            return AxisValues([(choice.value,)])
        found = combine_parts(item, lambda part: find_choices(axis, part))
        without_doubles = [tuple(dict.fromkeys(value)) for value in found.values]
        return AxisValues(without_doubles, found.is_open)

    def parse_axis_value(self, axis: AxisContext, value: Any) -> Any:
        """Find a choice by its name, in which nothing is a pattern. Raises InvalidValue."""
        is_name = isinstance(value, str) and value.strip()
        # By the index: `check` goes through all choices for every value.
        if is_name and not axis.field.is_multiple:
            return axis.choice_index.find(value).value
        return axis.check(value)

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format choices by their labels."""
        if not axis.field.is_multiple:
            return super().format_axis_label(axis, value)
        labels = [axis.choice_index.get_label(one) for one in value]
        return ", ".join(labels)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format choices in quotes, by their labels where these are unique."""
        index = axis.choice_index
        if not axis.field.is_multiple:
            return quote(index.format_value(value))
        texts = [quote_if_split(index.format_value(one)) for one in value]
        return quote(", ".join(texts))


def check_choice(field: Field, value: Any) -> Scalar | tuple[Scalar, ...]:
    """Find the choice that a value, its text or its label names; several choices if the field
    allows them.
    """
    choices = field.choices or ()
    if not field.is_multiple:
        return _find_choice(choices, value)
    listed = value
    if value is None:
        listed = ()
    elif isinstance(value, str):
        listed = _split_choices(choices, value)
    if not isinstance(listed, list | tuple):
        raise InvalidValue(f"a list is expected; {list_choices(choices)}")
    if len(listed) > MAX_CHOSEN:
        raise InvalidValue(
            f"{len(listed):,} choices are too many; at most {MAX_CHOSEN} are allowed."
        )
    found = [_find_choice(choices, part) for part in listed]
    # Each choice once, in whatever ways it was named.
    return tuple(dict.fromkeys(found))


def _find_choice(choices: tuple[Choice, ...], value: Any) -> Scalar:
    for choice in choices:
        # Python takes True for 1, a list does not.
        is_same_kind = isinstance(choice.value, bool) == isinstance(value, bool)
        if is_same_kind and choice.value == value:
            return choice.value
    if isinstance(value, str):
        found = _find_respelled(choices, value)
        if found is not None:
            return found
        for choice in choices:
            if _matches_text(value, choice.value):
                return choice.value
    raise InvalidValue(f"{shorten(value)} is not in the list; {list_choices(choices)}")


def _find_respelled(choices: tuple[Choice, ...], text: str) -> Scalar | None:
    """Find the value with this label or text, or the only one that is spelled like it."""
    texts: dict[str, Scalar] = {}
    for choice in choices:
        texts[choice.label] = choice.value
    for choice in choices:
        # After all labels, since a value's own text counts more than another one's label.
        texts[str(choice.value)] = choice.value
    if text in texts:
        return texts[text]
    found: list[Scalar] = []
    for spelling in find_respelled(text, list(texts)):
        value = texts[spelling]
        if value not in found:
            found.append(value)
    return found[0] if len(found) == 1 else None


def _matches_text(text: str, value: Scalar) -> bool:
    """Whether a text is another spelling of this number or boolean of a list: `1.50`, `false`."""
    if isinstance(value, str):
        return False
    if isinstance(value, bool):
        return text.strip().lower() == str(value).lower()
    return parse_numeral(text) == value


def _split_choices(choices: tuple[Choice, ...], text: str) -> list[str]:
    """Split a text at its commas, unless the whole text is a choice."""
    for choice in choices:
        if text in (choice.value, choice.label):
            return [text]
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part]


def _find_pattern(field: Field) -> str:
    """Find a pattern that fits some of the field's choices: a folder, or a common beginning."""
    labels = [choice.label for choice in field.choices or ()]
    for label in labels:
        folder, slash, _ = label.rpartition("/")
        if slash:
            return f"{folder}/*"
    if labels:
        return f"{labels[0][:4]}*"
    return "a*"


class DropdownKind(ChoiceKind):
    """A list that opens, in which several entries may be selected."""

    takes_several = True


DROPDOWN = DropdownKind()
RADIO = ChoiceKind()
