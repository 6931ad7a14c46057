"""Converts a sweep to a grid, and writes a grid as contact sheets, page and tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.errors import ValuesRefused
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.export.contact_sheet import write_sheets
from comfygradio.sweeps.export.gallery_page import write_gallery
from comfygradio.sweeps.export.grid import Grid, GridAxis, GridCell, Layout, choose_layout
from comfygradio.sweeps.export.table import write_csv, write_json
from comfygradio.sweeps.sweep import Sweep


def build_grid(sweep: Sweep, layout: Layout | None = None) -> Grid:
    """Build the grid of a sweep as it stands now, in this layout or the usual one."""
    axes = []
    for axis in sweep.axes:
        labels = [step.label for step in axis.steps]
        axes.append(GridAxis(axis.title, tuple(labels)))
    sizes = [len(axis.labels) for axis in axes]
    cells = {}
    for index, cell in sweep.cells.items():
        cells[index] = _make_cell(sweep, index, cell)
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
    """Describe all values of a point, or only those on the axes if the form refuses the point."""
    try:
        return sweep.space.describe(index)
    except ValuesRefused:
        return cell.values


def export_all(grid: Grid, folder: Path) -> list[Path]:
    """Write contact sheets, page and tables into a folder. Returns their paths.

    Each file is written whole or not at all, and replaces one with its name. Raises OSError.
    """
    table = write_csv(grid, folder / "sweep.csv")
    data = write_json(grid, folder / "sweep.json")
    page = write_gallery(grid, folder / "sweep.html")
    sheets = write_sheets(grid, folder / "sheet.png")
    return [table, data, page, *sheets]
