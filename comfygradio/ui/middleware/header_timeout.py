"""Connections that never finish a request are ended: uvicorn would keep them for ever.

A layer of the app is called only once all headers of a request are there, so this one lies in the
server's protocol.
"""

from __future__ import annotations

import asyncio
from typing import Any

HEADER_SECONDS = 30.0
"""How long the headers of a request may take."""

HEADER_BYTES = 64 * 1024
"""How large they may be."""


def add_header_timeout(
    protocol: type[Any], seconds: float = HEADER_SECONDS, max_bytes: int = HEADER_BYTES
) -> type[Any]:
    """A protocol of uvicorn's that waits for the headers of a request only so long."""

    class PatientProtocol(protocol):  # type: ignore[misc]
        """A connection that is closed when the headers of a request are late or too large."""

        _deadline: asyncio.TimerHandle | None = None
        _bytes = 0

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.transport.is_closing():
                return
            if self.cycle is not before or not self._is_idle():
                self._stop_waiting()
                self._bytes = 0
                return
            self._bytes += len(data)
            if self._bytes > max_bytes:
                self.transport.close()
            else:
                self._expect()

        def _is_idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _expect(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self._give_up)

        def _give_up(self) -> None:
            if self._is_idle():
                self.transport.close()

        def _stop_waiting(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return PatientProtocol
