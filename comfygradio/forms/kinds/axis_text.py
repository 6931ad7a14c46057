"""Splits axis texts into items: where one value ends and the next begins, quotes, and skipped
items.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from comfygradio.forms.kinds.value import InvalidValue

MAX_VALUES = 10_000
"""Values of one axis."""

TOO_MANY = f"these are more values than an axis may have; at most {MAX_VALUES:,} are allowed."

MAX_LENGTH = 5_000_000
"""Characters of one field's axis text."""

MAX_TYPED_LENGTH = 100_000
"""Characters of one field's axis text as a browser or a program sends it; what is written down may
be longer, since there every drawn seed is written out.
"""

MAX_TOKENS = 250_000
"""Commas, bars and line ends of one field's axis text."""

BEGIN = re.compile(r"[^\S\r\n]*(SKIP:[^\S\r\n]*)?")
QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
SEPARATOR = re.compile(r"\|\||,|\r?\n|\r")
QUOTED_END = re.compile(rf"[^\S\r\n]*({SEPARATOR.pattern}|\Z)")

MIXED = (
    "some of it is in quotes and some is not; put every text in quotes, or separate the texts "
    "with || or new lines "
    "(a text alone ends with ||)."
)


class Item(NamedTuple):
    """One part of an axis text, without its quotes. `start` and `end` are its place, quotes
    included.
    """

    text: str
    start: int = -1
    end: int = -1
    is_quoted: bool = False
    is_skipped: bool = False


class _Token(NamedTuple):
    """The text between two separators of any kind."""

    start: int
    end: int
    quoted: str | None
    is_skipped: bool
    separator: str

    @property
    def is_filled(self) -> bool:
        return self.quoted is not None or self.end > self.start


def split_values(text: str, start: int = 0, in_brackets: bool = False) -> tuple[list[Item], str]:
    """Split a text into items, from `start` on. Returns them and what separates them: `||` if it
    occurs, else commas and line breaks.

    Empty items are left out; `SKIP:` marks items to be skipped. With `in_brackets`, commas inside
    of brackets separate nothing. Raises InvalidValue for a text that is too long.
    """
    tokens = _tokenize(text, start)
    if any(_ends_at_bar(token) for token in tokens):
        return list(_group(text, tokens, _ends_at_bar)), " || "
    if in_brackets:
        brackets = _Brackets(text)
        return list(_group(text, tokens, brackets.is_closed_after)), ", "
    return list(_group(text, tokens, _ends_anywhere)), ", "


def split_texts(text: str) -> list[Item]:
    """Split the texts of a text field, in which a comma alone separates nothing.

    Either all are in quotes, or they are separated by `||`, or else by line breaks. Raises
    InvalidValue if only some are in quotes.
    """
    tokens = _tokenize(text, 0)
    filled = [token for token in tokens if token.is_filled]
    quoted = [token for token in filled if token.quoted is not None]
    if len(quoted) == len(filled):
        return list(_group(text, tokens, _ends_anywhere))
    if any(_ends_at_bar(token) for token in tokens):
        return list(_group(text, tokens, _ends_at_bar))
    lines = list(_group(text, tokens, _ends_at_line))
    if len(lines) == 1 and quoted:
        raise InvalidValue(MIXED)
    return lines


def check_length(text: str) -> None:
    """Raise InvalidValue for an axis text that is too long."""
    if len(text) > MAX_LENGTH:
        raise InvalidValue(f"the text is too long: at most {MAX_LENGTH:,} characters are allowed.")


def check_typed(text: str) -> None:
    """Raise InvalidValue for an axis text that is longer than a page or a program may send."""
    if len(text) > MAX_TYPED_LENGTH:
        raise InvalidValue(
            f"the text is too long: at most {MAX_TYPED_LENGTH:,} characters are allowed."
        )


def quote(text: str) -> str:
    """Put a text in quotes, so that it is parsed as it is, whatever it holds."""
    return '"' + text.replace('"', '""') + '"'


def quote_if_split(text: str) -> str:
    """Return a text as one item: in quotes only if it would be split, or changed, without."""
    items, _ = split_values(text)
    whole = Item(text, 0, len(text))
    return text if items == [whole] else quote(text)


class _Brackets:
    """Counts the open brackets since the beginning of an item."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open = 0

    def is_closed_after(self, token: _Token) -> bool:
        own = self._text[token.start : token.end]
        opened = self._open + own.count("(") - own.count(")")
        # A closing bracket without an opening one is a character like any other.
        self._open = max(0, opened)
        # Only a comma can stand inside of brackets; at a line end whatever is open is closed.
        if self._open and token.separator == ",":
            return False
        self._open = 0
        return True


def _tokenize(text: str, start: int) -> list[_Token]:
    check_length(text)
    # One more than may be is enough to tell that there are too many.
    tokens = list(itertools.islice(_iterate_tokens(text, start), MAX_TOKENS + 1))
    if len(tokens) > MAX_TOKENS:
        raise InvalidValue(
            f"the text has too many parts: at most {MAX_TOKENS:,} commas and line ends are allowed."
        )
    return tokens


def _iterate_tokens(text: str, position: int) -> Iterator[_Token]:
    while True:
        begin = BEGIN.match(text, position)
        start = begin.end() if begin else position
        is_skipped = bool(begin and begin[1])
        quoted = QUOTED.match(text, start)
        # Quotes with anything but a separator behind them belong to the text: "red" hat, cap.
        after = QUOTED_END.match(text, quoted.end()) if quoted else None
        inner: str | None = None
        if quoted and after:
            inner = quoted[1].replace('""', '"')
            end = quoted.end()
            separator = after[1]
            position = after.end()
        else:
            end, separator, position = _find_separator(text, start)
        yield _Token(start, end, inner, is_skipped, separator)
        if not separator:
            return


def _find_separator(text: str, start: int) -> tuple[int, str, int]:
    """Find the next separator: where it begins, its text, and where it ends. At the end of the text
    it is "".
    """
    found = SEPARATOR.search(text, start)
    if found is None:
        return len(text), "", len(text)
    return found.start(), found[0], found.end()


def _ends_at_bar(token: _Token) -> bool:
    return token.separator == "||"


def _ends_at_line(token: _Token) -> bool:
    return token.separator in ("\n", "\r\n", "\r")


def _ends_anywhere(token: _Token) -> bool:
    return True


def _group(
    text: str, tokens: Iterable[_Token], is_last: Callable[[_Token], bool]
) -> Iterator[Item]:
    """Group tokens into items. Each item ends with a token that `is_last`, or with the text."""
    group: list[_Token] = []
    for token in tokens:
        group.append(token)
        if is_last(token) or not token.separator:
            item = _join(text, group)
            if item is not None:
                yield item
            group = []


def _join(text: str, group: list[_Token]) -> Item | None:
    first = group[0]
    raw = text[first.start : group[-1].end]
    indent = len(raw) - len(raw.lstrip())
    start = first.start + indent
    end = start + len(raw.strip())
    filled = [token for token in group if token.is_filled]
    # Quotes are taken off only if they enclose the whole item, not a part of it.
    if len(filled) == 1:
        [only] = filled
        is_whole = (only.start, only.end) == (start, end)
        if only.quoted is not None and is_whole:
            return Item(only.quoted, start, end, True, first.is_skipped)
    # SKIP: without a text behind it is an item too.
    if end > start or first.is_skipped:
        return Item(text[start:end], start, end, False, first.is_skipped)
    return None
