"""An outputs folder of 0.5.0, whose app was killed, is opened: nothing in it is lost."""

from __future__ import annotations

import os
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job_search import Query
from comfygradio.jobs.job_store import JobRecord, JobStore, find_job_store
from comfygradio.service.service import Service
from comfygradio.sweeps.export.export import build_grid, export_all
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.history.zip_route import list_entries, stream_zip
from comfygradio.ui.identity.page_session import PageSessions
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.scenario import QUICK_TIMINGS, await_that
from tests.faults.skipping_clock import SkippingClock
from tests.jobs.lines import is_over, wait
from tests.jobs.shelf import Shelf
from tests.sweeps.running import end, read_colors

pytestmark = pytest.mark.deep

DATA = Path(__file__).parent.parent / "data" / "version_0_5_0"
OLD_SERVER = "http://127.0.0.1:8188"
ANNA = "user:anna"
ALL = Query(limit=100)

LONG_AGO = 86_400.0
"""Seconds since the app was killed: its uploads are old enough to be dropped where nobody needs
them."""


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """The folder as the app of 0.5.0 left it."""
    folder = tmp_path / "outputs"
    with zipfile.ZipFile(DATA / "outputs.zip") as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            path = folder / entry.filename
            then = path.stat().st_mtime - LONG_AGO
            os.utime(path, (then, then))
    return folder


@pytest.fixture
def server(shelf: Shelf) -> DemoServer:
    """A demo server that knows none of the folder's jobs."""
    return shelf.lend(DemoOptions(step_seconds=0.01, lab_nodes=True))


@pytest.fixture
def line(server: DemoServer) -> Iterator[FaultyProxy]:
    """A line before it, which counts what is posted."""
    with FaultyProxy(server.url) as line:
        yield line


@contextmanager
def open_service(url: str, outputs: Path) -> Iterator[Service]:
    """Today's app on the folder, without its page."""
    client = ComfyClient(url, patience=QUICK_TIMINGS)
    service = Service(client, [DATA / "presets"], outputs, clock=SkippingClock())
    try:
        assert service.connect()
        service.queue.start()
        yield service
    finally:
        service.close()


def read_rows(outputs: Path, sql: str) -> list[tuple[object, ...]]:
    """Rows of the job store, whose file nobody else has open."""
    with closing(sqlite3.connect(find_job_store(outputs))) as connection:
        return connection.execute(sql).fetchall()


def move_to(outputs: Path, url: str) -> None:
    """Let the jobs have been posted to the server at this address."""
    with closing(sqlite3.connect(find_job_store(outputs))) as connection, connection:
        connection.execute("UPDATE jobs SET server = ? WHERE server = ?", (url, OLD_SERVER))


def post_again(url: str, records: list[JobRecord]) -> None:
    """Give a server the prompts of these jobs under their ids, as the killed app did."""
    with ComfyClient(url) as client:
        for record in records:
            posted = client.queue_prompt(
                record.order.prompt.graph, client_id=record.client_id, prompt_id=record.id
            )
            assert posted.prompt_id == record.id
        await_that(lambda: client.queue().running)


def list_posted(outputs: Path) -> list[JobRecord]:
    """The open jobs that the killed app had posted."""
    with closing(JobStore.open(outputs)) as store:
        return [record for record in store.list_open() if record.server]


def find_sweeps(service: Service) -> tuple[Sweep, Sweep, Sweep]:
    """The sweeps that ran, that was paused, and that was done."""
    found = [service.sweeps.find(record.token) for record in service.sweeps.list_sweeps(ANNA)]
    running, paused, done = found
    assert running and paused and done
    return running, paused, done


def finish_jobs(service: Service) -> None:
    """Wait until every open job that belongs to no sweep is done, each with its file."""
    records = [record for record in service.store.list_open() if not record.sweep]
    for record in records:
        job = service.queue.find(record.token)
        assert job
        ended = wait(job, is_over)
        assert ended.phase == "done" and not ended.error, ended
        (result,) = ended.results
        assert result.path and result.path.is_file()


def finish_sweeps(service: Service) -> None:
    """The sweep that ran goes on by itself, the paused one once it is told to."""
    running, paused, done = find_sweeps(service)
    assert done.phase == "done" and [cell.rating for cell in done.cells.values()] == [0, 4, 2, 0]
    assert end(running) == "done" and running.counts.done == running.counts.total == 6
    assert read_colors(running) == [(0, 0, color) for color in range(11, 17)]
    assert paused.phase == "paused" and paused.counts.done == paused.counts.waiting == 4
    paused.resume()
    assert end(paused) == "done" and paused.counts.done == 8
    assert read_colors(paused) == [(0, 0, color) for color in (1, 1, 2, 2, 3, 3, 4, 4)]


