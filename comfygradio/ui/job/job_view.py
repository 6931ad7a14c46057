"""The viewer: the part of the page that watches jobs, and what its script asks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import gradio as gr
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.job.job_feed import (
    MAX_JOBS,
    JobFeed,
    JobSelection,
    ShownState,
    make_update,
    select_jobs,
)
from comfygradio.ui.job.job_stream import JobStreams, Message, Tab, compose_message
from comfygradio.ui.job.job_text import is_out_of_memory

JOB_PATH = "/gradio_api/comfygradio/job/{token}"
STREAM_PATH = "/gradio_api/comfygradio/stream/{id}"

SCRIPTS = (
    "bar.js",
    "storage.js",
    "viewer_store.js",
    "viewer_paint.js",
    "viewer_jobs.js",
    "announce.js",
    "viewer.js",
    "keys.js",
    "focus.js",
)

SHRINK = 0.75
"""What each side is multiplied by where any size may be typed: a little more than half the pixels.
"""


class JobView:
    """What pages see of jobs.

    Everything is addressed by secret tokens, since a page's calls carry no identity.
    """

    def __init__(self, service: Service, job_streams: JobStreams) -> None:
        self.service = service
        self._job_streams = job_streams

    def build(self) -> gr.HTML:
        """Draw the viewer inside the current Blocks."""
        return gr.HTML(
            None,
            html_template=read_asset("viewer.html"),
            js_on_load="\n".join(read_asset(name) for name in SCRIPTS),
            elem_id="cg-viewer",
            server_functions=[self._make_stop()],
        )

    async def show(
        self, jobs: Sequence[Job], request: gr.Request, owner: str
    ) -> AsyncIterator[Message]:
        """Messages about jobs that were begun in a tab just now, until all of its jobs are over.

        Where the tab has a stream already, that one goes on with them, and none come here.
        """
        tab = (str(request.session_hash), owner)
        stream = self._job_streams.find_of_tab(tab)
        if stream is not None:
            stream.watch.change(stream.watch.view.add(jobs))
            return
        async for message in self._stream(select_jobs(jobs), tab):
            yield message

    async def attach(
        self, request: gr.Request, event: gr.EventData, who: Any
    ) -> AsyncIterator[Message]:
        """Messages for a page that comes back: about the jobs that it remembers, else about those
        that its person has running.
        """
        owner = find_owner(request, who)
        asked = getattr(event, "token", "")
        token = asked if isinstance(asked, str) else ""
        remembered = getattr(event, "tokens", None)
        tokens = remembered if isinstance(remembered, list) else []
        found = find_jobs(self.service, [*tokens, token], find_person(request))
        if not found and not token:
            found = list(self.service.queue.list_running(owner))
        if not found:
            yield {"token": token, "gone": True}
            return
        view = select_jobs(found, token)
        tab = (str(request.session_hash), owner)
        async for message in self._stream(view, tab):
            yield message

    async def _stream(self, view: JobSelection, tab: Tab) -> AsyncIterator[Message]:
        """Messages for one tab about its jobs. Where too many pages have a stream it is one alone,
        which says that the page has to ask.
        """
        service = self.service
        streams = self._job_streams
        with JobFeed(view, service.clock, service.disconnect_watch) as watch:
            if streams.is_full and streams.find_of_tab(tab) is None:
                message = compose_message(
                    make_update(view), ShownState(frames=None), service.queue.outputs
                )
                yield {**add_smaller_size(service, view.shown, message), "ask": True}
                return
            with streams.open(watch, tab) as stream:
                async for message in stream.messages():
                    yield add_smaller_size(service, watch.view.shown, message)

    def _make_stop(self) -> Any:
        async def stop(data: Any, request: gr.Request) -> None:
            if not isinstance(data, list) or not data:
                return
            token = str(data[0])
            await asyncio.to_thread(self._stop, token, find_person(request))

        return stop

    def _stop(self, token: str, person: Person) -> None:
        job = find_job(self.service, token, person)
        if job is not None:
            self.service.queue.stop(job.token)


def make_stream_route(job_streams: JobStreams) -> Route:
    """Where pages say which message of their stream they have painted (`painted`), which of their
    jobs they show (`show`), and that they let go of it (`close`).
    """

    async def take(request: Request) -> Response:
        stream = job_streams.find(request.path_params["id"])
        if stream is None:  # it has just ended; a page that speaks a moment late did nothing wrong
            return Response(status_code=204)
        said = request.query_params
        if "show" in said:
            stream.watch.change(stream.watch.view.select(said["show"]))
        if "close" in said:
            stream.close()
        stream.acknowledge(_parse_number(said.get("painted"), 0) or 0)
        return Response(status_code=204)

    handler: Callable[[Request], Awaitable[Response]] = take
    return Route(STREAM_PATH, handler, methods=["POST"])


def make_job_route(service: Service) -> Route:
    """Where pages ask how a job is, and others of theirs (`tokens`): `version`, `frames` and
    `ended` are what they show.
    """

    async def tell(request: Request) -> Response:
        asked = request.query_params
        token = request.path_params["token"]
        seen = ShownState(
            _parse_number(asked.get("version"), -1) or 0,
            _parse_number(asked.get("frames"), None),
            _parse_number(asked.get("ended"), 0) or 0,
            token,
        )
        tokens = asked.get("tokens", "").split(",")[-MAX_JOBS:]
        jobs = find_jobs(service, [*tokens, token], find_person(request))
        message = describe_jobs(service, jobs, token, seen)
        return Response(
            orjson.dumps(message),
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )

    handler: Callable[[Request], Awaitable[Response]] = tell
    return Route(JOB_PATH, handler)


def find_job(service: Service, token: str, person: Person) -> Job | None:
    """The job with this secret, or None; a user's only for that user."""
    job = service.queue.find(token)
    if job is None or not person.may_see(job.owner):
        return None
    return job


