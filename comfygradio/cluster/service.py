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
from comfygradio.cluster.codec import (
    CHUNK_BYTES,
    DETACH,
    HAND_BACK,
    News,
    Notice,
    Piece,
    pack_outcome,
)
from comfygradio.cluster.files import TransferFiles
from comfygradio.cluster.followed_run import FollowedRun
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import ComfyGradioError, ServerUnreachable, UnexpectedResponse

PLUGIN = "comfygradio"
"""The name of the worker plugin that has the service."""

CLIENT_METHODS = (
    "sight",
    "cancel",
    "queue_remaining",
    "clear_queue",
    "interrupt",
    "free",
    "object_info",
    "embeddings",
    "model_files",
    "model_preview",
    "system_stats",
)
"""Methods of the client that apps call as they are."""

THREADS = 16
"""Calls that are answered at the same time; those about a run wait for a new state."""


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
            "open": self.fetch_file,
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
        """Return the packed notice as soon as it differs from the `seen` one, or after a while."""
        notice = self._describe()
        if notice == seen:
            await self._clock.wait_async(self._news, self._intervals.ask)
        return pack_outcome(self._describe)

    def announce(self) -> None:
        """Wake everybody who watches. Call it on the event loop."""
        self._news.set()
        # Later watchers wait for the next one.
        self._news = asyncio.Event()

    def look(self) -> None:
        """Check that the server answers, and detach from runs that no app asks about."""
        try:
            self.client.queue_remaining()
            self.trouble = ""
        except ComfyGradioError as error:
            self.trouble = str(error)
        now = self._clock.monotonic()
        for prompt_id, run in list(self._runs.items()):
            # An app that is there asks again and again, also about a run without news.
            is_abandoned = now - run.asked_at > self._intervals.lease
            if is_abandoned:
                with suppress(ServerUnreachable):
                    self.end(prompt_id, DETACH)

    def begin(
        self,
        prompt: Prompt,
        client_id: str | None,
        prompt_id: str,
        may_exist: bool,
        weights: Mapping[str, float],
    ) -> None:
        """Run a prompt, or follow it again; an earlier run of it is ended first.

        The path of an upload is the ticket of its file here.
        """
        if self.is_leaving:
            raise ServerUnreachable("The worker beside this ComfyUI is being stopped.")
        before = self._runs.get(prompt_id)
        if before is not None:
            before.end(DETACH)
            # That run has posted the prompt, or is just about to.
            may_exist = True
        tickets: list[str] = []
        uploads: list[Upload] = []
        for upload in prompt.uploads:
            ticket = str(upload.path)
            path = self._files.find(ticket)
            tickets.append(ticket)
            uploads.append(replace(upload, path=path))
        states = self.client.run(
            replace(prompt, uploads=tuple(uploads)),
            client_id=client_id,
            prompt_id=prompt_id,
            may_exist=may_exist,
            weights=weights,
        )
        clean_up = functools.partial(self._drop_files, tickets)
        run = FollowedRun(states, clean_up, self._intervals, self._clock)
        with self._lock:
            self._runs[prompt_id] = run

    def tell(self, prompt_id: str, seen: int, previews: int) -> News:
        """Wait for news of a run. A run that is over is reported once and then forgotten."""
        run = self._find(prompt_id)
        news = run.tell(seen, previews)
        if news.is_over:
            self._drop(prompt_id, run)
        return news

    def end(self, prompt_id: str, wish: str) -> None:
        """End a run: `CANCEL` its prompt, or `DETACH` from it."""
        run = self._runs.get(prompt_id)
        if run is not None:
            run.end(wish)
            self._drop(prompt_id, run)

    def fetch_file(self, filename: str, subfolder: str, type: str) -> Piece:
        """Fetch a whole file from the server. Returns its first chunk, with a ticket for the rest
        if it is longer.
        """
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
        """Accept no more prompts, and cancel the running ones, so that they run elsewhere."""
        # From now on `begin` refuses, so that the list of runs cannot grow.
        self.is_leaving = True
        for run in list(self._runs.values()):
            with suppress(ServerUnreachable):
                run.end(HAND_BACK)

    def close(self) -> None:
        """Detach from all runs, which go on on the server, and close the client."""
        self.is_leaving = True
        for run in list(self._runs.values()):
            with suppress(ServerUnreachable):
                # The worker is ending: it does not wait for a ComfyUI that does not answer.
                run.end(DETACH, seconds=1.0)
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
        return Notice(
            address="",  # the app knows it
            url=self._url,
            trouble=self.trouble,
            is_leaving=self.is_leaving,
            began=self._began,
        )

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
            current = self._runs.get(prompt_id)
            if current is run:
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
        if service is None:
            service = _find_service()
        self._service = service

    async def ping(self) -> None:
        """Answer at once, whatever else goes on."""

    async def watch(self, seen: Any) -> bytes | None:
        """Return the packed notice as soon as it differs from the `seen` one.

        Returns None if the worker has no ComfyUI.
        """
        if self._service is None:
            return None
        return await self._service.watch(seen)

    async def call(self, method: str, *arguments: Any) -> bytes | None:
        """Return the packed outcome of a method of the service; None if there is none."""
        if self._service is None:
            return None
        return await self._service.answer(method, *arguments)


def _find_service() -> BackendService | None:
    """Find the service of the worker in which this runs."""
    from distributed import get_worker

    plugin = get_worker().plugins.get(PLUGIN)
    if plugin is None:
        return None
    service: BackendService = plugin.service
    return service
