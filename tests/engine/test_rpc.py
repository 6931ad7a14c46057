"""An app's connection by itself: there from the start, and its end is told to all who wait."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import dask
import pytest

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.codec import Notice, unpack_outcome
from comfygradio.cluster.nodes import make_scheduler, make_worker
from comfygradio.cluster.rpc import CLOSED, ClusterClient
from comfygradio.cluster.worker import BackendPlugin, WorkerTarget
from comfygradio.demo import DemoServer
from comfygradio.errors import ServerUnreachable, UnexpectedResponse
from comfygradio.settings import Settings
from tests.clocks import HANG_SECONDS
from tests.engine.cluster import OPTIONS, await_that
from tests.jobs.lines import free_port


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


class Nodes:
    """A scheduler and workers on an event loop of this process."""

    def __init__(self, folder: Path) -> None:
        self.address = parse_cluster(f"tcp://127.0.0.1:{free_port()}", Settings(), "--engine")
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._nodes = [self._run(self._start(make_scheduler, self.address))]

    def start_worker(self, server: DemoServer | None, port: int = 0) -> Any:
        """A worker beside a server, or one of somebody else's."""
        plugins = []
        if server is not None:
            plugins = [BackendPlugin(WorkerTarget(server.url, {}, "127.0.0.1"))]
        starting = self._start(
            make_worker, self.address, "127.0.0.1", str(self._folder), port, plugins
        )
        self._nodes.append(self._run(starting))
        return self._nodes[-1]

    def stop(self, node: Any) -> None:
        """End a scheduler or worker."""
        self._nodes.remove(node)
        self._run(node.close())

    def close(self) -> None:
        """End all of them."""
        for node in self._nodes[::-1]:
            self.stop(node)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self, make: Callable[..., Any], *arguments: Any) -> Any:
        return await make(*arguments)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(HANG_SECONDS)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """A scheduler; its workers are up to the test."""
    nodes = Nodes(tmp_path)
    yield nodes
    nodes.close()


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A demo server."""
    with DemoServer(OPTIONS) as server:
        yield server


def count_remaining(client: ClusterClient, notice: Notice) -> Any:
    """What a backend answers, be it only that its queue is empty."""
    return unpack_outcome(client.call(notice.address, "queue_remaining"))


def test_a_worker_beside_no_comfyui_is_no_backend(nodes: Nodes, server: DemoServer) -> None:
    """It may be there for somebody else's work."""
    nodes.start_worker(None)
    nodes.start_worker(server)
    with closing(ClusterClient(nodes.address)) as client:
        await_that(client.look)
        (notice,) = client.look()
        assert notice.url == server.url and not notice.trouble and not notice.is_leaving
        assert count_remaining(client, notice) == 0


def test_two_apps_of_one_process_leave_the_settings_of_dask_alone(
    nodes: Nodes, server: DemoServer
) -> None:
    before = dask.config.get("scheduler", None)
    for _ in range(3):
        nodes.start_worker(server)
    with (
        closing(ClusterClient(nodes.address)) as one,
        closing(ClusterClient(nodes.address)) as other,
    ):
        await_that(lambda: len(one.look()) == 3)
        await_that(lambda: len(other.look()) == 3)
        one.close()
        assert [count_remaining(other, notice) for notice in other.look()] == [0, 0, 0]
    assert dask.config.get("scheduler", None) == before


def test_a_worker_that_comes_again_at_its_address_gets_a_new_actor(
    nodes: Nodes, server: DemoServer
) -> None:
    """As one with a fixed port does; nobody has looked meanwhile."""
    port = free_port()
    worker = nodes.start_worker(server, port)
    with closing(ClusterClient(nodes.address)) as client:
        await_that(client.look)
        (before,) = client.look()
        nodes.stop(worker)
        nodes.start_worker(server, port)
        await_that(lambda: client.look()[0].began > before.began)
        (after,) = client.look()
        assert after.address == before.address and count_remaining(client, after) == 0


def test_a_call_of_what_is_not_there_ends(nodes: Nodes, server: DemoServer) -> None:
    nodes.start_worker(server)
    with closing(ClusterClient(nodes.address)) as client:
        await_that(client.look)
        (notice,) = client.look()
        with pytest.raises(UnexpectedResponse, match="does not know what is asked"):
            unpack_outcome(client.call(notice.address, "queue_prompt"))
        with pytest.raises(ServerUnreachable, match="no connection to"):
            client.call("tcp://127.0.0.1:1", "queue_remaining")
