"""The worker's side of a lane: calls from apps are answered by a ComfyClient on the
same machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.runs import FollowedRun
from comfygradio.cluster.shelf import Shelf
from comfygradio.cluster.wire import CHUNK_BYTES, Ask, Call, News, Piece, pack_outcome, unpack
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import ComfyGradioError, ServerUnreachable, UnexpectedResponse

PASSED_ON = (
    *("sight", "cancel", "queue_remaining", "clear_queue", "interrupt", "free"),
    *("object_info", "embeddings", "system_stats"),
)
"""Methods of the client that are called as they are."""


class LaneService:
    """Answers calls about one ComfyUI. Thread-safe."""

    def __init__(
        self,
        client: ComfyClient,
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.client = client
        self.trouble = ""
        """Why the server cannot be used, in a sentence; "" while it answers."""
        self.is_leaving = False
        self._intervals = intervals
        self._clock = clock
        self._shelf = Shelf(intervals, clock)
        self._runs: dict[str, FollowedRun] = {}
        self._lock = threading.Lock()
        passed: Mapping[str, Callable[..., Any]] = {
            name: getattr(client, name) for name in PASSED_ON
        }
        self._methods: Mapping[str, Callable[..., Any]] = {
            **passed,
            "begin": self.begin,
            "tell": self.tell,
            "end": self.end,
            "put": self._shelf.put,
            "open": self.open,
            "read": self._shelf.read,
            "drop": self._shelf.drop,
        }

    @property
    def running(self) -> int:
        """How many prompts are followed."""
        return len(self._runs)

    def answer(self, request: bytes) -> bytes:
        """The answer to a packed call, packed; never raises."""
        return pack_outcome(lambda: self._call(unpack(request)))

    def look(self) -> None:
        """See how the server is, and let go of runs that nobody asks about."""
        try:
            self.client.queue_remaining()
            self.trouble = ""
        except ComfyGradioError as error:
            self.trouble = str(error)
        now = self._clock.monotonic()
        for prompt_id, run in list(self._runs.items()):
            is_abandoned = now - run.asked_at > self._intervals.lease
            if is_abandoned:
                with suppress(ServerUnreachable):
                    self.end(prompt_id, "let go")

    def begin(self, ask: Ask) -> None:
        """Run a prompt, or take it up again; whoever followed it before is forgotten."""
        if self.is_leaving:
            raise ServerUnreachable("The worker beside this ComfyUI is being stopped.")
        before = self._runs.get(ask.prompt_id)
        if before is not None:
            before.end("let go")
        uploads = []
        for ticket, name, slots in ask.files:
            uploads.append(Upload(self._shelf.find(ticket), name, slots))
        states = self.client.run(
            Prompt(ask.graph, tuple(uploads), ask.extra_pnginfo, ask.outputs),
            client_id=ask.client_id,
            prompt_id=ask.prompt_id,
            may_exist=ask.may_exist or before is not None,
            weights=ask.weights,
        )
        run = FollowedRun(states, lambda: self._drop_files(ask), self._intervals, self._clock)
        with self._lock:
            self._runs[ask.prompt_id] = run

    def tell(self, prompt_id: str, seen: int, previews: int) -> News:
        """How a run stands, as soon as there is something new; one that is over is told once."""
        run = self._find(prompt_id)
        news = run.tell(seen, previews)
        if news.is_over:
            self._drop(prompt_id, run)
        return news

    def end(self, prompt_id: str, wish: str) -> None:
        """Stop a run: "cancel" its prompt, or "let go" of it."""
        run = self._runs.get(prompt_id)
        if run is not None:
            run.end(wish)
            self._drop(prompt_id, run)

    def open(self, filename: str, subfolder: str, type: str) -> Piece:
        """The beginning of a file of the server, which is fetched whole."""
        ticket = self._shelf.reserve()
        path = self._shelf.find(ticket)
        try:
            self.client.download(path, filename, subfolder, type, LimitedDownload())
        except BaseException:
            self._shelf.drop(ticket)
            raise
        data = self._shelf.read(ticket, 0)
        size = path.stat().st_size
        if size > CHUNK_BYTES:
            return Piece(data, size, ticket)
        self._shelf.drop(ticket)
        return Piece(data, size)

    def hand_back(self) -> None:
        """Take nothing more, and cancel what runs, so that it is begun elsewhere."""
        self.is_leaving = True
        for run in list(self._runs.values()):
            with suppress(ServerUnreachable):
                run.end("hand back")

    def close(self) -> None:
        """Let go of everything; what the server runs goes on there."""
        self.is_leaving = True
        for run in list(self._runs.values()):
            with suppress(ServerUnreachable):
                run.end("let go", 1.0)
        self.client.close()
        self._shelf.close()

    def _call(self, call: Any) -> Any:
        method = self._methods.get(call.method) if isinstance(call, Call) else None
        if method is None:
            raise UnexpectedResponse(
                "The worker does not know what is asked of it; does it run the same comfygradio?"
            )
        return method(*call.arguments)

    def _find(self, prompt_id: str) -> FollowedRun:
        run = self._runs.get(prompt_id)
        if run is None:
            raise ServerUnreachable(
                "The worker beside this ComfyUI was started anew; the job is taken up again."
            )
        return run

    def _drop(self, prompt_id: str, run: FollowedRun) -> None:
        """Forget a run, unless another one of the same prompt has taken its place."""
        with self._lock:
            if self._runs.get(prompt_id) is run:
                del self._runs[prompt_id]

    def _drop_files(self, ask: Ask) -> None:
        for ticket, _, _ in ask.files:
            self._shelf.drop(ticket)
