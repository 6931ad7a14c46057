"""`comfygradio convert`, and the other commands that take a workflow as ComfyUI saves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.ui_workflow import (
    PACK,
    PROMPT,
    UI_WORKFLOW,
    load_ui_workflow,
    make_foreign_workflow,
    save_ui_picture,
)

from .shell import Answer, Shell

API_WORKFLOW = shipped_presets() / "text_to_image.json"


def read_inputs(answer: Answer) -> dict[str, dict[str, object]]:
    """Node id → inputs of the prompt that was printed."""
    return {key: node["inputs"] for key, node in json.loads(answer.out).items()}


def test_a_ui_workflow_is_printed_in_api_format(shell: Shell, demo: DemoServer) -> None:
    answer = shell("convert", UI_WORKFLOW, "--server", demo.url)
    assert (answer.code, answer.err) == (0, "")
    assert read_inputs(answer) == PROMPT
    assert json.loads(answer.out)["6"]["_meta"] == {"title": "Positive Prompt"}


def test_what_was_printed_runs(shell: Shell, demo: DemoServer, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.json"
    prompt.write_text(shell("convert", UI_WORKFLOW, "--server", demo.url).out, encoding="utf-8")
    answer = shell("api", "POST", "/prompt", "--data", prompt, "--server", demo.url)
    assert answer.code == 0 and json.loads(answer.out)["node_errors"] == {}


def test_a_picture_that_holds_only_the_ui_workflow(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    picture = save_ui_picture(tmp_path / "a.png", load_ui_workflow())
    answer = shell("convert", picture, "--server", demo.url)
    assert answer.code == 0 and read_inputs(answer) == PROMPT


def test_api_format_passes_unchanged(shell: Shell, demo: DemoServer) -> None:
    answer = shell("convert", API_WORKFLOW, "--server", "http://127.0.0.1:9")
    assert (answer.code, answer.err) == (0, f"{API_WORKFLOW} is in API format already.\n")
    assert json.loads(answer.out) == json.loads(API_WORKFLOW.read_text(encoding="utf-8"))


def test_a_class_that_the_server_lacks_is_named_with_its_pack(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(make_foreign_workflow()), encoding="utf-8")
    answer = shell("convert", path, "--server", demo.url)
    assert answer.code == 1
    assert json.loads(answer.out)["3"]["class_type"] == "SomebodysSampler"
    last = answer.err.splitlines()[-1]
    assert last.startswith("The server lacks SomebodysSampler (node 3).") and PACK in last


def test_a_file_without_nodes_is_refused(shell: Shell, demo: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text('{"nodes": [], "links": []}', encoding="utf-8")
    answer = shell("convert", path, "--server", demo.url)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"{path} is in ComfyUI's UI format, and no node of it can be run.")


def test_a_file_cannot_make_the_command_ask_for_any_number_of_classes(
    shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "many.json"
    nodes = [{"id": number, "type": f"Class{number}"} for number in range(501)]
    path.write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    answer = shell("convert", path, "--server", "http://127.0.0.1:9")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"{path} has 501 kinds of nodes; at most 500 are converted.\n"


def test_no_server_is_needed_with_a_file(shell: Shell, demo: DemoServer, tmp_path: Path) -> None:
    known = tmp_path / "object_info.json"
    known.write_text(shell("api", "GET", "/object_info", "--server", demo.url).out)
    away = ("--object-info", known, "--server", "http://127.0.0.1:9")
    assert read_inputs(shell("convert", UI_WORKFLOW, *away)) == PROMPT
    assert shell("new", UI_WORKFLOW, "--name", "mine", *away).code == 0
    assert shell("check", "presets/mine.yaml", UI_WORKFLOW, *away) == (
        0,
        f"mine: ok\n{UI_WORKFLOW}: ok\n",
        "",
    )
    refused = shell("convert", UI_WORKFLOW, "--object-info", UI_WORKFLOW)
    assert refused.code == 2 and "describes no node classes" in refused.err


@pytest.mark.parametrize("as_picture", [False, True])
def test_a_ui_workflow_becomes_a_preset_that_keeps_it(
    shell: Shell, demo: DemoServer, tmp_path: Path, as_picture: bool
) -> None:
    source = UI_WORKFLOW
    if as_picture:
        source = save_ui_picture(tmp_path / "a.png", load_ui_workflow())
    answer = shell("new", source, "--name", "mine", "--server", demo.url)
    assert (answer.code, answer.err) == (0, "")
    preset = load_preset("presets/mine.yaml")
    shown = [name for name, line in preset.file.fields.items() if not line.advanced]
    assert shown == ["prompt", "steps", "seed"], "App mode shows the first two"
    assert preset.ui_workflow_path == Path("presets/mine.ui.json")
    assert json.loads(preset.ui_workflow_path.read_bytes()) == load_ui_workflow()
    assert shell("check", "--server", demo.url) == (0, "mine: ok\n", "")
    made = shell("run", "mine", "prompt=a fox", "steps=2", "--server", demo.url)
    assert made.code == 0 and Path(made.out.strip()).is_file()


@pytest.mark.parametrize("is_same", [True, False])
def test_a_picture_with_both_formats_keeps_the_second_if_it_is_the_same(
    shell: Shell, demo: DemoServer, tmp_path: Path, is_same: bool
) -> None:
    prompt = json.loads(shell("convert", UI_WORKFLOW, "--server", demo.url).out)
    prompt["3"]["inputs"]["seed"] = 5  # drawn by the page before it ran
    if not is_same:
        prompt["3"]["inputs"]["model"] = ["5", 0]
    picture = save_ui_picture(tmp_path / "a.png", load_ui_workflow(), prompt)
    assert shell("new", picture, "--name", "mine", "--server", demo.url).code == int(not is_same)
    assert load_preset("presets/mine.yaml").workflow.nodes["3"].inputs["seed"] == 5
    assert Path("presets/mine.ui.json").exists() is is_same


def test_an_overwritten_preset_keeps_no_ui_workflow_of_the_one_before(
    shell: Shell, demo: DemoServer
) -> None:
    for source, is_kept in ((UI_WORKFLOW, True), (API_WORKFLOW, False), (UI_WORKFLOW, True)):
        more = ("--name", "mine", "--force", "--server", demo.url)
        assert shell("new", source, *more).code == 0
        assert Path("presets/mine.ui.json").exists() is is_kept
    Path("presets/mine.yaml").unlink()
    Path("presets/mine.json").unlink()
    refused = shell("new", API_WORKFLOW, "--name", "mine", "--server", demo.url)
    assert refused.code == 1 and "mine.ui.json exists already" in refused.err


def test_new_refuses_a_ui_workflow_with_a_class_that_the_server_lacks(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(make_foreign_workflow()), encoding="utf-8")
    sentence = (
        f"{path} needs the node class SomebodysSampler (install the custom node {PACK} with "
        "ComfyUI's manager), which this ComfyUI does not have.\n"
    )
    assert shell("new", path, "--server", demo.url) == (1, "", sentence)
    assert not Path("presets").exists()
    assert shell("check", path, "--server", demo.url) == (1, sentence, "")


def test_app_mode_is_not_told_twice(shell: Shell, demo: DemoServer) -> None:
    answer = shell("new", UI_WORKFLOW, "--saved", UI_WORKFLOW, "--server", demo.url)
    assert answer.code == 1 and "is in ComfyUI's UI format itself" in answer.err


def test_check_says_what_a_workflow_needs(shell: Shell, demo: DemoServer, tmp_path: Path) -> None:
    data = load_ui_workflow()
    # Without App mode's choices, which leave it out of the form.
    del data["extra"]
    for node in data["nodes"]:
        if node["type"] == "VAEDecode":
            node["inputs"][1]["link"] = None
    data["links"] = [link for link in data["links"] if link[0] != 8]
    path = save_ui_picture(tmp_path / "a.png", data)
    answer = shell("check", path, "text_to_image", API_WORKFLOW, "--server", demo.url)
    assert answer.code == 1 and answer.out.splitlines() == [
        "text_to_image: ok",
        f"{path}: VAE Decode needs a VAE for vae, and nothing is connected; connect it and export "
        "again.",
        f"{API_WORKFLOW}: ok",
    ]
    report = json.loads(shell("check", path, "--json", "--server", demo.url).out)
    assert list(report["presets"]) == [str(path)] and report["unreadable"] == []
    (problem,) = report["presets"][str(path)]["problems"]
    assert (problem["kind"], problem["node"]) == ("missing_input", "8")


def test_check_explains_files_that_hold_no_workflow(
    shell: Shell, demo: DemoServer, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "cut.json").write_text('{"1": ', encoding="utf-8")
    answer = shell("check", "broken.png", "cut.json", "--server", demo.url)
    assert answer.code == 1
    first, second = answer.out.splitlines()
    assert first.startswith("broken.png holds no ComfyUI settings") and "not valid JSON" in second
    assert shell("check", "absent.json", "--server", demo.url).code == 2
