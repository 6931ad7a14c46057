from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.contract.plain_client import PlainClient

REAL = os.environ.get("COMFYUI_URL", "").rstrip("/")


@pytest.fixture(scope="session", params=["demo", "real"] if REAL else ["demo"])
def comfy_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The demo server always, a real ComfyUI when COMFYUI_URL names one."""
    if request.param == "real":
        yield REAL
        return
    folder: Path = tmp_path_factory.mktemp("demo")
    with DemoServer(DemoOptions(step_seconds=0.01, lab_nodes=True), folder=folder) as server:
        yield server.url


@pytest.fixture(scope="session")
def comfy(comfy_url: str) -> Iterator[PlainClient]:
    with httpx.Client(base_url=comfy_url, timeout=60) as http:
        stats = http.get("/system_stats").json()["system"]
        version = tuple(int(part) for part in stats["comfyui_version"].split("."))
        checkpoint = http.get("/models/checkpoints").json()[-1]
        yield PlainClient(comfy_url, comfy_url == REAL, http, version, checkpoint)
