"""Choice fields: a value, or several, of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.nested_input import wrap_list
from comfygradio.comfy.object_info import Scalar
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.model_name import find_respelled
from comfygradio.forms.kinds.numerals import parse_numeral
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


@dataclass(frozen=True)
class ChoiceKind(Kind):
    """An entry of a list, or several where the field takes more than one."""

    max_length: int = MAX_CHOICE_TEXT
    keys: frozenset[str] = frozenset({"choices", "min", "max", "step", "dynamic", "template"})
    syntax: str = "choices with commas between them; * for all, or a pattern such as {pattern}"
    is_list: bool = True

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Whether there is anything to choose from."""
        return spec.choices is not None or has_choices

    def check(self, field: Field, value: Any) -> Any:
        """The chosen value, or a tuple of several. Raises InvalidValue."""
        return check_choice(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """The choice with this text, number or boolean; a choice may be called `null`."""
        choices = field.choices or ()
        found = scalar.find_in(choice.value for choice in choices)
        if found is not None:
            return found
        is_label = any(choice.label == scalar.text for choice in choices)
        if scalar.is_null and field.optional and not is_label:
            return None
        return scalar.text

    def make_exempt(self, field: Field, value: Any) -> Any:
        """Several values that are not in the list are kept; one is not."""
        if field.is_multiple and isinstance(value, list):
            return tuple(value)
        return None

    def holds_list(self, field: Field) -> bool:
        """Whether several choices may be selected."""
        return field.is_multiple

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """Several choices are posted as one list."""
        return super().list_inputs(field, wrap_list(value))

    def find_python_type(self, field: Field) -> type:
        """A list where the field takes several choices."""
        return list if field.is_multiple else str


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
    """The value with this label or text, or the only one that is spelled like it."""
    texts = {choice.label: choice.value for choice in choices}
    texts |= {str(choice.value): choice.value for choice in choices}
    if text in texts:
        return texts[text]
    spelled = find_respelled(text, list(texts))
    meant = list(dict.fromkeys(texts[one] for one in spelled))
    return meant[0] if len(meant) == 1 else None


def _matches_text(text: str, value: Scalar) -> bool:
    """Whether a text is this number or this switch of a list, written in another way: `1.50`,
    `false`.
    """
    if isinstance(value, str):
        return False
    if isinstance(value, bool):
        return text.strip().lower() == str(value).lower()
    return parse_numeral(text) == value


def _split_choices(choices: tuple[Choice, ...], text: str) -> list[str]:
    """The choices in a text, separated by commas, unless the whole is one of them."""
    if any(text in (choice.value, choice.label) for choice in choices):
        return [text]
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part]


DROPDOWN = ChoiceKind(takes_several=True)
RADIO = ChoiceKind()
