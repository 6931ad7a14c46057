"""A hostile ComfyUI: `python -m tests.benchmarks.hostile_server KIND`.

It is a demo server whose results are dripped, endless or of 169 megapixels.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from comfygradio.demo import DemoOptions, DemoServer
from tests.benchmarks.png import encode_plain
from tests.faults.faulty_proxy import Exchange, FaultyProxy

TIMES = 10**9
CHUNK = b"\0" * 65_536
ENDLESS_BYTES = 1_200_000_000
SIDE = 13_000
"""Pixels of a side of the large result."""

PAUSE_SECONDS = 2.0


def drip(exchange: Exchange) -> None:
    """A byte every two seconds."""
    say_head(exchange, 1_000_000)
    while not threading.Event().wait(PAUSE_SECONDS):
        exchange.client.sendall(b"x")


def flood(exchange: Exchange) -> None:
    """As much as the disk takes, and at most 1.2 GB."""
    say_head(exchange, ENDLESS_BYTES)
    for _ in range(ENDLESS_BYTES // len(CHUNK)):
        exchange.client.sendall(CHUNK)


def send_large(exchange: Exchange) -> None:
    """A picture that is small until it is unpacked."""
    content = encode_plain(SIDE, SIDE, 4)
    say_head(exchange, len(content))
    exchange.client.sendall(content)


KINDS: dict[str, Callable[[Exchange], None]] = {
    "drip": drip,
    "flood": flood,
    "large": send_large,
}


def say_head(exchange: Exchange, size: int) -> None:
    """The head of an answer with a picture of so many bytes."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {size}\r\n\r\n"
    exchange.client.sendall(head.encode())


def main() -> None:
    """Serve until Ctrl-C."""
    options = DemoOptions(step_seconds=0)
    with DemoServer(options) as server, FaultyProxy(server.url) as line:
        for kind in sys.argv[1:]:
            for call in ("GET /view", "GET /api/view"):
                line.inject(call, KINDS[kind], TIMES)
        print(line.url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
