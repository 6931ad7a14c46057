"""Files go by what they hold: neither their name nor the width of their letters matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfygradio.comfy.workflow import Workflow, load_workflow
from comfygradio.drafting.workflow_source import WorkflowSource, load_workflow_source
from comfygradio.errors import MetadataError, WorkflowError
from comfygradio.metadata.load import load_metadata
from comfygradio.settings import shipped_presets
from comfygradio.sweeps.definition import load_definition

GRAPH = json.loads((shipped_presets() / "text_to_image.json").read_text(encoding="utf-8"))
GRAPH["6"]["inputs"]["text"] = "Füchse, 狐, 🦊"

ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    *("utf-32-le", "utf-32-be"),
)


def paint(path: Path, graph: Any = GRAPH) -> None:
    """A PNG of ComfyUI, whatever the file is called."""
    info = PngInfo()
    if graph is not None:
        info.add_text("prompt", json.dumps(graph))
    with path.open("wb") as file:
        Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(GRAPH, ensure_ascii=False)
    path = tmp_path / "flow.json"
    path.write_bytes(text.encode(encoding))
    assert load_workflow(path) == Workflow.from_json(GRAPH)
    found = load_workflow_source(path)
    assert isinstance(found, WorkflowSource) and found.workflow == Workflow.from_json(GRAPH)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_settings_in_json_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "settings"
    path.write_bytes(json.dumps({"prompt": GRAPH}, ensure_ascii=False).encode(encoding))
    found = load_metadata(path)
    assert found.kind == "json" and found.prompt == GRAPH


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_sweep_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "sweep.json"
    text = json.dumps({"preset": "x", "axes": {"prompt": "狐, owl"}}, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert load_definition(path).axes[0]["prompt"] == "狐, owl"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_the_page_saved_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    paint(tmp_path / "made.png")
    saved = tmp_path / "saved.json"
    saved.write_bytes(json.dumps({"nodes": [], "title": "狐"}).encode(encoding))
    found = load_workflow_source(tmp_path / "made.png", saved)
    assert isinstance(found, WorkflowSource)
    assert found.saved is not None and found.saved["title"] == "狐"


def test_a_picture_called_json(tmp_path: Path) -> None:
    path = tmp_path / "picture.json"
    paint(path)
    found = load_workflow_source(path)
    assert isinstance(found, WorkflowSource) and found.workflow == Workflow.from_json(GRAPH)
    paint(path, graph=None)
    with pytest.raises(MetadataError) as caught:
        load_workflow_source(path)
    assert "decode" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\0\0\0\x20ftypisom\xff\xfe",
    ],
)
def test_a_preset_whose_workflow_is_no_text(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flow.json"
    path.write_bytes(content)
    with pytest.raises(WorkflowError) as caught:
        load_workflow(path)
    assert str(caught.value) == (
        f"The workflow {path} is not a text file. If it is a picture or video of ComfyUI, make a "
        "preset of it with comfygradio new."
    )


def test_other_bytes_called_json(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(b"{\xe9\xff")
    with pytest.raises(WorkflowError, match="is not a text file"):
        load_workflow_source(path)
    with pytest.raises(WorkflowError, match="cannot be read: No such file"):
        load_workflow_source(tmp_path / "gone.json")


@pytest.mark.parametrize("missing", [{}, {"class_type": None}])
def test_a_node_that_was_missing_is_called_by_its_name(missing: dict[str, Any]) -> None:
    """ComfyUI exports it without its class, which is its title then."""
    node = {"inputs": {"strength": 1}, "_meta": {"title": "Power Lora Loader (rgthree)"}, **missing}
    with pytest.raises(WorkflowError) as caught:
        Workflow.from_json({**GRAPH, "77": node}, "flow.json")
    assert str(caught.value) == (
        "flow.json cannot be used: the ComfyUI that exported it lacks the node Power Lora Loader "
        "(rgthree) (node 77). Install its custom node there, and export the workflow again."
    )


@pytest.mark.parametrize("entry", [{"inputs": {}}, {"_meta": {"title": "x"}}, "text", None, [1]])
def test_what_is_no_node_is_called_that(entry: Any) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.from_json({**GRAPH, "77": entry}, "flow.json")
    expected = "flow.json is not an API-format workflow: node 77 has no class_type."
    assert str(caught.value) == expected
