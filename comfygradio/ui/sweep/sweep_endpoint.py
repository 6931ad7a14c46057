"""Endpoints of sweeps for programs: each preset has a second endpoint, which runs every combination
of several values.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import api

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError, DefinitionError
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.definition import Definition, load_definition
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.form.endpoint import describe_files, start_cancellable
from comfygradio.ui.form.program_file import has_file, receive_file
from comfygradio.ui.identity.owner import find_program_owner
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.job.job_feed import call_soon, wait_event
from comfygradio.ui.sweep.sweep_draft import check_length
from comfygradio.ui.sweep.sweep_text import describe_axis

REPORT_SECONDS = 0.5
"""Least time between two progress reports to a program."""

Report = tuple[list[dict[str, Any]], dict[str, Any]]


def build_sweep_endpoint(service: Service, form: Form) -> None:
    """Register the endpoint `/NAME_sweep` inside the current Blocks; it takes axes and values, and
    returns (points, info).
    """
    api(
        make_sweep_function(service, form),
        api_name=f"{form.name}_sweep",
        api_description=f"{form.title}: every combination of several values.",
        concurrency_limit=None,
    )


def make_sweep_function(service: Service, form: Form) -> Callable[..., AsyncIterator[Report]]:
    """Make the generator function behind an endpoint."""

    async def run(
        request: gr.Request, axes: Any, values: Any = None, carry: Any = True
    ) -> AsyncIterator[Report]:
        person = find_person(request)
        owner = find_program_owner(person)
        planners = service.planners
        try:
            loop = asyncio.get_running_loop()
            sent = await loop.run_in_executor(planners, parse_call, form, axes, values, carry)
            definition = await receive_files(service, form, sent, person.party)
            start = partial(service.sweeps.start, definition, owner, party=person.party)
            sweep = await start_cancellable(start, Sweep.stop, planners)
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        async for report in follow_sweep(sweep, service.clock):
            yield report

    run.__annotations__ = {
        "request": gr.Request,
        "axes": dict | list,
        "values": dict,
        "carry": bool,
        "return": Report,
    }
    run.__name__ = f"{form.name}_sweep"
    run.__doc__ = _describe_endpoint(form)
    return run


def parse_call(form: Form, axes: Any, values: Any, carry: Any) -> Definition:
    """Parse the definition that a program sent, as JSON or the text of JSON.

    Raises DefinitionError, and AxisError for an axis text that is too long.
    """
    sent = {
        "preset": form.name,
        "axes": _parse_json("axes", axes),
        "values": _parse_json("values", values) or {},
        "carry": carry,
    }
    definition = load_definition(sent)
    for entry in definition.axes:
        for name, given in entry.items():
            check_length(name, given)
    return definition


async def receive_files(service: Service, form: Form, sent: Definition, party: str) -> Definition:
    """Store the files that a program sent; return the definition with their paths. A text never
    names a file.

    Raises ValuesRefused.
    """
    values = {}
    for name, given in sent.values.items():
        value = await _receive(service, form, name, given, party)
        if value is not None:
            values[name] = value
    axes = []
    for entry in sent.axes:
        received = {}
        for name, given in entry.items():
            received[name] = await _receive(service, form, name, given, party)
        axes.append(received)
    return Definition(sent.preset, values, tuple(axes), sent.carry, sent.title)


async def follow_sweep(sweep: Sweep, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator[Report]:
    """Yield reports of progress until the sweep is over, then its points.

    If the generator is closed early, the sweep is stopped.
    """
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        call_soon(loop, changed.set)

    unlisten = sweep.listen(wake)
    reported = -REPORT_SECONDS
    try:
        while sweep.is_active and not _is_stuck(sweep):
            if clock.monotonic() - reported >= REPORT_SECONDS:
                reported = clock.monotonic()
                yield [], describe_info(sweep)
            await wait_event(changed, REPORT_SECONDS, clock)
    finally:
        unlisten()
        await asyncio.to_thread(sweep.stop)
    points = []
    for cell in sweep.cells.values():
        points.append(_describe_point(sweep, cell))
    yield points, describe_info(sweep)


def _is_stuck(sweep: Sweep) -> bool:
    """Return whether a sweep waits for a reason, and nothing of it runs."""
    return bool(sweep.reason) and not sweep.is_posted


def describe_info(sweep: Sweep) -> dict[str, Any]:
    """Describe a sweep for a program, beside its points: status, counts, progress from 0 to 1, its
    axes and values.
    """
    counts = sweep.counts
    progress = counts.over / max(1, counts.total)
    left = sweep.seconds_left
    return {
        "status": sweep.phase,
        "reason": sweep.reason,
        **vars(counts),
        "progress": round(progress, 4),
        "seconds_left": None if left is None else round(left, 1),
        "axes": [describe_axis(axis) for axis in sweep.axes],
        "values": _write_all(sweep, sweep.definition.values),
    }


def _describe_point(sweep: Sweep, cell: Cell) -> dict[str, Any]:
    labels = []
    for axis, position in zip(sweep.axes, cell.index, strict=True):
        labels.append(axis.steps[position].label)
    return {
        "index": list(cell.index),
        "labels": labels,
        "values": _write_all(sweep, cell.values),
        "status": cell.phase,
        "error": cell.error,
        "seconds": round(cell.seconds, 3),
        "files": describe_files(cell.results),
        "texts": [result.text for result in cell.results if result.text],
    }


def _write_all(sweep: Sweep, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write values as JSON; seeds as text, since JavaScript rounds large numbers."""
    written = {}
    for name, value in values.items():
        field = sweep.form.fields.get(name)
        is_seed = field is not None and field.kind.is_seed
        if is_seed and value is not None:
            value = str(value)
        written[name] = value
    return written


def _parse_json(name: str, sent: Any) -> Any:
    """Parse an argument that may be JSON or the text of JSON; `name` is for the error."""
    if not isinstance(sent, str):
        return sent
    try:
        return json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{name}: this is not JSON.") from error


async def _receive(service: Service, form: Form, name: str, sent: Any, party: str) -> Any:
    """Store the files in a value, or in the values of an axis; return it with their paths."""
    field = form.fields.get(name)
    if field is None or not field.kind.is_media:
        return sent
    if isinstance(sent, list):
        return [await _receive(service, form, name, one, party) for one in sent]
    loop = asyncio.get_running_loop()
    is_file = await loop.run_in_executor(service.readers, has_file, sent)
    if not is_file:
        return sent
    return await receive_file(service, field, sent, party)


def _describe_endpoint(form: Form) -> str:
    names = ", ".join(form.fields)
    lines = [
        f"{form.title}: every combination of several values.",
        "",
        "Args:",
        '    axes: Fields and their values, such as {"cfg": "1-10 (+3)"}; in a list of such, '
        f"fields of one entry change together. The fields are {names}.",
        "    values: The other fields and their values.",
        "    carry: Whether the server keeps models that later points need.",
    ]
    return "\n".join(lines)
