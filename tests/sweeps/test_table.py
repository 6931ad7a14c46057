"""Tables: CSV for spreadsheets, JSON for programs, without a digit lost and without a formula let
in.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.contact_sheet import load_sweep
from comfygradio.sweeps.export.grid import Grid, GridAxis, GridCell
from comfygradio.sweeps.export.table import list_rows, write_csv, write_json
from tests.sweeps.exporting import DEFINITION, SEED, fill_grid, make_grid, save_picture


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def with_values(values: dict[str, Any], **more: Any) -> Grid:
    return make_grid({"A": ["1"]}, {(0,): GridCell((0,), values, "done", **more)})


def test_a_row_for_every_point(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "pictures" / "a.png", "red")
    grid = fill_grid({"CFG": ["1", "7"], "Sampler": ["euler", "ddim"]}, result)
    cells = {index: cell for index, cell in grid.cells.items() if index != (1, 1)}
    cells[0, 1] = GridCell(
        (0, 1), {}, "failed", error="Out of memory, line 1\nline 2", server="http://u:p@gpu:8188/"
    )
    rows = read_rows(write_csv(replace(grid, cells=cells), tmp_path / "sweep.csv"))
    assert [row["point"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["phase"] for row in rows] == ["done", "failed", "done", "waiting"]
    assert (
        rows[0]["axis: Sampler"] == "euler"
        and rows[0]["CFG"] == "1"
        and rows[0]["seed"] == str(SEED)
    )
    assert rows[0]["files"] == "pictures/a.png" and rows[0]["seconds"] == "1.5"
    assert rows[1]["error"] == "Out of memory, line 1\nline 2" and rows[1]["server"] == "gpu:8188"
    assert rows[3]["axis: CFG"] == "7" and rows[3]["seed"] == ""


def test_excel_takes_it_for_utf_8(tmp_path: Path) -> None:
    path = write_csv(with_values({"prompt": "Füchslein 雪"}), tmp_path / "a.csv")
    assert path.read_bytes().startswith("\ufeffpoint,".encode()) and b"\r\n" in path.read_bytes()
    assert read_rows(path)[0]["prompt"] == "Füchslein 雪"


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1"]
)
def test_formulas_become_texts(text: str, tmp_path: Path) -> None:
    row = read_rows(write_csv(with_values({"prompt": text, text: 1}), tmp_path / "a.csv"))[0]
    assert row["prompt"] == f"'{text}" and row[f"'{text}"] == "1"


UNSEEN = (
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u00a0",
    "\u3000",
    " ",
    "\u0301",
    "\x01",
    "\u202e",
)
SIGNS = (
    "=",
    "+",
    "-",
    "@",
    "＝",
    "﹦",
    "＋",
    "﹢",
    "－",
    "﹣",
    "−",
    "–",
    "＠",
    "﹫",
    "⁼",
    "⁺",
    "⁻",
)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", *UNSEEN, "\u200b\u200b \ufeff"])
def test_no_sign_of_a_formula_hides_behind_its_width_or_what_is_not_seen(
    sign: str, before: str, tmp_path: Path
) -> None:
    text = f"{before}{sign}HYPERLINK(1)"
    row = read_rows(write_csv(with_values({"prompt": text}), tmp_path / "a.csv"))[0]
    assert row["prompt"] == f"'{text}"


@pytest.mark.parametrize("text", ["a＝b", "雪 = snow", "𝟙+1", "\u200b", "(-1)", "", "«=»"])
def test_texts_that_begin_with_something_else_have_no_apostrophe(text: str, tmp_path: Path) -> None:
    row = read_rows(write_csv(with_values({"prompt": text}), tmp_path / "a.csv"))[0]
    assert row["prompt"] == text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-1, "-1"),
        (-0.5, "-0.5"),
        ("-1", "-1"),
        ("+3.5e2", "+3.5e2"),
        (SEED, str(SEED)),
        (True, "true"),
        (None, ""),
        ("a-b=c", "a-b=c"),
        ([{"name": "x", "strength": 0.5}], '[{"name": "x", "strength": 0.5}]'),
        ("a\0b", "ab"),
    ],
)
def test_everything_else_stays_as_it_is(value: Any, written: str, tmp_path: Path) -> None:
    assert read_rows(write_csv(with_values({"f": value}), tmp_path / "a.csv"))[0]["f"] == written


@given(st.text())
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    row = list(list_rows(with_values({"prompt": text}), Path()))[1]
    cell = row[2]
    assert not str(cell).startswith(("=", "@", "\t", "\r")) and str(cell).lstrip(
        "'"
    ) == text.replace("\0", "").lstrip("'")


def test_columns_have_different_names(tmp_path: Path) -> None:
    axes = (GridAxis("A", ("1",)), GridAxis("A", ("2",)))
    cell = GridCell((0, 0), {"error": 1, "files": 2, "point": 3, "axis: A": 4}, "done")
    heading = next(list_rows(replace(make_grid({}), axes=axes, cells={(0, 0): cell}), tmp_path))
    assert len(set(heading)) == len(heading) and {"field: error", "error", "point 2"} <= set(
        heading
    )


def test_files_elsewhere_are_named_without_their_folders(tmp_path: Path) -> None:
    result = save_picture(tmp_path / "private" / "a.png", "red")
    grid = fill_grid({"A": ["1"]}, result)
    for path in (
        write_csv(grid, tmp_path / "out" / "a.csv"),
        write_json(grid, tmp_path / "out" / "a.json"),
    ):
        assert "private" not in path.read_text(encoding="utf-8") and "a.png" in path.read_text(
            encoding="utf-8"
        )
    assert (
        read_rows(write_csv(grid, tmp_path / "out" / "a.csv", tmp_path))[0]["files"]
        == "private/a.png"
    )


def test_json_is_typed_and_keeps_seeds_exact(tmp_path: Path) -> None:
    values = {
        "seed": SEED,
        "small": 7,
        "cfg": 7.5,
        "on": True,
        "none": None,
        "loras": [{"name": "x", "strength": 1.0}],
    }
    grid = with_values(values, rating=-1, results=(Result("text", text="a caption"),), seconds=2.0)
    data = json.loads(write_json(grid, tmp_path / "a.json").read_text(encoding="utf-8"))
    (point,) = data["points"]
    assert point["values"] == {**values, "seed": str(SEED)}
    assert point["index"] == [0] and point["labels"] == ["1"] and point["rating"] == -1
    assert point["texts"] == ["a caption"] and point["seconds"] == 2.0
    assert data["axes"] == [{"title": "A", "labels": ["1"]}]


def test_json_reads_as_the_sweep_again(tmp_path: Path) -> None:
    assert load_sweep(write_json(with_values({}), tmp_path / "a.json")) == DEFINITION


def test_half_characters_do_no_harm(tmp_path: Path) -> None:
    grid = with_values({"prompt": "cut \ud83e emoji"})
    assert "cut ? emoji" in write_csv(grid, tmp_path / "a.csv").read_text(encoding="utf-8")
    assert (
        "cut"
        in json.loads(write_json(grid, tmp_path / "a.json").read_text(encoding="utf-8"))["points"][
            0
        ]["values"]["prompt"]
    )
