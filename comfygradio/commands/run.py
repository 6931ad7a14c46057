"""`comfygradio run`: one job on one server; its results are saved and their paths printed."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.state import JobState
from comfygradio.comfy.workflow import Prompt
from comfygradio.commands.presets import find_preset
from comfygradio.commands.server import fetch_object_info, open_client
from comfygradio.errors import ComfyGradioError, JobError, SettingsError
from comfygradio.forms.field import MEDIA
from comfygradio.forms.form import Form
from comfygradio.settings import Settings


@dataclass
class Report:
    """What a run made so far."""

    preset: str
    values: Mapping[str, Any]
    prompt_id: str = ""
    files: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            **vars(self),
            "files": [str(path) for path in self.files],
            "seconds": round(self.seconds, 3),
        }


def run_preset(
    settings: Settings,
    name: str,
    assignments: Sequence[str],
    out: Path | None,
    as_json: bool,
    clock: Clock = SYSTEM_CLOCK,
) -> int:
    """Run a preset with `field=value` texts and print the paths of what it made.

    Raises ComfyGradioError.
    """
    values = parse_assignments(assignments)
    preset = find_preset(settings, name)
    with open_client(settings) as client:
        form = preset.bind(fetch_object_info(client, [preset], settings))
        prompt = form.fill(_expand_paths(form, values))
        for note in form.notes:
            print(note, file=sys.stderr)
        report = Report(preset.name, prompt.extra_pnginfo["comfygradio"]["values"])
        try:
            folder = out or _default_folder(settings, preset.name, clock)
            _run_prompt(client, prompt, folder, report, clock)
        finally:
            if not as_json:
                _print_files(report)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    return 0


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """`field=value` texts as a mapping. Raises SettingsError."""
    values: dict[str, str] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name:
            raise SettingsError(
                f"{assignment} is no field=value; write for example prompt='a lighthouse'."
            )
        if name in values:
            raise SettingsError(f"The field {name} was given twice.")
        values[name] = value
    return values


def save_output(output: Output, folder: Path) -> Path:
    """Save one result under its own name, with a counter where that is taken; never overwrites."""
    path = _reserve(folder, output.name)
    try:
        return output.save(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _expand_paths(form: Form, values: Mapping[str, str]) -> dict[str, Any]:
    files = {name for name, field in form.fields.items() if field.widget in MEDIA}
    return {
        name: Path(value).expanduser() if name in files and value else value
        for name, value in values.items()
    }


def _run_prompt(
    client: ComfyClient, prompt: Prompt, folder: Path, report: Report, clock: Clock
) -> None:
    """Follow the prompt to its end; what was made before a failure is saved as well."""
    state = None
    started = clock.monotonic()
    try:
        with closing(client.run(prompt, preview_method="none")) as states, _open_progress() as show:
            for state in states:
                show(state)
    except ComfyGradioError:
        _save_outputs(state, folder, report)
        raise
    _save_outputs(state, folder, report)
    report.seconds = clock.monotonic() - started
    if not report.files:
        raise JobError("The job ended without any result.", report.prompt_id)


def _save_outputs(state: JobState | None, folder: Path, report: Report) -> None:
    if state is None:
        return
    report.prompt_id = state.prompt_id
    for output in state.outputs:
        report.files.append(save_output(output, folder))
    for warning in state.warnings:
        print(warning, file=sys.stderr)


def _print_files(report: Report) -> None:
    for path in report.files:
        print(path)


def _default_folder(settings: Settings, name: str, clock: Clock) -> Path:
    today = datetime.date.fromtimestamp(clock.time())
    return settings.outputs / today.isoformat() / name


def _reserve(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path, count = folder / name, 1
    while True:
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            count += 1
            path = folder / f"{Path(name).stem}-{count}{Path(name).suffix}"
        else:
            return path


@contextmanager
def _open_progress() -> Iterator[Callable[[JobState], None]]:
    """A progress bar on stderr, where that is a terminal, and under it what the node says."""
    if not sys.stderr.isatty():
        yield lambda state: None
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    bar = Progress(*columns, console=console)
    line = Text(no_wrap=True, overflow="ellipsis")
    task = bar.add_task("", total=1.0)

    def show(state: JobState) -> None:
        bar.update(task, completed=state.progress, description=_describe(state))
        line.plain = state.text

    with Live(Group(bar, line), console=console, transient=True, refresh_per_second=10):
        yield show


def _describe(state: JobState) -> str:
    if state.status == "queued" and state.queue_position:
        return f"queued, {state.queue_position} before it"
    step = f" {state.step}/{state.steps}" if state.steps else ""
    return f"{state.node}{step}" if state.node else state.status
