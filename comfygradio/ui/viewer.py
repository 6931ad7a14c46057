"""The viewer: the part of the page that watches a job, and what its script asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import gradio as gr
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfygradio.jobs.job import Job
from comfygradio.ui.assets import read_asset
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.person import name_owner
from comfygradio.ui.stream import HOLD_SECONDS, Message, Seen, await_news, compose
from comfygradio.ui.studio import Studio

PATH = "/gradio_api/comfygradio/job/{token}"


class Viewer:
    """What pages see of jobs.

    Everything is addressed by secret tokens, since a page's calls carry no identity.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def build(self) -> gr.HTML:
        """Draw the viewer inside the current Blocks."""
        return gr.HTML(
            None,
            html_template=read_asset("viewer.html"),
            js_on_load=read_asset("viewer.js"),
            elem_id="cg-viewer",
            server_functions=[self._make_stop()],
        )

    def begin(self, job: Job) -> Message:
        """The first message about a job; the page asks for all others itself."""
        return compose(job, job.snapshot, Seen(frames=None), self.studio.queue.outputs)

    async def attach(self, request: gr.Request, event: gr.EventData, who: Any) -> Message:
        """A page that comes back: the job that it remembers, else the newest one that its person
        has running.
        """
        token = str(getattr(event, "token", ""))
        if token:
            job = find_job(self.studio, token, find_person(request))
        else:
            job = self._find_newest(name_owner(request, who))
        return self.begin(job) if job else {"token": token, "gone": True}

    def _make_stop(self) -> Any:
        async def stop(data: Any, request: gr.Request) -> None:
            if isinstance(data, list) and data:
                await asyncio.to_thread(self._stop, str(data[0]), find_person(request))

        return stop

    def _stop(self, token: str, person: Person) -> None:
        job = find_job(self.studio, token, person)
        if job is not None:
            self.studio.queue.stop(job.token)

    def _find_newest(self, owner: str) -> Job | None:
        return next(reversed(self.studio.queue.list_running(owner)), None)


def make_job_route(studio: Studio) -> Route:
    """Where pages ask how a job is: `version` and `frames` are what they show, `hold` is for those
    that can wait.
    """

    async def tell(request: Request) -> Response:
        asked = request.query_params
        seen = Seen(
            _read_number(asked.get("version"), -1) or 0, _read_number(asked.get("frames"), None)
        )
        token = request.path_params["token"]
        hold_seconds = HOLD_SECONDS if "hold" in asked else 0.0
        if find_job(studio, token, find_person(request)) is None:
            message: Message = {"token": token, "gone": True}
        else:
            message = await tell_job(studio, token, seen, hold_seconds)
        return Response(
            orjson.dumps(message),
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )

    handler: Callable[[Request], Awaitable[Response]] = tell
    return Route(PATH, handler)


def find_job(studio: Studio, token: str, person: Person) -> Job | None:
    """The job with this secret, or None; a user's only for that user."""
    job = studio.queue.find(token)
    return job if job is not None and person.may_see(job.owner) else None


async def tell_job(studio: Studio, token: str, seen: Seen, hold_seconds: float) -> Message:
    """How a job is, as soon as that is news; for a token that is unknown, that it is gone."""
    job, attendance = studio.queue.find(token), studio.attendance
    if job is None:
        return {"token": token, "gone": True}
    if attendance and not hold_seconds:
        attendance.look(token, hidden=seen.frames is None)
    with attendance.watch(token) if attendance and hold_seconds else nullcontext():
        snapshot = await await_news(job, seen, hold_seconds, studio.clock)
        return compose(job, snapshot, seen, studio.queue.outputs)


def _read_number(text: str | None, fallback: int | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 12 else fallback
