"""Contact sheets: a grid as one labelled picture, with the sweep's definition in its metadata."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from comfygradio.comfy.outputs import write_file
from comfygradio.errors import MetadataError
from comfygradio.jobs.results import Result
from comfygradio.metadata.load import Metadata, load_metadata
from comfygradio.sweeps.export.cell_painter import PAPER, CellPainter
from comfygradio.sweeps.export.grid import Combo, Grid, GridCell, Page, arrange
from comfygradio.sweeps.export.sheet_layout import Sheet, SheetPlanner, Size, Text
from comfygradio.sweeps.export.text_layout import Color
from comfygradio.sweeps.export.thumbnail import (
    PICTURES,
    choose_result,
    find_size,
    load_thumbnails,
)
from comfygradio.version import VERSION

MAX_SIDE = {"PNG": 16_384, "WEBP": 16_383}
"""Longest side: what browsers still show, and what WebP can hold."""

MAX_AREA = {"PNG": 64_000_000, "WEBP": 40_000_000}
"""Pixels of a whole sheet: about 300 and 500 MB while it is made."""

MAX_CELL = 512
"""Longest side of a cell that has room."""

MIN_CELL = 192
"""The same for pictures that are smaller than that themselves."""

MAX_PART_SIDE = 100
"""Most rows and columns of one picture, so that something can still be seen."""

MAX_PART_CELLS = MAX_PART_SIDE * MAX_PART_SIDE
"""Most cells of one picture where they flow."""

MAX_SIZE_SAMPLES = 40
"""Of so many cells the sizes are looked at to find the shape of all."""

RULE_COLOR: Color = (209, 213, 219)

DEFAULT_SHAPE = (320, 200)
"""The shape of cells without any picture."""

EXIF_MAKE = 0x010F
"""Where ComfyUI puts the first text of a WebP, as `name:{…}`."""


@dataclass(frozen=True)
class SheetLimits:
    """Limits of a sheet: its longest side and area, and the longest side of a cell, in pixels."""

    max_side: int = MAX_SIDE["PNG"]
    max_area: int = MAX_AREA["PNG"]
    max_cell: int = MAX_CELL


def write_sheets(grid: Grid, path: Path, limits: SheetLimits | None = None) -> list[Path]:
    """Write every page as PNG or WebP, as the suffix says. Several are named `sheet-1.png` and so
    on.

    Each is written whole or not at all. Raises OSError.
    """
    pages: list[Page] = []
    for page in arrange(grid):
        pages += split_page(page)
    if len(pages) == 1:
        return [write_sheet(pages[0], path, limits)]
    width = len(str(len(pages)))
    written = []
    for number, page in enumerate(pages, 1):
        target = path.with_name(f"{path.stem}-{number:0{width}}{path.suffix}")
        written.append(write_sheet(page, target, limits))
    return written


def write_sheet(page: Page, path: Path, limits: SheetLimits | None = None) -> Path:
    """Write one page as PNG or WebP, as the suffix says, with the sweep's definition in it.

    Raises OSError.
    """
    format = "WEBP" if path.suffix.lower() == ".webp" else "PNG"
    limits = limits or SheetLimits(MAX_SIDE[format], MAX_AREA[format])
    picture = draw_sheet(page, limits)
    own = json.dumps(describe_sweep(page.grid))
    encoded = BytesIO()
    if format == "WEBP":
        exif = Image.Exif()
        exif[EXIF_MAKE] = f"comfygradio:{own}"
        picture.save(encoded, format, quality=90, method=2, exif=exif)
    else:
        info = PngInfo()
        info.add_text("comfygradio", own)
        picture.save(encoded, format, compress_level=4, pnginfo=info)
    return write_file(path, iter([encoded.getvalue()]))


def describe_sweep(grid: Grid) -> dict[str, Any]:
    """Build the metadata of a sheet: the values that all points share, and the definition."""
    definition = dict(grid.definition)
    return {
        "preset": definition.get("preset", ""),
        "values": definition.get("values") or {},
        "version": VERSION,
        "sweep": definition,
    }


def load_sweep(path: Path) -> dict[str, Any] | None:
    """Load the definition in a contact sheet or an exported JSON file. Returns None for any other
    file.
    """
    try:
        return find_sweep(load_metadata(path))
    except MetadataError:
        return None


def find_sweep(metadata: Metadata) -> dict[str, Any] | None:
    """Find the definition of a sweep in the metadata of a file, or None."""
    own = metadata.comfygradio or {}
    definition = own.get("sweep")
    if not isinstance(definition, dict):
        return None
    if not isinstance(definition.get("preset"), str):
        return None
    return definition


def split_page(page: Page) -> list[Page]:
    """Split a page that is too large for one picture into parts; mostly there is one."""
    parts = _split_flow(page) if page.flows else _split_table(page)
    if len(parts) == 1:
        return parts
    numbered = []
    for number, part in enumerate(parts, 1):
        numbered.append(replace(part, part=number))
    return numbered


def _split_flow(page: Page) -> list[Page]:
    parts = []
    for columns in _split_combos(page.columns, MAX_PART_CELLS):
        parts.append(replace(page, columns=columns))
    return parts


def _split_table(page: Page) -> list[Page]:
    parts = []
    for rows in _split_combos(page.rows, MAX_PART_SIDE):
        for columns in _split_combos(page.columns, MAX_PART_SIDE):
            parts.append(replace(page, rows=rows, columns=columns))
    return parts


def _split_combos(combos: tuple[Combo, ...], most: int) -> list[tuple[Combo, ...]]:
    """Split rows or columns into parts of at most `most`. If there are none, one part is empty."""
    if not combos:
        return [()]
    parts = []
    for start in range(0, len(combos), most):
        end = start + most
        parts.append(combos[start:end])
    return parts


def draw_sheet(page: Page, limits: SheetLimits) -> Image.Image:
    """Draw one page, within the limits."""
    sheet = plan_sheet(page, limits)
    canvas = Image.new("RGB", (sheet.width, sheet.height), PAPER)
    for text in sheet.texts:
        _draw_text(canvas, text)
    draw = ImageDraw.Draw(canvas)
    for rule in sheet.rules:
        draw.rectangle(rule.corners, RULE_COLOR)
    painter = CellPainter(canvas, sheet.face)
    for spot, thumbnail in _load_spots(sheet):
        painter.paint(spot.box, spot.cell, thumbnail)
    return canvas


def plan_sheet(page: Page, limits: SheetLimits) -> Sheet:
    """Lay out one page, with cells as large as the limits allow."""
    native = find_shape(page)
    shape = native or DEFAULT_SHAPE
    wanted = max(shape)
    if native:
        wanted = max(MIN_CELL, min(limits.max_cell, wanted))
    side = wanted
    subtitle = page.grid.describe()
    while True:
        cell = _scale(shape, side)
        footer = _describe_scale(native, side, wanted, limits)
        sheet = SheetPlanner(page, cell).plan(subtitle, footer)
        excess = _measure_excess(sheet, limits)
        if excess <= 1 or side <= 1:
            return sheet
        # Letters do not shrink as cells do, so that one step may not be enough.
        smaller = min(side - 1, int(side / excess))
        side = max(1, smaller)


def _measure_excess(sheet: Sheet, limits: SheetLimits) -> float:
    """Measure how much too long a sheet's sides are; 1 or less is within the limits."""
    area = sheet.width * sheet.height
    return max(
        sheet.width / limits.max_side,
        sheet.height / limits.max_side,
        math.sqrt(area / limits.max_area),
    )


