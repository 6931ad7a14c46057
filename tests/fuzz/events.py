"""`python -m tests.fuzz.events`: calls every function of a running page with odd payloads.

The list of functions comes from `/config`, so that a new one is in it by itself. In a first pass
each is called as it answers at once, on Gradio's run route. In a second one (`held`) those whose
calls are held come through the queue and its streams, and so do all routes that answer a GET.
Reported are statuses of 500, tracebacks in answers, files of the host that were copied or served,
and answers that take longer than a second.
"""

from __future__ import annotations

import argparse
import gc
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from gradio.utils import get_upload_folder

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.ui.middleware.gradio_error import INVALID_REQUEST
from tests.fuzz.payloads import list_calls, list_payloads
from tests.fuzz.queued_calls import fuzz_queued, fuzz_routes
from tests.fuzz.report import Report
from tests.security.callable_endpoint import AppClient, Endpoint, list_routes
from tests.ui.running import run_app

PROBES = 50
"""Calls that do next to nothing, for the baseline."""


def send(app_client: AppClient, endpoint: Endpoint, data: Any, event: Any) -> httpx.Response:
    """A call with whatever JSON can hold, half characters and huge numbers included."""
    session = secrets.token_hex(5)
    if endpoint.component >= 0:
        path = "component_server"
        body = {"component_id": endpoint.component, "fn_name": endpoint.name, "data": data}
    else:
        path = "run/predict"
        body = {"fn_index": endpoint.number, "data": data, "event_data": event}
    content = json.dumps({**body, "session_hash": session}).encode("utf-8", "replace")
    headers = {"content-type": "application/json"}
    address = f"{app_client.url}gradio_api/{path}"
    try:
        return app_client.client.post(address, content=content, headers=headers)
    except (httpx.ReadError, httpx.RemoteProtocolError):  # an idle connection was just closed
        return app_client.client.post(address, content=content, headers=headers)


def fuzz(
    app_client: AppClient, paths: Sequence[str], size: int, share: int, report: Report
) -> None:
    """Call every endpoint with every payload, or with every so-manieth one."""
    access = app_client.open_history()
    turn = 0
    for endpoint in app_client.list_endpoints():
        for name, value in list_payloads(paths, size):
            turn += 1
            if turn % share:
                continue
            for number, (data, event) in enumerate(list_calls(endpoint, access, value)):
                key = f"{endpoint.name} {endpoint.number} {endpoint.component}: {name}, {number}"
                try_one(app_client, endpoint, key, data, event, report)


def try_one(
    app_client: AppClient, endpoint: Endpoint, key: str, data: Any, event: Any, report: Report
) -> None:
    """One call, with its status, its time and its fault.

    A generator's first value comes when its job has begun, so that its time says nothing.
    """
    began = time.perf_counter()
    try:
        answer = send(app_client, endpoint, data, event)
    except httpx.HTTPError as error:
        report.faults.append(f"{key}: {type(error).__name__}")
        return
    seconds = None if endpoint.is_stream else time.perf_counter() - began
    report.add(key, answer.status_code, answer.text, seconds)
    if INVALID_REQUEST in answer.text:  # the function is there, so that it was the one to stumble
        report.faults.append(f"{key}: Gradio or a function of ours raised")


def measure_baseline(app_client: AppClient) -> float:
    """Seconds of the slowest of some calls that do next to nothing."""
    enter = app_client.find_event("enter")
    took = []
    for _ in range(PROBES):
        began = time.perf_counter()
        app_client.call(enter, [], {"person": ""})
        took.append(time.perf_counter() - began)
    return max(took)


def find_copies(report: Report) -> None:
    """Report files of the host that were copied to where they are served."""
    for path in Path(get_upload_folder()).rglob("*"):
        if path.is_file() and report.secret.encode() in path.read_bytes():
            report.faults.append(f"a file of the host was copied to {path.name}")


def write_secret(folder: Path, secret: str) -> tuple[str, ...]:
    """Paths that nobody may read, the first one of a file with the secret."""
    key = folder / "key.txt"
    key.write_text(secret)
    return (str(key), "/etc/passwd", "../../etc/passwd", ".git/config")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=20_000, help="letters of a huge value")
    parser.add_argument("--share", type=int, default=1, help="only every so-manieth payload")
    parser.add_argument("--only", choices=("now", "held"), help="one of the two passes")
    options = parser.parse_args(arguments)
    now, held = Report(secrets.token_hex(16)), Report(secrets.token_hex(16))
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoServer(DemoOptions(step_seconds=0.01)) as demo,
        run_app(demo.url, Path(folder) / "outputs", author=True) as running,
        httpx.Client(timeout=60) as client,
    ):
        gc.freeze()  # as an app that is served does: see `launch`
        app_client = AppClient(running.url, client)
        if options.only != "held":
            paths = write_secret(Path(folder), now.secret)
            now.baseline = measure_baseline(app_client)
            fuzz(app_client, paths, options.size, options.share, now)
            find_copies(now)
        if options.only != "now":
            paths = write_secret(Path(folder), held.secret)
            held.baseline = measure_baseline(app_client)
            fuzz_queued(app_client, paths, options.size, options.share, held)
            fuzz_routes(app_client, list_routes(running.app.blocks.app), paths, options.share, held)
            find_copies(held)
    print(f"Answers at once\n{now}\n\nHeld calls, streams and routes\n{held}")
    return 1 if now.faults or held.faults else 0


if __name__ == "__main__":
    sys.exit(main())
