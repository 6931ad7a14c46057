"""The page on a cluster: it opens when the first backend comes, and says so while the scheduler is
gone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import OperatorAccess
from comfygradio.ui.job.job_text import describe_job
from comfygradio.ui.serve import build, launch
from comfygradio.ui.status.status_api import StatusApi
from tests.engine.cluster import OPTIONS, await_that, open_cluster, wait
from tests.jobs.lines import is_over, is_running
from tests.ui.people import find_function, make_request

pytestmark = [pytest.mark.process, pytest.mark.app]


def test_the_page_opens_with_the_first_backend_and_says_when_the_scheduler_is_gone(
    tmp_path: Path,
) -> None:
    with open_cluster(tmp_path, 0) as cluster, DemoServer(OPTIONS) as server:
        given: dict[str, Any] = {
            "presets": (shipped_presets(),),
            "outputs": tmp_path / "outputs",
            "port": 0,
        }
        app = build(Settings(engine=cluster.address, **given))
        service, operators = app.service, OperatorAccess(None)
        asked = make_request()
        token = operators.issue(find_person(asked))
        try:
            assert "No worker has joined" in service.trouble and not service.forms
            launch(app, block=False)
            cluster.workers.append(cluster.start_worker(server))
            await_that(lambda: app.revision == 1)
            assert "text_to_image" in service.forms and not service.trouble
            assert (
                wait(service.submit("text_to_image", {"prompt": "a fox"}), is_over).phase == "done"
            )
            cluster.servers.append(server)
            running = service.submit("text_to_image", {"prompt": "an owl", "steps": 50})
            wait(running, is_running)
            assert cluster.scheduler
            cluster.kill(cluster.scheduler)
            said = (
                f"The Dask scheduler at {cluster.address} does not answer; jobs go on as soon "
                "as it is back."
            )
            await_that(lambda: service.queue.trouble == said)
            waiting = service.submit("text_to_image", {"prompt": "a cat"})
            await_that(lambda: describe_job(waiting, waiting.snapshot, Path())["line"] == said)
            look = find_function(StatusApi(service, operators).list_functions(), "look")
            told = asyncio.run(look([token], asked))
            assert told["trouble"] == said
            cluster.start_scheduler()
            assert [wait(job, is_over).phase for job in (running, waiting)] == ["done", "done"]
            assert server.executions["SaveImage"] == 3
        finally:
            app.close()
            app.blocks.close(verbose=False)
