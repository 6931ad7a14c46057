"""What can happen to one HTTP exchange on a faulty line."""

from __future__ import annotations

import threading

from tests.faults.faulty_proxy import TIMEOUT_SECONDS, Exchange, HttpFault, reset_connection


def drop_request(exchange: Exchange) -> None:
    """The server never hears of it, and the connection breaks."""
    reset_connection(exchange.client)


def drop_response(exchange: Exchange) -> None:
    """The server does what was asked, and the connection breaks."""
    exchange.forward()
    reset_connection(exchange.client)


def truncate_body(exchange: Exchange) -> None:
    """Half of the answer's body, then the connection breaks."""
    head, _, body = exchange.forward().partition(b"\r\n\r\n")
    exchange.client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])


def trickle_response(exchange: Exchange) -> None:
    """The whole answer in twenty pieces, 15 ms apart."""
    answer, pause = exchange.forward(), threading.Event()
    size = len(answer) // 20 + 1
    for start in range(0, len(answer), size):
        exchange.client.sendall(answer[start : start + size])
        pause.wait(0.015)


def fake_response(status: int, body: bytes = b"no", kind: str = "text/plain") -> HttpFault:
    """An answer that the server never gave."""

    def send(exchange: Exchange) -> None:
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{length}"
        exchange.client.sendall(head.encode() + body)

    return send


def replace_response(answer: HttpFault) -> HttpFault:
    """The server does what was asked, but a gateway answers in its place."""

    def send(exchange: Exchange) -> None:
        exchange.forward()
        answer(exchange)

    return send


def truncate_handshake(exchange: Exchange) -> None:
    """A WebSocket's handshake ends in the middle of the answer's head."""
    exchange.client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgr")
    reset_connection(exchange.client)


def send_invalid_handshake(exchange: Exchange) -> None:
    """A handshake whose answer proves nothing."""
    exchange.client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )


def delay_handshake(exchange: Exchange) -> None:
    """A handshake that takes a while."""
    threading.Event().wait(0.3)
    exchange.line.join(exchange)


HTML_PAGE = fake_response(200, b"<!doctype html><title>Sign in</title>", "text/html")
OTHER_JSON = fake_response(200, b'{"detail": {"no": "such thing"}}', "application/json")
"""JSON, but not that of ComfyUI."""


class HeldExchange:
    """Stops an exchange before or after the server did what was asked, until `release`; then it is
    dropped.
    """

    def __init__(self, after: bool) -> None:
        self.reached = threading.Event()
        self._after = after
        self._released = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        if self._after:
            exchange.forward()
        self.reached.set()
        self._released.wait(TIMEOUT_SECONDS)
        reset_connection(exchange.client)

    def release(self) -> None:
        """Let go."""
        self._released.set()


class HeldBody(HeldExchange):
    """Stops an answer in the middle of its body, until `release`; then it is cut off there."""

    def __init__(self) -> None:
        super().__init__(after=True)

    def __call__(self, exchange: Exchange) -> None:
        truncate_body(exchange)
        self.reached.set()
        self._released.wait(TIMEOUT_SECONDS)
        reset_connection(exchange.client)


class DelayedRequest:
    """Holds a request up until `release`; then the server gets it, and nobody the answer."""

    def __init__(self) -> None:
        self._released = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        self._released.wait(TIMEOUT_SECONDS)
        exchange.forward()
        reset_connection(exchange.client)

    def release(self) -> None:
        """Let go."""
        self._released.set()
