"""`comfygradio sweep`: every combination of values, with its own job store beside the pictures, so
that it can go on.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.cli.arguments import JOINED
from comfygradio.cli.backends import bind_preset, open_backends
from comfygradio.cli.presets import SUFFIXES, find_preset
from comfygradio.cli.progress import open_sweep_progress
from comfygradio.cli.run import parse_assignments
from comfygradio.cli.sweep_report import describe_sweep, print_plan, print_sweep
from comfygradio.errors import SettingsError
from comfygradio.jobs.job_store import find_job_store
from comfygradio.settings import Settings
from comfygradio.sweeps.axes.axis import Entry
from comfygradio.sweeps.definition import Definition, is_definition, load_definition
from comfygradio.sweeps.export.export import build_grid, export_all
from comfygradio.sweeps.program import (
    OWNER,
    cancel,
    find_last,
    iterate_changes,
    load_folder,
    open_sweeps,
    start_or_resume,
)
from comfygradio.sweeps.sweep import Sweep
from comfygradio.sweeps.sweep_registry import SweepRegistry


@dataclass(frozen=True)
class SweepCall:
    """What was typed: a preset or a file, `field=value` texts, texts of axes, and the folders."""

    source: str | None
    assignments: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    carry: bool = True
    out: Path | None = None
    resume: Path | None = None


@dataclass(frozen=True)
class Task:
    """What is to be done: a definition, what its files are relative to, and the folder that gets
    everything.
    """

    definition: Definition
    root: Path
    folder: Path
    preset: Preset


def run_sweep(
    settings: Settings, call: SweepCall, *, only_plan: bool, retry: bool, as_json: bool
) -> int:
    """Run a sweep, go on with one, or say what it would be. Raises ComfyGradioError."""
    task = parse_sweep_call(settings, call)
    with ExitStack() as stack:
        folder = task.folder
        if only_plan and not find_job_store(folder).is_file():
            # A plan leaves nothing behind.
            folder = Path(stack.enter_context(TemporaryDirectory()))
        sweeps = stack.enter_context(open_folder(settings, task, folder))
        sweep = find_last(sweeps) if call.resume else None
        if sweep is None:
            sweep = sweeps.plan(task.definition, OWNER, task.root, is_confined=False)
        if only_plan:
            print_plan(sweep, as_json)
            return 0
        return _run(sweep, task.folder, retry, as_json)


def parse_sweep_call(settings: Settings, call: SweepCall) -> Task:
    """Work out what is to be done for what was typed.

    Raises SettingsError, DefinitionError and PresetError.
    """
    if call.resume is not None:
        if call.source or call.assignments or call.axes or call.out:
            raise SettingsError(
                "--resume DIR goes on with what is there; leave out everything else."
            )
        definition = load_folder(call.resume)
        root = call.resume
    elif call.source is None:
        raise SettingsError(
            "Name a preset, or the file of a sweep; comfygradio presets lists the presets."
        )
    else:
        definition, root = _load_source(call)
    preset = find_preset(settings, definition.preset)
    # Without any axis, those count that the preset suggests.
    suggested = tuple({name: given} for name, given in preset.file.sweep.items())
    definition = replace(definition, axes=definition.axes or suggested)
    if not definition.axes:
        raise SettingsError("A sweep needs an axis; write for example --axis cfg=1-10.")
    folder = call.resume or call.out or _default_folder(settings, preset)
    return Task(definition, root, folder, preset)


def parse_axes(texts: Sequence[str]) -> tuple[Entry, ...]:
    """Parse `field=values` texts into entries; a marked one joins the one before it.

    Raises SettingsError.
    """
    entries: list[dict[str, Any]] = []
    for text in texts:
        entry = parse_assignments([text.removeprefix(JOINED)])
        if not text.startswith(JOINED):
            entries.append({**entry})
            continue
        [name] = entry
        if not entries:
            raise SettingsError(f"--with {name} needs an --axis before it.")
        if name in entries[-1]:
            raise SettingsError(f"The field {name} was given twice.")
        entries[-1] |= entry
    return tuple(entries)


@contextmanager
def open_folder(settings: Settings, task: Task, folder: Path) -> Iterator[SweepRegistry]:
    """Open the sweeps of a folder, on the servers of the settings."""
    with open_backends(settings) as pool:
        form = bind_preset(task.preset, pool.backends, settings)
        for note in form.notes:
            print(note, file=sys.stderr)
        with open_sweeps(form, pool, folder, task.definition) as sweeps:
            yield sweeps


def _load_source(call: SweepCall) -> tuple[Definition, Path]:
    """Load the definition of a file and add what was typed besides, or make one of what was typed
    alone.
    """
    named = call.source or ""
    source = Path(named).expanduser()
    axes = parse_axes(call.axes)
    typed = parse_assignments(call.assignments)
    values = {name: _expand_home(value) for name, value in typed.items()}
    # A YAML file may be a preset or a sweep, and a sweep names its preset.
    may_define = source.suffix.lower() in (*SUFFIXES, ".json")
    if may_define and is_definition(source):
        definition = _load_definition(source)
        changed = replace(
            definition,
            values={**definition.values, **values},
            axes=axes or definition.axes,
            # --no-carry counts more than the file.
            carry=definition.carry and call.carry,
        )
        return changed, source.parent
    preset = named
    if named.endswith(SUFFIXES):
        preset = str(source.resolve())
    return Definition(preset, values, axes, call.carry), Path()


def _load_definition(path: Path) -> Definition:
    """Load the definition of a file; the file of its preset lies beside it, or below."""
    definition = load_definition(path)
    if not definition.preset.endswith(SUFFIXES):
        return definition
    return replace(definition, preset=str(path.parent / definition.preset))


def _expand_home(text: str) -> str:
    """Write the path of a file in the home folder in full; return any other text as it is."""
    if not text.startswith("~/"):
        return text
    path = Path(text).expanduser()
    return str(path) if path.is_file() else text


def _run(sweep: Sweep, folder: Path, retry: bool, as_json: bool) -> int:
    """Run a sweep to its end and print what became of it; return 1 if a point failed."""
    try:
        start_or_resume(sweep, folder)
        if retry:
            sweep.retry_failed()
        with open_sweep_progress() as show:
            for _ in iterate_changes(sweep):
                show(sweep)
    except KeyboardInterrupt:
        # What is on the servers would go on, and nobody would fetch it.
        cancel(sweep)
        print(f"Go on with: comfygradio sweep --resume {folder}", file=sys.stderr)
        raise
    export_all(build_grid(sweep), folder)
    print_sweep(sweep, folder, as_json)
    if sweep.counts.done < sweep.counts.total:
        summary = describe_sweep(sweep)
        print(
            f"{summary}. Try these again with: comfygradio sweep --resume {folder} --retry",
            file=sys.stderr,
        )
        return 1
    return 0


def _default_folder(settings: Settings, preset: Preset) -> Path:
    now = datetime.datetime.now()
    name = f"{preset.name}-sweep-{now:%H%M%S}"
    return settings.outputs / f"{now:%Y-%m-%d}" / name
