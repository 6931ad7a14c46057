"""Tables: every point of a sweep as a row, in CSV for spreadsheets and JSON for programs."""

from __future__ import annotations

import csv
import io
import itertools
import json
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from comfygradio.comfy.outputs import write_file
from comfygradio.jobs.results import Result
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.export.contact_sheet import describe_sweep
from comfygradio.sweeps.export.grid import NUMBER, Grid, GridCell

MAX_SAFE_INTEGER = 2**53 - 1
"""Whole numbers beyond this are rounded by whoever reads JSON numbers as floats, browsers for
instance.
"""

FORMULA_PREFIXES = frozenset("=+-@\t\r\n")
"""What a text begins with that a spreadsheet may take for a formula, or for the end of the cell."""

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Mn", "Me"})
"""Kinds of letters that show nothing, and that a program may drop before it reads a cell."""

RESULT_COLUMNS = ("phase", "error", "seconds", "server", "rating", "files", "text")


def write_csv(grid: Grid, path: Path, root: Path | None = None) -> Path:
    """Write a row per point: its number, labels on the axes, values of all fields, and its results.

    The file is UTF-8 with a byte order mark, which Excel needs; in Python it is `utf-8-sig`. A text
    that a spreadsheet may take for a formula gets an apostrophe before it; numbers never do, and
    seeds keep all their digits. Files are named relative to `root`, by default the folder of the
    CSV. Raises OSError.
    """
    rows = list_rows(grid, root or path.parent)
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerows(rows)
    text = written.getvalue()
    content = text.encode("utf-8-sig", "replace")
    return write_file(path, iter([content]))


def write_json(grid: Grid, path: Path, root: Path | None = None) -> Path:
    """Write axes, and a point for each row, with their types. `load_sweep` loads the definition
    from it.

    As RFC 7493 recommends, whole numbers beyond 2**53 - 1 become texts of their digits, which forms
    take as well. Raises OSError.
    """
    folder = root or path.parent
    table = describe_table(grid, folder)
    text = json.dumps(table, ensure_ascii=False, indent=1)
    content = text.encode("utf-8", "replace")
    return write_file(path, iter([content]))


def list_rows(grid: Grid, folder: Path) -> Iterator[list[Any]]:
    """List the heading and the rows of the CSV. Files are relative to this folder."""
    fields = grid.list_fields()
    yield ["point", *_name_columns(grid, fields)]
    for number, index in enumerate(grid.list_points(), 1):
        cell = grid.cells.get(index) or GridCell(index)
        files = [file["path"] for file in _list_files(cell.results, folder)]
        texts = [result.text for result in cell.results if result.text]
        labels = _list_labels(grid, index)
        values = [cell.values.get(name) for name in fields]
        row = [
            *labels,
            *values,
            cell.phase,
            cell.error,
            round(cell.seconds, 3),
            cell.host,
            cell.rating,
            "\n".join(files),
            "\n".join(texts),
        ]
        formatted = [_format_cell(value) for value in row]
        yield [number, *formatted]


def describe_table(grid: Grid, folder: Path) -> dict[str, Any]:
    """Describe the same as JSON: `comfygradio` holds the definition, `points` the rows."""
    points = [_describe_point(grid, index, folder) for index in grid.list_points()]
    return {
        "title": grid.title,
        "created": grid.created,
        "comfygradio": describe_sweep(grid),
        "axes": [axis.to_json() for axis in grid.axes],
        "points": points,
    }


def _name_columns(grid: Grid, fields: Iterable[str]) -> Iterator[str]:
    """Name the columns after the first. Names are unique, so that programs can use them as keys."""
    names = [f"axis: {axis.title}" for axis in grid.axes]
    for name in fields:
        is_taken = name in RESULT_COLUMNS
        names.append(f"field: {name}" if is_taken else name)
    names += RESULT_COLUMNS
    taken = {"point"}
    for name in names:
        unique = _number(name, taken)
        taken.add(unique)
        yield str(_format_cell(unique))


def _number(name: str, taken: Collection[str]) -> str:
    """Append a number from 2 to a name that is taken."""
    if name not in taken:
        return name
    for number in itertools.count(2):
        numbered = f"{name} {number}"
        if numbered not in taken:
            break
    return numbered


def _describe_point(grid: Grid, index: Index, folder: Path) -> dict[str, Any]:
    cell = grid.cells.get(index) or GridCell(index)
    values = dict(cell.values)
    return {
        "index": list(index),
        "labels": _list_labels(grid, index),
        "values": _stringify_large_integers(values),
        "phase": cell.phase,
        "error": cell.error,
        "seconds": round(cell.seconds, 3),
        "server": cell.host,
        "rating": cell.rating,
        "files": _list_files(cell.results, folder),
        "texts": [result.text for result in cell.results if result.text],
    }


def _list_labels(grid: Grid, index: Index) -> list[str]:
    labels = []
    for axis, position in zip(grid.axes, index, strict=True):
        labels.append(axis.labels[position])
    return labels


def _list_files(results: Iterable[Result], folder: Path) -> list[dict[str, Any]]:
    """List path, kind and size of the files.

    Paths are relative to the folder; of a file elsewhere only the name is given.
    """
    found = []
    root = folder.resolve()
    for result in results:
        if result.path is None:
            continue
        path = result.path.resolve()
        shown = Path(path.name)
        if path.is_relative_to(root):
            shown = path.relative_to(root)
        file: dict[str, Any] = {"path": shown.as_posix(), "kind": result.kind}
        if result.width:
            file["width"] = result.width
            file["height"] = result.height
        found.append(file)
    return found


def _format_cell(value: Any) -> Any:
    """Format a value for a CSV: lists as JSON, None as None, and no text as a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Some programs refuse a file with NUL in it, or stop reading there.
    text = text.replace("\0", "")
    # -5 begins like a formula too.
    if is_formula_like(text) and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet may take a text for a formula.

    That depends on its first letter, or on the first visible one, in whatever width or shape (some
    take `＝` for `=`).
    """
    if text[:1] in FORMULA_PREFIXES:
        return True
    for letter in text:
        category = unicodedata.category(letter)
        if category in INVISIBLE_CATEGORIES:
            continue
        plain = unicodedata.normalize("NFKC", letter)
        first = plain[:1]
        return first in DASHES or first in FORMULA_PREFIXES
    return False


DASHES = frozenset("‐‑‒–—―−﹣－")
"""What may be taken for a minus."""


def _stringify_large_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _stringify_large_integers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_stringify_large_integers(one) for one in value]
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    return value
