"""Grids: the results of a sweep, laid out in rows, columns and pages. Another layout runs nothing
again.
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
    """The title of an axis, and the label of each position."""

    title: str
    labels: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether all labels are numbers."""
        matches = [NUMBER.fullmatch(label) for label in self.labels]
        return all(matches)

    def to_json(self) -> dict[str, Any]:
        """Return the axis as JSON, as exported files hold it."""
        return {"title": self.title, "labels": list(self.labels)}


@dataclass(frozen=True)
class GridCell:
    """One point: the values of the whole form as JSON, and its results.

    `seconds` is how long it took and `server` where it ran, "" if unknown. `rating` is -1 for
    rejected, 0 for none, or 1 to 5 stars.
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
        """Host and port of the server, without user name and password."""
        if "://" not in self.server:
            return self.server
        _, _, host = urlsplit(self.server).netloc.rpartition("@")
        return host


@dataclass(frozen=True)
class Layout:
    """Which axes are rows, columns and pages, outermost first. Each axis is in exactly one of the
    three.

    `hidden` maps axes to positions that are left out. `show` is one of FILTERS.
    """

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    pages: tuple[int, ...] = ()
    hidden: Mapping[int, frozenset[int]] = field(default_factory=dict)
    show: str = "all"

    def is_wanted(self, cell: GridCell | None) -> bool:
        """Whether `show` keeps a cell. A missing cell counts as a waiting one."""
        if self.show == "all":
            return True
        if self.show in ("done", "failed"):
            return cell is not None and cell.phase == self.show
        rating = cell.rating if cell else 0
        least = 0 if self.show == "kept" else int(self.show)
        return rating >= least

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON that `parse_layout` takes."""
        return {
            "rows": list(self.rows),
            "columns": list(self.columns),
            "pages": list(self.pages),
            "hidden": {str(axis): sorted(at) for axis, at in self.hidden.items()},
            "show": self.show,
        }


@dataclass(frozen=True)
class Grid:
    """All results of a sweep.

    `definition` is JSON, as `Definition.to_json` returns it. `fields` maps field names to labels.
    `form` is the title of the preset. `created` is in seconds since 1970.
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
        """List every point in the order as typed, whether it has a cell or not."""
        positions = [range(size) for size in self.sizes]
        return itertools.product(*positions)

    def find(self, *combos: Combo) -> GridCell | None:
        """Find the cell at these positions, which name every axis once, or None."""
        places: dict[int, int] = {}
        for combo in combos:
            places.update(combo)
        index = [places[axis] for axis in range(len(self.axes))]
        return self.cells.get(tuple(index))

    def name(self, combo: Combo) -> str:
        """Describe positions for people: `CFG 7 · Sampler euler`."""
        parts = []
        for number, at in combo:
            axis = self.axes[number]
            parts.append(f"{axis.title} {axis.labels[at]}")
        return " · ".join(parts)

    def describe(self) -> str:
        """Describe in a line which form was used, how many cells are done, failed or stopped, and
        on which day.
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
        """List all fields that any cell has a value for."""
        names: dict[str, None] = {}
        for cell in self.cells.values():
            names.update(dict.fromkeys(cell.values))
        return list(names)


@dataclass(frozen=True)
class Page:
    """One page of a grid, with its rows and columns; all cells share the positions in `place`.

    A page that `flows` has only columns, which are broken into lines. `part` numbers the parts of a
    page that is too large for one picture, from 1; 0 is a whole page.
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
        """Find the cell at a row and a column, or None if it is missing or filtered out."""
        grid = self.grid
        cell = grid.find(self.place, self.rows[row], self.columns[column])
        if not grid.layout.is_wanted(cell):
            return None
        return cell


def choose_layout(sizes: Sequence[int]) -> Layout:
    """Choose the first layout: the last two axes are rows and columns, a long one the rows."""
    axes = tuple(range(len(sizes)))
    if len(axes) < 2:
        return Layout(columns=axes)
    *pages, rows, columns = axes
    is_wide = sizes[columns] > MAX_COLUMNS
    if is_wide and sizes[rows] < sizes[columns]:
        # Downwards there is room for a long axis: pages scroll that way.
        return Layout(rows=(columns,), columns=(rows,), pages=tuple(pages))
    return Layout(rows=(rows,), columns=(columns,), pages=tuple(pages))


def parse_layout(data: Mapping[str, Any], sizes: Sequence[int]) -> Layout:
    """Parse a layout from decoded JSON. Missing axes become pages, and what makes no sense is
    ignored.
    """
    # Each axis goes to the first place that names it.
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
    """Arrange a grid in pages, as its layout says. There is at least one, which may be empty."""
    places = _combine(grid, grid.layout.pages)
    pages = [_make_page(grid, place) for place in places]
    # A filter may leave nothing on a page.
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
    """Combine all shown positions of these axes; the last axis runs fastest."""
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
    """Parse the hidden positions of an axis; none if that would be all of them."""
    if not isinstance(data, Mapping):
        return frozenset()
    # In JSON all keys are texts.
    listed = data.get(str(axis), data.get(axis))
    positions = _list_numbers(listed)
    hidden = {position for position in positions if 0 <= position < size}
    if len(hidden) == size:
        return frozenset()
    return frozenset(hidden)
