"""Sweeps on demo servers over real sockets: cells as they finish, steering, re-use, and what is
refused before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import (
    AxisError,
    ComfyGradioError,
    DefinitionError,
    LimitReached,
    PresetError,
    ValuesRefused,
)
from comfygradio.forms.form import Form
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.limits import Limits
from comfygradio.sweeps.sweep_registry import SweepRegistry
from tests.clocks import HANG_SECONDS
from tests.jobs.lines import draw, free_port, is_over, open_queue, wait
from tests.jobs.shelf import Shelf
from tests.sweeps.running import (
    await_sweep,
    bind,
    define,
    end,
    open_sweeps,
    read_colors,
    write_preset,
)

pytestmark = pytest.mark.deep

Opened = tuple[SweepRegistry, JobQueue]


@pytest.fixture
def demo(shelf: Shelf) -> DemoServer:
    """A demo server with the test nodes and nothing to do."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def opened(demo: DemoServer, tmp_path: Path) -> Iterator[Opened]:
    """Sweeps on one server."""
    with open_sweeps(tmp_path / "outputs", demo) as opened:
        yield opened


def test_a_point_that_is_begun_while_the_sweep_is_paused_is_on_its_way(
    demo: DemoServer, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(form: Form, graph: Mapping[str, Any]) -> None:
        begun.set()
        assert go_on.wait(HANG_SECONDS)

    with open_queue(tmp_path / "outputs", demo) as queue:
        form = bind(write_preset(tmp_path / "presets"), queue)
        sweep = SweepRegistry(queue, lambda name: form, hold).start(define(color="1, 2"))
        assert begun.wait(HANG_SECONDS)
        sweep.pause()
        assert sweep.is_posted and sweep.counts.done == 0
        go_on.set()
        await_sweep(sweep, lambda sweep: not sweep.is_posted)
        assert sweep.phase == "paused" and sweep.counts.done == 1
        sweep.resume()
        assert end(sweep) == "done" and sweep.counts.done == 2


def test_every_point_is_run_and_shown_with_its_values(opened: Opened) -> None:
    sweep = opened[0].start(define(color="1-5", width="16, 32"), "anna")
    versions = [sweep.version]
    sweep.listen(lambda: versions.append(sweep.version))
    assert end(sweep) == "done" and sweep.title == "Color × Width"
    assert (sweep.counts.done, sweep.counts.total, sweep.counts.over, sweep.remaining) == (
        10,
        10,
        10,
        0,
    )
    assert read_colors(sweep) == [(0, 0, color) for color in range(1, 6) for _ in range(2)]
    cells = list(sweep.cells.values())
    assert [dict(cell.values) for cell in cells[:3]] == [
        {"color": 1, "width": 16},
        {"color": 1, "width": 32},
        {"color": 2, "width": 16},
    ]
    assert [cell.results[0].width for cell in cells[:2]] == [16, 32] and all(
        cell.seconds > 0 for cell in cells
    )
    record = opened[1].store.find(cells[0].token)
    assert (
        record
        and record.owner == "anna"
        and record.order.values == {**sweep.space.describe((0, 0))}
    )
    assert versions == sorted(versions) and len(versions) > 10
    version, changed = sweep.list_changes()
    assert len(changed) == 10 and sweep.list_changes(version) == (version, [])


def test_a_plan_writes_nothing_and_runs_nothing(opened: Opened, demo: DemoServer) -> None:
    sweeps, queue = opened
    sweep = sweeps.plan(define(color="1-3"), "anna")
    assert sweep.phase == "planned" and sweep.counts.waiting == 3 and sweep.plan
    assert (
        sweeps.find(sweep.token) is sweep
        and not sweeps.list_sweeps("anna")
        and not queue.store.list_open()
    )
    sweep.pause()
    sweep.stop()
    sweep.retry((0,))
    assert sweep.phase == "planned" and not sweep.is_active
    sweep.resume()
    assert end(sweep) == "done" and [record.done for record in sweeps.list_sweeps("anna")] == [3]


def test_a_failed_point_says_why_and_is_retried_alone(opened: Opened, demo: DemoServer) -> None:
    sweep = opened[0].start(define(color="11, 12", broken="off, on"))
    assert end(sweep) == "done" and (sweep.counts.done, sweep.counts.failed) == (2, 2)
    failed = sweep.cells[0, 1]
    assert (
        failed.phase == "failed"
        and "kaputt" in failed.error
        and failed.token
        and sweep.cells[0, 0].error == ""
    )
    demo.reset_executions()
    sweep.retry((0, 1))
    sweep.retry((0, 0))
    await_sweep(sweep, lambda sweep: not sweep.is_active)
    assert (
        demo.executions["LabRaise"] == 1
        and sweep.counts.failed == 2
        and sweep.cells[0, 1].token != failed.token
    )
    assert sweep.retry_failed() == 2
    assert end(sweep) == "done" and demo.executions["LabRaise"] == 3


def test_pause_and_go_on(opened: Opened) -> None:
    sweep = opened[0].start(define(0.05, color="21-30"))
    await_sweep(sweep, lambda sweep: sweep.counts.done >= 2)
    sweep.pause()
    await_sweep(sweep, lambda sweep: not sweep.is_posted)
    done = sweep.counts.done
    assert (
        sweep.phase == "paused" and 2 <= done <= 5 and sweep.remaining == 0 and not sweep.is_active
    )
    assert sweep.seconds_left is None
    sweep.retry((9,))
    await_sweep(sweep, lambda sweep: sweep.cells[9,].phase == "done")
    assert sweep.phase == "paused" and sweep.counts.done == done + 1, "one alone"
    sweep.resume()
    assert end(sweep) == "done" and sweep.counts.done == 10


def test_stop_and_go_on(opened: Opened, demo: DemoServer) -> None:
    sweep = opened[0].start(define(0.2, color="31-36"))
    await_sweep(sweep, lambda sweep: sweep.counts.running)
    sweep.stop()
    await_sweep(sweep, lambda sweep: not sweep.is_posted)
    assert sweep.phase == "stopped" and 1 <= sweep.counts.stopped <= 2 and sweep.counts.done <= 1
    assert opened[1].backends[0].client.queue_remaining() == 0
    sweep.retry((5,))
    await_sweep(sweep, lambda sweep: not sweep.is_active)
    assert sweep.cells[5,].phase == "done" and sweep.phase == "stopped"
    sweep.resume()
    assert end(sweep) == "done" and sweep.counts.done == 6


def test_a_point_that_somebody_stops_does_not_stop_the_sweep(opened: Opened) -> None:
    sweep = opened[0].start(define(0.2, color="41-44"))
    await_sweep(sweep, lambda sweep: sweep.counts.running)
    token = next(cell.token for cell in sweep.cells.values() if cell.phase == "running")
    opened[1].stop(token)
    assert end(sweep) == "done" and (sweep.counts.done, sweep.counts.stopped) == (3, 1)
    sweep.resume()
    assert end(sweep) == "done" and sweep.counts.done == 4


def test_a_changed_axis_uses_every_point_that_exists(opened: Opened, demo: DemoServer) -> None:
    sweeps, _ = opened
    first = sweeps.start(define(color="1-3", width="16, 32"), "anna")
    assert end(first) == "done"
    demo.reset_executions()
    again = sweeps.start(define(width="16, 24, 32", color="2-4"), "anna")
    assert again.counts.done == 4 and end(again) == "done"
    assert (
        sum(cell.is_reused for cell in again.cells.values()) == 4
        and demo.executions["SaveImage"] == 5
    )
    assert (
        again.cells[0, 0].results == first.cells[1, 0].results and not again.cells[1, 0].is_reused
    )
    whole = sweeps.start(define(color="1-3", width="16, 32"), "anna")
    assert whole.phase == "done" and demo.executions["SaveImage"] == 5
    assert [record.phase for record in sweeps.list_sweeps("anna")] == ["done"] * 3


def test_points_are_not_used_by_others_nor_without_their_files(
    opened: Opened, demo: DemoServer
) -> None:
    sweeps, _ = opened
    first = sweeps.start(define(color="1-3"), "anna")
    end(first)
    assert sweeps.plan(define(color="1-3"), "ben").counts.done == 0
    (result,) = first.cells[1,].results
    assert result.path
    result.path.unlink()
    planned = sweeps.plan(define(color="1-3"), "anna")
    assert planned.counts.done == 2 and planned.cells[1,].phase == "waiting"


def test_ratings_belong_to_the_content(opened: Opened) -> None:
    sweeps, _ = opened
    first = sweeps.start(define(color="51-53"), "anna")
    first.rate((0,), 4)
    assert end(first) == "done" and first.cells[0,].rating == 0, "nothing to rate yet"
    first.rate((0,), 4)
    first.rate((1,), -1)
    first.rate((2,), 9)
    assert [cell.rating for cell in first.cells.values()] == [4, -1, 0]
    again = sweeps.plan(define(color="54, 53, 52, 51"), "anna")
    assert [cell.rating for cell in again.cells.values()] == [0, 0, -1, 4]


def test_single_pictures_go_before_points(opened: Opened) -> None:
    sweeps, queue = opened
    sweep = sweeps.start(define(0.05, color="61-72"), "anna")
    await_sweep(sweep, lambda sweep: sweep.counts.done >= 1)
    single = queue.submit(draw(1), "ben")
    begun = sweep.counts.over + sweep.counts.running
    wait(single, is_over)
    assert sweep.counts.over <= begun + 2 and queue.count_waiting()["anna"] == sweep.remaining
    assert end(sweep) == "done" and sweep.counts.done == 12


def test_two_peoples_sweeps_take_turns(opened: Opened) -> None:
    sweeps, _ = opened
    first = sweeps.start(define(0.05, color="81-100"), "anna")
    await_sweep(first, lambda sweep: sweep.counts.done >= 2)
    other = sweeps.start(define(0.05, color="101-104"), "ben")
    assert end(other) == "done" and first.counts.over <= 2 + 2 + 6
    first.stop()
    await_sweep(first, lambda sweep: not sweep.is_posted)


def test_somebody_who_may_stops_everything_that_waits(opened: Opened) -> None:
    sweeps, queue = opened
    sweep = sweeps.start(define(0.1, color="111-130"), "anna")
    await_sweep(sweep, lambda sweep: sweep.counts.running)
    assert queue.stop_waiting() >= 15
    await_sweep(sweep, lambda sweep: not sweep.is_posted)
    assert sweep.phase == "stopped" and queue.count_waiting() == {}


def test_several_servers_share_a_sweep(demo: DemoServer, tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(lab_nodes=True)) as other,
        open_sweeps(tmp_path / "outputs", demo, other) as opened,
    ):
        sweep = opened[0].start(define(0.05, color="131-150"))
        assert end(sweep) == "done" and sweep.counts.done == 20
        tokens = [cell.token for cell in sweep.cells.values()]
        servers = [record.server for token in tokens if (record := opened[1].store.find(token))]
        assert min(servers.count(demo.url), servers.count(other.url)) >= 5


