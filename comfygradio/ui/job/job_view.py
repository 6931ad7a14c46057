"""The job view: the part of the page that shows jobs, and the routes that its script calls."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import gradio as gr
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfygradio.errors import ComfyGradioError, JobStoreError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_store import JobRecord
from comfygradio.service.service import Service
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
from comfygradio.ui.static import build_mount_script, read_static

UNKNOWN = "This result is not here any more."

JOB_PATH = "/gradio_api/comfygradio/job/{token}"
STREAM_PATH = "/gradio_api/comfygradio/stream/{id}"

EVENTS = ("attach", "refused", "smaller", "addressed", "vary", "input_picture")
"""What the script triggers."""

MAX_TOKEN_CHARS = 64
"""More than the secret of any job has: 24."""

SHRINK = 0.75
"""The factor for each side if any size may be typed: a little more than half of the pixels stay."""


class JobView:
    """Sends pages messages about their jobs.

    Pages name jobs by their secret tokens, since the calls of a page carry no identity.
    """

    def __init__(self, service: Service, job_streams: JobStreams) -> None:
        self.service = service
        self._job_streams = job_streams

    def build(self) -> gr.HTML:
        """Draw the job view inside the current Blocks."""
        return gr.HTML(
            None,
            html_template=read_static("job/job_view.html"),
            js_on_load=build_mount_script("job/job_view.js", EVENTS),
            elem_id="cg-viewer",
            server_functions=[self._make_stop(), self._make_favourite()],
        )

    async def show(
        self, jobs: Sequence[Job], request: gr.Request, owner: str
    ) -> AsyncIterator[Message]:
        """Yield messages about jobs that a tab has just started, until all of its jobs are over.

        If the tab has a stream already, that stream gets the messages, and nothing is yielded here.
        """
        tab = (str(request.session_hash), owner)
        stream = self._job_streams.find_of_tab(tab)
        if stream is not None:
            selection = stream.feed.selection.add(jobs)
            stream.feed.change(selection)
            return
        selection = select_jobs(jobs)
        async for message in self._stream(selection, tab):
            yield message

    async def attach(
        self, request: gr.Request, event: gr.EventData, who: Any
    ) -> AsyncIterator[Message]:
        """Yield messages for a page that was reloaded: about the jobs that it remembers, else about
        those of its person that are running.
        """
        owner = find_owner(request, who)
        token = getattr(event, "token", "")
        if not isinstance(token, str):
            token = ""
        tokens = read_tokens(getattr(event, "tokens", None), token)
        jobs = find_jobs(self.service, tokens, find_person(request))
        if not jobs and not token:
            jobs = list(self.service.queue.list_open(owner))
        if not jobs:
            yield {"token": token, "gone": True}
            return
        selection = select_jobs(jobs, token)
        tab = (str(request.session_hash), owner)
        stream = self._job_streams.find_of_tab(tab)
        if stream is not None:  # these jobs began before the page asked
            selection = selection.add(stream.feed.selection.jobs)
        known = [job.token for job in jobs]
        unknown = [one for one in tokens if one not in known]
        async for message in self._stream(selection, tab):
            yield {**message, "unknown": unknown}

    async def vary(
        self, request: gr.Request, event: gr.EventData, who: Any
    ) -> AsyncIterator[Message]:
        """Start a job like the one that an event names, with new seeds, and yield messages about
        it; why it cannot be started is a notice.
        """
        owner = find_owner(request, who)
        person = find_person(request)

        def start() -> Job:
            job = find_job(self.service, str(getattr(event, "token", "")), person)
            if job is None:
                raise JobStoreError(UNKNOWN)
            return self.service.submit_similar(job.order, owner, person.party)

        try:
            job = await asyncio.to_thread(start)
        except ComfyGradioError as error:
            yield {"notice": str(error)}
            return
        async for message in self.show([job], request, owner):
            yield message

    def mark_favourite(self, token: object, is_favourite: bool, person: Person) -> bool:
        """Mark a job as a favourite, or remove the mark; return whether it is one now.

        Raises JobStoreError.
        """
        record = find_record(self.service, token, person)
        self.service.store.set_favourite(record.id, is_favourite)
        return is_favourite

    async def _stream(self, selection: JobSelection, tab: Tab) -> AsyncIterator[Message]:
        """Yield messages for one tab about its jobs.

        If too many pages have a stream, this is a single message, which tells the page to poll.
        """
        service = self.service
        streams = self._job_streams
        with JobFeed(selection, service.clock, service.disconnect_watch) as feed:
            if streams.is_full and streams.find_of_tab(tab) is None:
                update = make_update(selection)
                no_previews = ShownState(frames=None)
                message = compose_message(update, no_previews, service.queue.outputs)
                message = add_ways(service, selection.shown, message)
                yield {**message, "ask": True}
                return
            with streams.open(feed, tab) as stream:
                async for message in stream.messages():
                    yield add_ways(service, feed.selection.shown, message)

    def _make_stop(self) -> Any:
        async def stop(data: Any, request: gr.Request) -> None:
            if not isinstance(data, list) or not data:
                return
            token = str(data[0])
            person = find_person(request)
            await asyncio.to_thread(self._stop, token, person)

        return stop

    def _make_favourite(self) -> Any:
        async def favourite(data: Any, request: gr.Request) -> dict[str, Any]:
            if not isinstance(data, list) or len(data) != 2:
                return {"notice": UNKNOWN}
            token, is_favourite = data
            person = find_person(request)
            try:
                now = await asyncio.to_thread(
                    self.mark_favourite, token, is_favourite is True, person
                )
            except JobStoreError as error:
                return {"notice": str(error)}
            return {"favourite": now}

        return favourite

    def _stop(self, token: str, person: Person) -> None:
        job = find_job(self.service, token, person)
        if job is not None:
            self.service.queue.stop(job.token)


def make_stream_route(job_streams: JobStreams) -> Route:
    """Make the route by which pages acknowledge a message of their stream (`painted`), choose
    which of their jobs to show (`show`), and end the stream (`close`).
    """

    async def acknowledge(request: Request) -> Response:
        stream = job_streams.find(request.path_params["id"])
        if stream is None:  # it has just ended; the page did nothing wrong
            return Response(status_code=204)
        parameters = request.query_params
        if "show" in parameters:
            selection = stream.feed.selection.select(parameters["show"])
            stream.feed.change(selection)
        if "close" in parameters:
            stream.close()
        painted = _parse_number(parameters.get("painted"))
        stream.acknowledge(painted or 0)
        return Response(status_code=204)

    return Route(STREAM_PATH, acknowledge, methods=["POST"])


def make_job_route(service: Service) -> Route:
    """Make the route by which pages poll a job, and others of theirs (`tokens`); `version`,
    `frames` and `ended` tell what they show.
    """

    async def serve_job(request: Request) -> Response:
        parameters = request.query_params
        token = request.path_params["token"]
        version = _parse_number(parameters.get("version"))
        ended = _parse_number(parameters.get("ended"))
        seen = ShownState(
            version=-1 if version is None else version,
            frames=_parse_number(parameters.get("frames")),
            ended=ended or 0,
            token=token,
        )
        tokens = read_tokens(parameters.get("tokens", "").split(","), token)
        jobs = find_jobs(service, tokens, find_person(request))
        message = describe_jobs(service, jobs, token, seen)
        return Response(
            orjson.dumps(message),
            headers={"cache-control": "no-store"},
            media_type="application/json",
        )

    return Route(JOB_PATH, serve_job)


def find_job(service: Service, token: str, person: Person) -> Job | None:
    """Find the job with this secret, or None; the job of a user is found for that user only."""
    job = service.queue.find(token)
    if job is None or not person.may_see(job.owner):
        return None
    return job


def read_tokens(sent: object, shown: str) -> list[str]:
    """Read the secrets of a page's jobs out of what its browser sent, and add that of the job it
    shows: the last of them, each once. What can be no secret is left out.
    """
    listed = sent if isinstance(sent, list) else []
    texts = [one for one in [*listed, shown] if isinstance(one, str)]
    tokens = [text for text in texts if 0 < len(text) <= MAX_TOKEN_CHARS]
    # The job that is shown is mostly one of those listed: it must not push out the oldest.
    return list(dict.fromkeys(tokens))[-MAX_JOBS:]


def find_record(service: Service, token: object, person: Person) -> JobRecord:
    """Find the stored job with this secret, as `find_job` does. Raises JobStoreError if there is
    none.
    """
    record = service.store.find(token) if isinstance(token, str) else None
    if record is None or not person.may_see(record.owner):
        raise JobStoreError(UNKNOWN)
    return record


def find_jobs(service: Service, tokens: Sequence[str], person: Person) -> list[Job]:
    """Find the jobs with these secrets; unknown ones are left out."""
    jobs = []
    for token in tokens:
        job = find_job(service, token, person)
        if job is not None:
            jobs.append(job)
    return jobs


def describe_jobs(service: Service, jobs: Sequence[Job], token: str, seen: ShownState) -> Message:
    """Compose the message for a page that polls: the job with this secret in full, or that it is
    gone.
    """
    known_tokens = [job.token for job in jobs]
    if token not in known_tokens:
        return {"token": token, "gone": True}
    if service.disconnect_watch:
        is_hidden = seen.frames is None
        for job in jobs:
            service.disconnect_watch.touch(job.token, is_hidden)
    selection = select_jobs(jobs, token)
    update = make_update(selection)
    message = compose_message(update, seen, service.queue.outputs)
    return add_ways(service, selection.shown, message)


def add_ways(service: Service, job: Job, message: Message) -> Message:
    """Add to a message about a job what can be done with it: the smaller size that may help if
    memory ran out ("" if none), and whether it is a favourite.
    """
    size = ""
    is_favourite = False
    # The page may show another job since the message was composed.
    is_same_job = message["token"] == job.token
    if is_same_job and is_out_of_memory(job.snapshot):
        size = _find_smaller_size(service, job)
    if is_same_job and job.snapshot.is_over:
        record = service.store.find(job.token)
        is_favourite = record is not None and record.favourite
    return {**message, "smaller": size, "favourite": is_favourite}


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
    """Find a form's field of a picture size, and a smaller size for it as "WIDTHxHEIGHT"; None if
    there is no such field or no smaller size. `values` are those of the job.
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
    """Choose the largest choice with fewer pixels; of two, the one with the more similar ratio."""
    max_pixels = size[0] * size[1]
    ratio = math.log(size[0] / size[1])
    best = ""
    best_rank = (0, -math.inf)
    for choice in field.choices or ():
        width, height = parse_size(choice.value)
        pixels = width * height
        if min(width, height) <= 0 or pixels >= max_pixels:
            continue
        difference = abs(math.log(width / height) - ratio)
        rank = (pixels, -difference)
        if rank > best_rank:
            best = str(choice.value)
            best_rank = rank
    return best


def _shrink(field: Field, size: tuple[int, int]) -> str:
    """Shrink each side, down to the grid of the field; "" if that is below its minimum."""
    grid = field.size_grid
    smallest = max(int(field.minimum or 0), grid.step)
    width = grid.floor(size[0] * SHRINK)
    height = grid.floor(size[1] * SHRINK)
    if min(width, height) < smallest:
        return ""
    return f"{width}x{height}"


def _parse_number(text: str | None) -> int | None:
    """Parse a number out of an address; None if it is none, or unreasonably long."""
    if not text or not text.isdecimal() or len(text) >= 12:
        return None
    return int(text)
