"""Sweeps from Python: `comfygradio.sweep` yields every point as it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import comfygradio
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import (
    AxisError,
    DefinitionError,
    JobStoreLocked,
    PresetError,
    ServerUnreachable,
)
from comfygradio.sweeps.definition import load_definition
from tests.jobs.shelf import Shelf
from tests.sweeps.running import write_preset


@pytest.fixture
def demo(shelf: Shelf) -> DemoServer:
    """A demo server with the test nodes and nothing to do, that counts what it executes."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """The small preset."""
    return write_preset(tmp_path / "presets").path


def test_every_point_is_yielded_once_as_it_ends(
    demo: DemoServer, preset: Path, tmp_path: Path
) -> None:
    axes: list[dict[str, Any]] = [{"color": "1-3"}, {"width": [16, 32], "broken": [False, True]}]
    cells = list(
        comfygradio.sweep(preset, axes, {"seconds": 0}, out=tmp_path / "out", servers=[demo.url])
    )
    assert sorted(cell.index for cell in cells) == [
        (color, place) for color in range(3) for place in range(2)
    ]
    assert {cell.phase for cell in cells if cell.values["broken"]} == {"failed"}
    done = [cell for cell in cells if cell.phase == "done"]
    assert len(done) == 3 and all(
        cell.results[0].path and cell.results[0].path.is_file() for cell in done
    )
    assert load_definition(tmp_path / "out" / "sweep.yaml").axes == (
        {"color": "1-3"},
        {"width": "16, 32", "broken": "off, on"},
    )


@pytest.mark.deep
def test_leaving_the_loop_leaves_it_to_be_gone_on_with(
    demo: DemoServer, preset: Path, tmp_path: Path
) -> None:
    out, servers = tmp_path / "out", [demo.url]
    for cell in comfygradio.sweep(
        preset, {"color": "1-8"}, {"seconds": 0.05}, out=out, servers=servers
    ):
        assert cell.phase == "done"
        break
    cells = list(comfygradio.sweep(out=out, servers=servers))
    assert (
        len(cells) == 8
        and {cell.phase for cell in cells} == {"done"}
        and demo.executions["SaveImage"] == 8
    )
    again = list(
        comfygradio.sweep(preset, {"color": "1-9"}, {"seconds": 0.05}, out=out, servers=servers)
    )
    assert sum(cell.is_reused for cell in again) == 8 and demo.executions["SaveImage"] == 9
    assert [cell.is_reused for cell in again] == [True] * 8 + [False], "what exists comes first"


def test_what_cannot_be_is_said(demo: DemoServer, preset: Path, tmp_path: Path) -> None:
    out, servers = tmp_path / "out", [demo.url]
    with pytest.raises(AxisError, match="did you mean color"):
        next(comfygradio.sweep(preset, {"colour": "1"}, out=out, servers=servers))
    with pytest.raises(PresetError, match="cannot be read"):
        next(comfygradio.sweep(tmp_path / "nothing.yaml", {"color": "1"}, out=out, servers=servers))
    with pytest.raises(DefinitionError, match="holds no sweep"):
        next(comfygradio.sweep(out=tmp_path / "nowhere", servers=servers))
    with pytest.raises(ServerUnreachable):
        next(comfygradio.sweep(preset, {"color": "1"}, out=out, servers=["http://127.0.0.1:9"]))
    one = comfygradio.sweep(preset, {"color": "1-3"}, out=out, servers=servers)
    next(one)
    with pytest.raises(JobStoreLocked):
        next(comfygradio.sweep(preset, {"color": "1"}, out=out, servers=servers))
    assert len(list(one)) == 2
