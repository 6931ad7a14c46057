"""Sweeps that outlive the app: what ran goes on, what was halted stays so, and everything is found
again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import ValuesRefused
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.sweeps.input_copy import find_folder
from tests.faults.scenario import await_that
from tests.jobs.shelf import Shelf
from tests.sweeps.running import (
    await_sweep,
    bind,
    define,
    end,
    open_sweeps,
    read_colors,
    take_up,
    write_preset,
)

pytestmark = pytest.mark.deep

FILES = """
title: Files
workflow: tiny.json
fields:
  image: {slot: 1.image}
  other: {slot: 2.image, optional: true, bypass: "2"}
"""

LOADED = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
    "3": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
}


@pytest.fixture
def demo(shelf: Shelf) -> DemoServer:
    """A demo server with the test nodes and nothing to do, that counts what it executes."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


def test_a_sweep_goes_on_after_the_app_has_ended(demo: DemoServer, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with open_sweeps(outputs, demo) as (sweeps, _):
        sweep = sweeps.start(define(0.05, color="1-10", width="16, 32"), "anna")
        sweep.rate((0, 0), 3)
        await_sweep(sweep, lambda sweep: sweep.counts.done >= 4)
    with open_sweeps(outputs, demo) as (sweeps, queue):
        again = sweeps.find(sweep.token)
        assert again is not None and again is not sweep
        assert (again.id, again.owner, again.created, again.axes) == (
            sweep.id,
            "anna",
            sweep.created,
            sweep.axes,
        )
        assert again.definition == sweep.definition and again.phase == "running"
        assert end(again) == "done" and again.counts.done == 20
        assert read_colors(again) == [(0, 0, color) for color in range(1, 11) for _ in range(2)]
        assert demo.executions["SaveImage"] == 20 and queue.store.list_open() == []
        assert not any(cell.is_reused for cell in again.cells.values())
        assert all(cell.seconds > 0 and cell.server == demo.url for cell in again.cells.values())
    with open_sweeps(outputs, demo) as (sweeps, _):
        done = sweeps.find(sweep.token)
        assert done is not None and done.phase == "done" and done.counts.done == 20
        assert done.version > again.version and len(done.list_changes(again.version)[1]) == 20
        shown = {
            index: (cell.results, cell.phase, cell.token) for index, cell in done.cells.items()
        }
        assert shown == {
            index: (cell.results, cell.phase, cell.token) for index, cell in again.cells.items()
        }
        assert [(record.phase, record.done) for record in sweeps.list_sweeps("anna")] == [
            ("done", 20)
        ]


@pytest.mark.parametrize("halted", ["paused", "stopped"])
def test_what_was_halted_stays_so_until_somebody_goes_on(
    halted: str, demo: DemoServer, tmp_path: Path
) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        sweep = sweeps.start(define(0.05, color="1-9"), "anna", party="net:10.0.0.1")
        await_sweep(sweep, lambda sweep: sweep.counts.done >= 3)
        sweep.pause() if halted == "paused" else sweep.stop()
        await_sweep(sweep, lambda sweep: not sweep.is_posted)
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        executed = demo.executions["SaveImage"]
        again = sweeps.find(sweep.token)
        assert (
            again is not None
            and again.phase == halted
            and again.counts == sweep.counts
            and not again.is_active
        )
        assert demo.executions["SaveImage"] == executed
        assert again.party == {"paused": "net:10.0.0.1", "stopped": "anna"}[halted]
        again.resume()
        assert end(again) == "done" and again.counts.done == 9


def test_failed_points_stay_failed_and_are_retried(demo: DemoServer, tmp_path: Path) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        sweep = sweeps.start(define(color="1, 2", broken="off, on"))
        end(sweep)
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        again = sweeps.find(sweep.token)
        assert (
            again is not None and again.counts.failed == 2 and "kaputt" in again.cells[0, 1].error
        )
        assert again.retry_failed() == 2
        assert (
            end(again) == "done" and again.counts.failed == 2 and demo.executions["LabRaise"] == 4
        )


def test_a_retried_point_of_a_done_sweep_is_brought_to_its_end(
    demo: DemoServer, tmp_path: Path
) -> None:
    """As `comfygradio sweep --resume DIR` does after `--retry` was interrupted; its queue has not
    been started.
    """
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, queue):
        sweep = sweeps.start(define(color="1, 2"))
        assert end(sweep) == "done"
        record = queue.store.find(sweep.cells[(0,)].token)
        assert record is not None
        queue.store.change(record.id, phase="waiting", ended=None, results=())
    store = JobStore.open(tmp_path / "outputs")
    with ComfyClient(demo.url) as client:
        queue = JobQueue([Backend(client)], store, tmp_path / "outputs")
        again = take_up(queue, bind(write_preset(tmp_path / "presets"), queue)).find(sweep.token)
        assert again is not None and again.is_active
        again.resume()
        await_sweep(again, lambda again: again.counts.done == 2 and not again.is_active)
        queue.close()
        store.close()


def test_a_picture_that_was_lost_is_made_again_where_the_sweep_runs(
    demo: DemoServer, tmp_path: Path
) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        sweep = sweeps.start(define(0.1, color="1-6"))
        await_sweep(sweep, lambda sweep: sweep.counts.done >= 2)
    done = next(cell for cell in sweep.cells.values() if cell.phase == "done")
    assert done.results[0].path
    done.results[0].path.unlink()
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        again = sweeps.find(sweep.token)
        assert again is not None and end(again) == "done" and again.counts.done == 6
        assert len(read_colors(again)) == 6 and demo.executions["SaveImage"] >= 6


