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
from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job, Snapshot
from comfygradio.jobs.results import Result
from comfygradio.ui.describe import describe_progress, list_warnings
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.news import News, Seen, Watch, follow, make_view
from comfygradio.ui.person import name_program
from comfygradio.ui.sent_files import receive_file
from comfygradio.ui.stream import encode_frame
from comfygradio.ui.studio import Studio

PACE_SECONDS = 0.25
"""Least time between two progress reports to a program."""

PREVIEW_SECONDS = 0.5
"""Least time between two previews in them."""

TYPES: dict[str, type] = {
    **dict.fromkeys(MEDIA, dict),
    "number": float,
    "slider": float,
    "checkbox": bool,
    "seed": str,
    "loras": list,
}

T = TypeVar("T")

Report = tuple[list[dict[str, Any]], dict[str, Any]]


def build_endpoint(studio: Studio, form: Form) -> None:
    """Register `/NAME` inside the current Blocks: parameters named like the fields; (files, info)
    come back.
    """
    api(
        make_function(studio, form),
        api_name=form.name,
        api_description=f"{form.title}. {form.file.description}".strip(),
        concurrency_limit=None,
    )


def make_function(studio: Studio, form: Form) -> Callable[..., AsyncIterator[Report]]:
    """The generator function behind an endpoint; its signature is made from the form's fields."""
    fields = sorted(
        form.fields.values(), key=lambda field: field.widget not in MEDIA or field.optional
    )

    async def run(request: gr.Request, *payloads: Any) -> AsyncIterator[Report]:
        person = find_person(request)
        values = dict[str, Any]()

        def start() -> Job:
            given = {name: value for name, value in values.items() if value is not None}
            return studio.submit(form.name, given, name_program(person), person.party)

        try:
            for field, payload in zip(fields, payloads, strict=False):
                values[field.name] = payload
                if field.widget in MEDIA:
                    values[field.name] = await receive_file(studio, field, payload, person.party)
            job = await begin(
                start, lambda job: studio.queue.stop(job.token), studio.choose_readers(form)
            )
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        async for report in follow_job(studio, job):
            yield report

    parameters = [_describe_parameter(field) for field in fields]
    # Gradio fills in the request, and shows it to no program.
    asked = inspect.Parameter(
        "_request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request
    )
    signature = inspect.Signature(
        [asked, *parameters], return_annotation=tuple[list[dict[str, Any]], dict[str, Any]]
    )
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (asked, *parameters)}
    run.__name__ = form.name
    run.__doc__ = _describe_endpoint(form)
    return run


async def begin(
    start: Callable[[], T], stop: Callable[[T], None], threads: Executor | None = None
) -> T:
    """Start something on a thread; for a program that leaves meanwhile it is stopped again."""
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(loop.run_in_executor(threads, start))

    def undo(started: asyncio.Future[T]) -> None:
        if not started.cancelled() and not started.exception():
            loop.run_in_executor(None, stop, started.result())

    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(undo)
        raise


class ProgramPace:
    """Reports come by time: a program does not say when it has read one."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._framed_at = -PREVIEW_SECONDS
        self._frames = 0

    async def await_turn(self, news: News, seen: Seen) -> Seen | None:
        """Wait a while, or until the job is over; a picture is wanted only now and then."""
        clock = self._watch.clock
        noted = news.note(seen)
        if news.has_frame(seen):
            self._framed_at = clock.monotonic()
        if noted.frames is not None:
            self._frames = noted.frames
        await self._watch.await_end(PACE_SECONDS)
        wants_frame = clock.monotonic() - self._framed_at >= PREVIEW_SECONDS
        return replace(noted, frames=self._frames if wants_frame else None)


async def follow_job(studio: Studio, job: Job) -> AsyncIterator[Report]:
    """Progress until the job is over, then its files; stopping to listen stops the job."""
    snapshot = job.snapshot
    try:
        with Watch(make_view([job]), studio.clock) as watch:
            async for news, seen in follow(watch, ProgramPace(watch), PACE_SECONDS):
                snapshot = news.shown
                is_told = snapshot.state is not None or snapshot.reason
                if is_told and not snapshot.is_over:
                    preview = encode_frame(snapshot) if news.has_frame(seen) else ""
                    yield [], {**describe_info(job, snapshot), "preview": preview}
    finally:
        studio.queue.stop(job.token)
    if snapshot.phase != "done":
        raise gr.Error(snapshot.error or "The job was stopped.", print_exception=False)
    yield describe_files(snapshot.results), {**describe_info(job, snapshot), "preview": ""}


def describe_info(job: Job, snapshot: Snapshot) -> dict[str, Any]:
    """What a program gets beside the files: status, progress 0 to 1, the values that were used,
    texts, seconds.
    """
    state = snapshot.state
    return {
        "status": snapshot.phase,
        "progress": 1.0 if snapshot.phase == "done" else round(state.progress, 4) if state else 0.0,
        "message": describe_progress(snapshot) if not snapshot.is_over else "",
        "prompt_id": state.prompt_id if state else "",
        "values": {
            name: str(v) if name in job.order.seeds else v for name, v in job.order.values.items()
        },
        "texts": [result.text for result in snapshot.results if result.kind == "text"],
        "warnings": list_warnings(snapshot),
        "seconds": round(snapshot.seconds, 3),
    }


def _describe_parameter(field: Field) -> inspect.Parameter:
    kind = (
        int
        if field.is_integer and field.widget in ("number", "slider")
        else TYPES.get(field.widget, str)
    )
    kind = list if field.is_multiple else kind
    default = "" if field.widget == "seed" and field.default is None else field.default
    empty = inspect.Parameter.empty if field.widget in MEDIA and not field.optional else default
    return inspect.Parameter(
        field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=empty, annotation=kind
    )


def _describe_endpoint(form: Form) -> str:
    lines = [
        f"    {field.name}: {field.label}. {field.help}".rstrip() for field in form.fields.values()
    ]
    return "\n".join([f"{form.title}. {form.file.description}".strip(), "", "Args:", *lines])


def describe_files(results: Iterable[Result]) -> list[dict[str, Any]]:
    """The results that are files, as Gradio's clients download them."""
    paths = [result.path for result in results if result.path is not None]
    return [
        {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        for path in paths
    ]
