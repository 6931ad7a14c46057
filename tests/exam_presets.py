"""From a workflow as ComfyUI saves it to a form that runs, for every template of the exam.

`COMFYGRADIO_EXAM=FOLDER python -m tests.exam_presets` prints the table, and each form that is not
open with its reason: the UI file is drafted by `comfygradio new`, looked at by `comfygradio check`,
filled with its defaults and posted to a demo server with the exam's node classes, or to the ComfyUI
that `COMFYUI_URL` names. `tests.exam_files` makes the files that it needs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from comfygradio.binding.preset import load_preset
from comfygradio.cli.app import run_command
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.submit import upload_files
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import ComfyGradioError
from comfygradio.forms.form import Form
from tests.exam import FOLDER, NO_EXAM
from tests.forms.corpus import make_media

TAKEN = ("strict", "drift")
"""Kinds of workflows whose prompt the server accepts."""

GOAL = 0.97
"""How many of these have to be open."""

KEY = "a-key-of-nobody"
"""Nodes of comfy.org want a key before the form is open; no server looks at it before they run."""

LISTS = {
    "checkpoints": ("CheckpointLoaderSimple", "ckpt_name"),
    "loras": ("LoraLoader", "lora_name"),
    "vae": ("VAELoader", "vae_name"),
    "upscale_models": ("UpscaleModelLoader", "model_name"),
    "controlnet": ("ControlNetLoader", "control_net_name"),
}
"""Option of the demo server → the class and input that list its files."""

UPLOADED = (("LoadImage", "image"), ("LoadVideo", "file"), ("LoadAudio", "audio"))
"""Inputs that list the files of the server's input folder."""

BUILT_IN = "pixel_space"
"""What VAELoader offers without a file."""


@dataclass(frozen=True)
class Outcome:
    """What became of a workflow: "open", or the step that ended it, and what was said there."""

    name: str
    kind: str
    state: str
    reason: str = ""


class ExamForms:
    """Makes forms of the exam's workflows, on the ComfyUI at `url`, else on a demo server that has
    the exam's node classes.
    """

    def __init__(self, exam: Path, url: str | None = None) -> None:
        self._exam = exam
        self._given_url = url
        self._index: dict[str, dict[str, Any]] = _read(exam / "index.json")
        self._stack = ExitStack()

    def __enter__(self) -> ExamForms:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._presets = folder / "presets"
        self._presets.mkdir()
        self._media = make_media(folder)
        if self._given_url:
            self._url = self._given_url
        else:
            server = _make_server(self._exam, folder / "comfyui")
            self._url = self._stack.enter_context(server).url
        self._client = self._stack.enter_context(ComfyClient(self._url, api_key=KEY))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def list_templates(self, kinds: Sequence[str] = ()) -> list[str]:
        """List the official templates, or those of some kinds."""
        found = []
        for name, entry in self._index.items():
            if entry["set"] == "templates" and (not kinds or entry["kind"] in kinds):
                found.append(name)
        return found

    def try_workflow(self, name: str) -> Outcome:
        """Take one workflow through all doors."""
        kind = self._index[name]["kind"]
        source = self._exam / "workflows" / f"{name}.json"
        code, out, err = self._run("new", source, "--name", "exam", "--force", "--json")
        if code and not out:
            # The folder of the exam says nothing here.
            return Outcome(name, kind, "refused", err.replace(str(source), source.name).strip())
        code, out, err = self._run("check", "exam")
        if code:
            return Outcome(name, kind, "closed", (out or err).strip())
        try:
            self._post()
        except ComfyGradioError as error:
            return Outcome(name, kind, "rejected", str(error))
        return Outcome(name, kind, "open")

    def _run(self, command: str, *arguments: object) -> tuple[int, str, str]:
        """Run a command; return its exit code and what it wrote."""
        out = io.StringIO()
        err = io.StringIO()
        common = ["--server", self._url, "--presets", self._presets, "--api-key", KEY]
        given = [command, *map(str, [*arguments, *common])]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_command(given)
        return code, out.getvalue(), err.getvalue()

    def _post(self) -> None:
        """Fill the form with its defaults and a file for each field that wants one, and post it."""
        preset = load_preset(self._presets / "exam.yaml")
        form = preset.bind(self._client.object_info(*preset.class_types))
        prompt = form.fill(self._choose_files(form))
        graph = upload_files(self._client, prompt)
        queued = self._client.queue_prompt(graph)
        self._client.cancel(queued.prompt_id)

    def _choose_files(self, form: Form) -> Mapping[str, Path]:
        files = {}
        for name, field in form.fields.items():
            if field.kind.is_media:
                files[name] = self._media.get(field.widget, self._media["image"])
        return files


def _make_server(exam: Path, folder: Path) -> DemoServer:
    """Make a demo server with the exam's classes, models and input files."""
    classes = _read(exam / "object_info.json")
    lists: dict[str, Any] = {}
    for option, (class_type, name) in LISTS.items():
        files = _list_choices(classes, class_type, name)
        lists[option] = tuple(file for file in files if file != BUILT_IN)
    for class_type, name in UPLOADED:
        for file in _list_choices(classes, class_type, name):
            path = folder / "input" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    options = DemoOptions(step_seconds=0, extra_classes=exam / "object_info.json", **lists)
    return DemoServer(options, folder=folder)


def _list_choices(classes: Mapping[str, Any], class_type: str, name: str) -> list[str]:
    kind, *options = classes[class_type]["input"]["required"][name]
    choices: list[str] = kind if isinstance(kind, list) else options[0]["options"]
    return choices


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def count_open(outcomes: Sequence[Outcome]) -> float:
    """The share of the workflows with accepted prompts whose form is open and whose prompt is
    taken.
    """
    taken = [one for one in outcomes if one.kind in TAKEN]
    return sum(one.state == "open" for one in taken) / len(taken)


def describe(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of the table, then what was said about each that is not open."""
    counts = Counter((one.kind, one.state) for one in outcomes)
    for (kind, state), number in sorted(counts.items()):
        yield f"{kind:14} {state:9} {number:4}"
    yield f"open of {' and '.join(TAKEN)}: {count_open(outcomes):.1%} (goal {GOAL:.0%})"
    for one in outcomes:
        if one.state != "open":
            yield f"{one.name} ({one.kind}): {one.state}: {one.reason}"


def main() -> int:
    """Print the table of all templates; return 1 if too few are open."""
    if not FOLDER:
        print(NO_EXAM, file=sys.stderr)
        return 2
    outcomes = []
    with ExamForms(Path(FOLDER), os.environ.get("COMFYUI_URL")) as forms:
        for name in forms.list_templates():
            outcomes.append(forms.try_workflow(name))
    print("\n".join(describe(outcomes)))
    return 0 if count_open(outcomes) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
