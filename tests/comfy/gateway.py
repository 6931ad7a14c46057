"""A small HTTP server whose answers a test chooses; it can also forward, but never opens a
WebSocket.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import httpx


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Gateway:
    """Answers every request with what `answer` makes of it and remembers the requests."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.calls: list[Call] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._build_handler(answer))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _build_handler(self, answer: Callable[[Call], Reply]) -> type[BaseHTTPRequestHandler]:
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                call = Call(self.command, self.path, dict(self.headers), self.rfile.read(length))
                calls.append(call)
                reply = answer(call)
                self.send_response(reply.status)
                for name, value in {
                    **reply.headers,
                    "content-length": str(len(reply.body)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def forward(call: Call, url: str) -> Reply:
    """What the server at `url` answers to that request."""
    headers = {"content-type": call.headers.get("Content-Type", "")}
    response = httpx.request(call.method, url + call.path, content=call.body, headers=headers)
    return Reply(
        response.status_code,
        response.content,
        {"content-type": response.headers.get("content-type", "")},
    )