def check_history(service: Service) -> None:
    """The history finds every job as it was, with its files, and packs them."""
    history = HistoryApi(service, PageSessions())
    found = history.search(ANNA, {"singles": True, "limit": 100})["jobs"]
    assert Counter(job["phase"] for job in found) == {"done": 9, "failed": 1, "stopped": 1}
    records = service.store.search(ANNA, ALL).records
    assert Counter(record.phase for record in records) == {"done": 27, "failed": 1, "stopped": 1}
    (favourite,) = service.store.search(ANNA, Query(favourites=True)).records
    assert favourite.order.values["prompt"] == "an owl at night"
    (failed,) = service.store.search(ANNA, Query(text="kaputt")).records
    assert failed.error == "LabRaise (node 3) failed: kaputt."
    foxes = service.store.search(ANNA, Query(text="fox")).records
    assert [fox.order.values["prompt"] for fox in foxes] == ["a late fox", "a fox in the snow"]
    (berts,) = service.store.search("user:bert", ALL).records
    (programs,) = service.store.search("api", ALL).records
    results = [result for one in (*records, berts, programs) for result in one.results]
    assert len(results) == 29
    for result in results:
        assert result.path and not result.problem
        with Image.open(result.path) as picture:
            picture.load()
    size = sum(len(chunk) for chunk in stream_zip(list_entries(records)))
    assert size > sum(one.results[0].path.stat().st_size for one in foxes if one.results[0].path)


def check_export(service: Service, folder: Path) -> None:
    """Every sweep is exported with all its points."""
    for number, sweep in enumerate(find_sweeps(service)):
        grid = build_grid(sweep)
        assert [cell.phase for cell in grid.cells.values()] == ["done"] * sweep.counts.total
        table, *others = export_all(grid, folder / str(number))
        assert len(table.read_text().splitlines()) == 1 + sweep.counts.total
        assert all(path.stat().st_size for path in others)


def check_everything(service: Service, server: DemoServer, folder: Path) -> None:
    """What was open comes to its end, and nothing of what there was is gone."""
    server.set_skip_waits()
    finish_jobs(service)
    finish_sweeps(service)
    assert service.store.list_open() == []
    check_history(service)
    check_export(service, folder)


def test_the_server_still_has_the_posted_jobs(
    server: DemoServer, line: FaultyProxy, outputs: Path, tmp_path: Path
) -> None:
    """They are followed to their ends; only what had not been posted is posted."""
    move_to(outputs, line.url)
    posted = list_posted(outputs)
    assert [record.phase for record in posted] == ["running", "running"]
    post_again(server.url, posted)
    with open_service(line.url, outputs) as service:
        check_everything(service, server, tmp_path / "export")
    assert all(line.posted[record.id] == 0 for record in posted)
    assert set(line.posted.values()) == {1} and line.posted.total() == 4 + 3 + 4


def test_the_server_has_forgotten_the_posted_jobs(
    server: DemoServer, line: FaultyProxy, outputs: Path, tmp_path: Path
) -> None:
    """They are posted once more."""
    move_to(outputs, line.url)
    with open_service(line.url, outputs) as service:
        check_everything(service, server, tmp_path / "export")
    assert set(line.posted.values()) == {1} and line.posted.total() == 6 + 3 + 4


def test_the_server_is_gone(
    server: DemoServer, line: FaultyProxy, outputs: Path, tmp_path: Path
) -> None:
    """Another one makes what the old one had not ended."""
    with open_service(line.url, outputs) as service:
        check_everything(service, server, tmp_path / "export")
    assert set(line.posted.values()) == {1} and line.posted.total() == 6 + 3 + 4


def test_what_had_ended_stays_as_it_was(outputs: Path, line: FaultyProxy) -> None:
    """Neither the migration nor a start changes a column or a file of it."""
    ended = "FROM jobs WHERE phase NOT IN ('waiting', 'running') ORDER BY seq"
    columns = [str(row[1]) for row in read_rows(outputs, "PRAGMA table_info(jobs)")]
    select = f"SELECT {', '.join(columns)} {ended}"
    orders = "SELECT * FROM orders ORDER BY seq"
    ratings = "SELECT * FROM ratings ORDER BY point"
    cells = "SELECT * FROM cells WHERE seq <= 18 ORDER BY seq"
    queries = (select, orders, ratings, cells)
    before = [read_rows(outputs, query) for query in queries]
    pictures = {path: path.read_bytes() for path in outputs.rglob("*.png")}
    assert [len(rows) for rows in before] == [18, 24, 2, 11]
    line.stop_listening()  # so that nothing is added
    with closing(open_closed_service(line.url, outputs)) as service:
        service.queue.start()
    assert [read_rows(outputs, query) for query in queries] == before
    assert {path: path.read_bytes() for path in outputs.rglob("*.png")} == pictures


def open_closed_service(url: str, outputs: Path) -> Service:
    """Today's app on the folder, whose server does not answer."""
    client = ComfyClient(url, patience=QUICK_TIMINGS)
    service = Service(client, [DATA / "presets"], outputs, clock=SkippingClock())
    assert not service.connect()
    return service
