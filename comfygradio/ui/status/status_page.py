"""The Status page, for operators: how the servers are, what waits, and what can be
done about it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gradio as gr

from comfygradio.clock import Clock
from comfygradio.errors import ComfyGradioError
from comfygradio.jobs.backend import Backend, BackendStatus
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.status.operator_access import OperatorAccess
from comfygradio.ui.status.status_text import (
    Json,
    describe_server,
    describe_waiting,
    list_unusable_forms,
)

STATUS_THREADS = 32
"""So many servers are looked at at once, on threads of their own: silent ones keep them for a
while.
"""

ANSWER_SECONDS = 3.0
"""A server that has not answered for so long is shown as one that does not; its answer may still
come.
"""

STOP_SECONDS = 3.0
"""How long a job of ours that is taken out of a server's queue may take to end."""

QUICK: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

DENIED: Json = {"denied": True}


def build_status(blocks: gr.Blocks, service: Service, operators: OperatorAccess) -> None:
    """Draw the Status page inside the current Blocks; it stays empty, and the way to it hidden, for
    everybody else.
    """
    status = StatusPage(service, operators)
    way = gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=read_asset("status_way.js"),
        elem_id="cg-status-way",
    )
    gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=f"{read_asset('author.js')}\n{read_asset('status.js')}",
        server_functions=[status.make_look(), status.make_act()],
        elem_id="cg-status",
        elem_classes="cg-page-status",
    )
    blocks.load(status.issue_token, None, way, **QUICK)


class StatusPage:
    """What the Status page calls; every call has to bring a token of an operator's page."""

    def __init__(self, service: Service, operators: OperatorAccess) -> None:
        self._service = service
        self._operators = operators
        self._lookers = ThreadPoolExecutor(STATUS_THREADS, "comfygradio-look")
        self._pending_checks: dict[str, asyncio.Future[BackendStatus]] = {}
        self._verbs: Mapping[str, Callable[[Backend], str]] = {
            "free": free_memory,
            "interrupt": interrupt,
            "clear": self._clear,
        }

    def issue_token(self, request: gr.Request) -> Json:
        """The token for an operator's page, nothing for anybody else's."""
        token = self._operators.issue(find_person(request))
        return {"token": token} if token else {}

    def make_look(self) -> Any:
        """The server function that tells how everything is: `[token]`."""

        async def look(data: Any, request: gr.Request) -> Json:
            if not self._is_operator(data, request):
                return DENIED
            queue = self._service.queue
            servers = await asyncio.gather(*(self._describe(backend) for backend in queue.backends))
            waiting = describe_waiting(queue.count_waiting(), self._operators.salt)
            return {"servers": servers, "waiting": waiting, "trouble": queue.trouble}

        return look

    def make_act(self) -> Any:
        """The server function that does something: `[token, verb, address]`, the address "" for all
        that waits here.
        """

        async def act(data: Any, request: gr.Request) -> Json:
            if not self._is_operator(data, request):
                return DENIED
            # What is missing counts as "".
            given = [*data[1:3], "", ""]
            verb = str(given[0])
            url = str(given[1])
            try:
                return {"done": await asyncio.to_thread(self._act, verb, url)}
            except ComfyGradioError as error:
                return {"error": str(error)}

        return act

    def _is_operator(self, data: Any, request: gr.Request) -> bool:
        if not isinstance(data, list) or not data:
            return False
        return self._operators.recognise(data[0], find_person(request))

    def _act(self, verb: str, url: str) -> str:
        if verb == "stop" and not url:
            count = self._service.queue.stop_waiting()
            if count == 1:
                return "1 waiting job was stopped."
            return f"{count} waiting jobs were stopped."
        named = (backend for backend in self._service.queue.backends if backend.url == url)
        backend = next(named, None)
        if backend is None or verb not in self._verbs:
            raise ComfyGradioError("This server is not among ours any more; reload this page.")
        return self._verbs[verb](backend)

    def _clear(self, backend: Backend) -> str:
        """Jobs of ours are stopped first, lest they count as lost and are posted again."""
        jobs = [job for job in self._service.queue.list_submitted(backend) if not _runs(job)]
        for job in jobs:
            self._service.queue.stop(job.token)
        for job in jobs:
            _wait_until_over(job, STOP_SECONDS, self._service.clock)
        backend.client.clear_queue()
        return "Nothing waits on this server any more."

    async def _describe(self, backend: Backend) -> Json:
        """How a server is; one that is slow to answer is asked once, however many pages ask."""
        running = self._service.queue.count_running(backend)
        look = self._pending_checks.get(backend.url)
        if look is None or look.done():
            loop = asyncio.get_running_loop()
            look = loop.run_in_executor(self._lookers, backend.fetch_status, running)
            self._pending_checks[backend.url] = look
        await self._await_answer(look)
        if look.done():
            status = look.result()
        else:
            trouble = f"It has not answered for {ANSWER_SECONDS:g} seconds."
            status = BackendStatus(backend.url, False, trouble, running)
        return describe_server(status, list_unusable_forms(backend, self._service.forms))

    async def _await_answer(self, look: asyncio.Future[BackendStatus]) -> None:
        """Wait for the answer of a server, at most so long; cancels nothing."""
        answered = asyncio.Event()

        def tell(answer: asyncio.Future[BackendStatus]) -> None:
            answered.set()

        look.add_done_callback(tell)
        try:
            await self._service.clock.wait_async(answered, ANSWER_SECONDS)
        finally:
            look.remove_done_callback(tell)


def free_memory(backend: Backend) -> str:
    """Unload a server's models; returns what to say about it."""
    backend.client.free()
    return "The server unloads its models as soon as nothing runs."


def interrupt(backend: Backend) -> str:
    """Stop what a server runs, whoever it belongs to; returns what to say about it."""
    backend.client.interrupt()
    return "What was running is stopped."


def _runs(job: Job) -> bool:
    state = job.snapshot.state
    return state is not None and state.status == "running"


def _wait_until_over(job: Job, seconds: float, clock: Clock) -> None:
    over = threading.Event()

    def tell() -> None:
        if job.snapshot.is_over:
            over.set()

    unlisten = job.listen(tell)
    try:
        if not job.snapshot.is_over:
            clock.wait_event(over, seconds)
    finally:
        unlisten()