def test_a_sweep_whose_form_is_gone_waits_for_it(demo: DemoServer, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with open_sweeps(outputs, demo) as (sweeps, _):
        sweep = sweeps.start(define(0.1, color="1-6"), "anna")
        await_sweep(sweep, lambda sweep: sweep.counts.done >= 1)
    text = (
        "title: Other\nworkflow: tiny.json\nfields:\n  width: {slot: 1.width}\n  seconds: "
        "{slot: 2.seconds, max: 30}\n"
    )
    with open_sweeps(outputs, demo, preset=write_preset(tmp_path / "changed", text)) as (sweeps, _):
        assert [record.phase for record in sweeps.list_sweeps("anna")] == ["running"]
        with pytest.raises(ValuesRefused, match="no such field"):
            sweeps.find(sweep.token)
    with open_sweeps(outputs, demo) as (sweeps, _):
        again = sweeps.find(sweep.token)
        assert again is not None and end(again) == "done" and again.counts.done == 6


def test_files_are_kept_until_the_last_point_and_go_with_the_sweep(
    demo: DemoServer, tmp_path: Path
) -> None:
    preset, outputs, given = (
        write_preset(tmp_path / "files", FILES, LOADED),
        tmp_path / "outputs",
        tmp_path / "given",
    )
    given.mkdir()
    for number in range(6):
        Image.new("RGB", (16, 16), (0, 0, number)).save(given / f"{number} é.png")
    entry = {"image": [given / f"{number} é.png" for number in range(6)]}
    with open_sweeps(outputs, demo, preset=preset) as (sweeps, _):
        sweep = sweeps.plan(
            {"preset": "tiny", "axes": [entry], "values": {"other": given / "0 é.png"}}
        )
        assert not find_folder(outputs).exists()
        sweep.start()
        shutil.rmtree(given)
        sweep.pause()
        await_sweep(sweep, lambda sweep: not sweep.is_posted)
        assert (
            sweep.counts.waiting >= 1
            and len(list(find_folder(outputs, sweep.id).rglob("*.png"))) == 6
        )
    with open_sweeps(outputs, demo, preset=preset) as (sweeps, _):
        again = sweeps.find(sweep.token)
        assert again is not None
        assert [step.label for step in again.axes[0].steps] == [
            f"{number} é.png" for number in range(6)
        ]
        again.resume()
        assert end(again) == "done" and [color[2] for color in read_colors(again)] == list(range(6))
        reused = sweeps.plan(again.definition, root=outputs)
        assert reused.counts.done == 6, "known by their content"
        sweeps.delete(again.token)
        assert not find_folder(outputs, again.id).exists()
    with open_sweeps(outputs, demo, preset=preset) as (sweeps, _):
        assert not list(find_folder(outputs).iterdir())


def test_points_of_another_sweep_that_run_are_waited_for_and_not_run_twice(
    demo: DemoServer, tmp_path: Path
) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, queue):
        first = sweeps.start(define(0.3, color="1-2"), "anna")
        await_that(lambda: len(queue.store.list_open()) == 2)
        other = sweeps.start(define(0.3, color="2-3"), "anna")
        assert end(other) == "done" and end(first) == "done" and other.counts.done == 2
        assert len(ComfyClient(demo.url).history()) == 3
        assert other.cells[0,].token == first.cells[1,].token


def test_stopping_leaves_the_points_of_another_sweep_alone(
    demo: DemoServer, tmp_path: Path
) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, queue):
        first = sweeps.start(define(0.3, color="1-2"), "anna")
        await_that(lambda: len(queue.store.list_open()) == 2)
        other = sweeps.start(define(0.3, color="2-3"), "anna")
        other.stop()
        assert end(first) == "done" and first.counts.done == 2 and other.phase == "stopped"
        other.resume()
        assert end(other) == "done" and other.counts.done == 2


def test_two_points_with_the_same_content_are_both_shown(demo: DemoServer, tmp_path: Path) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        sweep = sweeps.start(define(color="5, 5, 6"))
        assert end(sweep) == "done" and [color[2] for color in read_colors(sweep)] == [5, 5, 6]
        again = sweeps.plan(define(color="5, 5, 6"))
        assert again.counts.done == 3


def test_stopping_leaves_them_alone_after_the_app_was_started_again(
    demo: DemoServer, tmp_path: Path
) -> None:
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, queue):
        first = sweeps.start(define(1.0, color="4-5"), "anna")
        await_that(lambda: len(queue.store.list_open()) == 2)
        other = sweeps.start(define(1.0, color="5-6"), "anna")
    with open_sweeps(tmp_path / "outputs", demo) as (sweeps, _):
        again = sweeps.find(first.token)
        left = sweeps.find(other.token)
        assert again is not None and left is not None
        left.stop()
        assert end(again) == "done" and again.counts.done == 2


def test_pictures_that_were_deleted_are_made_again_where_a_done_sweep_goes_on(
    demo: DemoServer, tmp_path: Path
) -> None:
    outputs = tmp_path / "outputs"
    with open_sweeps(outputs, demo) as (sweeps, _):
        sweep = sweeps.start(define(0.0, color="7-9"))
        assert end(sweep) == "done"
    gone = [cell.results[0].path for cell in sweep.cells.values()][:2]
    for path in gone:
        assert path is not None
        path.unlink()
    with open_sweeps(outputs, demo) as (sweeps, _):
        again = sweeps.find(sweep.token)
        assert again is not None and again.counts.done == 3
        again.resume()
        await_sweep(again, lambda sweep: sweep.counts.done == 3 and not sweep.is_active)
        assert [color[2] for color in read_colors(again)] == [7, 8, 9]
        assert not any(cell.lacks_files for cell in again.cells.values())
