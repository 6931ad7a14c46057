"""Writes all export files of a sweep."""

from __future__ import annotations

from pathlib import Path

from comfygradio.sweeps.export.contact_sheet import write_sheets
from comfygradio.sweeps.export.gallery_page import write_gallery
from comfygradio.sweeps.export.grid import Grid
from comfygradio.sweeps.export.table import write_csv, write_json


def export_all(grid: Grid, folder: Path) -> list[Path]:
    """Write contact sheets, page and tables into a folder, each as a whole or not at all; returns
    their paths.

    Nothing is run again; what was there under these names is replaced. Raises OSError.
    """
    table = write_csv(grid, folder / "sweep.csv")
    data = write_json(grid, folder / "sweep.json")
    page = write_gallery(grid, folder / "sweep.html")
    sheets = write_sheets(grid, folder / "sheet.png")
    return [table, data, page, *sheets]
