"""Starts and stops a whole app inside a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.service.service import Service
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.app import App
from comfygradio.ui.serve import build, launch
from tests.jobs.lines import is_over, wait
from tests.ports import free_port as free_port


@dataclass(frozen=True)
class RunningApp:
    """An app that answers at `url`."""

    app: App
    url: str


@contextmanager
def run_app(
    server: str,
    outputs: Path,
    presets: Path | None = None,
    auth: Path | None = None,
    clock: Clock = SYSTEM_CLOCK,
    **more: Any,
) -> Iterator[RunningApp]:
    """Run the app on a random port, and close it at the end; `more` are further settings."""
    settings = Settings(
        server=server,
        presets=(presets or shipped_presets(),),
        outputs=outputs,
        port=free_port(),
        auth=auth,
        **more,
    )
    app = build(settings, clock)
    try:
        yield RunningApp(app, launch(app, block=False))
    finally:
        app.close()
        app.blocks.close(verbose=False)


def occupy_server(service: Service) -> None:
    """Give the server the two jobs of somebody else that it holds at most, and wait until it has
    them: before that a place could go to whoever comes next, since everybody has a turn.
    """
    for number in (1, 2):
        job = service.submit("text_to_image", {"prompt": f"number {number}"}, owner="somebody")
        wait(job, lambda snapshot: snapshot.phase == "running")


def stop_all(service: Service) -> None:
    """Stop every job, and wait until they are over."""
    service.queue.stop_waiting()
    for backend in service.queue.backends:
        for job in service.queue.list_submitted(backend):
            service.queue.stop(job.token)
            wait(job, is_over)
