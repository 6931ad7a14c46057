"""Every function of the page with odd payloads: a share of `python -m tests.fuzz.events`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoServer
from tests.fuzz.events import find_copies, fuzz, write_secret
from tests.fuzz.payloads import list_payloads
from tests.fuzz.queued_calls import fuzz_queued, fuzz_routes
from tests.fuzz.report import SLOW_SECONDS, Report, find_fault
from tests.security.callable_endpoint import AppClient, list_routes
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

SHARE = 23
"""Of so many payloads one is sent; no divisor of their number, so that endpoints get different
ones.
"""


def test_there_are_forty_odd_payloads() -> None:
    names = [name for name, _ in list_payloads(("a", "b"), 1000)]
    assert len(names) >= 40 and len(set(names)) == len(names) and len(names) % SHARE


@pytest.fixture(scope="module")
def running(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app whose every visitor is an author."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), author=True) as app:
        yield app


def list_faults(report: Report) -> list[str]:
    """How long an answer takes is left to the program itself: here others work beside it."""
    return [fault for fault in report.faults if not fault.endswith(" s")]


@pytest.mark.app
def test_odd_payloads_get_sentences_and_nothing_else(
    running: RunningApp, client: httpx.Client, tmp_path: Path
) -> None:
    report = Report(secrets.token_hex(16))
    paths = write_secret(tmp_path, report.secret)
    fuzz(AppClient(running.url, client), paths, 20_000, SHARE, report)
    find_copies(report)
    assert report.calls > 150
    assert not list_faults(report), report
    assert set(report.statuses) > {200, 400}


@pytest.mark.app
def test_odd_payloads_on_streams_get_sentences_and_nothing_else(
    running: RunningApp, client: httpx.Client, tmp_path: Path
) -> None:
    report = Report(secrets.token_hex(16))
    paths = write_secret(tmp_path, report.secret)
    app_client = AppClient(running.url, client)
    fuzz_queued(app_client, paths, 20_000, SHARE, report)
    fuzz_routes(app_client, list_routes(running.app.blocks.app), paths, SHARE, report)
    find_copies(report)
    assert report.calls > 150
    assert not list_faults(report), report


@pytest.mark.app
def test_no_function_is_left_out(running: RunningApp, client: httpx.Client) -> None:
    """Those of the queue and those that stream come in the second pass, by what `/config` says."""
    endpoints = AppClient(running.url, client).list_endpoints()
    blocks = running.app.blocks
    functions = {number: one for number, one in blocks.fns.items() if one.fn is not None}
    assert {endpoint.number for endpoint in endpoints if endpoint.number >= 0} == set(functions)
    held = {endpoint.number for endpoint in endpoints if endpoint.is_held}
    assert held == {number for number, one in functions.items() if one.queue}
    assert {"generate", "attach", "text_to_image", "text_to_image_sweep"} <= {
        endpoint.name for endpoint in endpoints if endpoint.is_held
    }
    forms = running.app.service.forms
    programs = {f"{form}{sweep}" for form in forms for sweep in ("", "_sweep")}
    buttons = {endpoint.name for endpoint in endpoints if endpoint.name.startswith("generate")}
    assert len(buttons) == len(forms)
    streams = {endpoint.name for endpoint in endpoints if endpoint.is_stream}
    assert streams == programs | buttons | {"attach", "vary"}


def test_faults_are_seen() -> None:
    secret = "5" * 32
    for text, status in (
        ("Traceback (most recent call last)", 200),
        (f"anna:{secret}", 200),
        ("root:x:0:0", 200),
        ('{"error":null}', 500),
        ("Internal Server Error", 500),
        ('{"error":"Please add a picture."}', 500),
    ):
        assert find_fault(status, text, secret)
    assert not find_fault(400, '{"error":"Please add a picture."}', secret)
    assert not find_fault(200, '{"data":[1]}', secret)


def test_a_late_answer_is_a_fault_unless_it_may_be_held() -> None:
    report = Report("5" * 32)
    report.add("quick", 200, "", 0.2)
    report.add("held", 200, "", None)
    report.add("late", 200, "", SLOW_SECONDS + 0.1)
    assert report.faults == ["late: 1.10 s"] and report.calls == 3
