"""Runs sweeps without a page, on the given servers, with a job store beside the pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_preset
from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.errors import ComfyGradioError, DefinitionError, JobError, JobStoreError
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend, refresh_all
from comfygradio.jobs.backend_pool import BackendPool, StaticBackends, sync_backends
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.definition import Definition, load_definition, write_definition
from comfygradio.sweeps.sweep import Sweep
from comfygradio.sweeps.sweep_registry import SweepRegistry

OWNER = "local"

DEFINITION_FILE = "sweep.yaml"
"""The sweep's definition, written beside its pictures."""

MAX_POINTS = 100_000
"""Of larger sweeps a mistake in typing is more likely than a need."""

POLL_SECONDS = 1.0
"""Seconds between two checks whether anything can go on."""

CANCEL_SECONDS = 10.0
"""Seconds that an interrupted sweep waits for its backends to cancel."""


def sweep(
    preset: str | Path | None = None,
    axes: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    values: Mapping[str, Any] | None = None,
    *,
    out: str | Path = "sweep",
    servers: Sequence[str] = ("http://127.0.0.1:8188",),
    carry: bool = True,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[Cell]:
    """Run every combination of values, and yield each point as it ends, those that exist in `out`
    already first.

        for cell in sweep("presets/text_to_image.yaml", {"cfg": "1-10 (+3)", "steps": [20, 30]},
        {"prompt": "a cat"}):
            print(cell.values, cell.phase, [result.path for result in cell.results])

    `axes` maps fields to texts or lists of values; a list of such mappings lets fields of one
    mapping change together. Without a preset it resumes the last sweep in `out`. If you leave the
    loop early, a later call without a preset resumes the sweep. Raises ComfyGradioError; a point
    that failed is a cell with an `error`.
    """
    folder = Path(out)
    if preset is None:
        definition = load_folder(folder)
    else:
        path = str(Path(preset).resolve())
        definition = load_definition(
            {"preset": path, "axes": axes, "values": values or {}, "carry": carry}
        )
    with ExitStack() as stack:
        clients = [ComfyClient(url) for url in servers]
        pool = StaticBackends(clients, clock)
        stack.callback(pool.close)
        form, troubles = bind_backends(load_preset(definition.preset), pool.backends)
        if form is None:
            raise troubles[0]
        sweeps = stack.enter_context(open_sweeps(form, pool, folder, definition, clock))
        one = find_last(sweeps) if preset is None else None
        if one is None:
            # What is typed is relative to the working folder, what the folder holds to that one.
            root = Path() if preset else folder
            one = sweeps.plan(definition, OWNER, root, is_confined=False)
        start_or_resume(one, folder)
        seen = -1
        for _ in iterate_changes(one, clock):
            seen, changed = one.list_changes(seen)
            for cell in changed:
                if cell.is_over:
                    yield cell


def bind_backends(
    preset: Preset, backends: Sequence[Backend]
) -> tuple[Form | None, Sequence[ComfyGradioError]]:
    """Bind a preset to what all servers have in common.

    Returns the form, or None if no server answers, and the errors of those that do not.
    """
    found = refresh_all(backends, preset.class_types)
    if len(found.errors) >= len(backends):
        return None, found.errors
    form = preset.bind(found.object_info, found.embeddings)
    return form, found.errors


@contextmanager
def open_sweeps(
    form: Form,
    pool: BackendPool,
    folder: Path,
    definition: Definition,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[SweepRegistry]:
    """Open the sweeps of a folder, with a job queue on these backends. Jobs that are posted at the
    end go on.

    Pictures are named after the values on the axes of `definition`. Raises JobStoreError.
    """
    with ExitStack() as stack:
        store = JobStore.open(folder)
        stack.callback(store.close)
        limits = Limits(names=build_name_pattern(definition), sweep_points=MAX_POINTS)
        queue = JobQueue(
            pool.backends, store, store.outputs, limits, may_grow=pool.may_grow, clock=clock
        )
        stack.callback(queue.close)
        for backend in queue.backends:
            if not backend.capabilities_version:  # it has joined since the form was bound
                backend.expect(form.workflow.class_types)
        pool.watch(lambda: sync_backends(queue, pool, form.workflow.class_types))

        def find_form(name: str) -> Form:
            return form

        yield SweepRegistry(queue, find_form)


def load_folder(folder: Path) -> Definition:
    """Load the definition of the last sweep in a folder. Raises DefinitionError."""
    path = folder / DEFINITION_FILE
    if not path.is_file():
        raise DefinitionError(
            f"{folder} holds no sweep to go on with; a folder that does has a file "
            f"{DEFINITION_FILE}."
        )
    return load_definition(path)


def find_last(sweeps: SweepRegistry) -> Sweep | None:
    """Find the sweep that was started last, or None if the job store has none."""
    records = sweeps.list_sweeps(OWNER, 1)
    if not records:
        return None
    return sweeps.find(records[0].token)


def start_or_resume(one: Sweep, folder: Path) -> None:
    """Write the definition into the folder, and start or resume the sweep."""
    write_definition(one.definition, folder / DEFINITION_FILE)
    one.resume()


def iterate_changes(one: Sweep, clock: Clock = SYSTEM_CLOCK) -> Iterator[None]:
    """Yield after every change, until nothing is left to run.

    Raises JobError if nothing can go on.
    """
    changed = threading.Event()
    # Before the first look, so that no change is missed.
    unlisten = one.listen(changed.set)
    try:
        while one.is_active:
            yield
            # What is on a server may still end; only then is the sweep at a halt.
            if one.reason and not one.is_posted:
                raise JobError(one.reason)
            clock.wait_event(changed, POLL_SECONDS)
            changed.clear()
    finally:
        unlisten()
    yield
    if one.phase == "paused":
        raise JobError(one.reason or "The sweep was paused.")


def cancel(one: Sweep, clock: Clock = SYSTEM_CLOCK) -> None:
    """Cancel what a sweep has on its servers, running and waiting. `start_or_resume` resumes it.

    Returns when that is done, or after 10 seconds if a server does not answer.
    """
    changed = threading.Event()
    unlisten = one.listen(changed.set)
    deadline = clock.monotonic() + CANCEL_SECONDS
    try:
        with suppress(JobStoreError):
            one.stop()
        while one.is_posted and clock.monotonic() < deadline:
            clock.wait_event(changed, POLL_SECONDS)
            changed.clear()
    finally:
        unlisten()


def build_name_pattern(definition: Definition) -> str:
    """Build the pattern of the pictures' names: the values on the axes, and a random part that
    makes each name unique.
    """
    names: list[str] = []
    for entry in definition.axes:
        names += entry
    placeholders = [f"{{{name}}}" for name in names[:4]]
    values = " ".join(placeholders)
    return f"pictures/{values} {{random}}"
