"""Run one prompt on one server: messages in, PromptProgress out."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator, Mapping
from typing import NamedTuple

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cache_control import strip_pinned
from comfygradio.comfy.cancel import cancel_prompt
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.failures import make_job_lost
from comfygradio.comfy.http_responses import HistoryEntry, QueuedPrompt
from comfygradio.comfy.inbox import Inbox, InboxItem, TaskThread
from comfygradio.comfy.locate import PromptLocation, locate_by_id
from comfygradio.comfy.messages import ExecutionSuccess, FeatureFlags, Message, Status
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.submit import ExistingPrompt, Submission, open_socket
from comfygradio.comfy.timers import PollTimers, PollTimings
from comfygradio.comfy.tracker import PromptTracker
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ComfyGradioError, ServerError, ServerUnreachable

CANCEL_SECONDS = 0.4
"""Seconds that closing a run waits for the server to confirm. The cancellation itself continues."""
CANCEL_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt to cancel, if the server gave no proper response."""
SLOW_CONNECTION = "Connection is slow; still working."
"""Shown while there is no WebSocket connection, so that progress is polled."""


class SocketReopened(NamedTuple):
    """The result of an attempt to reopen the socket; None if it failed."""

    socket: Socket | None

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self.socket:
            self.socket.close()


class SocketLost(NamedTuple):
    """A socket that was closed by the other side."""

    socket: Socket


