"""Runs one prompt on one server: messages in, PromptProgress out."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cancel import cancel_prompt
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.failures import make_job_lost
from comfygradio.comfy.http_responses import HistoryEntry, QueuedPrompt
from comfygradio.comfy.inbox import Inbox, InboxItem, TaskThread
from comfygradio.comfy.locate import PromptLocation, locate_by_id
from comfygradio.comfy.messages import ExecutionSuccess, FeatureFlags, Message, Status
from comfygradio.comfy.pinned_node import strip_pinned
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.submit import AdoptedPrompt, Submission, open_socket
from comfygradio.comfy.timers import PollTimers, PollTimings
from comfygradio.comfy.tracker import PromptTracker
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ComfyGradioError, ServerError, ServerUnreachable

CANCEL_SECONDS = 0.4
"""How long closing a run waits for the server to confirm; the cancelling itself goes on."""
CANCEL_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt to cancel where the server gave no proper answer."""
SLOW_CONNECTION = "Connection is slow; still working."
"""Where there is no live connection, so that progress is asked for."""


@dataclass(frozen=True)
class SocketReopened:
    """The result of an attempt to open the socket again; None: it failed."""

    socket: Socket | None

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self.socket:
            self.socket.close()


@dataclass(frozen=True)
class SocketLost:
    """A socket ended by itself."""

    socket: Socket


