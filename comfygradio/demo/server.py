"""The demo server as an object: starts, stops and dies like a ComfyUI process, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.websockets import WebSocket

from comfygradio.demo.application import build_application
from comfygradio.demo.execution.node_timing import NodeTiming, Wait
from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.machine import Machine

MAX_MESSAGE = 1 << 30
BACKLOG = 128

TICK_SECONDS = 0.1
"""How often uvicorn reads the time for its Date header."""

DROP_TURNS = 100
"""Event loop iterations in which dropped connections may finish."""


class _Uvicorn(uvicorn.Server):
    """A uvicorn that says when it is ready and can lose all its connections at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._dropped = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which ticks ten times a second; the end is noticed at once."""
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._dropped.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Everything is dropped already, so nobody is waited for."""
        for listener in sockets or ():
            listener.close()
        for _ in range(DROP_TURNS):
            if not self.server_state.connections:
                return
            await asyncio.sleep(0)

    def drop_all(self) -> None:
        """Closes the port and aborts every connection."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            abort(connection)
        self.force_exit = True
        self.should_exit = True
        self._dropped.set()

    def drop_one(self, client: Any) -> None:
        """Aborts the connection from this address (host, port)."""
        if client is None:
            return
        address = tuple(client)
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == address:
                abort(connection)


def abort(connection: Any) -> None:
    connection.transport.abort()


class DemoServer:
    """A ComfyUI stand-in on `host:port` (port 0: a free one, kept for later starts).

    `folder` holds input/, output/ and temp/; by default a temporary one that `stop` removes. Use it
    as a context manager, or call `start` and `stop`.

    `wait(event, seconds)` is how sampler steps, sleeping nodes and the start gap let time pass, so
    that a test can move them by hand.
    """

    def __init__(
        self,
        options: DemoOptions | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        folder: Path | None = None,
        wait: Wait | None = None,
    ) -> None:
        self.options = options or DemoOptions()
        self.host = host
        self.port = port
        self.folder = folder
        self._timing = NodeTiming(self.options.step_seconds, wait)
        self.executions: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()
        """How often a WebSocket was opened under a client id."""
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None
        self._machine: Machine | None = None
        self._uvicorn: _Uvicorn | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base URL with the path prefix, without a slash at the end."""
        host = self.host
        if ":" in host:
            host = f"[{host}]"
        return f"http://{host}:{self.port}{self.options.path_prefix}"

    def start(self) -> DemoServer:
        """Starts with an empty queue and history; returns when requests are answered."""
        if self._thread is not None:
            raise RuntimeError("the demo server runs already")
        listener = open_listener(self.host, self.port)
        self.port = listener.getsockname()[1]
        self._timing.skips_waits = False
        self._machine = Machine(self.options, self._root(), self._drop, self._timing)
        self._machine.executor.executions = self.executions
        self._machine.sockets.connections = self.connections
        config = configure(self._machine)
        self._uvicorn = _Uvicorn(config)
        self._thread = threading.Thread(
            target=self._serve, args=(listener,), name="comfygradio-demo", daemon=True
        )
        self._thread.start()
        self._uvicorn.ready.wait()
        self._machine.start()
        return self

    def kill(self) -> None:
        """Dies at once, as after SIGKILL: sockets drop without close frames, the port refuses."""
        if self._uvicorn is None or self._machine is None or self._thread is None:
            return
        loop = self._uvicorn.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(self._uvicorn.drop_all)
        self._thread.join()  # only then is the running prompt interrupted: no client is told
        self._machine.stop()
        self._thread = None

    def stop(self) -> None:
        """Kills the server and removes its temporary folder."""
        self.kill()
        if self._own_folder is not None:
            self._own_folder.cleanup()
            self._own_folder = None
            self.folder = None

    def has_client(self, client_id: str) -> bool:
        """Whether this server would send what concerns a client to a WebSocket."""
        if self._machine is None:
            return False
        return self._machine.sockets.has_client(client_id)

    def count_sockets(self, client_id: str) -> int:
        """Count the WebSockets that are open under a client's id."""
        if self._machine is None:
            return 0
        return self._machine.sockets.open[client_id]

    def set_step_seconds(self, step_seconds: float) -> None:
        """Steps of samplers take so long from now on, also the one that is under way."""
        self.options = replace(self.options, step_seconds=step_seconds)
        self._timing.step_seconds = step_seconds

    def reset_executions(self) -> None:
        """Sets the counts of executed nodes per class (`executions`) back to nothing."""
        self.executions.clear()

    def set_skip_waits(self, skips_waits: bool = True) -> None:
        """From now on nothing that runs here takes time, until this is taken back or the server is
        started again.
        """
        self._timing.skips_waits = skips_waits

    def __enter__(self) -> DemoServer:
        if self._thread is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _root(self) -> Path:
        if self.folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="comfygradio-demo-")
            self.folder = Path(self._own_folder.name)
        return self.folder

    def _serve(self, listener: socket.socket) -> None:
        if self._uvicorn is not None:
            serving = self._uvicorn.serve(sockets=[listener])
            asyncio.run(serving)

    def _drop(self, client: WebSocket) -> None:
        if self._uvicorn is not None:
            self._uvicorn.drop_one(client.client)


def open_listener(host: str, port: int) -> socket.socket:
    """A listening TCP socket; OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where TCP is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A server that was killed may be started again on its port at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def configure(machine: Machine) -> uvicorn.Config:
    return uvicorn.Config(
        build_application(machine),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        # ComfyUI sends no pings.
        ws_ping_interval=None,
        ws_ping_timeout=None,
    )


def serve_demo(host: str, port: int, options: DemoOptions) -> None:
    """Serves until Ctrl-C; prints nothing. OSError if the port is taken."""
    with DemoServer(options, host, port), contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
