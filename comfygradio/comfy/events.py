"""Listening to a server: what it says on its WebSocket, for whoever subscribes, reconnected."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.inbox import Inbox, InboxItem
from comfygradio.comfy.messages import FeatureFlags, Message, PreviewFrame, UnknownMessage
from comfygradio.comfy.submit import connect_socket
from comfygradio.comfy.timers import PollTimings, ReconnectTimers
from comfygradio.comfy.websocket_client import Socket, coalescing_key
from comfygradio.errors import ServerError, ServerUnreachable

CAPACITY = 64_000_000
"""Bytes of events that wait for whoever takes them; beyond that the oldest ones are dropped."""
MIN_SIZE = 1000
"""Bytes that an event counts as at least."""

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True)
class Connected(Message):
    """The connection is open, for the first time or again; what was said while it was not, is lost.

    The server's greeting follows, a Status.
    """


@dataclass(frozen=True)
class Disconnected(Message):
    """The connection was lost, or could not be opened again.

    It is tried again after `retry_seconds`; None: no more, and the events end.
    """

    retry_seconds: float | None


@dataclass(frozen=True)
class Missed(Message):
    """So many events were dropped, since nobody took them in time."""

    count: int


@dataclass(frozen=True)
class _Lost:
    socket: Socket


@dataclass(frozen=True)
class _End:
    error: ServerError | None = None


class Events:
    """The events of one server, as an iterator and for listeners; between `with` and its end.

    The connection is kept up: lost, it is opened again after 1, 2, 4, 8 and 16 seconds. Only the
    newest preview, and the newest progress of a node, wait for a slow reader; the rest waits up to
    `capacity` bytes. The server tells of a prompt whoever posted it, so post with `client_id`:
    `client.queue_prompt(graph, client_id=events.client_id)`.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        client_id: str | None = None,
        patience: PollTimings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        capacity: int = CAPACITY,
    ) -> None:
        self.client_id = client_id or uuid.uuid4().hex
        self._endpoints = endpoints
        self._clock = clock
        self._watch = ReconnectTimers(patience or PollTimings(), clock.monotonic())
        self._watch.may_be_forgotten = client_id is not None
        self._letters = Inbox(clock, capacity)
        """From the threads that read sockets, for the one that keeps the connection up."""
        self._inbox = Inbox(clock, capacity)
        """For whoever iterates."""
        self._taken: list[InboxItem] = []
        """What was taken out of the inbox and is next, the newest one first."""
        self._listeners: list[tuple[type[Message], Callable[[Any], object]]] = []
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._socket: Socket | None = None
        self._answers_flags = False
        self._error: ServerError | None = None
        self._end: _End | None = None
        """Set once whoever iterates has come to the end."""

    def __enter__(self) -> Events:
        """Connect and begin to listen. Raises ServerError."""
        socket = connect_socket(self._endpoints, self.client_id)
        self._socket = socket
        threading.Thread(
            target=self._keep, args=(socket,), name="comfy-listen", daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Message:
        """The next event, waited for; ends once it is closed.

        Raises ServerError where the connection is lost for good.
        """
        event = None if self._end else self._take_next()
        if event is not None:
            return event
        if self._end and self._end.error:
            raise self._end.error
        raise StopIteration

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open at this moment, as far as is known."""
        return self._socket is not None and not self._is_closed.is_set()

    def on(self, kind: type[Kind], callback: Callable[[Kind], object]) -> Callable[[], None]:
        """Call back with every event of this kind from now on; `Message` is all of them.

        May be called before the block begins; returns what ends the calls. Callbacks are called
        one after the other, on a thread of their own; one that raises is logged and stops neither
        the others nor the events.
        """
        listener = (kind, callback)
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave

    def close(self) -> None:
        """End the events: iterating ends, no callback is called any more. Callable twice."""
        self._is_closed.set()
        socket = self._socket
        if socket is not None:
            socket.close()
        self._letters.put(None)
        self._inbox.put(_End())

    def _take_next(self) -> Message | None:
        """The next event; None at the end, which is kept."""
        while not self._taken:
            self._taken = self._inbox.take(None)
            self._taken.reverse()
            dropped = self._inbox.take_dropped_count()
            if dropped:
                self._taken.append(InboxItem(Missed(dropped), self._clock.monotonic()))
        content = self._taken.pop().content
        if isinstance(content, Message):
            return content
        self._end = content
        return None

    def _keep(self, first: Socket) -> None:
        """On a thread of its own: pass events on and keep the connection up until closed."""
        try:
            self._take_socket(first)
            while not self._is_closed.is_set() and not self._watch.has_given_up:
                for letter in self._letters.take(self._find_pause()):
                    self._open_letter(letter)
                self._look_after(self._clock.monotonic())
        finally:
            if self._socket is not None:
                self._socket.close()
            error = None if self._is_closed.is_set() else self._find_error()
            self._inbox.put(_End(error))

    def _find_error(self) -> ServerError:
        """Why the connection could not be opened again."""
        return self._error or ServerUnreachable(
            f"The connection to {self._endpoints.url} was lost. Is ComfyUI still running?"
        )

    def _find_pause(self) -> float | None:
        due = self._watch.next_due()
        if due is None:
            return None
        return max(due - self._clock.monotonic(), 0.0)

    def _open_letter(self, letter: InboxItem) -> None:
        dropped = self._letters.take_dropped_count()
        if dropped:
            self._tell(Missed(dropped))
        match letter.content:
            case Message():
                self._hear(letter)
            case _Lost() if letter.content.socket is self._socket:
                self._lose()

    def _hear(self, letter: InboxItem) -> None:
        self._watch.hear(letter.at)
        if isinstance(letter.content, FeatureFlags):
            self._answers_flags = True
        self._tell(letter.content)

    def _tell(self, event: Message) -> None:
        self._inbox.put(event, coalescing_key(event), estimate_size(event))
        with self._lock:
            listeners = list(self._listeners)
        for kind, callback in listeners:
            if isinstance(event, kind) and not self._is_closed.is_set():
                _call(callback, event)

    def _look_after(self, now: float) -> None:
        if self._is_closed.is_set():
            return
        if self._watch.is_forgotten(now):
            self._lose()
        elif self._watch.wants_renewal(now):
            self._watch.renew(now)
            self._leave_socket()
        elif self._watch.wants_reconnect(now):
            self._reconnect()

    def _lose(self) -> None:
        self._watch.lose(self._clock.monotonic())
        self._leave_socket()

    def _leave_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._tell(Disconnected(self._watch.retry_seconds))

    def _reconnect(self) -> None:
        try:
            socket = connect_socket(self._endpoints, self.client_id)
        except ServerError as error:
            self._error = error
            self._lose()
        else:
            self._take_socket(socket)

    def _take_socket(self, socket: Socket) -> None:
        now = self._clock.monotonic()
        self._socket = socket
        self._watch.hear(now)
        self._watch.connect(now, self._answers_flags)
        self._tell(Connected())
        self._tell(socket.greeting)
        threading.Thread(
            target=self._read, args=(socket,), name="comfy-listen", daemon=True
        ).start()

    def _read(self, socket: Socket) -> None:
        """On a thread of its own: read one socket to its end, since a server waits for readers."""
        if self._is_closed.is_set():
            socket.close()
        socket.listen(self._put, lambda ended: self._letters.put(_Lost(ended)))

    def _put(self, message: Message, kind: Hashable) -> None:
        self._letters.put(message, kind, estimate_size(message))


def estimate_size(event: Message) -> int:
    """About how many bytes an event takes."""
    if not isinstance(event, PreviewFrame | UnknownMessage):
        return MIN_SIZE
    size = len(event.data) if isinstance(event.data, bytes | str) else 0
    return MIN_SIZE + size


def _call(callback: Callable[[Any], object], event: Message) -> None:
    try:
        callback(event)
    except Exception:
        log.exception("A listener of %s failed.", type(event).__name__)
