"""Grids with small pictures in plain colors, for what a sweep is exported as."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from comfygradio.jobs.results import Result
from comfygradio.sweeps.export.grid import Grid, GridAxis, GridCell, Layout, choose_layout

PICTURES = Path(__file__).parent.parent / "data" / "pictures"
SEED = 2**64 - 1
HOSTILE = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>\"'`${1}<!--"
)

DEFINITION: Mapping[str, Any] = {
    "preset": "text_to_image",
    "values": {"prompt": "ein Füchslein 🦊 im Schnee", "seed": SEED},
    "axes": [{"cfg": "1-7 (+3)"}, {"sampler_name": "euler, ddim"}],
    "carry": True,
    "title": "",
}


def save_picture(path: Path, color: str, size: tuple[int, int] = (64, 64)) -> Result:
    """A picture of one color, as a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return Result("image", path, path, width=size[0], height=size[1])


def make_grid(
    axes: Mapping[str, Sequence[str]],
    cells: Mapping[Any, GridCell] | None = None,
    layout: Layout | None = None,
) -> Grid:
    """A grid with these axes: title → labels."""
    made = tuple(GridAxis(title, tuple(labels)) for title, labels in axes.items())
    sizes = [len(axis.labels) for axis in made]
    return Grid(
        "A fox",
        DEFINITION,
        made,
        cells or {},
        layout or choose_layout(sizes),
        {"cfg": "Guidance"},
        "Form",
    )


def fill_grid(
    axes: Mapping[str, Sequence[str]], result: Result | None, layout: Layout | None = None
) -> Grid:
    """A grid in which every point has the same result, and its labels as values."""
    places = itertools.product(*(range(len(labels)) for labels in axes.values()))
    cells = {}
    for number, index in enumerate(places):
        values = {
            title: labels[at] for (title, labels), at in zip(axes.items(), index, strict=True)
        }
        results = (result,) if result else ()
        cells[index] = GridCell(
            index, {"seed": SEED - number, **values}, "done", results, seconds=1.5
        )
    return make_grid(axes, cells, layout)