def test_seeds_that_are_open_are_drawn_once(demo: DemoServer, tmp_path: Path) -> None:
    text = (
        "title: Seeds\nworkflow: tiny.json\nfields:\n"
        "  seed: {slot: 1.color, widget: seed, min: 0, max: 16777215}\n  width: {slot: 1.width}\n"
    )
    preset = write_preset(tmp_path / "seeds", text, _graph())
    with open_sweeps(tmp_path / "outputs", demo, preset=preset) as (sweeps, _):
        definition = {"preset": "tiny", "axes": {"width": "16, 32"}}
        one, two = sweeps.plan(definition), sweeps.plan(definition)
        seeds = [
            sweep.space.describe((place,))["seed"] for sweep in (one, two) for place in range(2)
        ]
        assert seeds[0] == seeds[1] != seeds[2] == seeds[3]
        assert one.definition.values["seed"] == seeds[0]
        same = sweeps.plan(one.definition.to_json())
        assert same.space.describe((1,)) == one.space.describe((1,))
        drawn = sweeps.plan({"preset": "tiny", "axes": {"seed": "random x3"}})
        again = sweeps.plan(drawn.definition.to_json())
        values = [
            [cell.values["seed"] for cell in sweep.cells.values()] for sweep in (drawn, again)
        ]
        assert values[0] == values[1] and len(set(values[0])) == 3


