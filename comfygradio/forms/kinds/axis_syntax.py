"""How the values of an axis over a field are typed: the base of the kinds, with what most share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from comfygradio.forms.kinds.axis_text import Item, split_values
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues

if TYPE_CHECKING:
    from comfygradio.forms.field import Field


class AxisSyntax(ABC):
    """The syntax of an axis text: how it is split into items, and what each item stands for.

    Without a syntax of its own, a kind has items with commas between them, each a value as it
    stands.
    """

    syntax: ClassVar[str] = ""
    """What may be typed as the values of an axis, in one line."""

    @abstractmethod
    def to_json(self, field: Field, value: Any) -> Any:
        """Convert a checked value, or None, to JSON; items and labels are written from it."""

    def describe_syntax(self, field: Field) -> str:
        """Describe in one line what may be typed as the values of an axis over this field."""
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
        # A list may well have a choice that is called none, or one without a name.
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
        plain = self.to_json(axis.field, value)
        if axis.field.choices is not None:
            return axis.choice_index.get_label(plain)
        return str(plain)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format a checked value as the item that is parsed as it again."""
        return str(self.to_json(axis.field, value))
