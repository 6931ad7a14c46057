"""`comfygradio sweep`: every combination of values, with its own ledger beside the pictures, so
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

from comfygradio.commands.arguments import JOINED
from comfygradio.commands.lanes import bind_preset, open_engine
from comfygradio.commands.presets import SUFFIXES, find_preset
from comfygradio.commands.run import parse_assignments
from comfygradio.commands.sweep_report import describe_sweep, open_progress, print_plan, print_sweep
from comfygradio.errors import SettingsError
from comfygradio.forms.preset import Preset
from comfygradio.jobs.store import find_ledger
from comfygradio.settings import Settings
from comfygradio.sweeps.axes.axis import Entry
from comfygradio.sweeps.definition import Definition, is_definition, read_definition
from comfygradio.sweeps.program import (
    OWNER,
    begin,
    cancel,
    find_last,
    open_sweeps,
    read_folder,
    watch,
)
from comfygradio.sweeps.running.registry import Sweeps
from comfygradio.sweeps.running.sweep import Sweep
from comfygradio.sweeps.showing.exports import write_all
from comfygradio.sweeps.showing.view import make_grid


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
    task = read_call(settings, call)
    with ExitStack() as stack:
        is_new = only_plan and not find_ledger(task.folder).is_file()
        folder = Path(stack.enter_context(TemporaryDirectory())) if is_new else task.folder
        sweeps = stack.enter_context(open_folder(settings, task, folder))
        sweep = find_last(sweeps) if call.resume else None
        sweep = sweep or sweeps.plan(task.definition, OWNER, task.root, is_confined=False)
        if only_plan:
            print_plan(sweep, as_json)
            return 0
        return _run(sweep, task.folder, retry, as_json)


def read_call(settings: Settings, call: SweepCall) -> Task:
    """What is to be done for what was typed.

    Raises SettingsError, DefinitionError and PresetError.
    """
    if call.resume is not None:
        if call.source or call.assignments or call.axes or call.out:
            raise SettingsError(
                "--resume DIR goes on with what is there; leave out everything else."
            )
        definition, root = read_folder(call.resume), call.resume
    elif call.source is None:
        raise SettingsError(
            "Name a preset, or the file of a sweep; comfygradio presets lists the presets."
        )
    else:
        definition, root = _read_source(call)
    preset = find_preset(settings, definition.preset)
    suggested = tuple({name: given} for name, given in preset.file.sweep.items())
    definition = replace(definition, axes=definition.axes or suggested)
    if not definition.axes:
        raise SettingsError("A sweep needs an axis; write for example --axis cfg=1-10.")
    return Task(
        definition, root, call.resume or call.out or _default_folder(settings, preset), preset
    )


def parse_axes(texts: Sequence[str]) -> tuple[Entry, ...]:
    """`field=values` texts as entries; a marked one joins the one before it.

    Raises SettingsError.
    """
    entries: list[dict[str, Any]] = []
    for text in texts:
        joins = text.startswith(JOINED)
        name, given = next(iter(parse_assignments([text.removeprefix(JOINED)]).items()))
        if joins and not entries:
            raise SettingsError(f"--with {name} needs an --axis before it.")
        if joins and name in entries[-1]:
            raise SettingsError(f"The field {name} was given twice.")
        if joins:
            entries[-1][name] = given
        else:
            entries.append({name: given})
    return tuple(entries)


@contextmanager
def open_folder(settings: Settings, task: Task, folder: Path) -> Iterator[Sweeps]:
    """The sweeps of a folder, on the servers of the settings."""
    with open_engine(settings) as engine:
        form = bind_preset(task.preset, engine.lanes, settings)
        for note in form.notes:
            print(note, file=sys.stderr)
        with open_sweeps(form, engine, folder, task.definition) as sweeps:
            yield sweeps


def _read_source(call: SweepCall) -> tuple[Definition, Path]:
    source, axes = Path(call.source or "").expanduser(), parse_axes(call.axes)
    values = {
        name: _expand_home(value) for name, value in parse_assignments(call.assignments).items()
    }
    if source.suffix.lower() in (*SUFFIXES, ".json") and is_definition(source):
        read = read_definition(source)
        preset = str(source.parent / read.preset) if read.preset.endswith(SUFFIXES) else read.preset
        merged = replace(
            read, preset=preset, values={**read.values, **values}, axes=axes or read.axes
        )
        return replace(merged, carry=merged.carry and call.carry), source.parent
    name = str(source.resolve()) if (call.source or "").endswith(SUFFIXES) else call.source or ""
    return Definition(name, values, axes, call.carry), Path()


def _expand_home(text: str) -> str:
    """A text as it is, but the path of a file in the home folder in full."""
    path = Path(text).expanduser() if text.startswith("~/") else None
    return str(path) if path is not None and path.is_file() else text


def _run(sweep: Sweep, folder: Path, retry: bool, as_json: bool) -> int:
    """Bring a sweep to its end and tell what became of it; 1 if a point failed."""
    try:
        begin(sweep, folder)
        if retry:
            sweep.retry_failed()
        with open_progress() as show:
            for _ in watch(sweep):
                show(sweep)
    except KeyboardInterrupt:
        cancel(sweep)
        print(f"Go on with: comfygradio sweep --resume {folder}", file=sys.stderr)
        raise
    write_all(make_grid(sweep), folder)
    print_sweep(sweep, folder, as_json)
    if sweep.counts.done < sweep.counts.total:
        told = describe_sweep(sweep)
        print(
            f"{told}. Try these again with: comfygradio sweep --resume {folder} --retry",
            file=sys.stderr,
        )
        return 1
    return 0


def _default_folder(settings: Settings, preset: Preset) -> Path:
    now = datetime.datetime.now()
    return settings.outputs / f"{now:%Y-%m-%d}" / f"{preset.name}-sweep-{now:%H%M%S}"
