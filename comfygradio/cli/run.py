"""`comfygradio run`: one job on one server; its results are saved and their paths printed."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from comfygradio.binding.preset import Preset
from comfygradio.cli.presets import find_preset
from comfygradio.cli.progress import open_job_progress
from comfygradio.cli.server import fetch_object_info, open_client
from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cache_control import bust_cache, find_stale
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.file_sequence import fetch_files, is_sequence
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.tracker import NO_RESULT
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import (
    ComfyGradioError,
    JobError,
    NotFound,
    ServerError,
    ServerUnreachable,
    SettingsError,
)
from comfygradio.forms.form import Form
from comfygradio.settings import Settings


class MissingFile(NamedTuple):
    """Something that a node made and that could not be fetched, in a sentence."""

    node_id: str
    text: str


@dataclass
class Report:
    """What a run made so far."""

    preset: str
    values: Mapping[str, Any]
    prompt_id: str = ""
    files: list[Path] = field(default_factory=list)
    seconds: float = 0.0
    missing: list[MissingFile] = field(default_factory=list)
    makers: dict[Path, str] = field(default_factory=dict)
    """File → the node that made it."""
    has_no_result: bool = False
    """Whether it went well, and the server told no result, which was said."""

    def forget(self, nodes: Collection[str]) -> None:
        """Delete what these nodes made, and take back what was missing: both are made anew."""
        for path in list(self.files):
            maker = self.makers[path]
            if find_stale(nodes, [maker]):
                path.unlink(missing_ok=True)
                self.files.remove(path)
        missing = []
        for lack in self.missing:
            if not find_stale(nodes, [lack.node_id]):
                missing.append(lack)
        self.missing = missing

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints; it has `missing` only if something is."""
        report: dict[str, Any] = {
            "preset": self.preset,
            "values": self.values,
            "prompt_id": self.prompt_id,
            "files": [str(path) for path in self.files],
            "seconds": round(self.seconds, 3),
        }
        if self.missing:
            report["missing"] = [lack.text for lack in self.missing]
        return report


def run_preset(
    settings: Settings,
    name: str,
    assignments: Sequence[str],
    out: Path | None,
    as_json: bool,
    clock: Clock = SYSTEM_CLOCK,
) -> int:
    """Run a preset with `field=value` texts and print the paths of what it made.

    Returns 1 if something that was made could not be fetched. Raises ComfyGradioError.
    """
    values = parse_assignments(assignments)
    preset = find_preset(settings, name)
    with open_client(settings) as client:
        prompt = fill_preset(client, preset, values, settings)
        report = Report(preset.name, prompt.extra_pnginfo["comfygradio"]["values"])
        try:
            folder = out or _default_folder(settings, preset.name, clock)
            _run_prompt(client, prompt, folder, report, clock)
        finally:
            if not as_json:
                _print_files(report)
            for lack in report.missing:
                print(lack.text, file=sys.stderr)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    return 1 if report.missing else 0


def fill_preset(
    client: ComfyClient, preset: Preset, values: Mapping[str, str], settings: Settings
) -> Prompt:
    """Build the prompt of a preset with these values for this server; write to stderr what was
    adjusted.

    Raises ComfyGradioError.
    """
    object_info = fetch_object_info(client, [preset], settings)
    form = preset.bind(object_info)
    prompt = form.fill(_expand_paths(form, values))
    for note in [*form.notes, *prompt.notes]:
        print(note, file=sys.stderr)
    return prompt


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """Parse `field=value` texts into a mapping. Raises SettingsError."""
    values: dict[str, str] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name:
            raise SettingsError(
                f"{assignment} is not of the form field=value; "
                "write for example prompt='a lighthouse'."
            )
        if name in values:
            raise SettingsError(f"The field {name} was given twice.")
        values[name] = value
    return values


def save_output(output: Output, folder: Path) -> Path:
    """Save one result under its own name, with a counter if it is taken; never overwrite a file."""
    path = _reserve(folder, output.name)
    try:
        return output.save(path)
    except BaseException:
        # Ctrl-C as well: the name was reserved by an empty file, which must not stay.
        path.unlink(missing_ok=True)
        raise


