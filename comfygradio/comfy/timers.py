"""Poll timers: when a run polls the server and when it reopens its socket."""

from __future__ import annotations

from dataclasses import dataclass

CONNECTED_FACTOR = 10
"""While a socket seems open, a server gets that much more time: loading a model may keep it from
answering.
"""


@dataclass(frozen=True)
class PollTimings:
    """Timeouts and pauses of a run, in seconds."""

    silence: float = 2.0
    """Poll the history after this long without a message about our prompt."""
    slowest_poll: float = 5.0
    first_poll: float = 0.1
    """Where there is no socket; grows to `slowest_poll`."""
    queue_refresh: float = 1.0
    reconnect: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    """Pauses before each attempt; after the last one a server that answers nothing is given up."""
    renewal: float = 5.0
    """An open socket that may be one the server forgot is opened anew after so much silence, or
    after twice the time between the last two messages where that is longer; each time after twice
    as much, until a message comes. ComfyUI forgets a socket when an older one of the same client_id
    closes.
    """
    settle: float = 0.3
    """After execution_success the history is written within milliseconds; then `executing null`
    follows.
    """
    frames: float = 3.0
    """A history may tell the end before an open socket has brought the pictures that only it
    brings; they are waited for so long.
    """
    answer: float = 4.0
    """A server that has not answered a question for so long does not answer: with `slowest_poll`
    before it, somebody learns that within ten seconds. The question itself goes on, since loading a
    model may take longer.
    """
    listen: float = 2.0
    """A server that knows feature flags answers them at once, unless it forgot our socket."""


class ReconnectTimers:
    """When a socket is to be opened anew; all times are seconds of one monotonic clock."""

    def __init__(self, patience: PollTimings, now: float) -> None:
        self._patience = patience
        self.connected = False
        self.may_be_forgotten = False
        """Whether an older socket of our client_id may be open, since there was one."""
        self.attempts = 0
        self.retry_seconds: float | None = None
        """The pause before the next attempt, counted from the loss; None where there is none."""
        self._renewal = patience.renewal
        self._heard_at = now
        self._message_at: float | None = None
        """When the last message came; `_heard_at` begins anew with each socket."""
        self._reconnect_at: float | None = None
        self._listening_until: float | None = None

    @property
    def has_given_up(self) -> bool:
        """Whether all attempts to open the socket again have failed."""
        allowed = len(self._patience.reconnect)
        return not self.connected and self.attempts > allowed

    def hear(self, now: float) -> None:
        """A message came."""
        self._listening_until = None
        gap = 0.0 if self._message_at is None else now - self._message_at
        self._renewal = max(self._patience.renewal, 2 * gap)
        self._heard_at = now
        self._message_at = now
        self.attempts = 0

    def connect(self, now: float, answers_flags: bool) -> None:
        """A socket is open; a server that answers feature flags has to prove that it knows this
        socket.
        """
        self.connected = True
        self._reconnect_at = None
        self._heard_at = now
        if answers_flags:
            self._listening_until = now + self._patience.listen

    def lose(self, now: float) -> None:
        """The socket is gone, or could not be opened again."""
        self.connected = False
        self.may_be_forgotten = True
        self._listening_until = None
        pauses = self._patience.reconnect
        if self.attempts < len(pauses):
            self.retry_seconds = pauses[self.attempts]
            self._reconnect_at = now + self.retry_seconds
        else:
            self.retry_seconds = None
            self._reconnect_at = None
        self.attempts += 1

    def renew(self, now: float) -> None:
        """A silent socket was closed, to be opened anew."""
        self._renewal *= 2
        self.lose(now)

    def wants_reconnect(self, now: float) -> bool:
        """Whether a socket is to be opened now."""
        return self._reconnect_at is not None and now >= self._reconnect_at

    def is_forgotten(self, now: float) -> bool:
        """Whether an open socket has proved to be one that the server no longer knows."""
        return self._listening_until is not None and now >= self._listening_until

    def wants_renewal(self, now: float) -> bool:
        """Whether an open socket has been silent for so long that it is better opened anew."""
        renewal_at = self._heard_at + self._renewal
        return self.connected and self.may_be_forgotten and now >= renewal_at

    def next_due(self) -> float | None:
        """When something of this is due next; None: nothing is."""
        times = [self._reconnect_at, self._listening_until]
        if self.connected and self.may_be_forgotten:
            times.append(self._heard_at + self._renewal)
        due = [time for time in times if time is not None]
        return min(due, default=None)


