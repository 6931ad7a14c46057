"""The limits that an operator sets: size and steps of pictures, uploads, waiting jobs, and jobs of
pages that were closed.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.demo import DemoServer
from comfygradio.errors import LimitReached, ValuesRefused
from comfygradio.jobs.limits import Limits, find_exceeded
from comfygradio.service.disconnect_watch import AWAY_SECONDS, HIDDEN_SECONDS, DisconnectWatch
from comfygradio.service.service import Service
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.job.job_feed import ShownState
from comfygradio.ui.job.job_view import describe_jobs
from comfygradio.ui.serve import make_limits
from tests.clocks import HANG_SECONDS, ManualClock
from tests.jobs.lines import await_that, draw, is_over, wait


@pytest.fixture
def open_service(demo: DemoServer, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Open a service on the demo server, with limits; close it at the end."""
    opened: list[Service] = []

    def start(limits: Limits, presets: Path | None = None) -> Service:
        folders = [presets or shipped_presets()]
        service = Service(
            ComfyClient(demo.url), folders, tmp_path / f"outputs{len(opened)}", limits=limits
        )
        assert service.connect()
        opened.append(service)
        return service

    yield start
    for service in opened:
        service.close()


@contextmanager
def refused(**problems: str) -> Iterator[None]:
    """Expect a refusal of exactly these fields, with these sentences."""
    with pytest.raises(ValuesRefused) as caught:
        yield
    assert caught.value.problems == problems


def write_preset(folder: Path, fields: str, **inputs: dict[str, Any]) -> Path:
    """A preset `own` of the shipped workflow with other inputs (node id without its `n`: inputs)
    and these fields.
    """
    folder.mkdir()
    graph = json.loads((shipped_presets() / "text_to_image.json").read_text())
    for node, changes in inputs.items():
        graph[node.removeprefix("n")]["inputs"].update(changes)
    (folder / "own.json").write_text(json.dumps(graph))
    (folder / "own.yaml").write_text(f"title: Own\nworkflow: own.json\nfields: {fields}\n")
    return folder


def test_without_limits_everything_goes(open_service: Callable[..., Service]) -> None:
    assert open_service(Limits()).make_order("text_to_image", {"steps": 60})


def test_size_and_steps_are_refused_beside_their_fields(
    open_service: Callable[..., Service],
) -> None:
    service = open_service(Limits(megapixels=0.3, steps=20))
    assert service.make_order("text_to_image", {"size": "512x512", "steps": 20})
    size = "768 × 512 is too large; at most 0.3 megapixels are allowed here, for example 512 × 512."
    with refused(size=size, steps="21 steps are too many; at most 20 are allowed here."):
        service.make_order("text_to_image", {"size": "768x512", "steps": 21})


def test_what_no_field_can_bring_down_is_said_of_the_form(
    open_service: Callable[..., Service], tmp_path: Path
) -> None:
    folder = write_preset(
        tmp_path / "own", "{steps: {slot: 3.steps}, width: {slot: 5.width}}", n5={"height": 1024}
    )
    service = open_service(Limits(megapixels=0.5, steps=8), folder)
    with refused(
        width="512 × 1024 is too large; at most 0.5 megapixels are allowed here, for example "
        "704 × 704."
    ):
        service.make_order("own", {"steps": 8, "width": 512})
    assert service.make_order("own", {"steps": 8, "width": 480})
    shutil.rmtree(folder)
    write_preset(tmp_path / "own", "{seed: {slot: 3.seed}}", n3={"steps": 9})
    service.reload()
    with pytest.raises(
        LimitReached, match=r"^Own: 9 steps are too many; at most 8 are allowed here\.$"
    ):
        service.make_order("own", {})


KNOWN = {
    "EmptyLatentImage": {"output": ["LATENT"]},
    "ImageScale": {"output": ["IMAGE"]},
    "ImageScaleToTotalPixels": {"output": ["IMAGE"]},
    "CLIPTextEncodeSDXL": {"output": ["CONDITIONING"]},
    "BasicScheduler": {"output": ["SIGMAS"]},
    "PrimitiveInt": {"output": ["INT"]},
}


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"1": ("EmptyLatentImage", {"width": 1000, "height": 1000})}, []),
        (
            {"1": ("EmptyLatentImage", {"width": 1000, "height": 1001})},
            [("1", "width"), ("1", "height")],
        ),
        (
            {"1": ("EmptyLatentImage", {"width": "1000", "height": "1001"})},
            [("1", "width"), ("1", "height")],
        ),
        ({"1": ("CLIPTextEncodeSDXL", {"width": 4096, "height": 4096})}, []),
        (
            {"1": ("NobodyKnowsIt", {"width": 4096, "height": 4096})},
            [("1", "width"), ("1", "height")],
        ),
        (
            {"1": ("ImageScale", {"to.width": 2000, "to.height": 600})},
            [("1", "to.width"), ("1", "to.height")],
        ),
        ({"1": ("ImageScaleToTotalPixels", {"megapixels": 1.5})}, [("1", "megapixels")]),
        ({"1": ("ImageScaleToTotalPixels", {"megapixels": 1.0})}, []),
        ({"1": ("BasicScheduler", {"steps": 31})}, [("1", "steps")]),
        ({"1": ("BasicScheduler", {"steps": 30}), "2": ("BasicScheduler", {"steps": True})}, []),
        (
            {"1": ("BasicScheduler", {"steps": ["2", 0]}), "2": ("PrimitiveInt", {"value": 31})},
            [("2", "value")],
        ),
        ({"1": ("BasicScheduler", {"steps": ["9", 0]})}, []),
    ],
)
def test_what_counts_as_too_much(
    graph: dict[str, tuple[str, Any]], expected: list[tuple[str, str]]
) -> None:
    nodes = {key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in graph.items()}
    found = find_exceeded(nodes, Limits(megapixels=1.0, steps=30), ObjectInfo.from_json(KNOWN))
    assert [place for excess in found for place in excess.inputs] == expected