def _graph() -> dict[str, Any]:
    image = {"width": 32, "height": 16, "batch_size": 1, "color": 0}
    return {
        "1": {"class_type": "EmptyImage", "inputs": image},
        "4": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }


@pytest.mark.parametrize(
    ("definition", "error", "told"),
    [
        ({"preset": "tiny"}, DefinitionError, "needs the key axes"),
        ({"preset": "other", "axes": {"color": "1"}}, PresetError, "There is no preset other."),
        (define(colour="1"), AxisError, "Tiny has no such field; did you mean color?"),
        (define(color="1-x"), AxisError, "color"),
        (define(-5.0, color="1-3"), ValuesRefused, "seconds"),
        ({**define(color="1"), "values": {"size": 3}}, ValuesRefused, "Tiny has no such field"),
        (
            define(color="1-200", width="1-200"),
            LimitReached,
            "These are 40,000 points; at most 10,000 are allowed",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_the_start(
    opened: Opened, definition: dict[str, Any], error: type[ComfyGradioError], told: str
) -> None:
    with pytest.raises(error) as caught:
        opened[0].start(definition)
    assert told in str(caught.value) and not opened[0].list_sweeps("local")


def test_limits_of_whoever_runs_the_app(demo: DemoServer, tmp_path: Path) -> None:
    refused = pytest.raises(LimitReached, match="not possible here")
    with open_sweeps(tmp_path / "a", demo, limits=Limits(sweep_points=0)) as (sweeps, _), refused:
        sweeps.plan(define(color="1"))
    with open_sweeps(tmp_path / "b", demo, limits=Limits(megapixels=0.001)) as (sweeps, _):
        with pytest.raises(PresetError, match="too large"):
            sweeps.plan(define(color="1", width="16, 32, 512"))
        assert sweeps.plan(define(color="1", width="16, 32")).counts.total == 2


def test_a_sweep_is_found_again_and_forgotten(
    opened: Opened, demo: DemoServer, tmp_path: Path
) -> None:
    sweeps, _ = opened
    sweep = sweeps.start(define(color="1-2"), "anna")
    end(sweep)
    assert sweeps.find("nobody") is None and sweeps.find(sweep.token) is sweep
    sweeps.delete(sweep.token)
    sweeps.delete("nobody")
    assert sweeps.find(sweep.token) is None and not sweeps.list_sweeps("anna")
    assert sweeps.plan(define(color="1-2"), "anna").counts.done == 2, "its pictures stay"


CHECKPOINTS = """
title: Tiny
workflow: tiny.json
fields:
  color: {slot: 1.color, widget: number}
  model: {slot: 5.ckpt_name}
"""


def test_points_go_to_servers_that_have_what_they_need(tmp_path: Path) -> None:
    graph = {
        **_graph(),
        "5": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}},
    }
    preset = write_preset(tmp_path / "models", CHECKPOINTS, graph)
    port = free_port()
    one = DemoServer(DemoOptions(checkpoints=("a", "b")))
    two = DemoServer(DemoOptions(checkpoints=("b", "c")), port=port)
    with one, two, open_sweeps(tmp_path / "outputs", one, two, preset=preset) as (sweeps, queue):
        sweep = sweeps.start(define_models(color="1-4", model="a, b, c"))
        assert end(sweep) == "done" and sweep.counts.done == 12 and not sweep.reason
        records = {cell.index: queue.store.find(cell.token) for cell in sweep.cells.values()}
        servers = {
            index[1]: record.server for index, record in records.items() if record and index[1] != 1
        }
        assert servers == {0: one.url, 2: two.url}
        two.stop()
        with DemoServer(DemoOptions(checkpoints=("b",)), port=port):
            queue.backends[1].refresh(preset.class_types)
            lost = sweeps.start(define_models(color="5-6", model="a, b, c"))
            await_sweep(lost, lambda sweep: sweep.counts.done == 4 and sweep.reason)
            assert (
                lost.reason == "No ComfyUI can run some of the points: it does not have c."
                and lost.phase == "running"
            )
        with DemoServer(DemoOptions(checkpoints=("b", "c")), port=port):
            queue.backends[1].refresh(preset.class_types)
            lost.pause()
            lost.resume()
            assert end(lost) == "done" and lost.counts.done == 6 and not lost.reason


def define_models(**axes: Any) -> dict[str, Any]:
    """A definition over colours and models."""
    return {"preset": "tiny", "axes": axes}
