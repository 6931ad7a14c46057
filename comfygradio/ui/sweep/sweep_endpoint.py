"""Sweeps for programs: beside each preset's endpoint a second one, which runs every combination of
values.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import gradio as gr
from gradio.events import api

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError, DefinitionError
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.sweeps.axes.axis import Axis
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.definition import Definition, load_definition
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.form.endpoint import describe_files, start_cancellable
from comfygradio.ui.form.program_file import has_file, receive_file
from comfygradio.ui.identity.owner import find_program_owner
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.job.job_feed import call_soon, wait_event
from comfygradio.ui.sweep.sweep_draft import check_length

REPORT_SECONDS = 0.5
"""Least time between two progress reports to a program."""

Report = tuple[list[dict[str, Any]], dict[str, Any]]


def build_sweep_endpoint(service: Service, form: Form) -> None:
    """Register `/NAME_sweep` inside the current Blocks: axes and values go in, (points, info) come
    back.
    """
    api(
        make_sweep_function(service, form),
        api_name=f"{form.name}_sweep",
        api_description=f"{form.title}: every combination of several values.",
        concurrency_limit=None,
    )


def make_sweep_function(service: Service, form: Form) -> Callable[..., AsyncIterator[Report]]:
    """The generator function behind an endpoint."""

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

            def start() -> Sweep:
                return service.sweeps.start(definition, owner, party=person.party)

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
    """The definition that a program sent, as JSON or its text.

    Raises DefinitionError, and AxisError for an axis text that is too long.
    """
    sent = {
        "preset": form.name,
        "axes": _parse("axes", axes),
        "values": _parse("values", values) or {},
        "carry": carry,
    }
    definition = load_definition(sent)
    for entry in definition.axes:
        for name, given in entry.items():
            check_length(name, given)
    return definition


async def receive_files(service: Service, form: Form, sent: Definition, party: str) -> Definition:
    """The definition with the files that a program sent as paths; no text names a file.

    Raises ValuesRefused.
    """
    values = {}
    for name, one in sent.values.items():
        value = await _take(service, form, name, one, party)
        if value is not None:
            values[name] = value
    axes = []
    for entry in sent.axes:
        taken = {}
        for name, one in entry.items():
            taken[name] = await _take(service, form, name, one, party)
        axes.append(taken)
    return Definition(sent.preset, values, tuple(axes), sent.carry, sent.title)


async def follow_sweep(sweep: Sweep, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator[Report]:
    """Progress until the sweep is over, then its points; stopping to listen stops the sweep."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    unlisten = sweep.listen(lambda: call_soon(loop, changed.set))
    reported = -REPORT_SECONDS
    try:
        while sweep.is_active and not (sweep.reason and not sweep.is_posted):
            if clock.monotonic() - reported >= REPORT_SECONDS:
                reported = clock.monotonic()
                yield [], describe_info(sweep)
            await wait_event(changed, REPORT_SECONDS, clock)
    finally:
        unlisten()
        await asyncio.to_thread(sweep.stop)
    points = [_describe_point(sweep, cell) for cell in sweep.cells.values()]
    yield points, describe_info(sweep)


def describe_info(sweep: Sweep) -> dict[str, Any]:
    """What a program gets beside the points: status, counts, progress 0 to 1, and what the sweep
    is.
    """
    counts = sweep.counts
    left = sweep.seconds_left
    return {
        "status": sweep.phase,
        "reason": sweep.reason,
        **vars(counts),
        "progress": round(counts.over / max(1, counts.total), 4),
        "seconds_left": None if left is None else round(left, 1),
        "axes": [_describe_axis(axis) for axis in sweep.axes],
        "values": _write_all(sweep, sweep.definition.values),
    }


def _describe_axis(axis: Axis) -> dict[str, Any]:
    labels = [step.label for step in axis.steps]
    return {"title": axis.title, "labels": labels}


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
    return {name: _write(sweep, name, value) for name, value in values.items()}


def _write(sweep: Sweep, name: str, value: Any) -> Any:
    """A value as JSON; seeds as texts, since they may be larger than numbers of JavaScript."""
    field = sweep.form.fields.get(name)
    if field is None or not field.kind.is_seed or value is None:
        return value
    return str(value)


def _parse(name: str, sent: Any) -> Any:
    if not isinstance(sent, str):
        return sent
    try:
        return json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{name}: this is no JSON text.") from error


async def _take(service: Service, form: Form, name: str, sent: Any, party: str) -> Any:
    """A value, or the values of an axis, with files as their paths."""
    field = form.fields.get(name)
    if field is None or not field.kind.is_media:
        return sent
    if isinstance(sent, list):
        return [await _take(service, form, name, one, party) for one in sent]
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
