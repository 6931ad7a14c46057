"""Poll timers: when a run polls the server and when it reopens its socket."""

from __future__ import annotations

from dataclasses import dataclass

CONNECTED_FACTOR = 10
"""Factor for the time limit while a socket seems open: loading a model may keep a server from
answering.
"""


@dataclass(frozen=True)
class PollTimings:
    """Timeouts and pauses of a run, in seconds."""

    silence: float = 2.0
    """Poll the history after this long without a message about our prompt."""
    slowest_poll: float = 5.0
    first_poll: float = 0.1
    """First pause between polls without a socket. Pauses grow up to `slowest_poll`."""
    queue_refresh: float = 1.0
    reconnect: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """Pauses before each reconnect. After the last one, a server that does not answer is
    given up.
    """
    renewal: float = 5.0
    """Reopen an open socket that the server may have forgotten after this much silence, or after
    twice the time between the last two messages if that is longer. The time doubles with each
    attempt until a message arrives. ComfyUI forgets a socket when an older one of the same
    client_id closes.
    """
    settle: float = 0.3
    """Time to wait after execution_success: the history is written within milliseconds, and then
    `executing null` follows.
    """
    socket_images: float = 3.0
    """Time to wait for pictures that only the socket delivers, after the history has reported the
    end.
    """
    answer: float = 4.0
    """A server counts as not answering after this long without a response. Together with
    `slowest_poll`, the person learns it within ten seconds. The request itself continues, since
    loading a model may take longer.
    """
    listen: float = 2.0
    """A server that knows feature flags replies to them at once, unless it forgot our socket."""


class ReconnectTimers:
    """Decides when a socket has to be reopened. All times are seconds of one monotonic clock."""

    def __init__(self, timings: PollTimings, now: float) -> None:
        self._timings = timings
        self.connected = False
        self.may_be_forgotten = False
        """Whether an older socket of our client_id may still be open."""
        self.attempts = 0
        self.retry_seconds: float | None = None
        """The pause between the loss and the next attempt; None if there is none."""
        self._renewal = timings.renewal
        self._heard_at = now
        self._message_at: float | None = None
        """When the last message arrived. Unlike `_heard_at` it is not reset by a new socket."""
        self._reconnect_at: float | None = None
        self._listening_until: float | None = None

    @property
    def has_given_up(self) -> bool:
        """Whether all attempts to reopen the socket have failed."""
        if self.connected:
            return False
        return self.attempts > len(self._timings.reconnect)

    def hear(self, now: float) -> None:
        """Record that a message arrived."""
        self._listening_until = None
        # A node that reports rarely must not make its socket look forgotten.
        gap = 0.0 if self._message_at is None else now - self._message_at
        self._renewal = max(self._timings.renewal, 2 * gap)
        self._heard_at = now
        self._message_at = now
        self.attempts = 0

    def connect(self, now: float, answers_flags: bool) -> None:
        """Record that a socket is open. With `answers_flags`, the server has to prove that it knows
        this socket by answering its feature flags.
        """
        self.connected = True
        self._reconnect_at = None
        self._heard_at = now
        if answers_flags:
            self._listening_until = now + self._timings.listen

    def lose(self, now: float) -> None:
        """Record that the socket is lost, or could not be reopened."""
        self.connected = False
        self.may_be_forgotten = True
        self._listening_until = None
        pauses = self._timings.reconnect
        if self.attempts < len(pauses):
            self.retry_seconds = pauses[self.attempts]
            self._reconnect_at = now + self.retry_seconds
        else:
            self.retry_seconds = None
            self._reconnect_at = None
        self.attempts += 1

    def renew(self, now: float) -> None:
        """Record that a silent socket was closed in order to reopen it."""
        self._renewal *= 2
        self.lose(now)

    def wants_reconnect(self, now: float) -> bool:
        """Whether a socket should be opened now."""
        if self._reconnect_at is None:
            return False
        return now >= self._reconnect_at

    def is_forgotten(self, now: float) -> bool:
        """Whether the server has proved not to know an open socket any more."""
        if self._listening_until is None:
            return False
        return now >= self._listening_until

    def wants_renewal(self, now: float) -> bool:
        """Whether an open socket has been silent for so long that it should be reopened."""
        if not self.connected or not self.may_be_forgotten:
            return False
        renewal_at = self._heard_at + self._renewal
        return now >= renewal_at

    def next_due(self) -> float | None:
        """When the next of these is due; None if nothing is."""
        times = [self._reconnect_at, self._listening_until]
        if self.connected and self.may_be_forgotten:
            times.append(self._heard_at + self._renewal)
        due = [time for time in times if time is not None]
        return min(due, default=None)


