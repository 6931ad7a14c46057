"""Grids: what a sweep made, and how it is laid out in rows, columns and pages; nothing is run for
another layout.
"""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from comfygradio.jobs.job import Phase
from comfygradio.jobs.results import Result
from comfygradio.sweeps.axes.axis import Index

Combo = tuple[tuple[int, int], ...]
"""Positions on some axes, as (axis, position), the outermost axis first."""

MAX_COLUMNS = 12
"""Longest axis that becomes columns by itself, where a shorter one can take its place."""

FILTERS = ("all", "done", "failed", "kept", "1", "2", "3", "4", "5")
"""Which cells are shown: all, done, failed, not rejected, or with so many stars and more."""

NUMBER = re.compile(r"[-+]?(\d[\d,]*(?:\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class GridAxis:
    """An axis as people see it: what it is called, and a label for each position."""

    title: str
    labels: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether all labels are numbers."""
        matches = [NUMBER.fullmatch(label) for label in self.labels]
        return all(matches)

    def to_json(self) -> dict[str, Any]:
        """The axis as exported files hold it."""
        return {"title": self.title, "labels": list(self.labels)}


@dataclass(frozen=True)
class GridCell:
    """One point: the values of the whole form as JSON, and what became of it.

    `seconds` is how long it took and `server` where it was made, "" where nobody knows. `rating` is
    -1 for rejected, 0 for none, or 1 to 5 stars.
    """

    index: Index
    values: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase = "waiting"
    results: tuple[Result, ...] = ()
    error: str = ""
    seconds: float = 0.0
    server: str = ""
    rating: int = 0

    @property
    def host(self) -> str:
        """Host and port of the server, without anything secret that its address may hold."""
        if "://" not in self.server:
            return self.server
        _, _, host = urlsplit(self.server).netloc.rpartition("@")
        return host


@dataclass(frozen=True)
class Layout:
    """Which axes are rows, columns and pages, outermost first; each axis stands in exactly one of
    the three.

    `hidden` is axis → positions that are left out. `show` is one of FILTERS.
    """

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    hidden: Mapping[int, frozenset[int]] = field(default_factory=dict)
    show: str = "all"

    def is_wanted(self, cell: GridCell | None) -> bool:
        """Whether `show` keeps a cell; one that does not exist yet is as one that waits."""
        if self.show == "all":
            return True
        if self.show in ("done", "failed"):
            return cell is not None and cell.phase == self.show
        rating = cell.rating if cell else 0
        least = 0 if self.show == "kept" else int(self.show)
        return rating >= least

    def to_json(self) -> dict[str, Any]:
        """The layout as `parse_layout` takes it."""
        return {
            "rows": list(self.rows),
            "columns": list(self.columns),
            "pages": list(self.pages),
            "hidden": {str(axis): sorted(at) for axis, at in self.hidden.items()},
            "show": self.show,
        }


@dataclass(frozen=True)
class Grid:
    """Everything that a sweep made. `definition` is its JSON, as `Definition.to_json` writes it.

    `fields` is field → label for people; `form` is what the preset is called; `created` is in
    seconds since 1970.
    """

    title: str
    definition: Mapping[str, Any]
    axes: tuple[GridAxis, ...]
    cells: Mapping[Index, GridCell]
    layout: Layout
    fields: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    created: float = 0.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Positions on each axis."""
        lengths = [len(axis.labels) for axis in self.axes]
        return tuple(lengths)

    def list_points(self) -> Iterator[Index]:
        """Every point in the order as typed, whether it has a cell or not."""
        positions = [range(size) for size in self.sizes]
        return itertools.product(*positions)

    def find(self, *combos: Combo) -> GridCell | None:
        """The cell at positions that name every axis once; None while there is none."""
        places: dict[int, int] = {}
        for combo in combos:
            places.update(combo)
        index = [places[axis] for axis in range(len(self.axes))]
        return self.cells.get(tuple(index))

    def name(self, combo: Combo) -> str:
        """Positions for people: `CFG 7 · Sampler euler`."""
        parts = []
        for number, at in combo:
            axis = self.axes[number]
            parts.append(f"{axis.title} {axis.labels[at]}")
        return " · ".join(parts)

    def describe(self) -> str:
        """Which form was used, how many cells are done, what became of the others, and the day; in
        a line.
        """
        counts: Counter[str] = Counter()
        for cell in self.cells.values():
            counts[cell.phase] += 1
        preset = self.definition.get("preset", "")
        parts = [self.form or str(preset)]
        done = counts["done"]
        total = math.prod(self.sizes)
        parts.append(f"{done:,} of {total:,} done")
        for phase in ("failed", "stopped"):
            count = counts[phase]
            if count:
                parts.append(f"{count:,} {phase}")
        if self.created:
            day = datetime.datetime.fromtimestamp(self.created)
            parts.append(f"{day:%Y-%m-%d}")
        return " · ".join(part for part in parts if part)

    def list_fields(self) -> list[str]:
        """All fields that any cell has a value of."""
        names: dict[str, None] = {}
        for cell in self.cells.values():
            names.update(dict.fromkeys(cell.values))
        return list(names)


@dataclass(frozen=True)
class Page:
    """One page of a grid: what is the same all over it, and its rows and columns.

    Where it `flows` there are only columns, which follow each other in lines. `part` numbers the
    parts of a page that is too large for one picture, from 1; 0 is a whole one.
    """

    grid: Grid
    place: Combo = ()
    rows: tuple[Combo, ...] = ()
    columns: tuple[Combo, ...] = ()
    part: int = 0

    @property
    def flows(self) -> bool:
        """Whether rows or columns have no axis, so that lines can be broken anywhere."""
        layout = self.grid.layout
        return not (layout.rows and layout.columns)

    def find(self, row: int, column: int) -> GridCell | None:
        """The cell at a place of this page, None while there is none or where it is not wanted."""
        grid = self.grid
        cell = grid.find(self.place, self.rows[row], self.columns[column])
        if not grid.layout.is_wanted(cell):
            return None
        return cell


def choose_layout(sizes: Sequence[int]) -> Layout:
    """Rows, columns and pages at first: the last two axes make the grid, and a long
    one goes down.
    """
    axes = tuple(range(len(sizes)))
    if len(axes) < 2:
        return Layout(columns=axes)
    *pages, rows, columns = axes
    is_wide = sizes[columns] > MAX_COLUMNS
    if is_wide and sizes[rows] < sizes[columns]:
        return Layout(rows=(columns,), columns=(rows,), pages=tuple(pages))
    return Layout(rows=(rows,), columns=(columns,), pages=tuple(pages))


def parse_layout(data: Mapping[str, Any], sizes: Sequence[int]) -> Layout:
    """The layout in decoded JSON; axes that stand nowhere become pages, and what makes no sense is
    left out.
    """
    left = list(range(len(sizes)))
    places: dict[str, tuple[int, ...]] = {}
    for name in ("rows", "columns", "pages"):
        listed = [axis for axis in _list_numbers(data.get(name)) if axis in left]
        places[name] = tuple(dict.fromkeys(listed))
        left = [axis for axis in left if axis not in places[name]]
    listed_hidden = data.get("hidden")
    hidden: dict[int, frozenset[int]] = {}
    for axis, size in enumerate(sizes):
        positions = _parse_hidden(listed_hidden, axis, size)
        if positions:
            hidden[axis] = positions
    show = str(data.get("show"))
    return Layout(
        rows=places["rows"],
        columns=places["columns"],
        pages=(*places["pages"], *left),
        hidden=hidden,
        show=show if show in FILTERS else "all",
    )


def arrange(grid: Grid) -> tuple[Page, ...]:
    """The pages of a grid as its layout says; at least one, which has no cells where
    nothing fits.
    """
    places = _combine(grid, grid.layout.pages)
    pages = [_make_page(grid, place) for place in places]
    kept = [page for page in pages if page.rows and page.columns]
    if kept:
        return tuple(kept)
    if pages:
        return (pages[0],)
    return (Page(grid),)


def _make_page(grid: Grid, place: Combo) -> Page:
    layout = grid.layout
    rows = _combine(grid, layout.rows)
    columns = _combine(grid, layout.columns)
    if not (layout.rows and layout.columns):
        # One of the two has no axis; what the other has follows each other in lines.
        columns = [row + column for row, column in itertools.product(rows, columns)]
        rows = [()]
    if layout.show != "all":
        kept_rows = set()
        kept_columns = set()
        for row, column in itertools.product(rows, columns):
            cell = grid.find(place, row, column)
            if layout.is_wanted(cell):
                kept_rows.add(row)
                kept_columns.add(column)
        rows = [row for row in rows if row in kept_rows]
        columns = [column for column in columns if column in kept_columns]
    return Page(grid, place, tuple(rows), tuple(columns))


def _combine(grid: Grid, axes: Sequence[int]) -> list[Combo]:
    """Every combination of the positions that are shown, the last axis running fastest."""
    positions = []
    for axis in axes:
        shown = [(axis, position) for position in _list_shown(grid, axis)]
        positions.append(shown)
    return list(itertools.product(*positions))


def _list_shown(grid: Grid, axis: int) -> list[int]:
    positions = range(grid.sizes[axis])
    hidden = grid.layout.hidden.get(axis, frozenset())
    return [position for position in positions if position not in hidden]


def _list_numbers(data: Any) -> list[int]:
    if not isinstance(data, list | tuple | set | frozenset):
        return []
    numbers = []
    for value in data:
        if isinstance(value, int) and not isinstance(value, bool):
            numbers.append(value)
    return numbers


def _parse_hidden(data: Any, axis: int, size: int) -> frozenset[int]:
    """The hidden positions of an axis; none where that would be all of them."""
    if not isinstance(data, Mapping):
        return frozenset()
    listed = data.get(str(axis), data.get(axis))
    positions = _list_numbers(listed)
    hidden = {position for position in positions if 0 <= position < size}
    if len(hidden) == size:
        return frozenset()
    return frozenset(hidden)