def save_files(output: Output, folder: Path) -> Iterator[Path | Output]:
    """Save one result, or each file of its sequence; what the server lacks comes back as it is."""

    def save(frame: Output) -> Path | Output:
        return _try_to_save(frame, folder)

    def is_lacking(saved: Path | Output) -> bool:
        return isinstance(saved, Output)

    first = save(output)
    if isinstance(first, Path) or not is_sequence(output.filename):
        yield first
        return
    is_empty = True
    for saved in fetch_files(output, save, is_lacking):
        is_empty = False
        yield saved
    if is_empty:
        yield first


def _try_to_save(output: Output, folder: Path) -> Path | Output:
    try:
        return save_output(output, folder)
    except NotFound:
        return output


def _expand_paths(form: Form, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the values with those of files as paths, where ~ is the home folder."""
    expanded: dict[str, Any] = dict(values)
    for name, value in values.items():
        field = form.fields.get(name)
        is_media = field is not None and field.kind.is_media
        if is_media and value:
            expanded[name] = Path(value).expanduser()
    return expanded


def _run_prompt(
    client: ComfyClient, prompt: Prompt, folder: Path, report: Report, clock: Clock
) -> None:
    """Follow the prompt to its end, a second time where the server kept results without files."""
    started = clock.monotonic()
    stale = _follow_prompt(client, prompt, folder, report)
    if stale:
        print(
            "Files that the server had made earlier are gone, so this runs once more.",
            file=sys.stderr,
        )
        report.forget(stale)
        # Only what has no file any more runs again.
        renewed = replace(bust_cache(prompt, stale), outputs=tuple(stale))
        _follow_prompt(client, renewed, folder, report)
    report.seconds = clock.monotonic() - started
    if not report.files and not report.missing and not report.has_no_result:
        raise JobError("The job ended without any result.", report.prompt_id)


def _follow_prompt(
    client: ComfyClient, prompt: Prompt, folder: Path, report: Report
) -> frozenset[str]:
    """Save what a prompt made, also before a failure. Return the nodes whose files the server
    reported from its cache and no longer has.
    """
    state = None
    try:
        # Nobody would see previews here.
        run = client.run(prompt, preview_method="none")
        with closing(run) as states, open_job_progress() as show:
            for state in states:
                show(state)
    except ComfyGradioError:
        # `state` is the last one before the failure, with what was made until then.
        _save_outputs(state, folder, report)
        raise
    lacking = _save_outputs(state, folder, report)
    return find_stale(state.cached if state else (), lacking)


def _save_outputs(state: PromptProgress | None, folder: Path, report: Report) -> list[str]:
    """Save everything that can be fetched; return the nodes of which the server lacks a file."""
    if state is None:
        return []
    lacking: list[str] = []
    report.prompt_id = state.prompt_id
    report.has_no_result = NO_RESULT in state.warnings
    for output in state.outputs:
        try:
            for saved in save_files(output, folder):
                if isinstance(saved, Path):
                    report.files.append(saved)
                    report.makers[saved] = output.node_id
                else:
                    lacking.append(saved.node_id)
                    report.missing.append(_describe_lack(saved, "the server has no such file."))
        except ServerUnreachable:
            # The other files could not be fetched either.
            raise
        except ServerError as error:
            report.missing.append(_describe_lack(output, str(error)))
    for warning in state.warnings:
        print(warning, file=sys.stderr)
    return lacking


def _describe_lack(output: Output, reason: str) -> MissingFile:
    text = f"{output.name} was made, but could not be fetched: {reason}"
    return MissingFile(output.node_id, text)


def _print_files(report: Report) -> None:
    for path in report.files:
        print(path)


def _default_folder(settings: Settings, name: str, clock: Clock) -> Path:
    today = datetime.date.fromtimestamp(clock.time())
    return settings.outputs / today.isoformat() / name


def _reserve(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    stem = Path(name).stem
    suffix = Path(name).suffix
    count = 1
    while True:
        try:
            # The file is made at once, so that two runs never choose the same name.
            path.touch(exist_ok=False)
        except FileExistsError:
            count += 1
            path = folder / f"{stem}-{count}{suffix}"
        else:
            return path
