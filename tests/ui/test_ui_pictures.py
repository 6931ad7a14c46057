"""Take settings from files that hold only the workflow of ComfyUI's page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio.utils import get_upload_folder

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoServer
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.restore_panel import RestoredValuesCache, describe_file
from tests.ui_workflow import PACK, load_ui_workflow, make_foreign_workflow, save_ui_picture


@pytest.fixture
def service(demo: DemoServer, tmp_path: Path) -> Iterator[Service]:
    """A service with the presets that ship."""
    with ComfyClient(demo.url) as client:
        service = Service(client, [shipped_presets()], tmp_path / "outputs")
        assert service.connect()
        yield service
        service.close()


def describe(service: Service, path: Path) -> dict[str, Any]:
    """What the page says about a file."""
    folder = Path(get_upload_folder()) / "test-ui-pictures"
    folder.mkdir(parents=True, exist_ok=True)
    payload = {"path": str(shutil.copy(path, folder / path.name))}
    return describe_file(service, RestoredValuesCache(), payload, {})


def test_its_settings_are_offered(service: Service, tmp_path: Path) -> None:
    report = describe(service, save_ui_picture(tmp_path / "a.png", load_ui_workflow()))
    assert report["preset"] == "text_to_image"
    assert report["reason"] == "Its workflow is that of the form Text to image."
    told = {row["name"]: row["then"] for row in report["rows"]}
    assert (told["prompt"], told["seed"]) == ("a lighthouse", str(2**53 + 1))
    assert told["size"] == "512 × 768"
    assert report["notes"][-1].startswith("The file holds only ComfyUI's own workflow (UI format)")


def test_a_class_that_the_server_lacks_is_named(service: Service, tmp_path: Path) -> None:
    report = describe(service, save_ui_picture(tmp_path / "a.png", make_foreign_workflow()))
    assert report == {
        "error": "What a.png holds needs the node class SomebodysSampler (install the custom node "
        f"{PACK} with ComfyUI's manager), which this ComfyUI does not have."
    }


def test_a_workflow_of_no_nodes_is_said(service: Service, tmp_path: Path) -> None:
    report = describe(service, save_ui_picture(tmp_path / "a.png", {"nodes": []}))
    assert report["error"].startswith("What a.png holds is in ComfyUI's UI format, and no node")


def test_a_file_cannot_make_the_app_ask_for_any_number_of_classes(
    service: Service, tmp_path: Path
) -> None:
    nodes = [{"id": number, "type": f"Class{number}"} for number in range(501)]
    report = describe(service, save_ui_picture(tmp_path / "a.png", {"nodes": nodes}))
    assert report["error"] == "What a.png holds has 501 kinds of nodes; at most 500 are converted."
