"""The base class of the kinds of field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.forms.kinds.axis_text import Item, split_values
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import ObjectInfo
    from comfygradio.comfy.workflow import Upload
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar
    from comfygradio.forms.slots import Slot

MAX_SHORT_TEXT = 100
"""Characters of a number, a size, a color, a seed, or a switch."""


@dataclass(frozen=True)
class Kind(ABC):
    """What is true of all fields with the same widget.

    A kind overrides what differs for it; nothing here depends on one field, except for the methods,
    which are given the field.
    """

    max_length: int = MAX_SHORT_TEXT
    """Characters of one text in a value."""

    input_types: frozenset[str] = frozenset()
    """Types of inputs that a value can fill; empty where choices or uploads decide instead."""

    keys: frozenset[str] = frozenset()
    """Keys of a preset's line that only some kinds use, and this one does."""

    syntax: str = ""
    """What may be typed as the values of an axis, in one line."""

    names_resource: bool = True
    """Whether a value can name a file or a node class, which some backends may lack."""

    is_text: bool = False
    """Whether a value is free text."""

    is_number: bool = False
    """Whether a value is a plain number; seeds, which may be left to chance, are not."""

    is_list: bool = False
    """Whether a value is picked from a list of choices."""

    is_media: bool = False
    """Whether a value is a file that is uploaded."""

    is_picture: bool = False
    """Whether that file is a picture."""

    is_seed: bool = False
    """Whether a value decides what is random, and may itself be left to chance."""

    noun: str = "a value"
    """What people call a value, with its article."""

    @abstractmethod
    def check(self, field: Field, value: Any) -> Any:
        """The value as the prompt needs it. Raises InvalidValue, which says what is allowed."""

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """What an unquoted value of a YAML file means, before it is checked; None for nothing."""
        if scalar.is_null and field.optional:
            return None
        return scalar.text

    def to_json(self, value: Any) -> Any:
        """A checked value of this kind, None included, as JSON that a check takes again."""
        return list(value) if isinstance(value, tuple) else value

    def list_inputs(self, field: Field, value: Any) -> list[tuple[Slot, Any]]:
        """List the inputs that a checked value fills, each with what it gets.

        Inputs that choices set are not listed. Raises InvalidValue for a number that a formula
        cannot use.
        """
        filled = [(slot, value) for slot in field.slots.get("", ())]
        for computed in field.computed:
            filled.append((computed.slot, computed.compute(value)))
        return filled

    def build_upload(self, field: Field, value: Any) -> Upload | None:
        """The file that a checked value uploads, or None. The inputs then get the file's name."""
        return None

    def change_graph(
        self, graph: dict[str, dict[str, Any]], field: Field, value: Any, object_info: ObjectInfo
    ) -> list[str]:
        """Add nodes for a checked value, None included, once all inputs are filled.

        Returns the ids of nodes that are to be bypassed.
        """
        return []

    def is_own_node(self, field: Field, node_id: str) -> bool:
        """Whether `change_graph` adds or fills the node with this id."""
        return False

    def find_python_type(self, field: Field) -> type:
        """The type of a parameter for this field, as schemas tell it to programs."""
        return str

    def describe_syntax(self, field: Field) -> str:
        """What may be typed as the values of an axis over this field, in one line."""
        return self.syntax

    def offers_none(self, field: Field) -> bool:
        """Whether the help of an axis adds that `none` leaves this field empty."""
        return field.optional

    def split_axis(self, text: str) -> tuple[list[Item], str]:
        """Split an axis text into its items. Returns them and what separates them.

        Raises InvalidValue.
        """
        return split_values(text)

    def explain_comma(self, field: Field, parts: Sequence[str]) -> str:
        """Explain how to write items with nothing but a comma between them, if it may be a decimal
        comma. Returns "" if it cannot.
        """
        return ""

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Parse the item at `index`; dots also depend on the items around it. Without a syntax of
        its own, an item is a value as it stands.

        Raises InvalidValue.
        """
        return AxisValues([axis.check(items[index].text)])

    def parse_axis_value(self, axis: AxisContext, value: Any) -> Any:
        """Check a value out of a list, in which nothing is syntax. Raises InvalidValue."""
        return axis.check(value)

    def is_axis_item_empty(self, axis: AxisContext, item: Item) -> bool:
        """Whether an item stands for no value: `""`, or `none` where a field may be empty."""
        is_choice = axis.choice_index.find_exact(item.text) is not None
        if not item.text.strip():
            return axis.field.optional or not is_choice
        if item.is_quoted or is_choice or item.text.lower() != "none":
            return False
        return self.accepts_none(axis.field)

    def accepts_none(self, field: Field) -> bool:
        """Whether the item `none` stands for no value."""
        return field.optional

    def format_axis_label(self, axis: AxisContext, value: Any) -> str:
        """Format a checked value in short, for people: choices by their label, others whole."""
        plain = self.to_json(value)
        if axis.field.choices is not None:
            return axis.choice_index.get_label(plain)
        return str(plain)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format a checked value as the item that is parsed as it again."""
        return str(self.to_json(value))


def is_short(text: str) -> bool:
    """Whether a text may be a number, a size or a color at all."""
    return len(text) <= MAX_SHORT_TEXT
