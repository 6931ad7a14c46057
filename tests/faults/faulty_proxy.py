"""A TCP proxy that injects faults before one server, with one HTTP exchange per connection."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

from tests.faults.websocket_frame import Alter, FrameReader

CHUNK = 65536
TIMEOUT_SECONDS = 30.0
POSTS = ("POST /prompt", "POST /api/prompt")
"""Either way of posting: our client puts /api before all routes once the bare ones answered with
web pages.
"""


@dataclass
class Exchange:
    """One request on its way: `call` is for instance `POST /prompt`."""

    call: str
    request: bytes
    client: socket.socket
    line: FaultyProxy

    def forward(self) -> bytes:
        """Ask the server; its whole answer. Raises OSError."""
        with socket.create_connection(self.line.target, timeout=TIMEOUT_SECONDS) as server:
            server.sendall(self.request)
            answer = b"".join(iter(lambda: server.recv(CHUNK), b""))
        if self.call in POSTS and answer.startswith(b"HTTP/1.1 200"):
            self.line.posted[json.loads(answer.partition(b"\r\n\r\n")[2])["prompt_id"]] += 1
        return answer


HttpFault = Callable[[Exchange], None]


@dataclass
class SocketPair:
    """Both ends of a WebSocket.

    `budget` is how many bytes the server may still send, None: any number.
    """

    client: socket.socket
    server: socket.socket
    muted: bool = False
    budget: int | None = None

    def send(self, frame: bytes, grain: int) -> None:
        """To the client, if it is to get anything. Raises OSError once the budget is used up."""
        for start in range(0, 0 if self.muted else len(frame), grain):
            self.client.sendall(frame[start : start + grain][: self.budget])
            if self.budget is not None:
                raise ConnectionError

    def end(self) -> None:
        """Reset both ends, unless somebody holds them apart."""
        if not self.muted:
            reset_connection(self.client)
            reset_connection(self.server)


@dataclass
class FaultRule:
    """What happens to the next `times` calls that begin with `call`."""

    call: str
    fault: HttpFault
    times: int


@dataclass
class FaultyProxy:
    """Listens on a free port and forwards to `url`; everything that goes wrong is told from the
    test's thread.
    """

    server_url: str
    calls: list[str] = field(default_factory=list)
    posted: Counter[str] = field(default_factory=Counter)
    """How often the server took a prompt, by its id."""
    alter: Alter | None = None
    """What becomes of every frame that the server sends on any WebSocket; None: it comes through as
    it is.
    """
    paused_requests: int = 0
    """How many requests came while the line was paused."""
    chunk_size: int = CHUNK
    """At most so many bytes of a frame are sent at once."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.server_url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.pairs: list[SocketPair] = []
        self._rules: list[FaultRule] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._flowing.set()
        self.stop_listening()

    def inject(self, call: str, fault: HttpFault, times: int = 1) -> None:
        """From now on, `times` calls that begin so go wrong."""
        with self._lock:
            self._rules.append(FaultRule(call, fault, times))

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._rules.clear()

    def stop_listening(self) -> None:
        """Refuse new connections and cut the open WebSockets."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_sockets()

    def start_listening(self) -> None:
        """Listen again after `stop_listening`."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pause(self) -> None:
        """Nothing comes through in either direction; connections stay open."""
        self._flowing.clear()

    def resume(self) -> None:
        """What was held back by `pause` comes through."""
        self._flowing.set()

    def cut_sockets(self) -> None:
        """Reset every WebSocket on both sides."""
        for pair in self._take_pairs():
            reset_connection(pair.client)
            reset_connection(pair.server)

    def mute_sockets(self) -> None:
        """Every WebSocket stays open, but what is sent on it goes nowhere."""
        for pair in list(self.pairs):
            pair.muted = True

    def truncate_sockets(self, budget: int = 3) -> None:
        """Every WebSocket is cut in the middle of its next frame from the server, after `budget`
        bytes.
        """
        for pair in list(self.pairs):
            pair.budget = budget

    def cut_clients(self) -> list[SocketPair]:
        """Reset only our side of every WebSocket: the server still thinks that it is open."""
        pairs = self._take_pairs()
        for pair in pairs:
            pair.muted = True
            reset_connection(pair.client)
        return pairs

    def _take_pairs(self) -> list[SocketPair]:
        with self._lock:
            pairs, self.pairs = self.pairs, []
        return pairs

    def _accept(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            self._serve_one(client)
        except (OSError, ValueError):
            reset_connection(client)

    def _serve_one(self, client: socket.socket) -> None:
        client.settimeout(TIMEOUT_SECONDS)
        call, request, is_socket = read_request(client)
        if not self._flowing.is_set():
            self.paused_requests += 1
        self._flowing.wait()
        with self._lock:
            self.calls.append(call)
            rule = next(
                (rule for rule in self._rules if rule.times and call.startswith(rule.call)), None
            )
            if rule:
                rule.times -= 1
        exchange = Exchange(call, request, client, self)
        if is_socket and rule is None:
            self.join(exchange)
            return
        (rule.fault if rule else forward_response)(exchange)
        client.close()

    def join(self, exchange: Exchange) -> None:
        """Let a WebSocket through, for as long as it lasts."""
        server = socket.create_connection(self.target)
        server.sendall(exchange.request)
        head, rest = read_head(server)
        exchange.client.settimeout(None)
        exchange.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = SocketPair(exchange.client, server)
        # Before the client hears that it is connected: from then on a test may cut it.
        with self._lock:
            self.pairs.append(pair)
        exchange.client.sendall(head)
        threading.Thread(target=self._pump_up, args=(pair,), daemon=True).start()
        self._pump_down(pair, rest)

    def _pump_up(self, pair: SocketPair) -> None:
        with suppress(OSError):
            while data := pair.client.recv(CHUNK):
                self._flowing.wait()
                if not pair.muted:
                    pair.server.sendall(data)
        pair.end()

    def _pump_down(self, pair: SocketPair, data: bytes) -> None:
        reader = FrameReader()
        with suppress(OSError):
            while data or (data := pair.server.recv(CHUNK)):
                for frame in reader.feed(data):
                    self._flowing.wait()
                    for altered in self.alter(frame) if self.alter else (frame,):
                        pair.send(altered, self.chunk_size)
                data = b""
        pair.end()


def read_head(opened: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request or of an answer with the empty line at its end, and what has come of
    the rest.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(opened)
    size = data.index(b"\r\n\r\n") + 4
    return data[:size], data[size:]


def read_request(client: socket.socket) -> tuple[str, bytes, bool]:
    """The method and path, the request with `Connection: close`, and whether it opens
    a WebSocket.
    """
    head, body = read_head(client)
    head = head[:-4]
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += receive(client)
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
    is_socket = re.search(rb"(?i)\r\nupgrade: *websocket", head) is not None
    if not is_socket:
        head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + b"\r\nConnection: close"
    return f"{method} {target.partition('?')[0]}", head + b"\r\n\r\n" + body, is_socket


def receive(client: socket.socket) -> bytes:
    """Some bytes; ConnectionError at the end."""
    data = client.recv(CHUNK)
    if not data:
        raise ConnectionError
    return data


def reset_connection(opened: socket.socket) -> None:
    """Close with RST, as when a process or a network goes away."""
    with suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()


def forward_response(exchange: Exchange) -> None:
    """Nothing goes wrong."""
    exchange.client.sendall(exchange.forward())
