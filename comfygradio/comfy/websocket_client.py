"""ComfyUI's WebSocket. The only import of websocket."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from typing import Any

import websocket

from comfygradio.comfy.messages import (
    Message,
    PreviewFrame,
    Progress,
    ProgressState,
    Status,
    may_be_result,
    parse_binary,
    parse_text,
)
from comfygradio.comfy.traffic import log_message
from comfygradio.comfy.transport import Access, create_tls
from comfygradio.errors import AccessDenied, ServerError, ServerUnreachable, UnexpectedResponse

OPEN_SECONDS = 5.0
PING_SECONDS = 25.0
FLAGS = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
BROKEN = (websocket.WebSocketException, OSError, ValueError, AttributeError)
"""Exceptions of reading and closing a socket; the last two occur if another thread closes it."""
NO_PROXY = {"http_proxy_host": "unused", "http_no_proxy": ["*"]}
"""websocket-client 1.9 applies http_no_proxy only together with a proxy host. Otherwise it uses the
proxies of the environment.
"""

Listener = Callable[[Message, Hashable], None]


class Socket:
    """An open connection for one client_id. `greeting` is the first message of the server.

    `listen` has to run at all times, since unread messages stall the server.
    """

    def __init__(self, access: Access, path: str, client_id: str) -> None:
        """Connect, send our feature flags and wait for the greeting. Raises ServerError."""
        self._closing = False
        self._reading = False
        try:
            url = access.address.socket_url(path, client_id)
            self._socket = websocket.create_connection(url, **_choose_options(access))
            self._socket.send(FLAGS)
            # ComfyUI greets a client that it has registered: from now on no message gets lost.
            self.greeting = self._await_greeting()
            # From here on, a timeout only means that it is time for a ping.
            self._socket.settimeout(PING_SECONDS)
        except BROKEN as error:
            self._drop()
            raise translate(error, access) from None

    def listen(self, listener: Listener, lost: Callable[[Socket], None]) -> None:
        """Read until the end. Calls `listener` with each message and its key, and `lost` if the
        other side ends the connection.
        """
        self._reading = True
        try:
            while not self._closing:
                self._read_one(listener)
        except BROKEN:
            # Either side has ended the connection; `_closing` says which one.
            pass
        self._drop()
        if not self._closing:
            lost(self)

    def close(self) -> None:
        """Send a close frame and shut the connection down, without waiting for the server."""
        self._closing = True
        try:
            self._socket.send_close()
            if self._socket.sock is not None:
                # SHUT_RDWR ends a recv that waits on the other thread; closing would not.
                self._socket.sock.shutdown(2)
        except BROKEN:
            pass
        # A thread that reads drops the connection itself once it has woken up.
        if not self._reading:
            self._drop()

    def _await_greeting(self) -> Status:
        while True:
            message = self._receive()
            # Other messages may precede it, such as broadcasts of custom nodes.
            if isinstance(message, Status):
                return message

    def _read_one(self, listener: Listener) -> None:
        try:
            message = self._receive()
        except websocket.WebSocketTimeoutException:
            self._socket.ping()
        else:
            listener(message, coalescing_key(message))

    def _receive(self) -> Message:
        # A close frame is returned like a message.
        opcode, data = self._socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException("closed by the server")
        parse = parse_text if opcode == websocket.ABNF.OPCODE_TEXT else parse_binary
        message = parse(data)
        log_message(message)
        return message

    def _drop(self) -> None:
        # There is none where it could not be connected.
        opened = getattr(self, "_socket", None)
        if opened is not None:
            opened.shutdown()


def coalescing_key(message: Message) -> Hashable:
    """Return the key of messages that a newer one makes worthless: previews, and progress of a
    node.

    Returns None for a message that has to be kept.
    """
    if isinstance(message, PreviewFrame):
        return None if may_be_result(message) else "preview"
    if isinstance(message, Progress):
        return ("progress", message.prompt_id, message.node)
    if isinstance(message, ProgressState):
        return ("progress_state", message.prompt_id)
    return None


def translate(error: Exception, access: Access) -> ServerError:
    """Translate an exception of websocket-client or of the operating system into a ServerError."""
    address = access.address
    if isinstance(error, websocket.WebSocketBadStatusException):
        if error.status_code in (401, 403):
            return AccessDenied(
                f"{address} refuses its WebSocket (HTTP {error.status_code}). Check the "
                "credentials."
            )
        return UnexpectedResponse(
            f"{address} opens no WebSocket (HTTP {error.status_code}).", error.status_code
        )
    if isinstance(
        error, websocket.WebSocketProtocolException | websocket.WebSocketPayloadException
    ):
        return UnexpectedResponse(f"{address} does not speak proper WebSocket.")
    if isinstance(error, websocket.WebSocketProxyException):
        return ServerUnreachable(f"The proxy before {address} lets no WebSocket through.")
    return ServerUnreachable(f"The WebSocket of {address} does not answer.")


def _choose_options(access: Access) -> dict[str, Any]:
    options: dict[str, Any] = {
        "timeout": min(OPEN_SECONDS, access.timeout_seconds),
        "header": access.all_headers,
        # websocket-client would send an Origin made of the URL, which ComfyUI answers with 403
        # behind a proxy that puts a loopback address into the Host header.
        "suppress_origin": True,
        "redirect_limit": 0,
        # `parse_text` replaces broken characters; the validation would end the connection instead.
        "skip_utf8_validation": True,
        # `close` and the pings of `listen` send from different threads.
        "enable_multithread": True,
    }
    context = create_tls(access)
    if context:
        options["sslopt"] = {"context": context}
    else:
        # 0 is ssl.CERT_NONE. Without TLS these options have no effect.
        options["sslopt"] = {"cert_reqs": 0, "check_hostname": False}
    if access.address.loopback:
        options.update(NO_PROXY)
    return options
