"""Search in the job store: a query becomes one SQL statement that uses an index, page by page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.jobs.job import Phase
from comfygradio.jobs.rows import JobRecord, encode_filter, fold_text, replace_surrogates

MAX_PAGE_SIZE = 500
MAX_SEQ = 2**63 - 1
MAX_WORDS = 20
"""Words of a search that count; more are left out."""

MIN_INDEXED_CHARACTERS = 3
"""The index holds trigrams; shorter words need a scan of the texts."""

HAS_TEXT = "(instr(texts.filled, ?) OR instr(texts.title, ?) OR instr(texts.error, ?))"
IS_VALUE = "(f.owner, f.name, f.value) = (?, ?, ?)"
HAS_VALUE = (
    "EXISTS (SELECT 1 FROM field_values v WHERE (v.owner, v.name, v.value, v.seq) = (?, ?, ?, "
    "jobs.seq))"
)


@dataclass(frozen=True)
class Query:
    """What to look for: every word of `text` somewhere in title, values or error, and every one of
    `values` exactly.

    Empty fields restrict nothing; `singles` leaves out the points of sweeps. `deleted` looks in
    the trash, and only there. `before` is `Page.next` of the page before; `limit` is 1 to 500.
    """

    text: str = ""
    preset: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    favourites: bool = False
    singles: bool = False
    deleted: bool = False
    phases: tuple[Phase, ...] = ()
    before: int | None = None
    limit: int = 30


@dataclass(frozen=True)
class Page:
    """Some of the jobs that were found, newest first; `next` asks for the page after it, None on
    the last one.
    """

    records: tuple[JobRecord, ...]
    next: int | None


def find_rows(
    connection: sqlite3.Connection, owner: str, query: Query
) -> tuple[list[int], int | None]:
    """Row numbers of one page of a person's jobs, newest first, and what `Page.next` is."""
    limit = min(max(query.limit, 1), MAX_PAGE_SIZE)
    sql, parameters = _build(replace_surrogates(owner), query)
    # One more than fits says whether there is a page after this one.
    found = connection.execute(f"{sql} LIMIT {limit + 1}", parameters)
    rows = [seq for (seq,) in found]
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, page[-1]


def list_values(connection: sqlite3.Connection, owner: str, name: str, limit: int) -> list[Any]:
    """The values that a person's jobs have in one field, the one used last first."""
    sql = """SELECT value FROM field_values CROSS JOIN jobs USING (seq)
             WHERE field_values.owner = ? AND name = ? AND deleted IS NULL
             GROUP BY value ORDER BY max(seq) DESC LIMIT ?"""
    found = connection.execute(sql, (replace_surrogates(owner), replace_surrogates(name), limit))
    return [json.loads(value) for (value,) in found]


def _build(owner: str, query: Query) -> tuple[str, list[Any]]:
    """Build the SQL. The most selective table comes first, and CROSS JOIN keeps it there."""
    long, short = _split_words(query.text)
    filters = [
        (replace_surrogates(name), encode_filter(value)) for name, value in query.values.items()
    ]
    if long:
        source = "words CROSS JOIN jobs ON jobs.seq = words.rowid"
        order = "words.rowid"
    elif filters:
        source = "field_values f CROSS JOIN jobs ON jobs.seq = f.seq"
        order = "f.seq"
    else:
        source = "jobs INDEXED BY jobs_mine"
        order = "jobs.seq"
    # Short words are looked for in the texts themselves, row by row.
    if short:
        source += " CROSS JOIN texts ON texts.seq = jobs.seq"
    before = MAX_SEQ
    if query.before is not None:
        before = max(min(query.before, MAX_SEQ), 0)
    # Numbers of rows grow with time: a page goes on below the last number of the page before.
    terms: list[tuple[str, list[Any]]] = [(f"{order} < ?", [before])]
    terms += _restrict(owner, query)
    if long:
        match = " AND ".join(_quote(word) for word in long)
        terms.append(("words MATCH ?", [match]))
    for number, (name, value) in enumerate(filters):
        # The first filter is the table itself, unless words are.
        term = HAS_VALUE if long or number > 0 else IS_VALUE
        terms.append((term, [owner, name, value]))
    terms += [(HAS_TEXT, [word] * 3) for word in short]
    where = " AND ".join(term for term, _ in terms)
    sql = f"SELECT jobs.seq FROM {source} WHERE {where} ORDER BY {order} DESC"
    parameters: list[Any] = []
    for _, values in terms:
        parameters += values
    return sql, parameters


def _split_words(text: str) -> tuple[list[str], list[str]]:
    """The words of a search, those that are long enough for the index and the others."""
    words = fold_text(text).split()
    different = list(dict.fromkeys(words))
    long: list[str] = []
    short: list[str] = []
    for word in different[:MAX_WORDS]:
        if len(word) >= MIN_INDEXED_CHARACTERS:
            long.append(word)
        else:
            short.append(word)
    return long, short


def _quote(word: str) -> str:
    """Quote a word for FTS5, so that no character in it has a special meaning."""
    doubled = word.replace('"', '""')
    return f'"{doubled}"'


def _restrict(owner: str, query: Query) -> Iterator[tuple[str, list[Any]]]:
    """Conditions on the columns of the job itself."""
    yield "jobs.owner = ?", [owner]
    yield "jobs.deleted IS NOT NULL" if query.deleted else "jobs.deleted IS NULL", []
    if query.preset:
        yield "jobs.preset = ?", [replace_surrogates(query.preset)]
    if query.favourites:
        yield "jobs.favourite", []
    if query.singles:
        yield "jobs.sweep = ''", []
    if query.phases:
        marks = ", ".join("?" * len(query.phases))
        yield f"jobs.phase IN ({marks})", list(query.phases)
