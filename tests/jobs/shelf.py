"""Demo servers that tests use one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from tests.jobs.lines import await_that, free_port


class Shelf:
    """A running server for each set of options, since to start one takes longer than most tests.

    Whoever borrows one finds it with nothing to do and without a history.
    """

    def __init__(self) -> None:
        self._servers: list[tuple[DemoOptions, DemoServer]] = []

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _, server in self._servers:
            server.stop()

    def lend(self, options: DemoOptions) -> DemoServer:
        """A server with these options, to one test at a time."""
        server = self._find(options)
        if server.options != options:
            server.kill()
            server.options = options
        server.__enter__()  # starts it where a test has killed it
        clear(server)
        return server

    def _find(self, options: DemoOptions) -> DemoServer:
        for known, server in self._servers:
            if known == options:
                return server
        server = DemoServer(options, port=free_port())
        self._servers.append((options, server))
        return server


def clear(server: DemoServer) -> None:
    """Take everybody's prompts off a server, and forget those that were."""
    with ComfyClient(server.url) as client:
        client.clear_queue()
        if client.queue().running:
            client.interrupt()
        await_that(lambda: client.queue_remaining() == 0)
        client.clear_history()
    server.reset_executions()
    server.set_skip_waits(False)


@pytest.fixture(scope="session")
def shelf() -> Iterator[Shelf]:
    """The servers of all tests of a folder."""
    with Shelf() as shelf:
        yield shelf
