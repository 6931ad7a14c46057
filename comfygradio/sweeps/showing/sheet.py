"""Contact sheets: a grid as one labelled picture, which carries the sweep that it shows."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from comfygradio.comfy.outputs import write_file
from comfygradio.errors import MetadataError
from comfygradio.forms.restoring.metadata import Metadata, read_metadata
from comfygradio.forms.version import read_version
from comfygradio.sweeps.showing.drawing.cells import PAPER, CellPainter
from comfygradio.sweeps.showing.drawing.measures import Sheet, SheetPlanner, Size, Text
from comfygradio.sweeps.showing.drawing.thumbnails import (
    PICTURES,
    choose_result,
    find_size,
    read_thumbnails,
)
from comfygradio.sweeps.showing.grid import Grid, Page, arrange

MOST_PIXELS = {"PNG": 16_384, "WEBP": 16_383}
"""Longest side: what browsers still show, and what WebP can hold."""

MOST_AREA = {"PNG": 64_000_000, "WEBP": 40_000_000}
"""Pixels of a whole sheet: about 300 and 500 MB while it is made."""

LARGEST_CELL, SMALLEST_CELL = 512, 192
"""Longest side of a cell that has room; the smaller one for pictures that are smaller than that
themselves.
"""

PART = 100
"""Most rows and columns of one picture, so that something can still be seen."""

PART_CELLS = PART * PART
"""Most cells of one picture where they flow."""

SIZED = 40
"""Of so many cells the sizes are looked at to find the shape of all."""

WIDE = (320, 200)
"""The shape of cells without any picture."""

EXIF_MAKE = 0x010F
"""Where ComfyUI puts the first text of a WebP, as `name:{…}`."""


@dataclass(frozen=True)
class Limits:
    """How large a sheet may become: the longest side and the area, and the longest
    side of a cell.
    """

    side: int = MOST_PIXELS["PNG"]
    area: int = MOST_AREA["PNG"]
    cell: int = LARGEST_CELL


def write_sheets(grid: Grid, path: Path, limits: Limits | None = None) -> list[Path]:
    """Write every page as PNG or WebP, as the suffix says; of several, `sheet.png` becomes
    `sheet-1.png` and so on.

    Each is written as a whole or not at all. Raises OSError.
    """
    pages = [part for page in arrange(grid) for part in split_page(page)]
    if len(pages) == 1:
        return [write_sheet(pages[0], path, limits)]
    width = len(str(len(pages)))
    numbered = [
        path.with_name(f"{path.stem}-{number:0{width}}{path.suffix}")
        for number in range(1, len(pages) + 1)
    ]
    return [write_sheet(page, target, limits) for page, target in zip(pages, numbered, strict=True)]


def write_sheet(page: Page, path: Path, limits: Limits | None = None) -> Path:
    """Write one page as PNG or WebP, as the suffix says, with the sweep's definition in it.

    Raises OSError.
    """
    format = "WEBP" if path.suffix.lower() == ".webp" else "PNG"
    picture = draw_sheet(page, limits or Limits(MOST_PIXELS[format], MOST_AREA[format]))
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
    """What a sheet remembers: comfygradio's own entry with the values that all points share, and
    the definition.
    """
    definition = dict(grid.definition)
    values = {"preset": definition.get("preset", ""), "values": definition.get("values") or {}}
    return {**values, "version": read_version(), "sweep": definition}


def read_sweep(path: Path) -> dict[str, Any] | None:
    """The definition in a contact sheet or an exported JSON file, as JSON; None for any
    other file.
    """
    try:
        return find_sweep(read_metadata(path))
    except MetadataError:
        return None


def find_sweep(metadata: Metadata) -> dict[str, Any] | None:
    """The definition of a sweep among the settings in a file; None where there is none."""
    definition = (metadata.comfygradio or {}).get("sweep")
    return (
        definition
        if isinstance(definition, dict) and isinstance(definition.get("preset"), str)
        else None
    )


def split_page(page: Page) -> list[Page]:
    """A page as parts that are not too large for one picture; mostly one."""
    if page.flows:
        starts = range(0, max(1, len(page.columns)), PART_CELLS)
        parts = [
            replace(page, columns=page.columns[start : start + PART_CELLS]) for start in starts
        ]
    else:
        parts = [
            replace(
                page, rows=page.rows[row : row + PART], columns=page.columns[column : column + PART]
            )
            for row in range(0, max(1, len(page.rows)), PART)
            for column in range(0, max(1, len(page.columns)), PART)
        ]
    return (
        parts
        if len(parts) == 1
        else [replace(part, part=number) for number, part in enumerate(parts, 1)]
    )


def draw_sheet(page: Page, limits: Limits) -> Image.Image:
    """The picture of one page, within the limits."""
    sheet = plan_sheet(page, limits)
    canvas = Image.new("RGB", (sheet.width, sheet.height), PAPER)
    for text in sheet.texts:
        _draw_text(canvas, text)
    for rule in sheet.rules:
        corners = (rule.x, rule.y, rule.x + rule.width - 1, rule.y + rule.height - 1)
        ImageDraw.Draw(canvas).rectangle(corners, (209, 213, 219))
    painter = CellPainter(canvas, sheet.face)
    for spot, thumbnail in _read_spots(sheet):
        painter.paint(spot.box, spot.cell, thumbnail)
    return canvas


def plan_sheet(page: Page, limits: Limits) -> Sheet:
    """Where everything stands, with cells as large as the limits allow."""
    native = find_shape(page)
    longest = max(native or WIDE)
    wanted = side = max(SMALLEST_CELL, min(limits.cell, longest)) if native else longest
    subtitle = page.grid.describe()
    while True:
        cell = _scale(native or WIDE, side)
        footer = _write_footer(native, side, wanted, limits)
        sheet = SheetPlanner(page, cell).plan(subtitle, footer)
        area = sheet.width * sheet.height
        excess = max(
            sheet.width / limits.side, sheet.height / limits.side, math.sqrt(area / limits.area)
        )
        if excess <= 1 or side <= 1:
            return sheet
        side = max(1, min(side - 1, int(side / excess)))


def find_shape(page: Page) -> Size | None:
    """The commonest size of the pictures on a page, None where it has none; a very long one is cut
    in proportion.
    """
    cells = [
        page.find(row, column)
        for row in range(len(page.rows))
        for column in range(len(page.columns))
    ]
    chosen = [choose_result(cell.results) for cell in cells if cell and cell.phase != "failed"]
    shown = [result for result in chosen if result and result.kind in (*PICTURES, "video")]
    known = Counter((one.width, one.height) for one in shown if one.width and one.height)
    if not known:
        known = Counter(size for one in shown[:SIZED] if (size := find_size(one)))
    if not known:
        return None
    width, height = known.most_common(1)[0][0]
    return min(width, height * 3), min(height, width * 3)


def _scale(shape: Size, longest: int) -> Size:
    scale = longest / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _read_spots(sheet: Sheet) -> Iterator[tuple[Any, Image.Image | None]]:
    """The spots with their thumbnails, those without one at once."""
    shown = []
    for spot in sheet.spots:
        result = (
            choose_result(spot.cell.results) if spot.cell and spot.cell.phase != "failed" else None
        )
        if result and result.kind in (*PICTURES, "video"):
            shown.append((spot, (result, max(sheet.cell))))
        else:
            yield spot, None
    yield from zip(
        [spot for spot, _ in shown], read_thumbnails(asked for _, asked in shown), strict=True
    )


def _draw_text(canvas: Image.Image, text: Text) -> None:
    for number, line in enumerate(text.lines):
        room = text.box.width - text.face.measure(line)
        x = text.box.x + {"left": 0.0, "center": room / 2, "right": room}[text.align]
        text.face.draw(canvas, x, text.box.y + number * text.face.line, line, text.color)


def _write_footer(native: Size | None, side: int, wanted: int, limits: Limits) -> str:
    """How large the pictures are here, whether that is for want of room, and what can be done with
    the sheet.
    """
    notes = []
    if native and side != max(native):
        notes.append(
            f"Pictures of {native[0]} × {native[1]} are shown at {_percent(side / max(native))}."
        )
    if side < wanted:
        room = f"{limits.side:,} pixels a side and {limits.area / 1e6:.0f} megapixels"
        notes.append(f"The sheet was scaled to {_percent(side / wanted)} to stay within {room}.")
    return " ".join([*notes, "Drop this picture on comfygradio to open the sweep again."])


def _percent(part: float) -> str:
    return f"{max(1, round(part * 100))} %"
