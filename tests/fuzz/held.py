"""The second pass: calls that are held, and streams, each closed after its first answers.

Functions that the page calls through Gradio's queue are called so, and those of programs also as
programs do. Routes that answer a GET get odd texts in the place of each of their parameters.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from comfygradio.ui.middleware.guarded_app import is_among
from comfygradio.ui.middleware.stream_limit import STREAMS
from tests.fuzz.payloads import list_calls, list_payloads
from tests.fuzz.report import Report
from tests.security.doors import Door, House

HELD_SECONDS = 10.0
"""How long a stream may be silent, or go on, until it is closed."""

SILENT_SECONDS = 5.0
"""The same for streams that may have nothing to tell; Gradio waits three seconds for an upload."""

MOST_CHARACTERS = 200_000
"""Of an answer so much is read."""

VALUE = re.compile(
    r'"msg":"(process_generating|process_completed|unexpected_error)".*\n\n'
    r"|event: (generating|complete|error)\n.*\n\n"
)
"""What a stream of the page, or of a program, tells once the function has given a first value or
has refused.
"""

QUERIES = ("session_hash", "upload_id", "version", "frames", "hold", "event_id", "view", "__theme")
"""Parameters that routes look for behind the question mark."""


MESSAGE = re.compile(r"\n\n")
"""Any message of a stream: its end."""


@dataclass(frozen=True)
class Heard:
    """What came of an answer until it was closed.

    `first_seconds` and `value_seconds` are how long its first part and the function's first value
    took; None for a value that did not come.
    """

    status: int
    text: str
    first_seconds: float
    value_seconds: float | None


def fuzz_held(house: House, paths: Sequence[str], size: int, share: int, report: Report) -> None:
    """Call every door that is held with every payload, or with every so-manieth one."""
    access, names = house.enter(), list_parameters(house)
    turn = 0
    for door in house.list_doors():
        if not door.is_held:
            continue
        for name, value in list_payloads(paths, size):
            turn += 1
            if turn % share:
                continue
            for number, (data, event) in enumerate(list_calls(door, access, value)):
                key = f"queue {door.name} {door.number}: {name}, {number}"
                call_through_queue(house, door, key, data, event, report)
            if door.is_public:
                key = f"program {door.name}: {name}"
                call_as_program(house, door, key, value, names[door.name], report)


def list_parameters(house: House) -> dict[str, list[str]]:
    """The names of the parameters of every function that programs may call."""
    told = house.client.get(f"{house.url}gradio_api/info").json()["named_endpoints"]
    return {
        name.removeprefix("/"): [one["parameter_name"] for one in endpoint["parameters"]]
        for name, endpoint in told.items()
    }


def call_through_queue(
    house: House, door: Door, key: str, data: Any, event: Any, report: Report
) -> None:
    """Join the queue as the page does, and listen until the function has told something."""
    session = secrets.token_hex(5)
    body = {"fn_index": door.number, "data": data, "event_data": event, "session_hash": session}
    if post(house, "gradio_api/queue/join", key, body, report) is not None:
        path = f"gradio_api/queue/data?session_hash={session}"
        listen(house, path, key, report, waits=door.is_stream)


def call_as_program(
    house: House, door: Door, key: str, value: Any, names: Sequence[str], report: Report
) -> None:
    """Call a function as programs do, its values in order and by their names."""
    calls = (
        (f"call/{door.name}", {"data": [value] * len(names)}),
        (f"call/{door.name}", {"data": value}),
        (f"call/v2/{door.name}", dict.fromkeys(names, value)),
        (f"call/v2/{door.name}", {"data": value}),
    )
    for number, (place, body) in enumerate(calls):
        event = post(house, f"gradio_api/{place}", f"{key}, {number}", body, report)
        if event is not None:
            path = f"gradio_api/call/{door.name}/{event}"
            listen(house, path, f"{key}, {number}", report, waits=door.is_stream)


def post(house: House, path: str, key: str, body: Any, report: Report) -> str | None:
    """Ask for a call; the event that its stream is about, None where it was refused."""
    content = json.dumps(body).encode("utf-8", "replace")
    headers = {"content-type": "application/json"}
    began = time.perf_counter()
    try:
        answer = house.client.post(f"{house.url}{path}", content=content, headers=headers)
    except httpx.HTTPError as error:
        report.faults.append(f"{key}: {type(error).__name__}")
        return None
    report.add(key, answer.status_code, answer.text, time.perf_counter() - began)
    return str(answer.json()["event_id"]) if answer.status_code == 200 else None


def listen(house: House, path: str, key: str, report: Report, *, waits: bool) -> None:
    """Report what a stream tells; a function that `waits` gives its first value when it likes."""
    try:
        heard = hear(house.client, f"{house.url}{path}", VALUE, HELD_SECONDS)
    except httpx.HTTPError as error:
        report.faults.append(f"{key}: {type(error).__name__}")
        return
    report.add(key, heard.status, heard.text, heard.first_seconds if waits else heard.value_seconds)
    if heard.value_seconds is None and not waits:
        report.faults.append(f"{key}: no value in {HELD_SECONDS:.0f} s")
    if '"error":null' in heard.text.replace(" ", ""):
        report.faults.append(f"{key}: an error without a sentence")


def hear(client: httpx.Client, url: str, enough: re.Pattern[str], silence: float) -> Heard:
    """Read an answer until it ends, a stream only until it has told enough, or nothing any more."""
    began = time.perf_counter()
    text, value = "", None
    limits = httpx.Timeout(60.0, read=silence)
    with client.stream("GET", url, timeout=limits) as answer:
        is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        first = None if is_stream else time.perf_counter() - began
        try:
            for part in answer.iter_text():
                text += part
                first = first or time.perf_counter() - began
                if is_stream and enough.search(text):
                    value = time.perf_counter() - began
                    break
                if len(text) > MOST_CHARACTERS or time.perf_counter() - began > HELD_SECONDS:
                    break
        except (httpx.ReadTimeout, httpx.RemoteProtocolError):
            pass  # it has nothing more to tell, or Gradio cuts it off after what it told last
    return Heard(answer.status_code, text, first or time.perf_counter() - began, value)


def list_texts(paths: Sequence[str]) -> Iterator[str]:
    """Odd texts for a part of an address."""
    yield from paths
    yield from (
        "",
        "0",
        "-1",
        "1e9",
        "9" * 300,
        "x" * 3000,
        "NaN",
        "\0",
        "%",
        "%2e%2e%2f",
        "//",
        "..",
    )
    yield from (
        "[]",
        "{}",
        "<script>alert(1)</script>",
        "\u96ea",
        "\ud800",
        "text_to_image",
        "http://127.0.0.1:1/x",
    )


def fuzz_routes(
    house: House,
    routes: Sequence[tuple[str, str]],
    paths: Sequence[str],
    share: int,
    report: Report,
) -> None:
    """Ask every route that answers a GET, with odd texts for all of its parameters."""
    turn = 0
    for method, route in routes:
        if method != "GET":
            continue
        for text in list_texts(paths):
            turn += 1
            if turn % share:
                continue
            for address in list_addresses(route, text):
                key = f"GET {route}: {text[:40]!r}"
                ask_route(house, address, key, report, waits=is_among(route, STREAMS))


def ask_route(house: House, address: str, key: str, report: Report, *, waits: bool) -> None:
    """Report what a route answers; one that `waits` may also be silent until it is given up."""
    try:
        heard = hear(house.client, f"{house.url}{address}", MESSAGE, SILENT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if not waits or not isinstance(error, httpx.ReadTimeout):
            report.faults.append(f"{key}: {type(error).__name__}")
        return
    report.add(key, heard.status, heard.text, None if waits else heard.first_seconds)


def list_addresses(route: str, text: str) -> Iterator[str]:
    """The route with the text in the place of each parameter, and behind the question mark."""
    query = urlencode(dict.fromkeys(QUERIES, text), errors="replace")
    words = {quote(text, safe=safe, errors="replace") for safe in ("", "/")}
    places = {re.sub(r"{[^}]*}", word, route) for word in words}
    yield from (f"{place.removeprefix('/')}?{query}" for place in sorted(places))
