from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.comfy.object_info import ObjectInfo

from .preset_folder import PresetFolder, load_object_info


@pytest.fixture
def presets(tmp_path: Path) -> PresetFolder:
    return PresetFolder(tmp_path)


OLD = pytest.param("v0.3.64", marks=pytest.mark.deep)
"""The quick loop tries the newest ComfyUI alone."""


@pytest.fixture(scope="session", params=[OLD, "v0.33.0"])
def info(request: pytest.FixtureRequest) -> ObjectInfo:
    """What an old and a new ComfyUI say about the classes of the test workflow."""
    return ObjectInfo.from_json(load_object_info(request.param))


@pytest.fixture(scope="session")
def new_info() -> ObjectInfo:
    return ObjectInfo.from_json(load_object_info("v0.33.0"))
