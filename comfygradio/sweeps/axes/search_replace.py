"""Search and replace on axes: `S/R: cat, dog, bird` replaces cat in the text that a point has."""

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
    """A search text and its replacement; `label` is for people."""

    search: str
    value: str
    label: str


def is_search_replace(text: str) -> bool:
    """Whether an axis text begins with `S/R:`."""
    return PREFIX.match(text) is not None


@dataclass(frozen=True)
class ReplacementParser:
    """Parses the items after `S/R:`.

    `values` are the replacements. If `is_paired`, each item has a search text of its own.
    """

    field: Field
    items: Sequence[Item]
    values: Sequence[str]
    is_paired: bool

    @classmethod
    def split(cls, field: Field, text: str) -> ReplacementParser:
        """Split a text into items. Raises InvalidValue if there are none, or the field is not a
        text.

        The first item is the search text, and the first replacement. If every item is a pair
        `cat=dog` without quotes, each has its own search text instead.
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
        values = [item.text for item in items]
        if is_paired:
            values = [_split_pair(item)[1] for item in items]
        return cls(field, items, values, is_paired)

    def parse(self, index: int) -> list[Replacement]:
        """Parse one item. Raises InvalidValue.

        Ranges and dots are numbers if the search text is a number, or if they have a step or a
        count.
        """
        item = self.items[index]
        text = self.items[0].text
        if self.is_paired:
            text, _ = _split_pair(item)
        search = check_text(self.field, text)
        if not search:
            raise InvalidValue("the text to look for is empty.")
        is_search_text = index == 0 and not self.is_paired
        if item.is_quoted or is_search_text:
            found = [self.values[index]]
        else:
            found = self._expand(index, is_number(search))
        replacements = []
        for one in found:
            value = check_text(self.field, one)
            label = self._label(search, value)
            replacements.append(Replacement(search, value, label))
        return replacements

    def _expand(self, index: int, is_numeric: bool) -> list[str]:
        text = self.values[index]
        # Among words 1-10 may be a word itself; a step or a count behind it tells that it is a
        # range.
        if is_range(text) and (is_numeric or EXPLICIT.search(text)):
            numbers = expand_numbers(self.values, index)
            return [format_number(number) for number in numbers]
        return [text]

    def _label(self, search: str, value: str) -> str:
        shown = value or "(nothing)"
        if self.is_paired:
            return f"{search} → {shown}"
        return shown


def _split_pair(item: Item) -> tuple[str, str]:
    """Split `cat=dog` into the search text and the replacement."""
    search, _, replacement = item.text.partition("=")
    return search.strip(), replacement.strip()


def explain_absent(search: str, others: Sequence[str], text: str) -> str | None:
    """Explain why a search text is not found in a text, or in several put together. Returns None if
    it is.

    `others` are the search texts of other axes; those that contain it are replaced first.
    """
    larger = [other for other in others if search in other and search != other]
    rest = _mask(text, larger)
    if search in rest:
        return None
    if search in text:
        inside = shorten(larger[0])
        return f"{shorten(search)} occurs only inside of {inside}, which another axis replaces."
    pattern = re.escape(search)
    near = re.search(pattern, text, re.IGNORECASE)
    hint = f" (there is {shorten(near[0])})" if near else ""
    return f"{shorten(search)} does not occur in the text{hint}, so there is nothing to replace."


def is_too_long(axes: Sequence[Mapping[str, int]], texts: Sequence[str]) -> bool:
    """Whether replacing may make a text longer than a field can hold.

    Each axis maps its search texts to the length of their longest replacement.
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
        # No search text holds NUL, so that none is found across what was cut out.
        text = text.replace(one, "\0")
    return text
