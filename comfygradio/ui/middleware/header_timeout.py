"""Closes connections on which the headers of a request never end: uvicorn would keep them for ever.

Middleware runs only after all headers of a request have arrived, so this is part of the server's
protocol class.
"""

from __future__ import annotations

import asyncio
from typing import Any

HEADER_SECONDS = 30.0
"""How long the headers of a request may take."""

HEADER_BYTES = 64 * 1024
"""Most bytes of them."""


def add_header_timeout(
    protocol: type[Any], seconds: float = HEADER_SECONDS, max_bytes: int = HEADER_BYTES
) -> type[Any]:
    """Subclass a protocol of uvicorn's so that it waits for headers at most `seconds`."""

    class PatientProtocol(protocol):  # type: ignore[misc]
        """A connection that is closed if the headers of a request are late or too large."""

        _deadline: asyncio.TimerHandle | None = None
        _bytes = 0

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            cycle_before = self.cycle
            super().data_received(data)
            if self.transport.is_closing():
                return
            has_begun_request = self.cycle is not cycle_before
            if has_begun_request or not self._is_idle():
                self._stop_waiting()
                self._bytes = 0
                return
            self._bytes += len(data)
            if self._bytes > max_bytes:
                self.transport.close()
            else:
                self._expect()

        def _is_idle(self) -> bool:
            """Return whether no request is being answered."""
            if self.cycle is None:
                return True
            return bool(self.cycle.response_complete)

        def _expect(self) -> None:
            """Start the time in which the headers have to arrive, unless it runs already."""
            if self._deadline is not None:
                return
            self._deadline = self.loop.call_later(seconds, self._give_up)

        def _give_up(self) -> None:
            if self._is_idle():
                self.transport.close()

        def _stop_waiting(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return PatientProtocol
