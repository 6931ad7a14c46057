"""Grids: rows, columns and pages of any number of axes, from one set of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.sweeps.export.grid import (
    GridAxis,
    GridCell,
    Layout,
    arrange,
    choose_layout,
    parse_layout,
)
from tests.sweeps.exporting import fill_grid, make_grid

AXES: Mapping[str, list[str]] = {
    "CFG": ["1", "7"],
    "Sampler": ["euler", "ddim", "lcm"],
    "Steps": ["10", "20"],
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=2) | st.just("0"), inner, max_size=3)
    ),
    max_leaves=8,
)


def show(grid_layout: Layout) -> list[list[list[tuple[int, ...]]]]:
    """The points of every cell: pages of rows."""
    pages = arrange(fill_grid(AXES, None, grid_layout))
    return [
        [
            [cell.index if (cell := page.find(r, c)) else () for c in range(len(page.columns))]
            for r in range(len(page.rows))
        ]
        for page in pages
    ]


def test_each_point_stands_where_its_labels_say() -> None:
    pages = show(Layout(rows=(1,), columns=(2,), pages=(0,)))
    assert pages[1] == [[(1, 0, 0), (1, 0, 1)], [(1, 1, 0), (1, 1, 1)], [(1, 2, 0), (1, 2, 1)]]


def test_axes_are_nested_the_first_one_outside() -> None:
    grid = fill_grid(AXES, None, Layout(rows=(2, 0), columns=(1,)))
    (page,) = arrange(grid)
    assert [grid.name(row) for row in page.rows[:3]] == [
        "Steps 10 · CFG 1",
        "Steps 10 · CFG 7",
        "Steps 20 · CFG 1",
    ]
    assert page.find(2, 1) == grid.cells[0, 1, 1]


def test_hidden_values_are_left_out() -> None:
    pages = show(Layout((1,), (2,), (0,), hidden={1: frozenset([0, 2]), 0: frozenset([0])}))
    assert pages == [[[(1, 1, 0), (1, 1, 1)]]]


def test_without_rows_the_columns_flow() -> None:
    (page,) = arrange(fill_grid(AXES, None, Layout(columns=(0, 1, 2))))
    assert page.flows and len(page.rows) == 1 and len(page.columns) == 12
    (page,) = arrange(fill_grid(AXES, None, Layout(rows=(0, 1, 2))))
    assert page.flows and len(page.rows) == 1 and len(page.columns) == 12


@pytest.mark.parametrize(
    ("show", "wanted"),
    [("all", 4), ("done", 2), ("failed", 1), ("kept", 3), ("1", 1), ("3", 1), ("4", 0)],
)
def test_only_wanted_cells_are_shown(show: str, wanted: int) -> None:
    """One is done with three stars, one rejected, one failed, one not there yet."""
    cells = {
        (0, 0): GridCell((0, 0), phase="done", rating=3),
        (0, 1): GridCell((0, 1), phase="done", rating=-1),
        (1, 0): GridCell((1, 0), phase="failed"),
    }
    axes = {"A": ["1", "2"], "B": ["x", "y"]}
    (page,) = arrange(make_grid(axes, cells, Layout((0,), (1,), show=show)))
    places = [(row, column) for row in range(len(page.rows)) for column in range(len(page.columns))]
    found = sum(page.find(*place) is not None for place in places)
    assert found == (wanted if show not in ("all", "kept") else wanted - 1)
    if show == "failed":
        assert (len(page.rows), len(page.columns)) == (1, 1)


def test_pages_where_nothing_fits_are_left_out_but_one_stays() -> None:
    cells = {(0, 0): GridCell((0, 0), phase="done"), (1, 0): GridCell((1, 0), phase="failed")}
    grid = make_grid(
        {"A": ["1", "2"], "B": ["x"]}, cells, Layout(columns=(1,), pages=(0,), show="failed")
    )
    assert [page.place for page in arrange(grid)] == [((0, 1),)]
    assert len(arrange(replace(grid, layout=replace(grid.layout, show="5")))) == 1


def test_a_grid_without_any_axis_is_one_cell() -> None:
    (page,) = arrange(make_grid({}, {(): GridCell((), phase="done")}))
    assert page.find(0, 0) == GridCell((), phase="done")


@pytest.mark.parametrize(
    ("sizes", "rows", "columns", "pages"),
    [
        ([], (), (), ()),
        ([5], (), (0,), ()),
        ([3, 4], (0,), (1,), ()),
        ([3, 40], (1,), (0,), ()),
        ([2, 3, 4, 5], (2,), (3,), (0, 1)),
    ],
)
def test_the_first_layout(sizes: list[int], rows: Any, columns: Any, pages: Any) -> None:
    layout = choose_layout(sizes)
    assert (layout.rows, layout.columns, layout.pages) == (rows, columns, pages)


def test_a_layout_reads_as_itself() -> None:
    layout = Layout((1, 0), (2,), (), {2: frozenset([1])}, "3")
    assert parse_layout(layout.to_json(), [2, 3, 2]) == layout


@given(st.dictionaries(st.sampled_from(["rows", "columns", "pages", "hidden", "show"]), JSON))
def test_whatever_a_browser_sends_each_axis_has_its_place(data: dict[str, Any]) -> None:
    layout = parse_layout(data, [2, 3, 1])
    assert sorted([*layout.rows, *layout.columns, *layout.pages]) == [0, 1, 2]
    assert all(len(hidden) < [2, 3, 1][axis] for axis, hidden in layout.hidden.items())
    assert arrange(fill_grid(AXES, None, layout))[0].grid.layout is layout


@pytest.mark.parametrize(
    ("labels", "is_numeric"),
    [(("1", "-2.5", "1,000", "1e-3"), True), (("1", "euler"), False), (("512x512",), False)],
)
def test_numbers_are_known(labels: tuple[str, ...], is_numeric: bool) -> None:
    assert GridAxis("", labels).is_numeric is is_numeric


def test_the_line_about_all() -> None:
    cells = {(0,): GridCell((0,), phase="done"), (1,): GridCell((1,), phase="failed")}
    assert make_grid({"A": ["1", "2", "3"]}, cells).describe() == "Form · 1 of 3 done · 1 failed"


def test_a_server_is_named_without_its_secrets() -> None:
    assert (
        GridCell((), server="https://user:secret@gpu.lan:8188/comfy?token=x").host == "gpu.lan:8188"
    )
