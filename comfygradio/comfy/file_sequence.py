"""File sequences: results for which a server reports one name for many files, such as
`x_%03d.png`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from comfygradio.comfy.outputs import Output

COUNTER = r"%(?:0?\d{1,2})?d|#{2,}"
"""Where the number of a file stands in the name: as FFmpeg writes it, or as film programs do."""

MAX_GAP = 3
"""Maximum number of consecutive missing files. A longer gap ends the sequence."""

MAX_FILES = 100_000
"""Guards against servers that return a file for every name."""

T = TypeVar("T")


def is_sequence(filename: str) -> bool:
    """Whether a name may be a sequence pattern. It may also be a real file: check that first."""
    counters = re.findall(COUNTER, filename)
    return len(counters) == 1


def name_file(filename: str, number: int) -> str:
    """Name one file of a sequence."""
    found = re.search(COUNTER, filename)
    if found is None:
        return filename
    before = filename[: found.start()]
    after = filename[found.end() :]
    return before + _write_number(found[0], number) + after


def _write_number(counter: str, number: int) -> str:
    if counter.startswith("#"):
        return str(number).zfill(len(counter))
    return counter % number


def fetch_files(
    output: Output, fetch: Callable[[Output], T], is_absent: Callable[[T], bool]
) -> Iterator[T]:
    """Yield the result of `fetch` for each file of a sequence that begins at 0, or at most
    `MAX_GAP` above.

    Absent files are yielded only if a later file exists. Yields nothing if no file exists.
    """
    absent: list[T] = []
    has_begun = False
    for number in range(MAX_FILES):
        filename = name_file(output.filename, number)
        fetched = fetch(replace(output, filename=filename))
        if is_absent(fetched):
            absent.append(fetched)
            if len(absent) > MAX_GAP:
                return
            continue
        # Numbers that are missing before the first file are no gap in the sequence.
        if has_begun:
            yield from absent
        absent.clear()
        has_begun = True
        yield fetched