def test_uploads_are_bounded_by_the_smaller_limit(
    open_service: Callable[..., Service], tmp_path: Path
) -> None:
    Image.effect_noise((512, 512), 90).save(tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 200_000
    service = open_service(Limits(upload_mb=0.1))
    with refused(image="the file has 0 MB; at most 0.1 MB are allowed."):
        service.make_order("upscale", {"image": tmp_path / "noise.png"})
    assert open_service(Limits(upload_mb=100)).forms["upscale"].fields["image"].max_mb == 20
    assert open_service(Limits()).make_order("upscale", {"image": tmp_path / "noise.png"})


def test_the_settings_become_the_limits() -> None:
    settings = Settings(
        jobs_per_person=3, max_megapixels=2.0, max_steps=9, max_upload_mb=4.0, names="{random}"
    )
    assert make_limits(settings) == Limits(3, 2.0, 9, 4.0, "{random}")
    assert make_limits(Settings()) == Limits(upload_mb=100.0)


class Leaving:
    """Notes which jobs were abandoned, and when."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.happened = asyncio.Event()

    def __call__(self, token: str) -> None:
        self.left.append(token)
        self.happened.set()

    async def await_next(self) -> None:
        """Wait until a further job was abandoned."""
        await asyncio.wait_for(self.happened.wait(), HANG_SECONDS)
        self.happened.clear()


async def let_pass(clock: ManualClock, seconds: float) -> None:
    """Let what has begun to wait begin, then let time pass."""
    await asyncio.sleep(0)
    clock.advance(seconds)


def test_a_job_is_left_once_its_last_page_has_gone() -> None:
    async def play() -> None:
        leaving = Leaving()
        clock = ManualClock()
        disconnects = DisconnectWatch(leaving, clock=clock)
        with disconnects.watch("a"):
            with disconnects.watch("a"):
                pass
            await let_pass(clock, AWAY_SECONDS)
            disconnects.touch("a", hidden=False)
            with disconnects.watch("b"):
                pass
            await let_pass(clock, AWAY_SECONDS)
            await leaving.await_next()
            assert leaving.left == ["b"]
        await let_pass(clock, AWAY_SECONDS)
        await leaving.await_next()
        assert leaving.left == ["b", "a"]

    asyncio.run(play())


def test_a_page_that_comes_back_or_lies_in_the_background_keeps_its_job() -> None:
    async def play() -> None:
        leaving = Leaving()
        clock = ManualClock()
        disconnects = DisconnectWatch(leaving, clock=clock)
        with disconnects.watch("back"), disconnects.watch("hidden"), disconnects.watch("gone"):
            pass
        disconnects.touch("hidden", hidden=True)
        with disconnects.watch("back"):
            await let_pass(clock, AWAY_SECONDS)
            await leaving.await_next()
            assert leaving.left == ["gone"]
        disconnects.touch("back", hidden=True)
        disconnects.touch("hidden", hidden=False)
        await let_pass(clock, AWAY_SECONDS)
        await leaving.await_next()
        assert leaving.left == ["gone", "hidden"]
        await let_pass(clock, HIDDEN_SECONDS - AWAY_SECONDS)
        await leaving.await_next()
        assert leaving.left == ["gone", "hidden", "back"]

    asyncio.run(play())


@pytest.mark.parametrize("cancels", [True, False])
def test_a_job_ends_with_its_last_page_only_where_that_is_wanted(
    open_service: Callable[..., Service], cancels: bool
) -> None:
    service = open_service(Limits())
    job = service.queue.submit(draw(1, 30))

    async def visit() -> None:
        clock = ManualClock()
        if cancels:
            service.disconnect_watch = DisconnectWatch(service.queue.stop, clock=clock)
        assert describe_jobs(service, [job], job.token, ShownState())["token"] == job.token
        await let_pass(clock, AWAY_SECONDS)
        if cancels:
            assert await asyncio.to_thread(job.stop_requested.wait, HANG_SECONDS)

    asyncio.run(visit())
    assert job.stop_requested.is_set() == cancels
    service.queue.stop(job.token)
    assert wait(job, is_over).phase == "stopped"


@pytest.mark.deep
def test_of_several_jobs_those_that_fit_are_kept_and_the_rest_is_told(
    open_service: Callable[..., Service], demo: DemoServer
) -> None:
    pace = demo.options.step_seconds
    demo.set_step_seconds(1.0)
    service = open_service(Limits(jobs_waiting=2))
    others = [service.submit("text_to_image", {"steps": 60}, "user:ben") for _ in range(2)]
    (backend,) = service.queue.backends
    await_that(lambda: len(service.queue.list_submitted(backend)) == 2)
    begun = service.submit_several("text_to_image", {}, 4, "user:ann", "user:ann")
    assert len(begun.jobs) == 2
    assert begun.limit_message.startswith("2 of 4 were started. You have 2 jobs waiting already")
    with pytest.raises(LimitReached, match=r"^You have 2 jobs waiting already"):
        service.submit_several("text_to_image", {}, 4, "user:ann", "user:ann")
    for job in (*begun.jobs, *others):
        service.queue.stop(job.token)
        assert wait(job, is_over).phase == "stopped"
    demo.set_step_seconds(pace)
