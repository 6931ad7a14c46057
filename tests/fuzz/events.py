"""`python -m tests.fuzz.events`: calls every function of a running page with odd payloads.

The list of functions comes from `/config`, so that a new one is in it by itself. Events go through
Gradio's queue or its run route, as they are meant to; whatever holds a call or streams is called
apart, with what it refuses. Reported are answers with a status of 500 that say nothing, tracebacks
in answers, files of the host that were copied or served, and the slowest answers.
"""

from __future__ import annotations

import argparse
import gc
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from gradio.utils import get_upload_folder

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.ui.sealing import BROKEN
from tests.security.doors import Door, House, make_file
from tests.ui.running import run_app

SLOW_SECONDS = 1.0
"""An answer that takes longer is reported; on a busy machine look at the baseline beside it."""

PROBES = 50
"""Calls that do next to nothing, for the baseline."""


@dataclass
class Report:
    """What came out."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    baseline: float = 0.0

    def __str__(self) -> str:
        slow = "\n".join(f"{seconds:8.3f} s  {name}" for seconds, name in self.slowest[:5])
        told = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        head = f"{self.calls} calls; {told}\nbaseline   {self.baseline:8.3f} s\n{slow}"
        return "\n".join([head, f"{len(self.faults)} faults", *self.faults[:50]])


def list_payloads(paths: Sequence[str], size: int) -> Iterator[tuple[str, Any]]:
    """At least 40 odd values: paths as texts and as files, deep, huge, and of wrong types.

    A call that has one of them under every key stays below the largest body that is taken, 1 MB.
    """
    for number, path in enumerate(paths):
        yield f"path {number}", path
        yield f"file {number}", make_file(path)
        yield f"file without a mark {number}", {"path": path}
        yield f"painting {number}", {"background": make_file(path), "layers": [make_file(path)]}
        yield f"update {number}", {"__type__": "update", "value": path}
    yield "address", make_file("http://127.0.0.1:1/x.png", url="http://127.0.0.1:1/x.png")
    yield "file with no text for a path", {"path": 7, "meta": {"_type": "gradio.FileData"}}
    yield "file with an odd mark", {"path": "x", "meta": 7}
    yield "file of bytes", {"path": "a\0b", "meta": {"_type": "gradio.FileData"}}
    yield "deep list", nest(size // 50, list)
    yield "deep mapping", nest(size // 50, dict)
    yield "long list", [None] * (size // 10)
    yield "long list of texts", ["a"] * (size // 10)
    yield "wide mapping", {str(number): number for number in range(size // 20)}
    for unit in (" ", "[", '"', "1,", "<lora:", "{a|", "a=", "//", "x1"):
        yield f"long text of {unit}", unit * (size // len(unit))
    yield from {
        "nothing": None,
        "true": True,
        "number": 7,
        "negative": -1,
        "huge number": 10**300,
        "many digits": int("9" * 4000),
        "tiny": 1e-320,
        "no text": "",
        "digits": "9" * 5000,
        "infinite text": "Infinity",
        "size with spaces": f"1{' ' * 40_000}y",
        "half characters": "\ud800",
        "zero bytes": "\0" * 100,
        "markup": "<script>alert(1)</script>",
        "empty list": [],
        "empty mapping": {},
        "lists in lists": [[[]]],
        "list of all": [None, True, 1, "a", [], {}],
        "prototype": {"__proto__": 1, "__class__": 2, "constructor": 3},
    }.items()


def nest(depth: int, kind: type) -> Any:
    """A value in a value in a value …"""
    found: Any = kind()
    for _ in range(depth):
        found = [found] if kind is list else {"a": found}
    return found


KEYS = (
    *("preset", "values", "fields", "value", "number", "token", "tokens", "access", "secret"),
    *("person", "index", "field", "cell", "overwrite", "definition", "planned", "query", "since"),
    *("all", "rating", "on", "before", "source", "rows", "name", "title", "axes", "act"),
)
"""What functions look for in what they are sent."""


def list_calls(door: Door, access: str, value: Any) -> Iterator[tuple[Any, Any]]:
    """Data and event data with the value as a whole, in all places, and below every key."""
    keyed = dict.fromkeys(KEYS, value)
    if door.component >= 0:
        yield value, None
        yield [access, {**keyed, "preset": "text_to_image"}], None
        definition = {"preset": "text_to_image", "values": keyed, "axes": [[keyed]]}
        yield [access, {"definition": definition, "token": access}], None
        return
    yield [value] * door.inputs, value
    yield [value] * door.inputs, {**keyed, "preset": "text_to_image"}
    yield [None] * door.inputs, {**keyed, "access": access}
    yield value, None


def send(house: House, door: Door, data: Any, event: Any) -> httpx.Response:
    """A call with whatever JSON can hold, half characters and huge numbers included."""
    session = secrets.token_hex(5)
    if door.component >= 0:
        path = "component_server"
        body = {"component_id": door.component, "fn_name": door.name, "data": data}
    else:
        path = "run/predict"
        body = {"fn_index": door.number, "data": data, "event_data": event}
    content = json.dumps({**body, "session_hash": session}).encode("utf-8", "replace")
    headers = {"content-type": "application/json"}
    address = f"{house.url}gradio_api/{path}"
    try:
        return house.client.post(address, content=content, headers=headers)
    except (httpx.ReadError, httpx.RemoteProtocolError):  # an idle connection was just closed
        return house.client.post(address, content=content, headers=headers)


def is_said(answer: httpx.Response) -> bool:
    """Whether an error is a sentence of ours: Gradio's run route answers 500 for those as well."""
    try:
        told = answer.json()
    except ValueError:
        return False
    return isinstance(told, dict) and isinstance(told.get("error"), str)