class PollTimers(ReconnectTimers):
    """The timers of one run: for reopening its socket, and for polling."""

    def __init__(self, timings: PollTimings, now: float) -> None:
        super().__init__(timings, now)
        self.busy = False
        """Whether a poll or a reconnect is in progress, so that no other may start."""
        self._asked_at: float | None = None
        """When the poll or reconnect in progress started."""
        self._pause = timings.silence
        self._poll_at = now + timings.silence
        self._polled_at = now
        self._failing_since: float | None = None

    def hear(self, now: float) -> None:
        """Record that a message about our prompt arrived."""
        super().hear(now)
        self._failing_since = None
        # A message proves that the server is alive, even while it is slow to answer a request.
        if self._asked_at is not None:
            self._asked_at = now
        self._pause = self._timings.silence
        self._poll_at = now + self._pause

    def begin_request(self, now: float) -> None:
        """Record that a poll or a reconnect starts."""
        self.busy = True
        self._asked_at = now

    def end_request(self) -> None:
        """Record that the poll or reconnect in progress is over."""
        self.busy = False
        self._asked_at = None

    def expect_messages(self, now: float) -> None:
        """Record that our prompt runs, so that silence counts from now on."""
        self._heard_at = now

    def poll_within(self, now: float, pause: float = 0.0) -> None:
        """Poll after at most `pause` seconds."""
        latest = now + pause
        self._poll_at = min(self._poll_at, latest)

    def refresh_queue(self, now: float) -> None:
        """Poll soon because the queue changed, but not more often than `queue_refresh` allows."""
        allowed_at = self._polled_at + self._timings.queue_refresh
        pause = max(allowed_at - now, 0.0)
        self.poll_within(now, pause)

    def connect(self, now: float, answers_flags: bool) -> None:
        """Record that a socket is open, and poll once. See `ReconnectTimers.connect`."""
        super().connect(now, answers_flags)
        self._pause = self._timings.silence
        # Messages from before the socket was open are lost; a poll tells what they said.
        self.poll_within(now)

    def lose(self, now: float) -> None:
        """Record that the socket is lost, or could not be reopened, and poll once."""
        super().lose(now)
        self._pause = self._timings.first_poll
        self.poll_within(now)

    def begin_polling(self, now: float) -> None:
        """Start polling because no socket could be opened."""
        self._pause = self._timings.first_poll
        self._poll_at = now + self._pause

    def note_poll(self, now: float, failed: bool) -> None:
        """Record the end of a poll. The next one follows after a longer pause."""
        self._polled_at = now
        # Polls get rarer the longer nothing happens; `hear` and `connect` start over.
        self._pause = min(self._pause * 1.5, self._timings.slowest_poll)
        self._poll_at = now + self._pause
        if not failed:
            self._failing_since = None
        elif not self._failing_since:
            self._failing_since = now

    def wants_poll(self, now: float) -> bool:
        """Whether the history should be polled now."""
        if self.busy:
            return False
        return now >= self._poll_at

    def wants_reconnect(self, now: float) -> bool:
        """Whether a socket should be opened now."""
        if self.busy:
            return False
        return super().wants_reconnect(now)

    def wants_renewal(self, now: float) -> bool:
        """Whether an open socket has been silent for so long that it should be reopened."""
        if self.busy:
            return False
        return super().wants_renewal(now)

    def is_answered(self, now: float) -> bool:
        """Whether the server answers: the last poll did not fail, and no request is overdue."""
        if self._failing_since is not None:
            return False
        if self._asked_at is None:
            return True
        return now < self._asked_at + self._timings.answer

    def has_timed_out(self, now: float) -> bool:
        """Whether the server has not responded for as long as all reconnect attempts take."""
        if self._failing_since is None or self._reconnect_at is not None:
            return False
        # The last of these attempts must have failed; 0.9 allows
        # for a poll that began to fail later than the socket did.
        limit = sum(self._timings.reconnect) * 0.9
        if self.connected:
            limit *= CONNECTED_FACTOR
        return now - self._failing_since >= limit

    def pause(self, now: float, longest: float) -> float:
        """Seconds until the next timer is due, at most `longest`."""
        times = [self._listening_until, self._find_overdue(now)]
        # While a request is in progress, neither of these may start anything.
        if not self.busy:
            times += [self._reconnect_at, self._poll_at]
        pause = longest
        for time in times:
            if time is not None:
                pause = min(pause, time - now)
        return max(pause, 0.0)

    def _find_overdue(self, now: float) -> float | None:
        """When the current request becomes overdue; None without a request, or if it is overdue
        already.
        """
        if self._asked_at is None:
            return None
        overdue = self._asked_at + self._timings.answer
        return overdue if overdue > now else None
