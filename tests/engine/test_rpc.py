"""An app's connection by itself: it is there from the start, and its end is told to all who wait."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.rpc import CLOSED, ClusterClient
from comfygradio.errors import ServerUnreachable
from comfygradio.settings import Settings
from tests.clocks import HANG_SECONDS


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """It accepts, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def open_client(listener: socket.socket) -> ClusterClient:
    return ClusterClient(
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
    open_client(listener).close()


def test_its_end_is_told_to_all_who_wait_and_to_all_who_come_later(listener: socket.socket) -> None:
    client = open_client(listener)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.look) for _ in range(8)]
        peer = listener.accept()
        client.close()
        assert [str(call.exception(HANG_SECONDS)) for call in waiting] == [CLOSED] * 8
        peer[0].close()
    with pytest.raises(ServerUnreachable, match="let go"):
        client.look()
    with pytest.raises(ServerUnreachable, match="let go"):
        client.call("tcp://127.0.0.1:1", "queue_remaining")
    client.close()
