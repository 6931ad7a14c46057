"""Listen to a server: events from its WebSocket for subscribers, with automatic reconnection."""

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
"""Maximum bytes of events waiting for a slow reader. The oldest are dropped beyond that."""
MIN_SIZE = 1000
"""Minimum size in bytes that an event counts as."""

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Message)


class Connected(Message):
    """The connection is open, for the first time or again. Events from before it opened are lost.

    The server's greeting follows, a Status.
    """


@dataclass(frozen=True)
class Disconnected(Message):
    """The connection was lost, or could not be reopened.

    The next attempt follows after `retry_seconds`. None means that there are no more attempts and
    that the events end.
    """

    retry_seconds: float | None


@dataclass(frozen=True)
class Missed(Message):
    """`count` events were dropped because nobody took them in time."""

    count: int


@dataclass(frozen=True)
class _Lost:
    socket: Socket


@dataclass(frozen=True)
class _End:
    error: ServerError | None = None


class Events:
    """The events of one server, as an iterator and for listeners. Use it as a context manager.

    A lost connection is reopened after 1, 2, 4, 8 and 16 seconds. For a slow reader, a newer
    preview replaces the waiting one, and newer progress of a node replaces older; all other events
    wait, up to `capacity` bytes. The server reports a prompt only to the client that posted it, so
    post with `client_id`: `client.queue_prompt(graph, client_id=events.client_id)`.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        client_id: str | None = None,
        timings: PollTimings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        capacity: int = CAPACITY,
    ) -> None:
        self.client_id = client_id or uuid.uuid4().hex
        self._endpoints = endpoints
        self._clock = clock
        self._timers = ReconnectTimers(timings or PollTimings(), clock.monotonic())
        # An older socket of a given id may still be open. When it closes, ComfyUI forgets this one.
        self._timers.may_be_forgotten = client_id is not None
        self._incoming = Inbox(clock, capacity)
        """From the threads that read sockets, for the thread that keeps the connection open."""
        self._inbox = Inbox(clock, capacity)
        """For the iterating thread."""
        self._taken: list[InboxItem] = []
        """Items taken from the inbox and not yet returned, in reverse order."""
        self._listeners: list[tuple[type[Message], Callable[[Any], object]]] = []
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._socket: Socket | None = None
        self._answers_flags = False
        self._error: ServerError | None = None
        self._end: _End | None = None
        """Set once the iterator has reached the end."""

    def __enter__(self) -> Events:
        """Connect and start listening. Raises ServerError."""
        socket = connect_socket(self._endpoints, self.client_id)
        self._socket = socket
        _start_thread(self._keep_connected, socket)
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
        """Wait for the next event. Ends once `close` was called.

        Raises ServerError if the connection is lost for good.
        """
        if self._end is None:
            event = self._take_next()
            if event is not None:
                return event
        if self._end is not None and self._end.error is not None:
            raise self._end.error
        raise StopIteration

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as is known."""
        if self._is_closed.is_set():
            return False
        return self._socket is not None

    def on(self, kind: type[Kind], callback: Callable[[Kind], object]) -> Callable[[], None]:
        """Call `callback` with every future event of this kind; `Message` matches all events.

        May be called before the block is entered. Returns a function that ends the calls. Callbacks
        run one after the other on their own thread. One that raises is logged and affects neither
        other callbacks nor the events.
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
        """End the events: iteration stops and no callback is called any more. Can be
        called twice.
        """
        self._is_closed.set()
        socket = self._socket
        if socket is not None:
            socket.close()
        # This wakes up the thread that keeps the connection open.
        self._incoming.put(None)
        self._inbox.put(_End())

    def _take_next(self) -> Message | None:
        """Return the next event, or None at the end. The end is stored in `_end`."""
        while not self._taken:
            self._taken = self._inbox.take(None)
            # Items are popped from the end. What was dropped
            # was the oldest, so it is reported first.
            self._taken.reverse()
            dropped = self._inbox.take_dropped_count()
            if dropped:
                self._taken.append(InboxItem(Missed(dropped), self._clock.monotonic()))
        content = self._taken.pop().content
        if isinstance(content, Message):
            return content
        self._end = content
        return None

    def _keep_connected(self, first: Socket) -> None:
        """Pass events on and keep the connection open until closed. Runs on its own thread."""
        try:
            self._use_socket(first)
            while not self._is_closed.is_set() and not self._timers.has_given_up:
                for item in self._incoming.take(self._find_timeout()):
                    self._handle_item(item)
                self._check_timers(self._clock.monotonic())
        finally:
            if self._socket is not None:
                self._socket.close()
            error = None if self._is_closed.is_set() else self._find_error()
            self._inbox.put(_End(error))

    def _find_error(self) -> ServerError:
        """Return the error that explains why the connection could not be reopened."""
        return self._error or ServerUnreachable(
            f"The connection to {self._endpoints.url} was lost. Is ComfyUI still running?"
        )

    def _find_timeout(self) -> float | None:
        due = self._timers.next_due()
        if due is None:
            return None
        return max(due - self._clock.monotonic(), 0.0)

    def _handle_item(self, item: InboxItem) -> None:
        dropped = self._incoming.take_dropped_count()
        if dropped:
            self._publish(Missed(dropped))
        match item.content:
            case Message():
                self._handle_message(item)
            case _Lost() if item.content.socket is self._socket:
                # A socket that was replaced by a newer one also reports its end.
                self._lose()

    def _handle_message(self, item: InboxItem) -> None:
        self._timers.hear(item.at)
        if isinstance(item.content, FeatureFlags):
            self._answers_flags = True
        self._publish(item.content)

    def _publish(self, event: Message) -> None:
        kind = coalescing_key(event)
        size = estimate_size(event)
        self._inbox.put(event, kind, size)
        with self._lock:
            # Callbacks are called without the lock, since they may add and remove listeners.
            listeners = list(self._listeners)
        for wanted, callback in listeners:
            if isinstance(event, wanted) and not self._is_closed.is_set():
                _call(callback, event)

    def _check_timers(self, now: float) -> None:
        if self._is_closed.is_set():
            return
        if self._timers.is_forgotten(now):
            self._lose()
        elif self._timers.wants_renewal(now):
            self._timers.renew(now)
            self._leave_socket()
        elif self._timers.wants_reconnect(now):
            self._reconnect()

    def _lose(self) -> None:
        now = self._clock.monotonic()
        self._timers.lose(now)
        self._leave_socket()

    def _leave_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._publish(Disconnected(self._timers.retry_seconds))

    def _reconnect(self) -> None:
        try:
            socket = connect_socket(self._endpoints, self.client_id)
        except ServerError as error:
            self._error = error
            self._lose()
        else:
            self._use_socket(socket)

    def _use_socket(self, socket: Socket) -> None:
        now = self._clock.monotonic()
        self._socket = socket
        # In this order: `connect` may start to wait for
        # the server's flags, and `hear` ends that wait.
        self._timers.hear(now)
        self._timers.connect(now, self._answers_flags)
        self._publish(Connected())
        self._publish(socket.greeting)
        _start_thread(self._read, socket)

    def _read(self, socket: Socket) -> None:
        """Read one socket to its end. Runs on its own thread, since a server waits for slow
        readers.
        """
        # `close` may have run before this socket became the one that it closes.
        if self._is_closed.is_set():
            socket.close()
        socket.listen(self._put, self._report_lost)

    def _report_lost(self, socket: Socket) -> None:
        self._incoming.put(_Lost(socket))

    def _put(self, message: Message, kind: Hashable) -> None:
        size = estimate_size(message)
        self._incoming.put(message, kind, size)


def estimate_size(event: Message) -> int:
    """Estimate the bytes that an event takes."""
    size = MIN_SIZE
    if isinstance(event, PreviewFrame | UnknownMessage) and isinstance(event.data, bytes | str):
        size += len(event.data)
    return size


def _start_thread(target: Callable[[Socket], None], socket: Socket) -> None:
    thread = threading.Thread(
        target=target,
        args=(socket,),
        name="comfy-listen",
        daemon=True,
    )
    thread.start()


def _call(callback: Callable[[Any], object], event: Message) -> None:
    try:
        callback(event)
    except Exception:
        log.exception("A listener of %s failed.", type(event).__name__)
