from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfygradio.binding.preset import load_preset
from comfygradio.cli.new import new_preset
from comfygradio.demo import DemoServer
from comfygradio.errors import (
    MetadataError,
    PresetError,
    ServerUnreachable,
    SettingsError,
    WorkflowError,
)
from comfygradio.settings import load_settings, shipped_presets

from .shell import Shell

New = Callable[..., int]
WORKFLOW = shipped_presets() / "text_to_image.json"
UI_WORKFLOW: dict[str, Any] = {"nodes": [], "links": [], "version": 0.4}


@pytest.fixture
def new(demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> New:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(source: Path, name: str | None = None, **options: Any) -> int:
        settings = load_settings({}, {"server": demo.url, **options.pop("settings", {})})
        given = {"folder": None, "force": False, "saved": None, "as_json": False, **options}
        return new_preset(settings, source, name, **given)

    return call


def save_picture(path: Path, **texts: Any) -> Path:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, json.dumps(value))
    Image.new("RGB", (16, 16)).save(path, pnginfo=info)
    return path


def test_a_workflow_becomes_a_preset_that_runs(
    new: New, capsys: pytest.CaptureFixture[str], shell: Shell, demo: DemoServer
) -> None:
    assert new(WORKFLOW, "mine") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{Path('presets/mine.yaml')}: Text to image, 10 fields"
    assert any(
        line.split() == ["prompt", "6.text:", "feeds", "positive", "of", "KSampler", "(node", "3)"]
        for line in out
    )
    assert any(line.startswith("note: 1 further input was left out: denoise.") for line in out)
    assert sorted(path.name for path in Path("presets").iterdir()) == [
        "mine.json",
        "mine.yaml",
        "preset.schema.json",
    ]
    assert shell("check", "--server", demo.url).out == "mine: ok\n"
    answer = shell("run", "mine", "prompt=a fox", "steps=2", "--out", "made", "--server", demo.url)
    assert answer.code == 0 and Path(answer.out.strip()).is_file()


def test_a_picture_of_comfyui_becomes_a_preset(new: New, tmp_path: Path) -> None:
    graph = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    graph["10"] = {
        "class_type": "LoadImage",
        "inputs": {"image": "example.png"},
        "is_changed": ["abc"],
    }
    picture = save_picture(tmp_path / "ComfyUI_00001_.png", prompt=graph, workflow=UI_WORKFLOW)
    assert new(picture) == 0
    preset = load_preset("presets/text_to_image.yaml")
    assert (
        preset.file.fields["prompt"].advanced is False
        and "is_changed" not in Path("presets/text_to_image.json").read_text()
    )


def test_marks_in_a_picture_count(new: New, tmp_path: Path) -> None:
    marked = {
        "nodes": [{"id": 3, "type": "KSampler", "inputs": [], "widgets_values": []}],
        "links": [],
        "extra": {"linearData": {"inputs": [[3, "steps"]], "outputs": [9]}},
    }
    graph = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    assert new(save_picture(tmp_path / "a.png", prompt=graph, workflow=marked), "marked") == 0
    fields = load_preset("presets/marked.yaml").file.fields
    assert [name for name, line in fields.items() if not line.advanced] == ["steps", "seed"]


def test_marks_beside_a_workflow_count(new: New, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text(
        json.dumps({**UI_WORKFLOW, "extra": {"linearData": {"inputs": [[6, "text"]]}}}),
        encoding="utf-8",
    )
    assert new(WORKFLOW, "marked", saved=page) == 0
    with pytest.raises(WorkflowError, match="is not in ComfyUI's UI format"):
        new(WORKFLOW, "other", saved=WORKFLOW)


def test_json_tells_everything(new: New, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(WORKFLOW, "mine", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"preset", "title", "fields", "left_out", "outputs", "notes", "problems"}
    assert told["fields"][0] == {
        **{"name": "prompt", "role": "prompt", "slots": ["6.text"], "advanced": False},
        "why": "feeds positive of KSampler (node 3)",
    }


def test_problems_are_told_and_the_preset_is_there(
    new: New, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    graph["3"]["class_type"] = "SomebodysSampler"
    source = tmp_path / "odd.json"
    source.write_text(json.dumps(graph), encoding="utf-8")
    assert new(source) == 1
    out = capsys.readouterr().out
    assert "problem: This ComfyUI has no node class SomebodysSampler" in out
    assert load_preset("presets/odd.yaml").file.fields["prompt"]


def test_nothing_is_overwritten(new: New) -> None:
    assert new(WORKFLOW, "mine") == 0
    with pytest.raises(PresetError, match=r"exists already; .* with --name, or .* --force"):
        new(WORKFLOW, "mine")
    assert new(WORKFLOW, "mine", force=True) == 0


def test_the_folder_is_the_first_of_the_settings_or_the_one_that_is_named(
    new: New, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    assert new(WORKFLOW, "mine", settings={"presets": [str(tmp_path / "own")]}) == 0
    assert new(WORKFLOW, "mine", folder=tmp_path / "other") == 0
    assert (tmp_path / "own" / "mine.yaml").is_file() and (
        tmp_path / "other" / "mine.yaml"
    ).is_file()


def test_the_installed_package_is_left_alone(new: New) -> None:
    import comfygradio

    package = Path(comfygradio.__file__).parent
    with pytest.raises(SettingsError, match="belongs to the installed comfygradio"):
        new(WORKFLOW, "mine", folder=package / "presets")


def test_files_without_a_workflow_are_refused(new: New, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text(json.dumps(UI_WORKFLOW), encoding="utf-8")
    with pytest.raises(WorkflowError, match=r"UI format.*Export \(API\)"):
        new(page)
    with pytest.raises(WorkflowError, match=r"What a\.png holds is in ComfyUI's UI format"):
        new(save_picture(tmp_path / "a.png", workflow=UI_WORKFLOW))
    with pytest.raises(MetadataError):
        new(save_picture(tmp_path / "b.png"))
    with pytest.raises(WorkflowError, match="cannot be read"):
        new(tmp_path / "none.json")
    assert not Path("presets").exists()


def test_without_a_server_it_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({}, {"server": "http://127.0.0.1:9"})
    with pytest.raises(ServerUnreachable):
        new_preset(settings, WORKFLOW, "mine", None, False, None, False)
    assert not Path("presets").exists()


def test_on_the_command_line(shell: Shell, demo: DemoServer) -> None:
    answer = shell("new", WORKFLOW, "--name", "mine", "--server", demo.url)
    assert (answer.code, answer.err) == (0, "") and "prompt" in answer.out
    again = shell("new", WORKFLOW, "--name", "mine", "--server", demo.url)
    assert (
        again.code == 1
        and again.out == ""
        and again.err.count("\n") == 1
        and "--force" in again.err
    )
    assert shell("new", WORKFLOW, "--name", "mine", "--force", "--json", "--demo").code == 0
    assert shell("new", "nowhere.png", "--demo").code == 1
    assert shell("new").code == 2
