"""Showing: a sweep as it stands, as the grid that contact sheets, pages and tables are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.errors import ValuesRefused
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.export.grid import Grid, GridAxis, GridCell, Layout, choose_layout
from comfygradio.sweeps.sweep import Sweep


def build_grid(sweep: Sweep, layout: Layout | None = None) -> Grid:
    """A sweep as it stands now, in this layout or the usual one."""
    axes = []
    for axis in sweep.axes:
        labels = tuple(step.label for step in axis.steps)
        axes.append(GridAxis(axis.title, labels))
    sizes = [len(axis.labels) for axis in axes]
    cells = {index: _make_cell(sweep, index, cell) for index, cell in sweep.cells.items()}
    return Grid(
        title=sweep.title,
        definition=sweep.definition.to_json(),
        axes=tuple(axes),
        cells=cells,
        layout=layout or choose_layout(sizes),
        fields={name: field.label for name, field in sweep.form.fields.items()},
        form=sweep.form.title,
        created=sweep.created,
    )


def _make_cell(sweep: Sweep, index: Index, cell: Cell) -> GridCell:
    return GridCell(
        index=index,
        values=_describe(sweep, index, cell),
        phase=cell.phase,
        results=cell.results,
        error=cell.error,
        seconds=cell.seconds,
        server=cell.server,
        rating=cell.rating,
    )


def _describe(sweep: Sweep, index: Index, cell: Cell) -> Mapping[str, Any]:
    """All values of a point; only those on the axes where the form refuses them."""
    try:
        return sweep.space.describe(index)
    except ValuesRefused:
        return cell.values