def find_fault(answer: httpx.Response, secret: str) -> str:
    """What is wrong with an answer, "" where nothing is."""
    if "Traceback" in answer.text or '.py", line' in answer.text:
        return "a traceback"
    if secret in answer.text or "root:x:0" in answer.text:
        return "a file of the host"
    if BROKEN in answer.text:
        return "an error that nobody expected"
    if answer.status_code >= 500 and not is_said(answer):
        return f"status {answer.status_code}: {answer.text[:100]}"
    return ""


def fuzz(house: House, paths: Sequence[str], secret: str, size: int, share: int = 1) -> Report:
    """Call every door with every payload, or with every so-manieth one."""
    report, access = Report(), house.enter()
    doors = house.list_doors()
    enter = house.find_event("enter")
    took = []
    for _ in range(PROBES):
        began = time.perf_counter()
        house.call(enter, [], {"person": ""})
        took.append(time.perf_counter() - began)
    report.baseline = max(took)
    turn = 0
    for door in doors:
        for name, value in list_payloads(paths, size):
            turn += 1
            if turn % share:
                continue
            for number, (data, event) in enumerate(list_calls(door, access, value)):
                key = f"{door.name} {door.number} {door.component}: {name}, {number}"
                try_one(house, door, key, data, event, secret, report)
    report.slowest.sort(reverse=True)
    for path in Path(get_upload_folder()).rglob("*"):
        if path.is_file() and secret.encode() in path.read_bytes():
            report.faults.append(f"a file of the host was copied to {path.name}")
    return report


def try_one(
    house: House, door: Door, key: str, data: Any, event: Any, secret: str, report: Report
) -> None:
    """One call, with its status, its time and its fault."""
    began = time.perf_counter()
    try:
        answer = send(house, door, data, event)
    except httpx.HTTPError as error:
        report.faults.append(f"{key}: {type(error).__name__}")
        return
    seconds = time.perf_counter() - began
    report.calls += 1
    report.statuses[answer.status_code] += 1
    report.slowest.append((seconds, key))
    if fault := find_fault(answer, secret):
        report.faults.append(f"{key}: {fault}")
    elif seconds > SLOW_SECONDS:
        report.faults.append(f"{key}: {seconds:.2f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=20_000, help="letters of a huge value")
    parser.add_argument("--share", type=int, default=1, help="only every so-manieth payload")
    options = parser.parse_args(arguments)
    secret = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoServer(DemoOptions(step_seconds=0.01)) as demo,
        run_app(demo.url, Path(folder) / "outputs", author=True) as running,
        httpx.Client(timeout=60) as client,
    ):
        gc.freeze()  # as an app that is served does: see `launch`
        key = Path(folder) / "key.txt"
        key.write_text(secret)
        paths = (str(key), "/etc/passwd", "../../etc/passwd", ".git/config")
        report = fuzz(House(running.url, client), paths, secret, options.size, options.share)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
