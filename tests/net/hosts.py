"""Hosts that answer as an attacker likes, byte for byte, and names that lead to them."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from comfygradio.net.address_guard import AddressGuard, IPAddress

LOOPBACK = ip_address("127.0.0.1")

Say = Callable[[bytes], None]

HANG_SECONDS = 60.0


@dataclass
class Host:
    """A host at a port of this machine; `heads` are the heads of the requests that it got."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """What was asked for in each TLS greeting."""

    @property
    def bodies(self) -> list[bytes]:
        """What followed each head."""
        bodies: list[bytes] = []
        for request in self.heads:
            _, _, body = request.partition(b"\r\n\r\n")
            bodies.append(body)
        return bodies


@contextmanager
def run_host(
    talk: Callable[[Say], None],
    address: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Host]:
    """A host that calls `talk` with what sends bytes, once it has read the head of a request.

    It closes the connection after that. What raises OSError in `talk` is a client that has gone.
    """
    with socket.create_server((address, 0)) as listener:
        host = Host(listener.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _, name, __: host.names.append(name)
        thread = threading.Thread(target=_serve, args=(listener, host, talk, tls), daemon=True)
        thread.start()
        yield host
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(HANG_SECONDS)


def _serve(
    listener: socket.socket, host: Host, talk: Callable[[Say], None], tls: ssl.SSLContext | None
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), connection:
            if tls is None:
                _answer(connection, host, talk)
            else:
                with tls.wrap_socket(connection, server_side=True) as secured:
                    _answer(secured, host, talk)


def _answer(connection: socket.socket, host: Host, talk: Callable[[Say], None]) -> None:
    connection.settimeout(HANG_SECONDS)
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65_536)
        if not more:
            return
        received += more
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", received)
    body_size = int(length[1]) if length else 0
    end = received.index(b"\r\n\r\n") + 4 + body_size
    while len(received) < end:
        received += connection.recv(65_536)
    host.heads.append(received)
    talk(connection.sendall)


def answer(
    body: bytes = b"picture", content_type: str = "image/png", status: int = 200, more: str = ""
) -> Callable[[Say], None]:
    """A whole answer; `more` are further lines of its head, each with its line end."""

    def talk(say: Say) -> None:
        head = (
            f"HTTP/1.1 {status} X\r\n"
            f"Content-Type: {content_type}\r\n"
            f"{more}"
            f"Content-Length: {len(body)}\r\n"
            "\r\n"
        )
        say(head.encode() + body)

    return talk


def lead(target: str) -> Callable[[Say], None]:
    """An answer that sends its reader on."""
    return answer(b"", status=302, more=f"Location: {target}\r\n")


class Names:
    """A name server: each lookup of a name takes the next of its answers, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers: dict[str, list[list[str]]] = {}
        for name, lists in answers.items():
            host = name.replace("_", ".")
            self._answers[host] = list(lists)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self._answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._answers[host]
        if len(answers) == 1:
            return answers[0]
        return answers.pop(0)

    def guard(self, *allowed: IPAddress) -> AddressGuard:
        """A guard that asks this name server, and lets pass what is on this machine on purpose."""
        return AddressGuard(self, allowed or (LOOPBACK,))