class PromptRun:
    """Runs one prompt from start to end. Used by one thread; a reader and a worker thread
    help it.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        prompt: Prompt,
        *,
        client_id: str | None,
        prompt_id: str | None,
        preview_method: str | None,
        timings: PollTimings,
        may_exist: bool = False,
        weights: Mapping[str, float] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._endpoints = endpoints
        self._timings = timings
        self._clock = clock
        client_id = client_id or uuid.uuid4().hex
        prompt_id = prompt_id or str(uuid.uuid4())
        self._submission = Submission(
            endpoints,
            prompt,
            client_id=client_id,
            prompt_id=prompt_id,
            preview_method=preview_method,
            may_exist=may_exist,
            timings=timings,
            clock=clock,
        )
        self._inbox = Inbox(clock)
        self._worker = TaskThread("comfy-run")
        self._timers = PollTimers(timings, clock.monotonic())
        # The submission counts as a request, so that no poll starts before it is over (`_accept`).
        self._timers.busy = True
        # Pinned nodes do not run, so they must not count in the progress.
        graph = strip_pinned(prompt.graph)
        self._tracker = PromptTracker(graph, prompt_id, prompt.outputs, endpoints, weights)
        self._tracker.stage = "uploading"
        self._socket: Socket | None = None
        self._accepted = False
        self._answers_flags = False
        self._absent_since: float | None = None
        """When a poll first found the prompt absent; None while the server has it."""
        self._ended_since: float | None = None
        """When a history first reported the end while pictures were still expected over
        the socket.
        """

    def follow(self, heartbeat_seconds: float) -> Generator[PromptProgress, None, None]:
        """Start the prompt and yield its progress. Closing the generator cancels the prompt.

        Raises as `ComfyClient.run`.
        """
        thread = threading.Thread(target=self._submit, name="comfy-run", daemon=True)
        thread.start()
        try:
            yield from self._yield_states(heartbeat_seconds)
        except ComfyGradioError:
            # The prompt is over or out of reach, or the caller threw `Detach` to leave it running.
            raise
        except BaseException:
            # GeneratorExit, for one: the caller has closed the generator.
            self._cancel()
            raise
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        # Also after a good end: a socket that is just being opened is closed because of it.
        self._submission.stop_requested.set()
        if self._socket:
            self._socket.close()
        # A socket that was reopened just now has not been taken by anybody else.
        for item in self._inbox.take(0):
            if isinstance(item.content, SocketReopened):
                item.content.close()
        self._worker.stop()

    def _yield_states(self, heartbeat_seconds: float) -> Generator[PromptProgress, None, None]:
        yielded_at = self._clock.monotonic()
        while not self._tracker.done:
            now = self._clock.monotonic()
            seconds_left = yielded_at + heartbeat_seconds - now
            pause = self._timers.pause(now, max(seconds_left, 0.0))
            has_changed = False
            for item in self._inbox.take(pause):
                if self._handle_item(item):
                    has_changed = True
            self._check_timers(self._clock.monotonic())
            if self._update_answering(self._clock.monotonic()):
                has_changed = True
            is_due = self._clock.monotonic() - yielded_at >= heartbeat_seconds
            if has_changed or is_due or self._tracker.done:
                self._tracker.now = self._clock.monotonic()
                yield self._tracker.state
                yielded_at = self._clock.monotonic()
            # The last state was yielded before: it has the outputs that were made until then.
            if self._tracker.failure:
                raise self._tracker.failure

    def _update_answering(self, now: float) -> bool:
        """Record whether the server answers. Returns True if that changed."""
        is_answered = not self._accepted or self._timers.is_answered(now)
        if is_answered == self._tracker.is_answered:
            return False
        self._tracker.is_answered = is_answered
        if not is_answered:
            # That it does not answer at all says more.
            self._tracker.retract_warning(SLOW_CONNECTION)
        elif self._socket is None:
            self._tracker.warn(SLOW_CONNECTION)
        return True

    def _handle_item(self, item: InboxItem) -> bool:
        match item.content:
            case Message():
                return self._handle_message(item)
            case QueuedPrompt():
                self._accept(item.content)
            case ExistingPrompt():
                self._follow_existing(item.content.location, item.at)
            case PromptLocation():
                self._apply_location(item.content, item.at)
            case SocketLost():
                return self._handle_lost_socket(item.content, item.at)
            case SocketReopened():
                self._use_socket(item.content.socket, item.at)
            case Exception():
                raise item.content
        return True

    def _handle_message(self, item: InboxItem) -> bool:
        message: Message = item.content
        if isinstance(message, FeatureFlags):
            self._answers_flags = True
            self._timers.hear(item.at)
            return False
        changed = self._tracker.apply(message, item.at, item.replaced)
        if isinstance(message, Status) and self._tracker.stage == "queued":
            self._timers.refresh_queue(item.at)
        # A status names no prompt, so it does not show that the server still reports this one.
        if changed and not isinstance(message, Status):
            self._absent_since = None
            self._timers.hear(item.at)
            self._check_end(message, item.at)
        return changed

    def _check_end(self, message: Message, at: float) -> None:
        if self._tracker.complete:
            self._tracker.finish()
        elif self._tracker.closed:
            # Outputs are missing, or messages were; the history has all of them by now.
            self._timers.poll_within(at)
        elif isinstance(message, ExecutionSuccess):
            # The history is written after this message, so that a poll right now would miss it.
            self._timers.poll_within(at, self._timings.settle)

    def _follow_existing(self, location: PromptLocation, now: float) -> None:
        # Earlier messages went to another socket.
        self._tracker.mark_gap()
        queued = QueuedPrompt(location.prompt_id, 0)
        if location.entry is not None:
            self._tracker.accept(queued)
        else:
            self._accept(queued)
            # The socket of the run that posted it may still be open under the same client_id.
            self._timers.may_be_forgotten = True
        self._apply_location(location, now)
        self._timers.poll_within(now)

    def _accept(self, queued: QueuedPrompt) -> None:
        self._accepted = True
        self._timers.end_request()
        self._tracker.accept(queued)
        now = self._clock.monotonic()
        self._timers.hear(now)
        if self._socket:
            self._timers.connected = True
        else:
            self._tracker.mark_gap()
            self._tracker.warn(SLOW_CONNECTION)
            self._timers.begin_polling(now)

    def _check_timers(self, now: float) -> None:
        if not self._accepted or self._tracker.failure or self._tracker.done:
            return
        if self._timers.has_timed_out(now):
            raise ServerUnreachable(
                f"ComfyUI at {self._endpoints.url} stopped answering while the job ran. Is it "
                "still running?"
            )
        if self._timers.is_forgotten(now) and self._socket:
            self._socket.close()
            self._drop_socket(now)
        # A prompt that waits in the queue is silent anyway.
        if self._timers.wants_renewal(now) and self._tracker.stage == "running":
            self._leave_silent_socket(now)
        if self._timers.wants_reconnect(now):
            self._timers.begin_request(now)
            self._worker.submit(self._reopen)
        elif self._timers.wants_poll(now):
            self._timers.begin_request(now)
            self._worker.submit(self._locate)

    def _apply_location(self, location: PromptLocation, now: float) -> None:
        self._timers.end_request()
        self._timers.note_poll(now, location.error is not None)
        if location.found:
            self._absent_since = None
        entry = location.entry
        if entry is not None:
            if self._awaits_socket_images(entry, now):
                self._timers.poll_within(now, self._timings.settle)
            else:
                self._tracker.apply_history(entry)
        elif location.running:
            # The silence until now was that of a waiting prompt, and says nothing about the socket.
            if self._tracker.stage != "running":
                self._timers.expect_messages(now)
            self._tracker.mark_running()
        elif location.position is not None:
            self._tracker.queue_position = location.position
        if location.absent:
            self._handle_absence(now)

    def _awaits_socket_images(self, entry: HistoryEntry, now: float) -> bool:
        """Whether to delay the end that a history reports, because the socket may still deliver
        pictures that no history contains.
        """
        if entry.status != "success" or self._socket is None:
            return False
        if not self._tracker.awaits_socket_images:
            return False
        if self._ended_since is None:
            self._ended_since = now
        return now < self._ended_since + self._timings.socket_images

    def _handle_absence(self, now: float) -> None:
        """Handle a poll that found the prompt absent: poll once more before believing it."""
        # A history may be written a moment after the prompt has left the queue.
        if self._absent_since is None:
            self._absent_since = now
            self._timers.poll_within(now, self._timings.settle)
            return
        seconds_left = self._absent_since + self._timings.settle - now
        if seconds_left > 0:
            self._timers.poll_within(now, seconds_left)
        elif self._tracker.succeeded:
            # The server reported success, and somebody deleted the history before it was read.
            self._tracker.finish()
        else:
            raise make_job_lost(self._endpoints.url, self._tracker.prompt_id)

    def _handle_lost_socket(self, lost: SocketLost, now: float) -> bool:
        # A socket that was left for a newer one also reports its end.
        if lost.socket is not self._socket:
            return False
        self._drop_socket(now)
        return True

    def _drop_socket(self, now: float) -> None:
        self._socket = None
        self._tracker.mark_gap()
        self._tracker.warn(SLOW_CONNECTION)
        self._timers.lose(now)

    def _leave_silent_socket(self, now: float) -> None:
        """Close a socket that the server may have forgotten; the timers reopen it."""
        if self._socket:
            self._socket.close()
        self._socket = None
        self._tracker.mark_gap()
        self._timers.renew(now)

    def _use_socket(self, socket: Socket | None, now: float) -> None:
        self._timers.end_request()
        if socket is None:
            self._timers.lose(now)
            return
        self._tracker.retract_warning(SLOW_CONNECTION)
        self._socket = socket
        self._timers.connect(now, self._answers_flags)
        thread = threading.Thread(target=self._read, args=(socket,), name="comfy-run", daemon=True)
        thread.start()

    def _read(self, socket: Socket) -> None:
        # The run may have ended while the socket was being opened.
        if self._submission.stop_requested.is_set():
            socket.close()
        socket.listen(self._inbox.put, self._report_lost)

    def _report_lost(self, socket: Socket) -> None:
        self._inbox.put(SocketLost(socket))

    def _submit(self) -> None:
        """Submit the prompt, then read the socket. Runs on its own thread."""
        try:
            begun: QueuedPrompt | ExistingPrompt | Exception | None = self._submission.run()
        except Exception as error:
            begun = error
        # This is set before the item is put: whoever takes the item looks at it.
        self._socket = self._submission.socket
        if begun:
            self._inbox.put(begun)
        self._submission.finished.set()
        if self._submission.socket:
            self._read(self._submission.socket)

    def _reopen(self) -> None:
        socket = open_socket(self._endpoints, self._submission.client_id)
        reopened = SocketReopened(socket)
        self._inbox.put(reopened)
        # Nobody takes items of a run that has ended. Closing a socket twice does no harm.
        if self._submission.stop_requested.is_set():
            reopened.close()

    def _locate(self) -> None:
        location = locate_by_id(self._endpoints, self._tracker.prompt_id)
        self._inbox.put(location)

    def _cancel(self) -> None:
        self._submission.stop_requested.set()
        done = threading.Event()
        # `stop` of the worker comes later and lets this task finish, however long it takes.
        self._worker.submit(lambda: self._cancel_now(done))
        self._clock.wait_event(done, CANCEL_SECONDS)

    def _cancel_now(self, done: threading.Event) -> None:
        # From then on nothing is posted any more, so that the id stays what it is.
        self._submission.finished.wait()
        try:
            prompt_id = self._submission.posted_id
            if prompt_id:
                self._cancel_patiently(prompt_id)
        finally:
            done.set()

    def _cancel_patiently(self, prompt_id: str) -> None:
        for pause in CANCEL_PAUSES:
            if self._try_to_cancel(prompt_id):
                return
            self._clock.sleep(pause)
        self._try_to_cancel(prompt_id)

    def _try_to_cancel(self, prompt_id: str) -> bool:
        """Cancel once. Returns True if the server gave a proper response, even that nothing was to
        cancel.
        """
        try:
            cancel_prompt(self._endpoints, prompt_id, self._clock)
        except ServerError:
            return False
        return True
