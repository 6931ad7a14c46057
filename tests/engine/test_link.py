"""The link by itself: it is there from the start, and its end is told to everybody who waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.link import CLOSED, Link
from comfygradio.errors import ServerUnreachable
from comfygradio.settings import Settings
from tests.clocks import HANG_SECONDS


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """It accepts, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def open_link(listener: socket.socket) -> Link:
    return Link(
        parse_cluster(f"tcp://127.0.0.1:{listener.getsockname()[1]}", Settings(), "--engine")
    )


def test_it_is_there_though_its_thread_comes_late(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine with more to do than it can."""
    run = threading.Thread.run

    def run_late(thread: threading.Thread) -> None:
        time.sleep(0.2)
        run(thread)

    monkeypatch.setattr(threading.Thread, "run", run_late)
    open_link(listener).close()


def test_its_end_is_told_to_all_who_wait_and_to_all_who_come_later(listener: socket.socket) -> None:
    link = open_link(listener)
    address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(link.call, address, b"x") for _ in range(8)]
        peer = listener.accept()
        link.close()
        assert [str(call.exception(HANG_SECONDS)) for call in waiting] == [CLOSED] * 8
        peer[0].close()
    with pytest.raises(ServerUnreachable, match="let go"):
        link.call(address, b"x")
    link.close()