class PromptRun:
    """One prompt from its start to its end; used by one thread, helped by a reader and a worker
    thread.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        prompt: Prompt,
        *,
        client_id: str | None,
        prompt_id: str | None,
        preview_method: str | None,
        patience: PollTimings,
        may_exist: bool = False,
        weights: Mapping[str, float] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._endpoints = endpoints
        self._patience = patience
        self._clock = clock
        client_id = client_id or uuid.uuid4().hex
        prompt_id = prompt_id or str(uuid.uuid4())
        self._start = Submission(
            endpoints,
            prompt,
            client_id=client_id,
            prompt_id=prompt_id,
            preview_method=preview_method,
            may_exist=may_exist,
            patience=patience,
            clock=clock,
        )
        self._mailbox = Inbox(clock)
        self._worker = TaskThread("comfy-run")
        self._watch = PollTimers(patience, clock.monotonic())
        self._watch.busy = True
        graph = strip_pinned(prompt.graph)
        self._tracker = PromptTracker(graph, prompt_id, prompt.outputs, endpoints, weights)
        self._tracker.stage = "uploading"
        self._socket: Socket | None = None
        self._accepted = False
        self._answers_flags = False
        self._absent_since: float | None = None
        """When the server was first seen to lack the prompt; None while it has it."""
        self._ended_since: float | None = None
        """When a history first told the end while pictures were still to come by the socket."""

    def follow(self, heartbeat_seconds: float) -> Generator[PromptProgress, None, None]:
        """Start the prompt and yield its states; closing the generator cancels it.

        Raises as `ComfyClient.run`.
        """
        threading.Thread(target=self._begin, name="comfy-run", daemon=True).start()
        try:
            yield from self._yield_states(heartbeat_seconds)
        except ComfyGradioError:
            raise
        except BaseException:
            self._cancel()
            raise
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        self._start.stop_requested.set()
        if self._socket:
            self._socket.close()
        for letter in self._mailbox.take(0):
            if isinstance(letter.content, SocketReopened):
                letter.content.close()
        self._worker.stop()

    def _yield_states(self, heartbeat_seconds: float) -> Generator[PromptProgress, None, None]:
        yielded_at = self._clock.monotonic()
        while not self._tracker.done:
            now = self._clock.monotonic()
            left = yielded_at + heartbeat_seconds - now
            pause = self._watch.pause(now, max(left, 0.0))
            letters = self._mailbox.take(pause)
            # A list, since every item has to be opened, whatever the ones before it said.
            changed = [self._open_letter(letter) for letter in letters]
            self._look_after(self._clock.monotonic())
            changed.append(self._note_answering(self._clock.monotonic()))
            is_due = self._clock.monotonic() - yielded_at >= heartbeat_seconds
            if any(changed) or is_due or self._tracker.done:
                self._tracker.now = self._clock.monotonic()
                yield self._tracker.state
                yielded_at = self._clock.monotonic()
            if self._tracker.failure:
                raise self._tracker.failure

    def _note_answering(self, now: float) -> bool:
        """Whether it is news that the server answers, or that it does not, which is worse than
        that it is slow.
        """
        is_answered = not self._accepted or self._watch.is_answered(now)
        if is_answered == self._tracker.is_answered:
            return False
        self._tracker.is_answered = is_answered
        if not is_answered:
            self._tracker.retract_warning(SLOW_CONNECTION)
        elif self._socket is None:
            self._tracker.warn(SLOW_CONNECTION)
        return True

    def _open_letter(self, letter: InboxItem) -> bool:
        match letter.content:
            case Message():
                return self._hear(letter)
            case QueuedPrompt():
                self._accept(letter.content)
            case AdoptedPrompt():
                self._adopt(letter.content.location, letter.at)
            case PromptLocation():
                self._take_sighting(letter.content, letter.at)
            case SocketLost():
                return self._lose(letter.content, letter.at)
            case SocketReopened():
                self._take_socket(letter.content.socket, letter.at)
            case Exception():
                raise letter.content
        return True

    def _hear(self, letter: InboxItem) -> bool:
        message: Message = letter.content
        if isinstance(message, FeatureFlags):
            self._answers_flags = True
            self._watch.hear(letter.at)
            return False
        changed = self._tracker.apply(message, letter.at, letter.replaced)
        if isinstance(message, Status) and self._tracker.stage == "queued":
            self._watch.refresh_queue(letter.at)
        if changed and not isinstance(message, Status):
            self._absent_since = None
            self._watch.hear(letter.at)
            self._check_end(message, letter.at)
        return changed

    def _check_end(self, message: Message, at: float) -> None:
        if self._tracker.complete:
            self._tracker.finish()
        elif self._tracker.closed:
            self._watch.poll_within(at)
        elif isinstance(message, ExecutionSuccess):
            self._watch.poll_within(at, self._patience.settle)

    def _adopt(self, seen: PromptLocation, now: float) -> None:
        self._tracker.mark_gap()
        if seen.entry:
            self._tracker.accept(QueuedPrompt(seen.prompt_id, 0))
        else:
            self._accept(QueuedPrompt(seen.prompt_id, 0))
            self._watch.may_be_forgotten = True
        self._take_sighting(seen, now)
        self._watch.poll_within(now)

    def _accept(self, queued: QueuedPrompt) -> None:
        self._accepted = True
        self._watch.end_request()
        self._tracker.accept(queued)
        now = self._clock.monotonic()
        self._watch.hear(now)
        if self._socket:
            self._watch.connected = True
        else:
            self._tracker.mark_gap()
            self._tracker.warn(SLOW_CONNECTION)
            self._watch.begin_polling(now)

    def _look_after(self, now: float) -> None:
        if not self._accepted or self._tracker.failure or self._tracker.done:
            return
        if self._watch.has_timed_out(now):
            raise ServerUnreachable(
                f"ComfyUI at {self._endpoints.url} stopped answering while the job ran. Is it "
                "still running?"
            )
        if self._watch.is_forgotten(now) and self._socket:
            self._socket.close()
            self._drop_socket(now)
        if self._watch.wants_renewal(now) and self._tracker.stage == "running":
            self._renew(now)
        if self._watch.wants_reconnect(now):
            self._watch.begin_request(now)
            self._worker.submit(self._reopen)
        elif self._watch.wants_poll(now):
            self._watch.begin_request(now)
            self._worker.submit(self._look)

    def _take_sighting(self, seen: PromptLocation, now: float) -> None:
        self._watch.end_request()
        self._watch.note_poll(now, seen.error is not None)
        if seen.found:
            self._absent_since = None
        if seen.entry and self._awaits_frames(seen.entry, now):
            self._watch.poll_within(now, self._patience.settle)
        elif seen.entry:
            self._tracker.apply_history(seen.entry)
        elif seen.running:
            if self._tracker.stage != "running":
                self._watch.expect_messages(now)
            self._tracker.mark_running()
        elif seen.position is not None:
            self._tracker.queue_position = seen.position
        if seen.absent:
            self._miss(now)

    def _awaits_frames(self, entry: HistoryEntry, now: float) -> bool:
        """Whether the end that a history tells is put off, since the socket may be about to bring
        pictures that no history holds.
        """
        if (
            entry.status != "success"
            or self._socket is None
            or not self._tracker.awaits_socket_images
        ):
            return False
        if self._ended_since is None:
            self._ended_since = now
        return now < self._ended_since + self._patience.frames

    def _miss(self, now: float) -> None:
        """The server lacks the prompt: look once more before that is believed.

        A history may be written a moment after the prompt has left the queue.
        """
        if self._absent_since is None:
            self._absent_since = now
            self._watch.poll_within(now, self._patience.settle)
            return
        left = self._absent_since + self._patience.settle - now
        if left > 0:
            self._watch.poll_within(now, left)
        elif self._tracker.succeeded:
            self._tracker.finish()
        else:
            raise make_job_lost(self._endpoints.url, self._tracker.prompt_id)

    def _lose(self, lost: SocketLost, now: float) -> bool:
        if lost.socket is not self._socket:
            return False
        self._drop_socket(now)
        return True

    def _drop_socket(self, now: float) -> None:
        self._socket = None
        self._tracker.mark_gap()
        self._tracker.warn(SLOW_CONNECTION)
        self._watch.lose(now)

    def _renew(self, now: float) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None
        self._tracker.mark_gap()
        self._watch.renew(now)

    def _take_socket(self, socket: Socket | None, now: float) -> None:
        self._watch.end_request()
        if socket is None:
            self._watch.lose(now)
            return
        self._tracker.retract_warning(SLOW_CONNECTION)
        self._socket = socket
        self._watch.connect(now, self._answers_flags)
        threading.Thread(target=self._read, args=(socket,), name="comfy-run", daemon=True).start()

    def _read(self, socket: Socket) -> None:
        if self._start.stop_requested.is_set():
            socket.close()
        socket.listen(self._mailbox.put, lambda ended: self._mailbox.put(SocketLost(ended)))

    def _begin(self) -> None:
        """On a thread of its own: start, then read the socket."""
        try:
            begun: QueuedPrompt | AdoptedPrompt | Exception | None = self._start.run()
        except Exception as error:
            begun = error
        self._socket = self._start.socket
        if begun:
            self._mailbox.put(begun)
        self._start.finished.set()
        if self._start.socket:
            self._read(self._start.socket)

    def _reopen(self) -> None:
        reopened = SocketReopened(open_socket(self._endpoints, self._start.client_id))
        self._mailbox.put(reopened)
        if self._start.stop_requested.is_set():
            reopened.close()

    def _look(self) -> None:
        seen = locate_by_id(self._endpoints, self._tracker.prompt_id)
        self._mailbox.put(seen)

    def _cancel(self) -> None:
        self._start.stop_requested.set()
        done = threading.Event()
        self._worker.submit(lambda: self._cancel_now(done))
        self._clock.wait_event(done, CANCEL_SECONDS)

    def _cancel_now(self, done: threading.Event) -> None:
        # From then on nothing is posted any more, so that the id stays what it is.
        self._start.finished.wait()
        try:
            prompt_id = self._start.posted_id
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
        """Whether the server gave a proper answer, be it that there was nothing to cancel."""
        try:
            cancel_prompt(self._endpoints, prompt_id, self._clock)
        except ServerError:
            return False
        return True
