"""Axis texts: where one value ends and the next begins, what is in quotes, and what is left out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from comfygradio.forms.field import Refused

MAX_VALUES = 10_000
"""Values of one axis."""

LONGEST = 5_000_000
"""Characters of one field's axis text."""

LONGEST_TYPED = 100_000
"""Characters of one field's axis text as a browser or a program sends it; what is written down may
be longer, since there every drawn seed is written out.
"""

MOST_PIECES = 250_000
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


@dataclass(frozen=True)
class Item:
    """One part of an axis text, without its quotes; `start` and `end` are where it stands, its
    quotes included.
    """

    text: str
    start: int = -1
    end: int = -1
    is_quoted: bool = False
    is_skipped: bool = False


@dataclass(frozen=True)
class _Piece:
    """What stands between two separators of any kind."""

    start: int
    end: int
    quoted: str | None
    is_skipped: bool
    separator: str


def split_values(text: str, start: int = 0, in_brackets: bool = False) -> tuple[list[Item], str]:
    """The items of a text from `start` on, and what separates them: `||` if it occurs, else commas
    and new lines.

    Empty items are left out; `SKIP:` marks those that are to be skipped. With `in_brackets` a comma
    inside of brackets separates nothing. Raises Refused for texts that are too long.
    """
    pieces = _cut(text, start)
    if any(piece.separator == "||" for piece in pieces):
        return list(_group(text, pieces, lambda piece: piece.separator == "||")), " || "
    if in_brackets:
        return list(_group(text, pieces, _Brackets(text).is_closed_after)), ", "
    return list(_group(text, pieces, lambda piece: True)), ", "


def split_texts(text: str) -> list[Item]:
    """The texts of a field of words, in which a comma alone separates nothing.

    They are all in quotes, or separated by `||`, or else by new lines. Raises Refused where only
    some are in quotes.
    """
    pieces = _cut(text, 0)
    filled = [piece for piece in pieces if piece.quoted is not None or piece.end > piece.start]
    if all(piece.quoted is not None for piece in filled):
        return list(_group(text, pieces, lambda piece: True))
    if any(piece.separator == "||" for piece in pieces):
        return list(_group(text, pieces, lambda piece: piece.separator == "||"))
    lines = list(_group(text, pieces, lambda piece: piece.separator in ("\n", "\r\n", "\r")))
    if len(lines) == 1 and any(piece.quoted is not None for piece in filled):
        raise Refused(MIXED)
    return lines


def check_length(text: str) -> None:
    """Raises Refused for an axis text that is too long."""
    if len(text) > LONGEST:
        raise Refused(f"the text is too long: at most {LONGEST:,} characters are allowed.")


def check_typed(text: str) -> None:
    """Raises Refused for an axis text that is longer than anybody types."""
    if len(text) > LONGEST_TYPED:
        raise Refused(f"the text is too long: at most {LONGEST_TYPED:,} characters are allowed.")


def quote(text: str) -> str:
    """The text in quotes: read back as it is, whatever it holds."""
    return '"' + text.replace('"', '""') + '"'


def quote_if_split(text: str) -> str:
    """The text as one item: in quotes where it would not be read back as it is."""
    items, _ = split_values(text)
    return text if items == [Item(text, 0, len(text))] else quote(text)


class _Brackets:
    """Counts the brackets that are open, from one item's beginning on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open = 0

    def is_closed_after(self, piece: _Piece) -> bool:
        own = self._text[piece.start : piece.end]
        self._open = max(0, self._open + own.count("(") - own.count(")"))
        if self._open and piece.separator == ",":
            return False
        self._open = 0
        return True


def _cut(text: str, start: int) -> list[_Piece]:
    check_length(text)
    pieces = list(itertools.islice(_walk(text, start), MOST_PIECES + 1))
    if len(pieces) > MOST_PIECES:
        raise Refused(
            f"the text has too many parts: at most {MOST_PIECES:,} commas and line ends are "
            "allowed."
        )
    return pieces


def _walk(text: str, position: int) -> Iterator[_Piece]:
    while True:
        begin = BEGIN.match(text, position)
        start = begin.end() if begin else position
        quoted = QUOTED.match(text, start)
        after = QUOTED_END.match(text, quoted.end()) if quoted else None
        if quoted and after:
            inner, end, separator, position = (
                quoted[1].replace('""', '"'),
                quoted.end(),
                after[1],
                after.end(),
            )
        else:
            found = SEPARATOR.search(text, start)
            inner, end, separator = (
                None,
                found.start() if found else len(text),
                found[0] if found else "",
            )
            position = found.end() if found else len(text)
        yield _Piece(start, end, inner, bool(begin and begin[1]), separator)
        if not separator:
            return


def _group(
    text: str, pieces: Iterable[_Piece], is_last: Callable[[_Piece], bool]
) -> Iterator[Item]:
    """The items that the pieces make up; each ends with a piece that `is_last`, or
    with the text.
    """
    group: list[_Piece] = []
    for piece in pieces:
        group.append(piece)
        if is_last(piece) or not piece.separator:
            if item := _join(text, group):
                yield item
            group = []


def _join(text: str, group: list[_Piece]) -> Item | None:
    filled = [piece for piece in group if piece.quoted is not None or piece.end > piece.start]
    raw = text[group[0].start : group[-1].end]
    start = group[0].start + len(raw) - len(raw.lstrip())
    end = start + len(raw.strip())
    is_skipped = group[0].is_skipped
    if (
        len(filled) == 1
        and filled[0].quoted is not None
        and (filled[0].start, filled[0].end) == (start, end)
    ):
        return Item(filled[0].quoted, start, end, True, is_skipped)
    return (
        Item(text[start:end], start, end, False, is_skipped) if end > start or is_skipped else None
    )
