"""Presets for programs: each is a named endpoint with one typed parameter per field, an async
generator of progress.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

import gradio as gr
from gradio.events import api

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.results import Result
from comfygradio.service.service import Service
from comfygradio.ui.form.program_file import receive_file
from comfygradio.ui.identity.owner import find_program_owner
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.job.job_feed import JobFeed, JobUpdate, ShownState, follow, select_jobs
from comfygradio.ui.job.job_stream import encode_frame
from comfygradio.ui.job.job_text import describe_progress, list_warnings

REPORT_SECONDS = 0.25
"""Least time between two progress reports to a program."""

PREVIEW_SECONDS = 0.5
"""Least time between two previews in them."""

T = TypeVar("T")

Report = tuple[list[dict[str, Any]], dict[str, Any]]


def build_endpoint(service: Service, form: Form) -> None:
    """Register `/NAME` inside the current Blocks: parameters named like the fields; (files, info)
    come back.
    """
    api(
        make_function(service, form),
        api_name=form.name,
        api_description=f"{form.title}. {form.file.description}".strip(),
        concurrency_limit=None,
    )


def make_function(service: Service, form: Form) -> Callable[..., AsyncIterator[Report]]:
    """The generator function behind an endpoint; its signature is made from the form's fields."""

    def may_be_left_out(field: Field) -> bool:
        return not field.kind.is_media or field.optional

    # In a Python signature, parameters without a default come first.
    fields = sorted(form.fields.values(), key=may_be_left_out)

    async def run(request: gr.Request, *payloads: Any) -> AsyncIterator[Report]:
        person = find_person(request)
        values = dict[str, Any]()

        def start() -> Job:
            given = {name: value for name, value in values.items() if value is not None}
            owner = find_program_owner(person)
            return service.submit(form.name, given, owner, person.party)

        def stop(job: Job) -> None:
            service.queue.stop(job.token)

        try:
            for field, payload in zip(fields, payloads, strict=False):
                values[field.name] = payload
                if field.kind.is_media:
                    values[field.name] = await receive_file(service, field, payload, person.party)
            job = await start_cancellable(start, stop, service.choose_threads(form))
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        async for report in follow_job(service, job):
            yield report

    parameters = [_describe_parameter(field) for field in fields]
    # Gradio fills in the request, and shows it to no program.
    asked = inspect.Parameter(
        "_request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request
    )
    everything = [asked, *parameters]
    signature = inspect.Signature(everything, return_annotation=Report)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in everything}
    run.__name__ = form.name
    run.__doc__ = _describe_endpoint(form)
    return run


async def start_cancellable(
    start: Callable[[], T], stop: Callable[[T], None], threads: Executor | None = None
) -> T:
    """Start something on a thread; for a program that leaves meanwhile it is stopped again."""
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(loop.run_in_executor(threads, start))

    def undo(started: asyncio.Future[T]) -> None:
        if started.cancelled() or started.exception():
            return
        loop.run_in_executor(None, stop, started.result())

    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(undo)
        raise


class ProgramPacing:
    """Reports come by time: a program does not say when it has read one."""

    def __init__(self, watch: JobFeed) -> None:
        self._watch = watch
        self._framed_at = -PREVIEW_SECONDS
        self._frames = 0

    async def wait_until_ready(self, news: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait a while, or until the job is over; a picture is wanted only now and then."""
        clock = self._watch.clock
        noted = news.update_shown(seen)
        if news.has_frame(seen):
            self._framed_at = clock.monotonic()
        if noted.frames is not None:
            self._frames = noted.frames
        await self._watch.wait_for_end(REPORT_SECONDS)
        wants_frame = clock.monotonic() - self._framed_at >= PREVIEW_SECONDS
        return replace(noted, frames=self._frames if wants_frame else None)


async def follow_job(service: Service, job: Job) -> AsyncIterator[Report]:
    """Progress until the job is over, then its files; stopping to listen stops the job."""
    snapshot = job.snapshot
    try:
        with JobFeed(select_jobs([job]), service.clock) as watch:
            async for news, seen in follow(watch, ProgramPacing(watch), REPORT_SECONDS):
                snapshot = news.shown
                is_told = snapshot.state is not None or snapshot.reason
                if is_told and not snapshot.is_over:
                    preview = encode_frame(snapshot) if news.has_frame(seen) else ""
                    yield [], {**describe_info(job, snapshot), "preview": preview}
    finally:
        service.queue.stop(job.token)
    if snapshot.phase != "done":
        raise gr.Error(snapshot.error or "The job was stopped.", print_exception=False)
    yield describe_files(snapshot.results), {**describe_info(job, snapshot), "preview": ""}


def describe_info(job: Job, snapshot: JobSnapshot) -> dict[str, Any]:
    """What a program gets beside the files: status, progress 0 to 1, the values that were used,
    texts, seconds.
    """
    state = snapshot.state
    values = {}
    for name, value in job.order.values.items():
        # Many programs round long whole numbers in JSON, so seeds are told as text.
        values[name] = str(value) if name in job.order.seeds else value
    return {
        "status": snapshot.phase,
        "progress": _measure_progress(snapshot),
        "message": "" if snapshot.is_over else describe_progress(snapshot),
        "prompt_id": state.prompt_id if state else "",
        "values": values,
        "texts": [result.text for result in snapshot.results if result.kind == "text"],
        "warnings": list_warnings(snapshot),
        "seconds": round(snapshot.seconds, 3),
    }


def _measure_progress(snapshot: JobSnapshot) -> float:
    if snapshot.phase == "done":
        return 1.0
    if snapshot.state is None:
        return 0.0
    return round(snapshot.state.progress, 4)


def _describe_parameter(field: Field) -> inspect.Parameter:
    return inspect.Parameter(
        field.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=_find_default(field),
        annotation=field.kind.find_python_type(field),
    )


def _find_default(field: Field) -> Any:
    if field.kind.is_media and not field.optional:
        return inspect.Parameter.empty
    if field.kind.is_seed and field.default is None:
        return ""
    return field.default


def _describe_endpoint(form: Form) -> str:
    lines = [f"{form.title}. {form.file.description}".strip(), "", "Args:"]
    for field in form.fields.values():
        line = f"    {field.name}: {field.label}. {field.help}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def describe_files(results: Iterable[Result]) -> list[dict[str, Any]]:
    """The results that are files, as Gradio's clients download them."""
    paths = [result.path for result in results if result.path is not None]
    return [
        {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        for path in paths
    ]
