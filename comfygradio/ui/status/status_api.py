"""The functions that the Servers page calls: to see the servers and what waits, to stop jobs, and
to free memory.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import gradio as gr

from comfygradio.clock import Clock
from comfygradio.errors import ComfyGradioError
from comfygradio.jobs.backend import Backend, BackendStatus
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service
from comfygradio.ui.identity.page_function import PageFunction, make_operator_function
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import OperatorAccess
from comfygradio.ui.status.status_text import (
    Json,
    describe_server,
    describe_waiting,
    list_unusable_forms,
)

STATUS_THREADS = 32
"""How many servers are asked at the same time; a silent server keeps its thread busy for long."""

ANSWER_SECONDS = 3.0
"""A server that has not answered for this long is shown as not answering; the request goes on."""

STOP_SECONDS = 3.0
"""How long to wait for a job of ours to end before a server's queue is cleared."""


class StatusApi:
    """The functions of the page; each answers only the pages of operators."""

    def __init__(self, service: Service, operators: OperatorAccess) -> None:
        self._service = service
        self._operators = operators
        self._threads = ThreadPoolExecutor(STATUS_THREADS, "comfygradio-look")
        self._pending_checks: dict[str, asyncio.Future[BackendStatus]] = {}
        self._verbs: Mapping[str, Callable[[Backend], str]] = {
            "free": free_memory,
            "interrupt": interrupt,
            "clear": self._clear,
        }

    def issue_token(self, request: gr.Request) -> Json:
        """Issue a token to an operator's page, and nothing to anybody else's."""
        token = self._operators.issue(find_person(request))
        return {"token": token} if token else {}

    def list_functions(self) -> list[PageFunction]:
        """List what the page's script calls."""
        methods = (self.look, self.act)
        return [make_operator_function(method, self._operators) for method in methods]

    async def look(self) -> Json:
        """Describe the servers and what waits."""
        queue = self._service.queue
        descriptions = [self._describe(backend) for backend in queue.backends]
        servers = await asyncio.gather(*descriptions)
        waiting = queue.count_waiting()
        return {
            "servers": servers,
            "waiting": describe_waiting(waiting, self._operators.salt),
            "trouble": queue.trouble,
        }

    async def act(self, verb: str = "", url: str = "") -> Json:
        """Act on the server at an address, or with "" as the address on the jobs that wait here.

        Raises ComfyGradioError.
        """
        done = await asyncio.to_thread(self._act, verb, url)
        return {"done": done}

    def _act(self, verb: str, url: str) -> str:
        """Do what an operator asks for; return what to say about it."""
        if verb == "stop" and not url:
            count = self._service.queue.stop_waiting()
            if count == 1:
                return "1 waiting job was stopped."
            return f"{count} waiting jobs were stopped."
        backend = self._find_backend(url)
        if backend is None or verb not in self._verbs:
            raise ComfyGradioError("This server is not among ours any more; reload this page.")
        act = self._verbs[verb]
        return act(backend)

    def _find_backend(self, url: str) -> Backend | None:
        for backend in self._service.queue.backends:
            if backend.url == url:
                return backend
        return None

    def _clear(self, backend: Backend) -> str:
        """Clear a server's queue; return what to say about it.

        Jobs of ours are stopped first: otherwise they would be taken for lost, and posted again.
        """
        queue = self._service.queue
        waiting = [job for job in queue.list_submitted(backend) if not _is_running(job)]
        for job in waiting:
            queue.stop(job.token)
        for job in waiting:
            _wait_until_over(job, STOP_SECONDS, self._service.clock)
        backend.client.clear_queue()
        return "Nothing waits on this server any more."

    async def _describe(self, backend: Backend) -> Json:
        """Describe a server. While it does not answer, further pages wait for the same request."""
        running = self._service.queue.count_running(backend)
        check = self._pending_checks.get(backend.url)
        if check is None or check.done():
            loop = asyncio.get_running_loop()
            check = loop.run_in_executor(self._threads, backend.fetch_status, running)
            self._pending_checks[backend.url] = check
        await self._wait_for(check)
        if check.done():
            status = check.result()
        else:
            trouble = f"It has not answered for {ANSWER_SECONDS:g} seconds."
            status = BackendStatus(backend.url, False, trouble, running)
        unusable = list_unusable_forms(backend, self._service.forms)
        return describe_server(status, unusable)

    async def _wait_for(self, check: asyncio.Future[BackendStatus]) -> None:
        """Wait at most ANSWER_SECONDS for a server's answer; the request is not cancelled."""
        answered = asyncio.Event()

        def note_answer(answer: asyncio.Future[BackendStatus]) -> None:
            answered.set()

        check.add_done_callback(note_answer)
        try:
            await self._service.clock.wait_async(answered, ANSWER_SECONDS)
        finally:
            check.remove_done_callback(note_answer)


def free_memory(backend: Backend) -> str:
    """Unload a server's models; return what to say about it."""
    backend.client.free()
    return "The server unloads its models as soon as nothing runs."


def interrupt(backend: Backend) -> str:
    """Stop what a server runs, whoever started it; return what to say about it."""
    backend.client.interrupt()
    return "What was running is stopped."


def _is_running(job: Job) -> bool:
    state = job.snapshot.state
    if state is None:
        return False
    return state.status == "running"


def _wait_until_over(job: Job, seconds: float, clock: Clock) -> None:
    over = threading.Event()

    def note_end() -> None:
        if job.snapshot.is_over:
            over.set()

    unlisten = job.listen(note_end)
    try:
        if not job.snapshot.is_over:
            clock.wait_event(over, seconds)
    finally:
        unlisten()
