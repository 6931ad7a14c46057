"""Endpoints for programs: each preset is a named one, with a typed parameter per field, and yields
progress reports.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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
    """Register the endpoint `/NAME` inside the current Blocks; its parameters are named like the
    fields, and it returns (files, info).
    """
    api(
        make_function(service, form),
        api_name=form.name,
        api_description=f"{form.title}. {form.file.description}".strip(),
        concurrency_limit=None,
    )


def make_function(service: Service, form: Form) -> Callable[..., AsyncIterator[Report]]:
    """Make the generator function behind an endpoint, with a signature for the form's fields."""
    # In a Python signature, parameters without a default come first.
    fields = sorted(form.fields.values(), key=_has_default)

    async def run(request: gr.Request, *payloads: Any) -> AsyncIterator[Report]:
        person = find_person(request)

        def stop(job: Job) -> None:
            service.queue.stop(job.token)

        try:
            values = await _receive_values(service, fields, payloads, person.party)

            def start() -> Job:
                owner = find_program_owner(person)
                return service.submit(form.name, values, owner, person.party)

            job = await start_cancellable(start, stop, service.choose_threads(form))
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        async for report in follow_job(service, job):
            yield report

    # Gradio fills in the request, and hides it from programs.
    request_parameter = inspect.Parameter(
        "_request",
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=gr.Request,
    )
    parameters = [request_parameter]
    for field in fields:
        parameters.append(_describe_parameter(field))
    signature = inspect.Signature(parameters, return_annotation=Report)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__name__ = form.name
    run.__doc__ = _describe_endpoint(form)
    return run


def _has_default(field: Field) -> bool:
    """Return whether a program may leave this field out."""
    return field.optional or not field.kind.is_media


async def _receive_values(
    service: Service, fields: Sequence[Field], payloads: Iterable[Any], party: str
) -> dict[str, Any]:
    """Map the fields to what a program sent for them, files to their paths; what it left out is
    missing.

    Raises ValuesRefused.
    """
    values = {}
    for field, payload in zip(fields, payloads, strict=False):
        value = payload
        if field.kind.is_media:
            value = await receive_file(service, field, payload, party)
        if value is not None:
            values[field.name] = value
    return values


async def start_cancellable(
    start: Callable[[], T], stop: Callable[[T], None], threads: Executor | None = None
) -> T:
    """Call `start` on a thread; if the caller is cancelled meanwhile, `stop` what was started."""
    loop = asyncio.get_running_loop()
    starting = loop.run_in_executor(threads, start)

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
    """Paces reports by time: a program does not say when it has read one."""

    def __init__(self, feed: JobFeed) -> None:
        self._feed = feed
        self._framed_at = -PREVIEW_SECONDS
        self._frames = 0

    async def wait_until_ready(self, update: JobUpdate, seen: ShownState) -> ShownState | None:
        """Wait for a while, or until the job is over; ask for a preview only now and then."""
        clock = self._feed.clock
        shown = update.shown_after(seen)
        if update.has_frame(seen):
            self._framed_at = clock.monotonic()
        if shown.frames is not None:
            self._frames = shown.frames
        await self._feed.wait_for_end(REPORT_SECONDS)
        wants_frame = clock.monotonic() - self._framed_at >= PREVIEW_SECONDS
        return replace(shown, frames=self._frames if wants_frame else None)


async def follow_job(service: Service, job: Job) -> AsyncIterator[Report]:
    """Yield reports of progress until the job is over, then its files.

    If the generator is closed early, the job is stopped. Raises `gr.Error` if the job fails.
    """
    snapshot = job.snapshot
    selection = select_jobs([job])
    try:
        with JobFeed(selection, service.clock) as feed:
            pacing = ProgramPacing(feed)
            async for update, seen in follow(feed, pacing, REPORT_SECONDS):
                snapshot = update.shown
                has_progress = snapshot.state is not None or snapshot.reason
                if has_progress and not snapshot.is_over:
                    preview = encode_frame(snapshot) if update.has_frame(seen) else ""
                    yield [], {**describe_info(job, snapshot), "preview": preview}
    finally:
        service.queue.stop(job.token)
    if snapshot.phase != "done":
        raise gr.Error(snapshot.error or "The job was stopped.", print_exception=False)
    files = describe_files(snapshot.results)
    yield files, {**describe_info(job, snapshot), "preview": ""}


def describe_info(job: Job, snapshot: JobSnapshot) -> dict[str, Any]:
    """Describe a job for a program, beside its files: status, progress from 0 to 1, the values
    that were used, texts and seconds.
    """
    state = snapshot.state
    values = {}
    for name, value in job.order.values.items():
        # Many programs round long integers in JSON, so seeds are sent as text.
        values[name] = str(value) if name in job.order.seeds else value
    return {
        "status": snapshot.phase,
        "progress": _measure_progress(snapshot),
        "message": "" if snapshot.is_over else describe_progress(snapshot),
        "prompt_id": state.prompt_id if state else "",
        "values": values,
        "texts": [result.text for result in snapshot.results if result.kind == "text"],
        "warnings": [*job.order.prompt.notes, *list_warnings(snapshot)],
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
    """Write the docstring of an endpoint, which Gradio parses for its page about the API."""
    summary = f"{form.title}. {form.file.description}"
    lines = [summary.strip(), "", "Args:"]
    for field in form.fields.values():
        line = f"    {field.name}: {field.label}. {field.help}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def describe_files(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Describe the results that are files in the form that Gradio's clients download."""
    files = []
    for result in results:
        path = result.path
        if path is None:
            continue
        files.append(
            {
                "path": str(path),
                "orig_name": path.name,
                "meta": {"_type": "gradio.FileData"},
            }
        )
    return files
