"""Answers that go wrong: every fault on every route that a job uses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from PIL import Image

from comfygradio.errors import ServerError
from comfygradio.jobs.naming import choose_result_place
from comfygradio.jobs.results import collect_again
from tests.faults.faulty_proxy import HttpFault
from tests.faults.http_fault import (
    HTML_PAGE,
    OTHER_JSON,
    delay_handshake,
    drop_request,
    drop_response,
    fake_response,
    replace_response,
    send_invalid_handshake,
    trickle_response,
    truncate_body,
    truncate_handshake,
)
from tests.faults.scenario import (
    LONG_SECONDS,
    Scenario,
    await_that,
    make_graph_order,
    make_unique_order,
    make_upload_graph,
    open_scenario,
)
from tests.jobs.lines import count_files, is_running, wait
from tests.jobs.shelf import Shelf

pytestmark = pytest.mark.deep

NOWHERE = fake_response(404)
ODD_KEYS = (
    "prompt_id",
    "exec_info",
    "queue_running",
    "queue_pending",
    "outputs",
    "name",
    "system",
    "devices",
)
"""What our answers have; "odd" are answers that have it all, and nothing in it."""

FAULTS: dict[str, HttpFault] = {
    "500": fake_response(500),
    "502": fake_response(502),
    "html": HTML_PAGE,
    "other": OTHER_JSON,
    "odd": fake_response(200, json.dumps(dict.fromkeys(ODD_KEYS)).encode(), "application/json"),
    "empty": fake_response(200, b""),
    "slow": trickle_response,
    "cut": truncate_body,
    "request lost": drop_request,
    "answer lost": drop_response,
    "500 late": replace_response(fake_response(500)),
    "502 late": replace_response(fake_response(502)),
    "html late": replace_response(HTML_PAGE),
    "other late": replace_response(OTHER_JSON),
}

BYTES = ("other", "other late", "odd", "empty")
"""Where any bytes may be the answer, these are."""

REFUSED = ("500", "html", "other", "odd", "empty")
"""Answers after which nobody may try again: they mean that the request itself was not understood.
"""


QUICK_FAULTS = ("502", "404", "answer lost")


def sample(names: Iterable[str]) -> list[str | ParameterSet]:
    """All of them; the quick loop tries only a few."""
    return [
        name if name in QUICK_FAULTS else pytest.param(name, marks=pytest.mark.deep)
        for name in names
    ]


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_posting(fault: str, scenario: Scenario) -> None:
    neighbour = scenario.post_other(0.1)
    scenario.proxy.inject("POST /prompt", FAULTS[fault])
    job = scenario.submit()
    if fault in REFUSED:
        end = scenario.wait_for_end(job)
        assert end.phase == "failed" and end.error and scenario.proxy.posted[job.id] == 0
        assert count_files(scenario.outputs) == 0
        scenario.check_quiet()
    else:
        scenario.check_done(job)
    scenario.check_other(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
@pytest.mark.parametrize("route", ["GET /queue", "GET /history"])
def test_asking_how_it_stands(route: str, fault: str, scenario: Scenario) -> None:
    """Without a WebSocket, so that everything hangs on these answers."""
    neighbour = scenario.post_other(0.1)
    scenario.proxy.inject("GET /ws", NOWHERE, times=1000)
    scenario.proxy.inject(route, FAULTS[fault], times=2)
    scenario.check_done(scenario.submit(0.1))
    scenario.check_other(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_asking_whether_the_server_is_there(fault: str, scenario: Scenario) -> None:
    """Before anything is posted, and again after it seemed to be away."""
    neighbour = scenario.post_other(0.1)
    scenario.proxy.inject("GET /prompt", FAULTS[fault], times=3)
    scenario.check_done(scenario.submit(), scenario.submit())
    scenario.check_other(neighbour)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_looking_at_the_server_while_it_works(fault: str, scenario: Scenario) -> None:
    """As the page of the operator does."""
    job = scenario.submit(0.1)
    for route in ("GET /prompt", "GET /system_stats"):
        scenario.proxy.inject(route, FAULTS[fault])
        status = scenario.queue.backends[0].fetch_status(running=1)
        assert status.is_up or status.trouble
    scenario.proxy.clear_faults()
    scenario.check_done(job)


@pytest.mark.parametrize("fault", ["html", "html late"])
def test_the_first_looks_meet_a_web_page(fault: str, scenario: Scenario) -> None:
    """Then our client goes on under /api, where the same server is."""
    for route in ("GET /prompt", "GET /system_stats"):
        scenario.proxy.inject(route, FAULTS[fault])
    scenario.check_done(scenario.submit())
    assert "POST /api/prompt" in scenario.proxy.calls


SHAKES: dict[str, HttpFault] = {
    "500": fake_response(500),
    "502": fake_response(502),
    "404": NOWHERE,
    "html": HTML_PAGE,
    "lost": drop_request,
    "half": truncate_handshake,
    "wrong": send_invalid_handshake,
    "late": delay_handshake,
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", sample(SHAKES))
def test_opening_the_websocket(fault: str, times: int, scenario: Scenario) -> None:
    neighbour = scenario.post_other(0.1)
    scenario.proxy.inject("GET /ws", SHAKES[fault], times=times)
    scenario.check_done(scenario.submit(0.1), scenario.submit())
    scenario.check_other(neighbour)


OLDER = [("0.3.64", "POST /queue"), ("0.3.64", "POST /interrupt"), ("2024-01", "POST /interrupt")]
OLDER += [("2024-01", "GET /queue"), ("2024-01", "GET /system_stats")]
CANCELS = [("0.33.0", "POST /api/jobs", fault) for fault in (*FAULTS, "404")]
CANCELS += [
    (*way, fault) for way in OLDER for fault in ("500", "502", "html", "slow", "cut", "answer lost")
]


@pytest.mark.deep
@pytest.mark.parametrize(("version", "route", "fault"), CANCELS)
def test_stopping(version: str, route: str, fault: str, shelf: Shelf, tmp_path: Path) -> None:
    """The job is stopped at once, and its prompt does not stay on the server."""
    with open_scenario(tmp_path / "outputs", shelf, version=version) as scenario:
        job, other = scenario.submit(LONG_SECONDS), scenario.submit()
        wait(job, is_running)
        await_that(lambda: scenario.direct.queue_remaining() == 2)
        neighbour = scenario.post_other()
        scenario.proxy.inject(route, NOWHERE if fault == "404" else FAULTS[fault])
        scenario.queue.stop(job.token)
        assert scenario.wait_for_end(job).phase == "stopped"
        scenario.check_other(neighbour)
        assert scenario.wait_for_end(other).phase == "done" and count_files(scenario.outputs) == 1
        scenario.check_quiet()


@pytest.mark.deep
@pytest.mark.parametrize("version", ["0.33.0", "0.3.64", "0.3.40", "2024-01"])
def test_stopping_while_nobody_answers(version: str, shelf: Shelf, tmp_path: Path) -> None:
    """The prompt goes on at the server, so it is stopped there once that answers again."""
    with open_scenario(tmp_path / "outputs", shelf, version=version) as scenario:
        job = scenario.submit(LONG_SECONDS)
        wait(job, is_running)
        neighbour = scenario.post_other()
        scenario.proxy.stop_listening()
        wait(job, lambda s: "does not answer" in s.reason)
        scenario.queue.stop(job.token)
        scenario.proxy.start_listening()
        assert scenario.wait_for_end(job).phase == "stopped"
        scenario.check_other(neighbour)
        assert scenario.proxy.posted.total() == 1 and count_files(scenario.outputs) == 0
        scenario.check_quiet()


@pytest.mark.parametrize("fault", sample(name for name in FAULTS if name not in BYTES))
def test_fetching_the_result(fault: str, scenario: Scenario) -> None:
    """A fault that passes is not even noticed."""
    scenario.proxy.inject("GET /view", FAULTS[fault], times=2)
    scenario.check_done(scenario.submit())


@pytest.mark.parametrize("fault", ["500", "html", "cut"])
def test_a_result_that_cannot_be_fetched_is_fetched_later(fault: str, scenario: Scenario) -> None:
    scenario.proxy.inject("GET /view", FAULTS[fault], times=1000)
    job = scenario.submit()
    end = scenario.wait_for_end(job)
    assert (
        end.phase == "failed"
        and "could not be fetched" in end.error
        and end.results[0].can_be_collected
    )
    assert count_files(scenario.outputs) == 0 and scenario.proxy.posted[job.id] == 1
    scenario.proxy.clear_faults()
    place = choose_result_place(scenario.outputs, "tiny")
    (again,) = collect_again(end.results, scenario.queue.backends[0].client, place)
    assert again.path and not again.problem and count_files(scenario.outputs) == 1
    scenario.check_quiet()


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_uploading(fault: str, scenario: Scenario, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    scenario.proxy.inject("POST /upload/image", FAULTS[fault])
    job = scenario.queue.submit(make_graph_order(make_upload_graph(picture)))
    end = scenario.wait_for_end(job)
    if fault in (*REFUSED, "500 late", "html late", "other late"):
        assert end.phase == "failed" and end.error
        assert scenario.proxy.posted[job.id] == 0 and count_files(scenario.outputs) == 0
        scenario.check_quiet()
    else:
        scenario.check_done(job)


@pytest.mark.parametrize("fault", sample(FAULTS))
def test_learning_what_the_server_has(fault: str, scenario: Scenario) -> None:
    scenario.proxy.inject("GET /object_info", FAULTS[fault], times=2)
    with suppress(ServerError):
        scenario.queue.backends[0].refresh(["EmptyImage", "SaveImage"])
    scenario.check_done(scenario.submit())


def test_a_server_gets_what_it_lacked(scenario: Scenario) -> None:
    """The job waits and says why, until the server is asked again."""
    backend, given = scenario.queue.backends[0], scenario.server.options
    scenario.server.kill()
    scenario.server.options = replace(given, missing_classes=("EmptyImage",))
    scenario.server.start()
    backend.refresh(["EmptyImage", "SaveImage"])
    job = scenario.submit()
    wait(job, lambda s: "it has no node class EmptyImage" in s.reason)
    scenario.server.kill()
    scenario.server.options = given
    scenario.server.start()
    backend.refresh(["EmptyImage", "SaveImage"])
    scenario.check_done(job)


def test_generate_pressed_twice(scenario: Scenario) -> None:
    wish = make_unique_order(0.1)
    one, two = scenario.queue.submit(wish), scenario.queue.submit(wish)
    assert one.id != two.id
    scenario.check_done(one, two)