def find_shape(page: Page) -> Size | None:
    """Find the most common size of the pictures on a page, or None if it has none.

    A very long size is cut in proportion.
    """
    shown = []
    for row in range(len(page.rows)):
        for column in range(len(page.columns)):
            result = _find_shown(page.find(row, column))
            if result is not None:
                shown.append(result)
    known = _count_sizes(shown)
    if not known:
        return None
    [(size, _)] = known.most_common(1)
    width, height = size
    return min(width, height * 3), min(height, width * 3)


def _find_shown(cell: GridCell | None) -> Result | None:
    """Find the picture or video that a cell shows, or None if it shows something else."""
    if cell is None or cell.phase == "failed":
        return None
    result = choose_result(cell.results)
    if result is None or result.kind not in (*PICTURES, "video"):
        return None
    return result


def _count_sizes(shown: Sequence[Result]) -> Counter[Size]:
    """Count how often each size occurs. Opens files only if no size is known."""
    known: Counter[Size] = Counter()
    for result in shown:
        if result.width and result.height:
            known[(result.width, result.height)] += 1
    # Sizes that are stored with the results spare opening thousands of files.
    if known:
        return known
    for result in shown[:MAX_SIZE_SAMPLES]:
        size = find_size(result)
        if size is not None:
            known[size] += 1
    return known


def _scale(shape: Size, longest: int) -> Size:
    scale = longest / max(shape)
    width = round(shape[0] * scale)
    height = round(shape[1] * scale)
    return max(1, width), max(1, height)


def _load_spots(sheet: Sheet) -> Iterator[tuple[Any, Image.Image | None]]:
    """Load the thumbnails of spots. Those without one come first."""
    spots = []
    asked = []
    for spot in sheet.spots:
        result = _find_shown(spot.cell)
        if result is None:
            yield spot, None
        else:
            spots.append(spot)
            asked.append((result, max(sheet.cell)))
    yield from zip(spots, load_thumbnails(asked), strict=True)


def _draw_text(canvas: Image.Image, text: Text) -> None:
    face = text.face
    y = text.box.y
    for line in text.lines:
        room = text.box.width - face.measure(line)
        indents = {"left": 0.0, "center": room / 2, "right": room}
        x = text.box.x + indents[text.align]
        face.draw(canvas, x, y, line, text.color)
        y += face.line_height


def _describe_scale(native: Size | None, side: int, wanted: int, limits: SheetLimits) -> str:
    """Describe how large the pictures are, why they are not larger, and what can be done with the
    sheet.
    """
    notes = []
    if native and side != max(native):
        width, height = native
        scale = _percent(side / max(native))
        notes.append(f"Pictures of {width} × {height} are shown at {scale}.")
    if side < wanted:
        scale = _percent(side / wanted)
        megapixels = limits.max_area / 1e6
        room = f"{limits.max_side:,} pixels a side and {megapixels:.0f} megapixels"
        notes.append(f"The sheet was scaled to {scale} to stay within {room}.")
    notes.append("Drop this picture on comfygradio to open the comparison again.")
    return " ".join(notes)


def _percent(part: float) -> str:
    percent = round(part * 100)
    return f"{max(1, percent)} %"
