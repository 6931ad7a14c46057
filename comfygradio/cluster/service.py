"""The worker's side of a backend: calls of apps come in through Dask actors, and are answered by a
ComfyClient on the same machine.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.codec import CHUNK_BYTES, News, Notice, Piece, pack_outcome
from comfygradio.cluster.files import TransferFiles
from comfygradio.cluster.followed_run import FollowedRun
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ComfyGradioError, ServerUnreachable, UnexpectedResponse

PLUGIN = "comfygradio"
"""The name of the worker plugin that has the service."""

CLIENT_METHODS = (
    *("sight", "cancel", "queue_remaining", "clear_queue", "interrupt", "free"),
    *("object_info", "embeddings", "system_stats"),
)
"""Methods of the client that apps call as they are."""

THREADS = 16
"""Calls that are answered at once; those of a run wait for its news."""


class BackendService:
    """Answers calls about one ComfyUI, which the cluster calls `url`. Thread-safe."""

    def __init__(
        self,
        client: ComfyClient,
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
        url: str = "",
    ) -> None:
        self.client = client
        self._url = url or client.url
        self.trouble = ""
        """Why the server cannot be used, in a sentence; "" while it answers."""
        self.is_leaving = False
        self._intervals = intervals
        self._clock = clock
        self._files = TransferFiles(intervals, clock)
        self._runs: dict[str, FollowedRun] = {}
        self._lock = threading.Lock()
        self._began = clock.time()
        self._news = asyncio.Event()
        self._pool = ThreadPoolExecutor(THREADS, "comfygradio-call")
        self._methods: Mapping[str, Callable[..., Any]] = {
            **{name: getattr(client, name) for name in CLIENT_METHODS},
            "begin": self.begin,
            "tell": self.tell,
            "end": self.end,
            "put": self._files.put,
            "open": self.open,
            "read": self._files.read,
            "drop": self._files.drop,
        }

    @property
    def running(self) -> int:
        """How many prompts are followed."""
        return len(self._runs)

    async def answer(self, method: str, *arguments: Any) -> bytes:
        """The packed outcome of a method, called in a thread; never raises."""
        call = functools.partial(self._call, method, *arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, pack_outcome, call)

    async def watch(self, seen: Any) -> bytes:
        """The packed notice as soon as it differs from what was `seen`, or after a while."""
        if self._describe() == seen:
            await self._clock.wait_async(self._news, self._intervals.ask)
        return pack_outcome(self._describe)

    def announce(self) -> None:
        """Wake everybody who watches; on the event loop."""
        self._news.set()
        self._news = asyncio.Event()

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

    def begin(
        self,
        prompt: Prompt,
        client_id: str | None,
        prompt_id: str,
        may_exist: bool,
        weights: Mapping[str, float],
    ) -> None:
        """Run a prompt, or take it up again; whoever followed it before is forgotten.

        The path of an upload is the ticket of its file here.
        """
        if self.is_leaving:
            raise ServerUnreachable("The worker beside this ComfyUI is being stopped.")
        before = self._runs.get(prompt_id)
        if before is not None:
            before.end("let go")
        tickets = [str(upload.path) for upload in prompt.uploads]
        uploads = [
            replace(upload, path=self._files.find(ticket))
            for upload, ticket in zip(prompt.uploads, tickets, strict=True)
        ]
        states = self.client.run(
            replace(prompt, uploads=tuple(uploads)),
            client_id=client_id,
            prompt_id=prompt_id,
            may_exist=may_exist or before is not None,
            weights=weights,
        )
        run = FollowedRun(states, lambda: self._drop_files(tickets), self._intervals, self._clock)
        with self._lock:
            self._runs[prompt_id] = run

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
        ticket = self._files.reserve()
        path = self._files.find(ticket)
        try:
            self.client.download(path, filename, subfolder, type, LimitedDownload())
        except BaseException:
            self._files.drop(ticket)
            raise
        data = self._files.read(ticket, 0)
        size = path.stat().st_size
        if size > CHUNK_BYTES:
            return Piece(data, size, ticket)
        self._files.drop(ticket)
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
        self._files.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, method: str, *arguments: Any) -> Any:
        work = self._methods.get(method)
        if work is None:
            raise UnexpectedResponse(
                "The worker does not know what is asked of it; does it run the same comfygradio?"
            )
        return work(*arguments)

    def _describe(self) -> Notice:
        return Notice("", self._url, self.trouble, self.is_leaving, self._began)

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

    def _drop_files(self, tickets: Sequence[str]) -> None:
        for ticket in tickets:
            self._files.drop(ticket)


class BackendActor:
    """One app's access to the service of a worker: Dask creates it there, calls its methods there,
    and drops it when the app is gone.

    The methods are coroutines, which Dask awaits on the worker's event loop; plain methods would
    run one after the other in a single thread, where a slow ComfyUI holds up everything. There is
    one for all calls because a method that an actor lacks, as in another version of this class,
    would keep the caller waiting for ever.
    """

    def __init__(self, service: BackendService | None = None) -> None:
        self._service = service or _find_service()

    async def ping(self) -> None:
        """Answer at once, whatever else goes on."""

    async def watch(self, seen: Any) -> bytes | None:
        """How the backend is, as soon as that differs from what was `seen`; None where the worker
        stands beside no ComfyUI.
        """
        if self._service is None:
            return None
        return await self._service.watch(seen)

    async def call(self, method: str, *arguments: Any) -> bytes | None:
        """The packed outcome of a method of the service; None where there is none."""
        if self._service is None:
            return None
        return await self._service.answer(method, *arguments)


def _find_service() -> BackendService | None:
    """That of the worker in which this runs."""
    from distributed import get_worker

    plugin = get_worker().plugins.get(PLUGIN)
    if plugin is None:
        return None
    service: BackendService = plugin.service
    return service