class PollTimers(ReconnectTimers):
    """The timers of one run: reconnecting its socket, and polling."""

    def __init__(self, patience: PollTimings, now: float) -> None:
        super().__init__(patience, now)
        self.busy = False
        """Whether a poll or a reconnect is under way, so that no other one may begin."""
        self._asked_at: float | None = None
        """When the poll or reconnect that is under way began."""
        self._pause = patience.silence
        self._poll_at = now + patience.silence
        self._polled_at = now
        self._failing_since: float | None = None

    def hear(self, now: float) -> None:
        """A message of our prompt came."""
        super().hear(now)
        self._failing_since = None
        if self._asked_at is not None:
            self._asked_at = now
        self._pause = self._patience.silence
        self._poll_at = now + self._pause

    def begin_request(self, now: float) -> None:
        """A poll or a reconnect begins."""
        self.busy = True
        self._asked_at = now

    def end_request(self) -> None:
        """The poll or the reconnect that was under way is over."""
        self.busy = False
        self._asked_at = None

    def expect_messages(self, now: float) -> None:
        """Our prompt runs, so that messages are due from now on."""
        self._heard_at = now

    def poll_within(self, now: float, pause: float = 0.0) -> None:
        """Poll no later than after `pause` seconds."""
        self._poll_at = min(self._poll_at, now + pause)

    def refresh_queue(self, now: float) -> None:
        """The queue changed: poll soon, but not more often than allowed."""
        allowed_at = self._polled_at + self._patience.queue_refresh
        self.poll_within(now, max(allowed_at - now, 0.0))

    def connect(self, now: float, answers_flags: bool) -> None:
        """A socket is open; a server that answers feature flags has to prove that it knows this
        socket.
        """
        super().connect(now, answers_flags)
        self._pause = self._patience.silence
        self.poll_within(now)

    def lose(self, now: float) -> None:
        """The socket is gone, or could not be opened again."""
        super().lose(now)
        self._pause = self._patience.first_poll
        self.poll_within(now)

    def begin_polling(self, now: float) -> None:
        """Start polling: no socket could be opened."""
        self._pause = self._patience.first_poll
        self._poll_at = now + self._pause

    def note_poll(self, now: float, failed: bool) -> None:
        """A poll came back; the next one is due after a longer pause."""
        self._polled_at = now
        self._pause = min(self._pause * 1.5, self._patience.slowest_poll)
        self._poll_at = now + self._pause
        if not failed:
            self._failing_since = None
        elif not self._failing_since:
            self._failing_since = now

    def wants_poll(self, now: float) -> bool:
        """Whether the history is to be asked now."""
        return not self.busy and now >= self._poll_at

    def wants_reconnect(self, now: float) -> bool:
        """Whether a socket is to be opened now."""
        return not self.busy and super().wants_reconnect(now)

    def wants_renewal(self, now: float) -> bool:
        """Whether an open socket has been silent for so long that it is better opened anew."""
        return not self.busy and super().wants_renewal(now)

    def is_answered(self, now: float) -> bool:
        """Whether the server answers: the last poll did not fail, and none is overdue."""
        if self._failing_since is not None:
            return False
        return self._asked_at is None or now < self._asked_at + self._patience.answer

    def has_timed_out(self, now: float) -> bool:
        """Whether the server has failed to respond for as long as all reconnect attempts take."""
        if self._failing_since is None or self._reconnect_at is not None:
            return False
        limit = sum(self._patience.reconnect) * 0.9
        if self.connected:
            limit *= CONNECTED_FACTOR
        return now - self._failing_since >= limit

    def pause(self, now: float, longest: float) -> float:
        """Seconds until something is due, at most `longest`."""
        times = [self._listening_until, self._find_overdue(now)]
        if not self.busy:
            times.append(self._reconnect_at)
        due = [time for time in times if time]
        if not self.busy:
            due.append(self._poll_at)
        pauses = [time - now for time in due]
        return max(min([longest, *pauses]), 0.0)

    def _find_overdue(self, now: float) -> float | None:
        """When an answer will be overdue; None where none is waited for, or it is already."""
        if self._asked_at is None:
            return None
        overdue = self._asked_at + self._patience.answer
        return overdue if overdue > now else None