def find_jobs(service: Service, tokens: Sequence[object], person: Person) -> list[Job]:
    """The jobs with the last of these secrets that there are, each once."""
    texts = [token for token in tokens[-MAX_JOBS:] if isinstance(token, str)]
    jobs = []
    for token in dict.fromkeys(texts):
        job = find_job(service, token, person)
        if job is not None:
            jobs.append(job)
    return jobs


def describe_jobs(service: Service, jobs: Sequence[Job], token: str, seen: ShownState) -> Message:
    """How jobs are, in full the one with this secret; where that one is unknown, that it is
    gone.
    """
    if token not in [job.token for job in jobs]:
        return {"token": token, "gone": True}
    if service.disconnect_watch:
        for job in jobs:
            service.disconnect_watch.touch(job.token, hidden=seen.frames is None)
    news = make_update(select_jobs(jobs, token))
    message = compose_message(news, seen, service.queue.outputs)
    return add_smaller_size(service, news.view.shown, message)


def add_smaller_size(service: Service, job: Job, message: Message) -> Message:
    """Add to a message about a job which smaller size may help; "" where none does."""
    size = ""
    if message["token"] == job.token and is_out_of_memory(job.snapshot):
        size = _find_smaller_size(service, job)
    return {**message, "smaller": size}


def _find_smaller_size(service: Service, job: Job) -> str:
    form = service.forms.get(job.order.preset)
    if form is None:
        return ""
    found = find_smaller_size(form.fields, job.order.values)
    if found is None:
        return ""
    _, size = found
    return size


def find_smaller_size(
    fields: Mapping[str, Field], values: Mapping[str, Any]
) -> tuple[str, str] | None:
    """The field of a picture size and what to put there, "WIDTHxHEIGHT"; None where a form has no
    such field, or nothing smaller. `fields` are the form's, `values` the job's.
    """
    for field in fields.values():
        if field.widget != "size":
            continue
        try:
            size = parse_size(values.get(field.name))
        except InvalidValue:
            continue
        if min(size) <= 0:
            continue
        smaller = _choose_smaller(field, size) if field.choices else _shrink(field, size)
        if smaller:
            return field.name, smaller
    return None


def _choose_smaller(field: Field, size: tuple[int, int]) -> str:
    """The largest choice with fewer pixels; of two, the one whose shape is more alike."""
    pixels = size[0] * size[1]
    shape = math.log(size[0] / size[1])
    found = ""
    best = (0, -math.inf)
    for choice in field.choices or ():
        width, height = parse_size(choice.value)
        if min(width, height) <= 0 or width * height >= pixels:
            continue
        likeness = -abs(math.log(width / height) - shape)
        rank = (width * height, likeness)
        if rank > best:
            found = str(choice.value)
            best = rank
    return found


def _shrink(field: Field, size: tuple[int, int]) -> str:
    grid = field.size_grid
    lowest = max(int(field.minimum or 0), grid.step)
    sides = [grid.floor(side * SHRINK) for side in size]
    if min(sides) < lowest:
        return ""
    return f"{sides[0]}x{sides[1]}"


def _parse_number(text: str | None, fallback: int | None) -> int | None:
    """A number that stands in an address; the fallback for what is none, or too long for one."""
    if not text or not text.isdecimal() or len(text) >= 12:
        return fallback
    return int(text)
