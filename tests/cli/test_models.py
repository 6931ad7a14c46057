"""`comfygradio models`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import shipped_presets
from tests.model_files.entries import ONE

from .shell import Shell

THERE = "{name: DREAM-sd15.safetensors, folder: checkpoints, url: https://a.example/1}"
PLAIN = "{name: watercolor.safetensors, folder: loras, url: https://a.example/2}"
GONE = "{name: it's gone.pt, folder: loras, url: https://a.example/3}"
ODD = "{name: a.pt, folder: no_such_folder, url: https://a.example/4}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without presets of its own models."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "presets"
    made.mkdir(exist_ok=True)
    return made


def write(folder: Path, name: str, models: Sequence[str]) -> None:
    """Write a preset with these models."""
    workflow = (shipped_presets() / "text_to_image.json").read_text(encoding="utf-8")
    (folder / f"{name}.json").write_text(workflow, encoding="utf-8")
    text = f"title: Mine\nworkflow: {name}.json\nmodels:\n"
    text += "".join(f"  - {model}\n" for model in models)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_table_tells_what_is_there_and_what_is_missing(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    write(folder, "mine", [THERE, PLAIN, GONE, ODD])
    answer = shell("models", "mine", "--server", demo.url)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines() == [
        "there    checkpoints/DREAM-sd15.safetensors  is dream-sd15.safetensors there",
        "there    loras/watercolor.safetensors",
        "missing  loras/it's gone.pt                  https://a.example/3",
        "unknown  no_such_folder/a.pt                 https://a.example/4",
    ]


def test_nothing_missing_is_success(shell: Shell, demo: DemoServer, folder: Path) -> None:
    write(folder, "mine", [THERE, PLAIN])
    assert shell("models", "mine", "--server", demo.url).code == 0


def test_a_script_has_the_commands_for_what_is_missing(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    write(folder, "mine", [THERE, GONE, ODD])
    answer = shell("models", "mine", "--script", "--server", demo.url)
    assert answer.code == 0
    assert answer.err == "no_such_folder/a.pt: this ComfyUI does not tell whether it has it.\n"
    assert answer.out.startswith("#!/bin/sh\n") and "a POSIX shell" in answer.out
    command = answer.out.splitlines()[-1]
    assert command.startswith("mkdir -p models/loras && curl --fail --location --output ")
    assert "dream" not in answer.out.lower() and "no_such_folder" not in answer.out


def test_a_preset_without_models_says_so(shell: Shell, demo: DemoServer, folder: Path) -> None:
    answer = shell("models", str(shipped_presets() / "upscale.yaml"), "--server", demo.url)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("upscale lists no models; write them under models: in upscale.ya")
    script = shell("models", str(shipped_presets() / "upscale.yaml"), "--script")
    assert script.out == "" and script.err == answer.out


def test_old_servers_are_asked_by_their_node_classes(shell: Shell, folder: Path) -> None:
    """They have no lists of folders."""
    write(folder, "mine", [THERE, GONE.replace("loras", "checkpoints"), PLAIN])
    with DemoServer(DemoOptions(version="0.0.3")) as old:
        answer = shell("models", "mine", "--server", old.url)
    states = [line.split()[0] for line in answer.out.splitlines()]
    assert (answer.code, states) == (1, ["there", "missing", "unknown"])


def test_a_copy_counts_if_another_preset_proves_it(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    hashed = GONE.replace("}", f", hash: '{ONE}'}}")
    write(folder, "mine", [hashed])
    assert shell("models", "mine", "--server", demo.url).code == 1
    write(folder, "other", [PLAIN.replace("}", f", hash: '{ONE}'}}")])
    answer = shell("models", "mine", "--server", demo.url)
    assert (answer.code, answer.out) == (
        0,
        "there    loras/it's gone.pt  is watercolor.safetensors there, with the same SHA256\n",
    )


def test_a_server_without_assets_proves_nothing(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    write(folder, "mine", [GONE.replace("}", f", hash: '{ONE}', hash_type: BLAKE3}}")])
    answer = shell("models", "mine", "--server", demo.url)
    assert (answer.code, answer.err) == (1, "") and answer.out.startswith("missing  loras/")


def test_a_file_on_this_machine_may_be_the_same(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    place = Path("comfy/models/loras/watercolor.safetensors")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"same")
    digits = hashlib.sha256(b"same").hexdigest()
    gone = GONE.replace("gone.pt", "gone.safetensors")
    write(folder, "mine", [gone.replace("}", f", hash: '{digits}'}}")])
    answer = shell("models", "mine", "--comfyui", "comfy", "--server", demo.url)
    assert answer.code == 0 and "is watercolor.safetensors there, with the same" in answer.out
    assert answer.err.startswith("Computing the SHA256 of ") and "watercolor" in answer.err
    place.write_bytes(b"other")
    assert shell("models", "mine", "--comfyui", "comfy", "--server", demo.url).code == 1


def test_any_other_folder_is_refused(shell: Shell, folder: Path) -> None:
    write(folder, "mine", [GONE])
    answer = shell("models", "mine", "--comfyui", "presets", "--server", "http://127.0.0.1:9")
    assert answer.code == 2 and answer.out == ""
    assert "presets has no folder models; --comfyui takes ComfyUI's own folder" in answer.err


def test_a_folder_is_asked_for_by_its_new_and_its_old_name(
    shell: Shell, demo: DemoServer, folder: Path
) -> None:
    """A server lists a folder that was renamed by one of its names only."""
    write(folder, "mine", [GONE.replace("loras", name) for name in ("unet", "clip", "vae")])
    answer = shell("models", "mine", "--server", demo.url)
    assert [line.split()[0] for line in answer.out.splitlines()] == ["missing"] * 3


def test_a_server_that_does_not_answer(shell: Shell, folder: Path) -> None:
    write(folder, "mine", [GONE])
    answer = shell("models", "mine", "--server", "http://127.0.0.1:9")
    assert answer.code == 1 and answer.out == "" and "127.0.0.1:9" in answer.err


def test_a_drafted_preset_is_listed(shell: Shell, demo: DemoServer, folder: Path) -> None:
    """From ComfyUI's own file to the table."""
    model = {
        "name": "dream-sd15.safetensors",
        "url": "https://a.example/1",
        "directory": "checkpoints",
    }
    nodes = [{"id": 4, "type": "CheckpointLoaderSimple", "properties": {"models": [model]}}]
    Path("saved.json").write_text(json.dumps({"nodes": nodes, "links": []}))
    source = shipped_presets() / "text_to_image.json"
    server = ("--server", demo.url)
    graph = source.read_text(encoding="utf-8")
    Path("mine.json").write_text(graph.replace("v1-5-pruned-emaonly", "dream-sd15"))
    assert shell("new", "mine.json", "--saved", "saved.json", *server).code == 0
    answer = shell("models", "mine", *server)
    assert answer == (0, "there    checkpoints/dream-sd15.safetensors\n", "")
