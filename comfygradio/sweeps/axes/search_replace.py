"""Search and replace on axes: `S/R: cat, dog, bird` puts other words into the text that a point
has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.axis_text import Item, split_values
from comfygradio.forms.kinds.number_range import expand_numbers, format_number, is_number, is_range
from comfygradio.forms.kinds.text import MAX_TEXT, check_text
from comfygradio.forms.kinds.value import InvalidValue, shorten

PREFIX = re.compile(r"\s*S/R\s*:", re.IGNORECASE)
PAIR = re.compile(r"\s*[^=\s][^=]*=")
EXPLICIT = re.compile(r"[)\]]$")


class Replacement(NamedTuple):
    """A search text and what is put in its place; `label` is what people read."""

    search: str
    value: str
    label: str


def is_search_replace(text: str) -> bool:
    """Whether an axis text begins with `S/R:`."""
    return PREFIX.match(text) is not None


@dataclass(frozen=True)
class ReplacementParser:
    """Reads the items behind `S/R:`: `values` are what they put in; with `is_paired` each has its
    own search text.
    """

    field: Field
    items: Sequence[Item]
    values: Sequence[str]
    is_paired: bool

    @classmethod
    def split(cls, field: Field, text: str) -> ReplacementParser:
        """The items of a text. Raises InvalidValue where there are none, or the field holds no
        words.

        The first item is the search text and the first value. If every item is a pair `cat=dog`
        without quotes, each looks for its own text instead.
        """
        match = PREFIX.match(text)
        if not field.kind.is_text:
            raise InvalidValue("S/R: replaces words in texts, and this field is none.")
        items, _ = split_values(text, match.end() if match else 0)
        if not items:
            raise InvalidValue(
                "the words to look for and to put there are missing, as in S/R: cat, dog, bird."
            )
        is_paired = all(not item.is_quoted and PAIR.match(item.text) for item in items)
        values = []
        for item in items:
            value = item.text
            if is_paired:
                value = value.partition("=")[2].strip()
            values.append(value)
        return cls(field, items, values, is_paired)

    def parse(self, index: int) -> list[Replacement]:
        """What an item puts where. Raises InvalidValue.

        Ranges and dots are numbers behind a search text that is a number, and wherever they have a
        step or a count.
        """
        text = self.items[0].text
        if self.is_paired:
            text = self.items[index].text.partition("=")[0].strip()
        search = check_text(self.field, text)
        if not search:
            raise InvalidValue("the text to look for is empty.")
        is_search_text = index == 0 and not self.is_paired
        if self.items[index].is_quoted or is_search_text:
            found = [self.values[index]]
        else:
            found = self._expand(index, is_number(search))
        values = [check_text(self.field, value) for value in found]
        return [Replacement(search, value, self._label(search, value)) for value in values]

    def _expand(self, index: int, is_numeric: bool) -> list[str]:
        text = self.values[index]
        if is_range(text) and (is_numeric or EXPLICIT.search(text)):
            numbers = expand_numbers(self.values, index)
            return [format_number(number) for number in numbers]
        return [text]

    def _label(self, search: str, value: str) -> str:
        shown = value or "(nothing)"
        return f"{search} → {shown}" if self.is_paired else shown


def explain_absent(search: str, others: Sequence[str], text: str) -> str | None:
    """Why a search text finds nothing in a text, or in many put together, in a sentence; or None.

    `others` are the search texts of other axes, which come first where they hold it.
    """
    larger = [other for other in others if search in other and search != other]
    if search in _mask(text, larger):
        return None
    if search in text:
        inside = shorten(larger[0])
        return f"{shorten(search)} occurs only inside of {inside}, which another axis replaces."
    near = re.search(re.escape(search), text, re.IGNORECASE)
    hint = f" (there is {shorten(near[0])})" if near else ""
    return f"{shorten(search)} does not occur in the text{hint}, so there is nothing to replace."


def is_too_long(axes: Sequence[Mapping[str, int]], texts: Sequence[str]) -> bool:
    """Whether replacing on all axes makes a text longer than a field may hold.

    Each axis is search text → length of the longest text that is put in its place.
    """
    longest = max(map(len, texts), default=0)

    def count_at_most(search: str) -> int:
        return longest // len(search)

    # Counting in every text is slow, and a bound for all of them settles almost every sweep.
    bound = sum(_find_growth(axis, count_at_most) for axis in axes)
    if longest + bound <= MAX_TEXT:
        return False
    for text in texts:
        growth = sum(_find_growth(axis, text.count) for axis in axes)
        if len(text) + growth > MAX_TEXT:
            return True
    return False


def _find_growth(axis: Mapping[str, int], count: Callable[[str], int]) -> int:
    most = 0
    for search, length in axis.items():
        longer = max(0, length - len(search))
        most = max(most, count(search) * longer)
    return most


def _mask(text: str, found: Sequence[str]) -> str:
    for one in sorted(found, key=len, reverse=True):
        text = text.replace(one, "\0")
    return text
