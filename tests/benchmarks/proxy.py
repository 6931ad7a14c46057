"""A slow line: a TCP proxy that lets so many bits per second through in each direction, all
connections together.

Buffers are small on purpose. A large one would take in seconds of a stream at once, and what waits
in it hides from the sender that the line is full.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

CHUNK = 1400
"""Bytes forwarded at once: about one packet, so that connections share the line fairly."""

BUFFER = 4096
"""Bytes that the system may buffer for a socket; Linux doubles what is asked for."""

LATE_SECONDS = 0.01
"""A transfer that is woken late may catch up by so much; else every late wake-up would make the
line slower.
"""


class Bandwidth:
    """One direction of the line. `bits_per_second` 0 lets everything through at once."""

    def __init__(self, bits_per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.bits_per_second = bits_per_second
        self.bytes = 0
        self._clock = clock
        self._free_at = 0.0

    def reserve(self, size: int) -> float:
        """Take the next turn for `size` bytes; returns the seconds until their last bit
        is through.
        """
        self.bytes += size
        if self.bits_per_second <= 0:
            return 0.0
        now = self._clock()
        self._free_at = max(self._free_at, now - LATE_SECONDS) + 8 * size / self.bits_per_second
        return max(0.0, self._free_at - now)


class ThrottledProxy:
    """Listens on a free port and forwards to `target`; a context manager, in a thread
    of its own.
    """

    def __init__(self, target: str, bits_per_second: float = 0.0) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.down = Bandwidth(bits_per_second)
        self.up = Bandwidth(bits_per_second)
        self._listener = _open_socket(BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="slow-line", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> ThrottledProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listener.close()

    def set_speed(self, bits_per_second: float) -> None:
        """Change the speed of both directions; 0 is free."""
        self.down.bits_per_second = self.up.bits_per_second = bits_per_second

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        accepting = self._loop.create_task(self._accept())
        self._loop.run_forever()
        for task in [accepting, *self._tasks]:
            task.cancel()
        self._loop.run_until_complete(
            asyncio.gather(accepting, *self._tasks, return_exceptions=True)
        )
        self._loop.close()

    async def _accept(self) -> None:
        while True:
            browser, _ = await self._loop.sock_accept(self._listener)
            _tune(browser)
            task = self._loop.create_task(self._serve(browser))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, browser: socket.socket) -> None:
        app = _open_socket(BUFFER)
        try:
            await self._loop.sock_connect(app, self._target)
            await asyncio.gather(
                self._pump(browser, app, self.up), self._pump(app, browser, self.down)
            )
        except OSError:
            return  # either side hung up; the other one is told by the close
        finally:
            browser.close()
            app.close()

    async def _pump(
        self, source: socket.socket, target: socket.socket, bandwidth: Bandwidth
    ) -> None:
        while data := await self._loop.sock_recv(source, CHUNK):
            await asyncio.sleep(bandwidth.reserve(len(data)))
            await self._loop.sock_sendall(target, data)
        target.shutdown(socket.SHUT_WR)


def _open_socket(size: int) -> socket.socket:
    """A TCP socket with small buffers; they have to be set before it is connected."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    _tune(opened)
    return opened


def _tune(opened: socket.socket) -> None:
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
