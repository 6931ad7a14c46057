"""Plans of sweeps: one for a person, so many points of all of them, a few planned at once, and a
limit of comparisons that are not over.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import LimitReached
from comfygradio.jobs.limits import Limits
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.sweeps.definition import Definition
from comfygradio.sweeps.sweep_registry import (
    MAX_OPEN_SWEEPS,
    MAX_PARALLEL_PLANS,
    MAX_PLANNED_POINTS,
    SweepRegistry,
)
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.sweep.sweep_api import SweepApi

pytestmark = pytest.mark.deep

SECONDS = 60


@pytest.fixture(scope="module")
def slow() -> Iterator[DemoServer]:
    """A server that never gets to an end while the tests run."""
    with DemoServer(DemoOptions(step_seconds=30)) as server:
        yield server


@pytest.fixture
def service(slow: DemoServer, tmp_path: Path) -> Iterator[Service]:
    client = ComfyClient(slow.url)
    opened = Service(client, [shipped_presets()], tmp_path / "outputs", limits=Limits())
    assert opened.connect()
    yield opened
    for sweep in list(opened.sweeps._sweeps.values()):
        sweep.stop()
    opened.close()
    client.close()


def define(points: int, prompt: str = "a fox") -> Definition:
    return Definition("text_to_image", {"prompt": prompt}, ({"seed": f"1-{points}"},))


def list_planned(service: Service) -> list[str]:
    """Whose plans are in memory."""
    return [one.owner for one in service.sweeps._sweeps.values() if one.phase == "planned"]


def test_a_person_has_one_plan_however_often_the_page_asks(service: Service) -> None:
    api = SweepApi(service, PageSessions())
    axes = [[{"field": "seed", "text": "1-50"}]]
    asked: dict[str, Any] = {"definition": {"preset": "text_to_image", "values": {}, "axes": axes}}
    tokens = [api.replan("ada", asked)["token"] for _ in range(5)]
    api.replan("ben", asked)
    assert list_planned(service) == ["ada", "ben"]
    assert [service.sweeps.find(token) is not None for token in tokens] == [False] * 4 + [True]


def test_what_was_forgotten_is_planned_again_where_it_is_begun(service: Service) -> None:
    api = SweepApi(service, PageSessions())
    axes = [[{"field": "seed", "text": "1-50"}]]
    asked: dict[str, Any] = {"definition": {"preset": "text_to_image", "values": {}, "axes": axes}}
    first = api.replan("ada", asked)["token"]
    api.replan("ada", asked)
    begun = api.start("ada", {**asked, "planned": first})["token"]
    assert begun != first
    sweep = service.sweeps.find(begun)
    assert sweep is not None and sweep.phase == "running" and sweep.counts.total == 50


def test_all_plans_together_have_so_many_points(service: Service) -> None:
    for number in range(8):
        service.sweeps.plan(define(5_000), f"anon:{number}")
    plans = [one for one in service.sweeps._sweeps.values() if one.phase == "planned"]
    assert sum(one.counts.total for one in plans) <= MAX_PLANNED_POINTS
    assert [one.owner for one in plans] == [f"anon:{number}" for number in range(2, 8)]


def test_nobody_has_more_sweeps_that_are_not_over_than_so_many(service: Service) -> None:
    begun = [
        service.sweeps.start(define(2, f"fox {number}"), "ada") for number in range(MAX_OPEN_SWEEPS)
    ]
    planned = service.sweeps.plan(define(2, "another fox"), "ada")
    with pytest.raises(LimitReached, match=f"{MAX_OPEN_SWEEPS} comparisons that are not over"):
        service.sweeps.start(define(2), "ada")
    with pytest.raises(LimitReached, match=f"{MAX_OPEN_SWEEPS} comparisons that are not over"):
        service.sweeps.start_planned(planned)
    assert service.sweeps.start(define(2), "ben").phase == "running"
    begun[0].pause()
    with pytest.raises(LimitReached):
        service.sweeps.start(define(2), "ada")
    begun[-1].stop()
    assert service.sweeps.start_planned(planned).phase == "running"


def test_new_ids_of_a_browser_begin_no_more_sweeps(service: Service) -> None:
    here, there = "net:10.0.0.1", "net:10.0.0.2"
    for number in range(MAX_OPEN_SWEEPS):
        service.sweeps.start(define(2, f"fox {number}"), f"anon:{number}", party=here)
    planned = service.sweeps.plan(define(2, "an owl"), "anon:planned", party=here)
    with pytest.raises(
        LimitReached, match=f"Your network address has {MAX_OPEN_SWEEPS} comparisons"
    ):
        service.sweeps.start(define(2), "anon:new", party=here)
    with pytest.raises(
        LimitReached, match=f"Your network address has {MAX_OPEN_SWEEPS} comparisons"
    ):
        service.sweeps.start_planned(planned)
    assert service.sweeps.start(define(2), "anon:other", party=there).phase == "running"


def test_so_many_are_planned_at_once(service: Service) -> None:
    """The others wait in turn: whoever plans holds one of a few places."""
    inside, most, lock = 0, 0, threading.Lock()
    entered, leave = threading.Semaphore(0), threading.Event()
    find_form = service.sweeps._find_form

    def find_slowly(name: str) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        entered.release()
        assert leave.wait(SECONDS)
        with lock:
            inside -= 1
        return find_form(name)

    sweeps = SweepRegistry(service.queue, find_slowly)
    threads = [
        threading.Thread(target=sweeps.plan, args=(define(3), f"anon:{number}"))
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for _ in range(MAX_PARALLEL_PLANS):
        assert entered.acquire(timeout=SECONDS)
    assert not entered.acquire(timeout=0.2)
    leave.set()
    for thread in threads:
        thread.join(SECONDS)
    assert most == MAX_PARALLEL_PLANS
