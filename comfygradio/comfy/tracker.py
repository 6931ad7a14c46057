"""Track one prompt as a state machine without I/O: messages in, PromptProgress out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygradio.comfy.failures import (
    clean_text,
    describe_failure,
    describe_node_errors,
    name_node,
    read_titles,
)
from comfygradio.comfy.graph_progress import GraphProgress, NodeTimeLeft, divide, guess_outputs
from comfygradio.comfy.http_responses import HistoryEntry, QueuedPrompt
from comfygradio.comfy.messages import (
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    Message,
    PreviewFrame,
    Progress,
    ProgressState,
    ProgressText,
    Status,
    may_be_result,
)
from comfygradio.comfy.outputs import FileSource, Output, decide_kind, parse_outputs
from comfygradio.comfy.prompt_progress import Preview, PromptProgress, Stage
from comfygradio.errors import JobError, JobInterrupted

SOCKET_SAVER = "SaveImageWebsocket"
BLOCKED = "ExecutionBlocked"
NO_RESULT = (
    "It ended well, and ComfyUI tells of no result: what its output nodes made is on its machine."
)
MAX_TEXT_LENGTH = 200
"""Maximum number of characters of a node's progress text."""


class PromptTracker:
    """Follows one prompt through messages and history.

    If `shown` is given, only the results of these nodes count. `weights` maps node ids to the
    seconds they took in earlier runs.
    """

    def __init__(
        self,
        graph: Mapping[str, Any],
        prompt_id: str,
        shown: Sequence[str] = (),
        source: FileSource | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.prompt_id = prompt_id
        self.stage: Stage = "queued"
        self.queue_position: int | None = None
        self.failure: JobError | None = None
        self.succeeded = False
        self.closed = False
        self.gap = False
        """Set once messages may have been missed, so that only the history has all outputs."""
        self.is_answered = True
        """Whether the server answers, as the owner of this tracker reports it."""
        self.now = 0.0
        """Seconds on the clock of the messages: the time of the newest one, or later if the owner
        advances it.
        """
        self._titles = read_titles(graph)
        self._classes = _read_classes(graph)
        self._shown = frozenset(shown)
        self._source = source
        self._progress = GraphProgress(graph, weights)
        self._time_left = NodeTimeLeft()
        # No `executed` reports a node that sends its pictures over the socket.
        self._expected = guess_outputs(graph).difference(self._find_class(SOCKET_SAVER))
        """Ids of the nodes whose outputs have to be seen before the messages prove success."""
        self._outputs: dict[str, tuple[Output, ...]] = {}
        self._lacks_results = False
        """Whether expected results are missing."""
        self._node: str | None = None
        self._cached: tuple[str, ...] = ()
        self._begun: float | None = None
        """When the running node started; None if that was missed."""
        self._seconds: dict[str, float] = {}
        self._step: int | None = None
        self._steps: int | None = None
        self._has_stepped = False
        self._preview: Preview | None = None
        self._preview_count = 0
        self._text = ""
        self._warnings: dict[str, None] = {}

    @property
    def done(self) -> bool:
        """Whether the job ended successfully."""
        return self.stage == "done"

    @property
    def complete(self) -> bool:
        """Whether the messages alone prove success: closed, successful, and every expected output
        seen.
        """
        if self.gap or not self.closed or not self.succeeded:
            return False
        return self._expected <= self._outputs.keys()

    @property
    def awaits_socket_images(self) -> bool:
        """Whether pictures that no history contains may still arrive: the graph has a node that
        sends them, no message was missed, and none reported the end.
        """
        has_ended = self.succeeded or self.closed or self.failure
        if self.gap or has_ended:
            return False
        return bool(self._find_socket_savers())

    @property
    def state(self) -> PromptProgress:
        """The current progress of the job."""
        node_id = None if self.done else self._node
        title: str | None = None
        node_class: str | None = None
        if node_id is not None:
            title = self._titles.get(node_id, node_id)
            node_class = self._classes.get(node_id)
        return PromptProgress(
            prompt_id=self.prompt_id,
            status=self.stage,
            queue_position=self.queue_position if self.stage == "queued" else None,
            progress=1.0 if self.done else self._progress.fraction,
            node=title,
            node_id=node_id,
            node_class=node_class,
            step=self._step,
            steps=self._steps,
            has_stepped=self._has_stepped,
            is_answered=self.is_answered,
            preview=self._preview,
            preview_count=self._preview_count,
            outputs=self._list_shown(),
            text=self._text,
            node_seconds=dict(self._seconds),
            cached=self._cached,
            warnings=tuple(self._warnings),
            seconds_left=self._estimate(),
        )

    def accept(self, queued: QueuedPrompt) -> None:
        """Record that the server accepted the prompt, and take over its id: servers before v0.3.45
        choose their own.
        """
        self.prompt_id = queued.prompt_id
        if self.stage == "uploading":
            self.stage = "queued"
        for sentence in describe_node_errors(queued.node_errors, self._titles):
            self._lacks_results = True
            self.warn(f"Not everything runs. {sentence}")

    def mark_gap(self) -> None:
        """Record that messages may be missed from now on, such as the one that ends the running
        node.
        """
        self.gap = True
        self._begun = None

    def warn(self, sentence: str) -> None:
        """Add a warning for the person, unless it is there already."""
        self._warnings[sentence] = None

    def retract_warning(self, sentence: str) -> None:
        """Remove a warning that no longer applies."""
        self._warnings.pop(sentence, None)

    def finish(self) -> None:
        """Record that the job ended successfully."""
        self.stage = "done"
        self.closed = True
        self.succeeded = True
        # Where results are known to be missing, another warning says why.
        if not self._lacks_results and not self._list_shown():
            self.warn(NO_RESULT)

    def mark_running(self) -> None:
        """Record that the prompt has left the queue."""
        if self.stage != "done":
            self.stage = "running"

    def apply_history(self, entry: HistoryEntry) -> None:
        """Take the end and the outputs from the history, which is authoritative."""
        by_node: dict[str, list[Output]] = {}
        for output in entry.outputs:
            made = by_node.setdefault(output.node_id, [])
            made.append(output)
        for node, made in by_node.items():
            self._replace_outputs(node, made)
        # A prompt may succeed in spite of a blocked node.
        may_have_failed = entry.status != "success"
        for message in entry.messages:
            if isinstance(message, ExecutionCached):
                self._cached = message.nodes
            elif may_have_failed and isinstance(message, ExecutionError | ExecutionInterrupted):
                self._note_error(message)
        if self.failure is None and entry.status == "error":
            self.failure = JobInterrupted("The job was stopped.", self.prompt_id)
        if self.failure is None:
            self._warn_of_missed_images()
            self.finish()

    def _replace_outputs(self, node: str, made: Sequence[Output]) -> None:
        # What a node expanded into (5.0.2 of node 5) is in the history as its own.
        for key in list(self._outputs):
            if key.startswith(f"{node}."):
                del self._outputs[key]
        self._outputs[node] = tuple(made)

    def apply(self, message: Message, at: float, replaced: int = 0) -> bool:
        """Apply a message received at `at` seconds, which replaced that many older ones of its key.

        Returns False if it does not belong to this prompt.
        """
        # A message may have waited in the inbox while the owner advanced the time.
        self.now = max(self.now, at)
        if isinstance(message, PreviewFrame):
            return self._take_frame(message, replaced)
        if isinstance(message, ProgressText):
            return self._take_text(message)
        if isinstance(message, Status):
            return self._take_status(message)
        # After a reconnect the server names the node that runs, but not its prompt.
        is_catch_up = self.gap and isinstance(message, Executing) and message.prompt_id is None
        if message.prompt_id != self.prompt_id and not is_catch_up:
            return False
        self._follow(message, at)
        # It started while nobody was listening, so its duration is unknown.
        if is_catch_up:
            self._begun = None
        return True

    def _follow(self, message: Message, at: float) -> None:
        match message:
            case ExecutionStart():
                self.mark_running()
            case ExecutionCached():
                self.mark_running()
                self._cached = message.nodes
                self._progress.skip_cached(message.nodes)
            case Executing():
                self._switch(message.display_node, at)
            case Progress():
                self._count(message, at)
            case ProgressState():
                self.mark_running()
                self._progress.apply_snapshot(message.nodes)
            case Executed():
                outputs = parse_outputs(message.display_node, message.output, self._source)
                self._outputs[message.node] = outputs
                # A node counts as seen once anything that it expanded into has reported.
                self._outputs.setdefault(message.display_node, ())
            case ExecutionSuccess():
                self.mark_running()
                self.succeeded = True
            case ExecutionError() | ExecutionInterrupted():
                self._note_error(message)

    def _switch(self, node: str | None, at: float) -> None:
        if self._node is not None and self._begun is not None:
            # A node may run in several parts, when it
            # expands into others or waits for a lazy input.
            seconds = max(at - self._begun, 0.0)
            self._seconds[self._node] = self._seconds.get(self._node, 0.0) + seconds
        # After a reconnect, the node that runs is named again.
        if node != self._node:
            self._leave_node(at)
        self._node = node
        self._begun = at
        if node is None:
            self.closed = True
        else:
            self.mark_running()
            self._progress.begin(node)

    def _leave_node(self, at: float) -> None:
        if self._node is not None:
            self._progress.advance(self._node, 1.0)
        self._step = None
        self._steps = None
        self._text = ""
        self._time_left.begin(at)

    def _count(self, message: Progress, at: float) -> None:
        self.mark_running()
        node = message.node
        fraction = divide(message.value, message.max)
        if node is None or self._is_current(node):
            self._step = int(message.value)
            self._steps = int(message.max)
            if self._steps > 1:
                self._has_stepped = True
            self._time_left.report(fraction, at)
        if node is not None and fraction > 0:
            self._progress.advance(node, fraction)
            self._progress.complete_upstream(node)

    def _is_current(self, node: str) -> bool:
        """Whether this is the running node, or one that it expanded into."""
        return self._node in (node, _find_parent(node))

    def _estimate(self) -> float | None:
        """Estimate the seconds left. Returns None unless the prompt runs on a server that answers,
        earlier runs are known, and the running node is known.
        """
        if not self.is_answered:
            return None
        if self.stage != "running" or not self._progress.has_timings:
            return None
        # Messages were missed, and none has named the running node since.
        if self.gap and self._node is None:
            return None
        current = 0.0
        if self._node:
            usual = self._progress.node_weight(self._node)
            current = self._time_left.estimate(usual, self.now)
        return current + self._progress.remaining_weight(besides=self._node)

    def _take_frame(self, frame: PreviewFrame, replaced: int) -> bool:
        if frame.prompt_id not in (None, self.prompt_id):
            return False
        # Frames without metadata also come from prompts without a client_id, which are broadcast.
        if frame.prompt_id is None and self._node is None:
            return False
        node = frame.node or self._node
        if node is not None and self._is_result(node, frame):
            self._keep_socket_image(node, frame)
            return True
        self._preview = Preview(frame.data, frame.mime, node)
        self._preview_count += 1 + replaced
        return True

    def _is_result(self, node: str, frame: PreviewFrame) -> bool:
        """Whether a frame is a finished picture, and not a preview."""
        if self._classes.get(node) != SOCKET_SAVER:
            return False
        return may_be_result(frame)

    def _keep_socket_image(self, node: str, frame: PreviewFrame) -> None:
        made = self._outputs.get(node, ())
        number = len(made) + 1
        name = f"{node}_{number:05}.png"
        output = Output(
            node,
            decide_kind(name),
            name,
            type="",
            data=frame.data,
            source=self._source,
        )
        self._outputs[node] = (*made, output)

    def _find_socket_savers(self) -> list[str]:
        """List the shown nodes that deliver pictures only over the socket."""
        savers = self._find_class(SOCKET_SAVER)
        if not self._shown:
            return savers
        return [key for key in savers if key in self._shown]

    def _find_class(self, class_type: str) -> list[str]:
        """List the nodes of a class."""
        return [key for key, name in self._classes.items() if name == class_type]

    def _warn_of_missed_images(self) -> None:
        """Warn about pictures that only the socket delivers, if they were missed."""
        if not self.gap and (self.succeeded or self.closed):
            return
        for key in self._find_socket_savers():
            if key not in self._outputs:
                self._lacks_results = True
                name = name_node(self._titles, key, SOCKET_SAVER)
                self.warn(f"{name} sends its pictures only live; they were missed.")

    def _take_text(self, message: ProgressText) -> bool:
        # Texts name no prompt and go to every client.
        if self._node is None or _find_parent(message.node) != _find_parent(self._node):
            return False
        self._text = clean_text(message.text, MAX_TEXT_LENGTH)
        return True

    def _take_status(self, message: Status) -> bool:
        """Set the queue position if exactly one prompt remains, which is then ours."""
        if self.stage != "queued" or self.queue_position is not None or message.sid:
            return False
        # Of more prompts, only the queue tells the order: the message may have been sent before
        # this one was queued.
        if message.queue_remaining != 1:
            return False
        self.queue_position = 0
        return True

    def _note_error(self, message: ExecutionError | ExecutionInterrupted) -> None:
        name = name_node(self._titles, message.node_id, message.node_type)
        if isinstance(message, ExecutionInterrupted):
            where = f" at {name}" if message.node_id else ""
            self.failure = JobInterrupted(f"The job was stopped{where}.", self.prompt_id)
        elif message.exception_type == BLOCKED:
            # The prompt goes on without what depends on this node.
            reason = clean_text(message.exception_message).removeprefix("Execution Blocked: ")
            self._lacks_results = True
            self.warn(f"{name} was skipped: {reason}")
        else:
            self.failure = describe_failure(
                self._titles,
                self.prompt_id,
                message.node_id,
                message.node_type,
                message.exception_type,
                message.exception_message,
            )

    def _list_shown(self) -> tuple[Output, ...]:
        shown: list[Output] = []
        for made in self._outputs.values():
            for output in made:
                if self._is_shown(output):
                    shown.append(output)
        return tuple(shown)

    def _is_shown(self, output: Output) -> bool:
        if not self._shown or output.node_id in self._shown:
            return True
        return _find_parent(output.node_id) in self._shown


def _read_classes(graph: Mapping[str, Any]) -> dict[str, str]:
    classes: dict[str, str] = {}
    for key, node in graph.items():
        if isinstance(node, dict):
            classes[str(key)] = str(node.get("class_type"))
    return classes


def _find_parent(node: str) -> str:
    """Find the node of the graph that expanded into this one (`5` of `5.0.2`), or the node
    itself.
    """
    return node.partition(".")[0]
