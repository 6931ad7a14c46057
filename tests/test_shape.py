"""What the user set: no change trades it away for a better figure."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygradio import ComfyClient, load_preset
from comfygradio.demo import DemoOptions, DemoServer
from tests.benchmarks.visitor import Visitor
from tests.ui.running import run_app

ROOT = Path(__file__).parents[1]

TOP_LEVEL = {"pyproject.toml", "app.py", "presets", "comfygradio", "tests", "README.md"}

PACKAGES = {"gradio", "httpx", "websocket", "PIL", "yaml"}
"""Gradio, httpx, websocket-client, Pillow and PyYAML, by the names that are imported."""


def test_the_top_level_is_the_users() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("only a clone tells what belongs to the project")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    visible = {name for name in names if not name.startswith(".")}
    assert visible - {"LICENSE"} == TOP_LEVEL


def test_the_five_packages_are_in_use() -> None:
    imported = set()
    for file in (ROOT / "comfygradio").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).split(".")[0])
    assert imported >= PACKAGES


def test_presets_are_yaml_beside_workflows_in_api_format() -> None:
    presets = sorted((ROOT / "presets").glob("*.yaml"))
    assert presets
    for path in presets:
        file = load_preset(path).file
        assert file.fields, path
        workflow = json.loads((path.parent / file.workflow).read_text("utf-8"))
        assert all("class_type" in node and "inputs" in node for node in workflow.values()), path


def test_choices_come_out_of_object_info() -> None:
    preset = load_preset(ROOT / "presets" / "text_to_image.yaml")
    assert preset.file.fields["checkpoint"].choices is None
    with DemoServer(DemoOptions()) as server, ComfyClient(server.url) as client:
        object_info = client.object_info()
    spec = object_info.spec("CheckpointLoaderSimple", "ckpt_name")
    assert spec is not None and spec.choices
    offered = preset.bind(object_info).fields["checkpoint"].choices
    assert offered is not None
    assert [choice.value for choice in offered] == list(spec.choices)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of the ComfyUI that COMFYUI_URL names, else of a demo server."""
    if url := os.environ.get("COMFYUI_URL"):
        yield url
        return
    with DemoServer(DemoOptions()) as demo:
        yield demo.url


@pytest.mark.app
@pytest.mark.real
def test_generate_is_a_generator_callback(server: str, tmp_path: Path) -> None:
    """It yields progress and previews until the result, and none of them comes by asking."""
    with run_app(server, tmp_path) as running:
        config = httpx.get(f"{running.url}config").json()
        generates = [
            one for one in config["dependencies"] if str(one["api_name"]).startswith("generate")
        ]
        assert len(generates) == len(list((ROOT / "presets").glob("*.yaml")))
        assert all(one["types"]["generator"] for one in generates)
        form = running.app.service.forms["text_to_image"]
        told = asyncio.run(press(running.url, [field.default for field in form.fields.values()]))
    phases = [message["phase"] for message in told]
    assert "running" in phases and phases[-1] == "done"
    assert any(0 < message["percent"] < 100 for message in told)
    with ComfyClient(server) as client:
        version = client.server_version()
    if version and version >= (0, 5, 0):  # an older one has to be told at its start
        assert len({message["image"] for message in told if message["image"]}) > 1
    assert told[-1]["results"] and not told[-1]["image"]
    assert not any("ask" in message for message in told)


async def press(url: str, values: list[Any]) -> list[dict[str, Any]]:
    """Press the button of the first form; everything that its generator yields about the job."""
    visitor = Visitor(url)
    await visitor.open()
    told = [message async for message in visitor.press(values)]
    visitor.close()
    return told
