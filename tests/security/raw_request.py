"""Starting an app for an attack, and requests that no well-behaved client would send."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.serve import build, launch
from tests.ui.running import RunningApp, free_port

TIMEOUT_SECONDS = 120.0
"""Seconds after which an answer is taken for one that never comes."""

get = partial(httpx.get, timeout=TIMEOUT_SECONDS)
post = partial(httpx.post, timeout=TIMEOUT_SECONDS)


@contextmanager
def run_settings(server: str, outputs: Path, **more: Any) -> Iterator[RunningApp]:
    """The app on a random port with these settings, closed at the end."""
    given = {"presets": (shipped_presets(),), "port": free_port(), **more}
    app = build(Settings(server=server, outputs=outputs, **given))
    try:
        yield RunningApp(app, launch(app, block=False))
    finally:
        app.close()
        app.blocks.close(verbose=False)


VOLATILE_KEYS = {"app_id", "components", "dependencies", "layout", "page"}
"""Parts of /config that hold the numbers of components, which are new each time."""


def fetch_config(url: str) -> dict[str, Any]:
    """What ada, whose password is engine, gets of `/config`, but for what changes each time."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as browser:
        login = browser.post("/login", data={"username": "ada", "password": "engine"})
        assert login.status_code == 200
        config: dict[str, Any] = browser.get("/config").json()
    assert config["components"]
    return {name: value for name, value in config.items() if name not in VOLATILE_KEYS}


@dataclass(frozen=True)
class RawResponse:
    """An answer as it came over the wire; header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(url: str) -> socket.socket:
    """A connection to an app."""
    parts = urlsplit(url)
    return socket.create_connection(
        (parts.hostname or "", parts.port or 80), timeout=TIMEOUT_SECONDS
    )


def send_raw(url: str, head: str, body: bytes = b"") -> RawResponse:
    """Send a request as it stands, line by line, and read the answer until the connection ends."""
    lines = [line.strip() for line in head.strip().splitlines()]
    with connect(url) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        return read_response(connection)


def read_response(connection: socket.socket) -> RawResponse:
    """What comes until the connection ends."""
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return RawResponse(int(first.split()[1]), headers, body)
