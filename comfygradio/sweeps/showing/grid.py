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

WIDEST = 12
"""Longest axis that becomes columns by itself, where a shorter one can take its place."""

SHOWS = ("all", "done", "failed", "kept", "1", "2", "3", "4", "5")
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
        return all(NUMBER.fullmatch(label) for label in self.labels)


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
        return (
            urlsplit(self.server).netloc.rpartition("@")[2] if "://" in self.server else self.server
        )


@dataclass(frozen=True)
class Layout:
    """Which axes are rows, columns and pages, outermost first; each axis stands in exactly one of
    the three.

    `hidden` is axis → positions that are left out. `show` is one of SHOWS.
    """

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    hidden: Mapping[int, frozenset[int]] = field(default_factory=dict)
    show: str = "all"

    def is_wanted(self, cell: GridCell | None) -> bool:
        """Whether `show` keeps a cell; one that does not exist yet is as one that waits."""
        rating = cell.rating if cell else 0
        if self.show in ("done", "failed"):
            return cell is not None and cell.phase == self.show
        return self.show == "all" or rating >= (0 if self.show == "kept" else int(self.show))

    def to_json(self) -> dict[str, Any]:
        """The layout as `read_layout` takes it."""
        places = {"rows": list(self.rows), "columns": list(self.columns), "pages": list(self.pages)}
        return {
            **places,
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
        return tuple(len(axis.labels) for axis in self.axes)

    def list_points(self) -> Iterator[Index]:
        """Every point in the order as typed, whether it has a cell or not."""
        return itertools.product(*map(range, self.sizes))

    def find(self, *combos: Combo) -> GridCell | None:
        """The cell at positions that name every axis once; None while there is none."""
        places = dict(itertools.chain(*combos))
        return self.cells.get(tuple(places[axis] for axis in range(len(self.axes))))

    def name(self, combo: Combo) -> str:
        """Positions for people: `CFG 7 · Sampler euler`."""
        return " · ".join(
            f"{self.axes[axis].title} {self.axes[axis].labels[at]}" for axis, at in combo
        )

    def describe(self) -> str:
        """Which form was used, how many cells are done, what became of the others, and the day; in
        a line.
        """
        counts = Counter(cell.phase for cell in self.cells.values())
        parts = [self.form or str(self.definition.get("preset", ""))]
        parts += [f"{counts['done']:,} of {math.prod(self.sizes):,} done"]
        parts += [f"{counts[phase]:,} {phase}" for phase in ("failed", "stopped") if counts[phase]]
        parts += (
            [f"{datetime.datetime.fromtimestamp(self.created):%Y-%m-%d}"] if self.created else []
        )
        return " · ".join(filter(None, parts))

    def list_fields(self) -> list[str]:
        """All fields that any cell has a value of."""
        return list(dict.fromkeys(name for cell in self.cells.values() for name in cell.values))


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
        return not (self.grid.layout.rows and self.grid.layout.columns)

    def find(self, row: int, column: int) -> GridCell | None:
        """The cell at a place of this page, None while there is none or where it is not wanted."""
        cell = self.grid.find(self.place, self.rows[row], self.columns[column])
        return cell if self.grid.layout.is_wanted(cell) else None


def choose_layout(sizes: Sequence[int]) -> Layout:
    """Rows, columns and pages at first: the last two axes make the grid, and a long
    one goes down.
    """
    axes = tuple(range(len(sizes)))
    if len(axes) < 2:
        return Layout(columns=axes)
    *pages, rows, columns = axes
    if sizes[columns] > WIDEST and sizes[rows] < sizes[columns]:
        rows, columns = columns, rows
    return Layout((rows,), (columns,), tuple(pages))


def read_layout(data: Mapping[str, Any], sizes: Sequence[int]) -> Layout:
    """The layout in decoded JSON; axes that stand nowhere become pages, and what makes no sense is
    left out.
    """
    left = list(range(len(sizes)))
    places: dict[str, tuple[int, ...]] = {}
    for name in ("rows", "columns", "pages"):
        listed = data.get(name)
        places[name] = tuple(axis for axis in _list_numbers(listed) if axis in left)
        places[name] = tuple(dict.fromkeys(places[name]))
        left = [axis for axis in left if axis not in places[name]]
    hidden = data.get("hidden")
    kept = {axis: _read_hidden(hidden, axis, size) for axis, size in enumerate(sizes)}
    show = str(data.get("show"))
    return Layout(
        places["rows"],
        places["columns"],
        (*places["pages"], *left),
        {axis: at for axis, at in kept.items() if at},
        show if show in SHOWS else "all",
    )


def arrange(grid: Grid) -> tuple[Page, ...]:
    """The pages of a grid as its layout says; at least one, which has no cells where
    nothing fits.
    """
    layout = grid.layout
    pages = [_make_page(grid, place) for place in _combine(grid, layout.pages)]
    kept = [page for page in pages if page.rows and page.columns]
    return tuple(kept or pages[:1] or [Page(grid)])


def _make_page(grid: Grid, place: Combo) -> Page:
    layout = grid.layout
    rows, columns = _combine(grid, layout.rows), _combine(grid, layout.columns)
    if not (layout.rows and layout.columns):
        rows, columns = [()], [(*row, *column) for row in rows for column in columns]
    if layout.show != "all":
        pairs = itertools.product(rows, columns)
        wanted = [pair for pair in pairs if layout.is_wanted(grid.find(place, *pair))]
        rows = list(dict.fromkeys(row for row, _ in wanted))
        kept = {column for _, column in wanted}
        columns = [column for column in columns if column in kept]
    return Page(grid, place, tuple(rows), tuple(columns))


def _combine(grid: Grid, axes: Sequence[int]) -> list[Combo]:
    """Every combination of the positions that are shown, the last axis running fastest."""
    return list(
        itertools.product(*([(axis, at) for at in _list_shown(grid, axis)] for axis in axes))
    )


def _list_shown(grid: Grid, axis: int) -> list[int]:
    hidden = grid.layout.hidden.get(axis, frozenset())
    return [at for at in range(grid.sizes[axis]) if at not in hidden]


def _list_numbers(data: Any) -> list[int]:
    listed = data if isinstance(data, list | tuple | set | frozenset) else []
    return [number for number in listed if isinstance(number, int) and not isinstance(number, bool)]


def _read_hidden(data: Any, axis: int, size: int) -> frozenset[int]:
    """The hidden positions of an axis; none where that would be all of them."""
    listed = data.get(str(axis), data.get(axis)) if isinstance(data, Mapping) else None
    hidden = frozenset(at for at in _list_numbers(listed) if 0 <= at < size)
    return hidden if len(hidden) < size else frozenset()
