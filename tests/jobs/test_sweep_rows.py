"""Sweeps in the job store: their rows, which jobs stand at their points, and files from before
there were any.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import JobStoreError
from comfygradio.jobs.job import Job, Order, Point
from comfygradio.jobs.job_store import JobRecord, JobStore, find_job_store
from comfygradio.jobs.job_trash import JobTrash
from comfygradio.jobs.results import Result
from comfygradio.jobs.rows import COLUMNS, encode_order, encode_value, make_record
from comfygradio.jobs.schema import MIGRATIONS, migrate
from comfygradio.jobs.sweep_store import SweepRecord, SweepStore
from tests.jobs.records import make_record as make_plain_record

DEFINITION = {"preset": "tiny", "values": {"seed": 2**64 - 1}, "axes": [{"cfg": "1-3"}]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """A job store in a temporary folder."""
    with closing(JobStore.open(tmp_path)) as store:
        yield store


def make_sweep(number: int, owner: str = "anna", phase: str = "running") -> SweepRecord:
    return SweepRecord(
        f"sweep-{number}", f"token-{number}", owner, "tiny", "Tiny", DEFINITION, phase, 3, 0, 1.5
    )


def add_point(
    store: JobStore, key: str, sweep: str = "sweep-0", place: int = 0, **fields: Any
) -> JobRecord:
    """A done job of anna's at a place of a sweep, with a file, unless `fields` say
    something else.
    """
    path = store.outputs / f"{key}-{place}-{sweep}.png"
    path.write_bytes(b"x")
    order = Order("tiny", "Tiny", Prompt({}), {}, (), Point(sweep, (place, 7), key))
    done: dict[str, Any] = {
        "phase": "done",
        "started": 2.0,
        "ended": 5.0,
        "results": (Result("image", path, path),),
    }
    record = replace(make_record(Job(order, "anna", 1)), **{**done, **fields})
    store.add(record)
    return record


def test_a_sweep_comes_back_and_is_changed(store: JobStore) -> None:
    rows = SweepStore(store)
    for number in range(3):
        rows.add(make_sweep(number, "anna" if number else "ben"), {})
    assert rows.find("token-1") == make_sweep(1) and rows.find("nobody") is None
    assert rows.change("sweep-1", "done", 2, 9.5) and not rows.change("sweep-9", "done", 0)
    changed = replace(make_sweep(1), phase="done", done=2, ended=9.5)
    assert rows.list_sweeps("anna") == [make_sweep(2), changed] and rows.list_sweeps("anna", 1) == [
        make_sweep(2)
    ]
    assert list(rows.list_running()) == [make_sweep(0, "ben"), make_sweep(2)]
    rows.delete("sweep-2")
    assert rows.list_ids() == {"sweep-0", "sweep-1"}


def test_cells_are_written_with_the_jobs_and_the_last_job_counts(store: JobStore) -> None:
    rows = SweepStore(store)
    first = add_point(store, "a", phase="failed", error="no", results=())
    again, other = (
        add_point(store, "a"),
        add_point(store, "b", place=1, phase="waiting", results=()),
    )
    cells = rows.list_cells("sweep-0")
    assert {place: cell.id for place, cell in cells.items()} == {(0, 7): again.id, (1, 7): other.id}
    assert cells[0, 7].seconds == 3.0 and cells[0, 7].has_files and not cells[1, 7].has_files
    assert (cells[0, 7].sweep, cells[0, 7].content_key) == ("sweep-0", "a")
    record = store.get(first.id)
    assert record and (record.sweep, record.point, record.order.point) == ("sweep-0", "a", None)
    store.delete(again.id)
    assert set(rows.list_cells("sweep-0")) == {(1, 7)}


def test_a_point_in_the_trash_is_in_no_grid_until_it_is_restored(store: JobStore) -> None:
    rows, trash = SweepStore(store), JobTrash(store)
    first, other = add_point(store, "a"), add_point(store, "b", place=1)
    trash.put(first.id)
    assert set(rows.list_cells("sweep-0")) == {(1, 7)}
    assert set(rows.find_points("anna", "tiny", ["a", "b"])) == {"b"}
    trash.restore(first.id)
    assert set(rows.list_cells("sweep-0")) == {(0, 7), (1, 7)}
    for record in (first, other):
        trash.put(record.id)
    assert not rows.has_points("anna", "tiny")
    # One that was made again meanwhile keeps its place.
    again = add_point(store, "a")
    trash.restore(first.id)
    assert rows.list_cells("sweep-0")[0, 7].id == again.id


def test_done_points_are_found_by_their_content_while_their_files_are_there(
    store: JobStore,
) -> None:
    rows = SweepStore(store)
    assert not rows.has_points("anna", "tiny")
    made = {key: add_point(store, key, place=number) for number, key in enumerate("abc")}
    add_point(store, "d", phase="failed")
    assert rows.has_points("anna", "tiny") and not rows.has_points("ben", "tiny")
    path = made["b"].results[0].path
    assert path
    path.unlink()
    keys = [*"abcdef", "", *map(str, range(1200))]
    found = rows.find_points("anna", "tiny", keys)
    assert {key: point.id for key, point in found.items()} == {"a": made["a"].id, "c": made["c"].id}
    assert not rows.find_points("ben", "tiny", keys) and not rows.find_points("anna", "other", keys)
    rows.add(make_sweep(5), {(2, 0): made["a"].id, (0, 0): made["c"].id})
    assert {place: cell.id for place, cell in rows.list_cells("sweep-5").items()} == {
        (0, 0): made["c"].id,
        (2, 0): made["a"].id,
    }


def test_a_result_that_was_not_fetched_is_no_done_point(store: JobStore) -> None:
    add_point(store, "a", results=(Result("image", problem="not fetched"),))
    add_point(store, "b", results=())
    assert SweepStore(store).find_points("anna", "tiny", ["a", "b"]) == {}


def test_ratings_belong_to_a_person_and_a_content(store: JobStore) -> None:
    rows = SweepStore(store)
    rows.rate("anna", "a", 3)
    rows.rate("anna", "a", 5)
    rows.rate("anna", "b", -1)
    rows.rate("ben", "a", 1)
    rows.rate("anna", "b", 0)
    assert rows.list_ratings("anna") == {"a": 5} and rows.list_ratings("ben") == {"a": 1}


def test_a_damaged_definition_is_a_damaged_store(store: JobStore) -> None:
    rows = SweepStore(store)
    rows.add(make_sweep(1), {})
    with store.write() as connection:
        connection.execute("UPDATE sweeps SET definition = '{'")
    with pytest.raises(JobStoreError, match="damaged"):
        rows.find("token-1")


LATER = ("sweep", "point", "party", "node_work", "deleted")
"""Columns that the first version of the file did not have."""


def test_a_file_from_before_there_were_sweeps_keeps_its_jobs(tmp_path: Path) -> None:
    path, old = find_job_store(tmp_path), [c for c in COLUMNS if c not in LATER]
    path.parent.mkdir(parents=True)
    records = [
        make_plain_record("anna", {"seed": 2**64 - 1}, phase=phase) for phase in ("done", "waiting")
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
        for seq, record in enumerate(records, 1):
            values = [encode_value(name, getattr(record, name), tmp_path) for name in old]
            marks = ", ".join("?" * len(old))
            connection.execute(
                f"INSERT INTO jobs (seq, {', '.join(old)}) VALUES ({seq}, {marks})", values
            )
            connection.execute(
                "INSERT INTO orders VALUES (?, ?)", (seq, encode_order(record.order, tmp_path))
            )
    with closing(JobStore.open(tmp_path)) as store:
        assert [
            store.get(record.id) for record in records
        ] == records and store.list_open() == records[1:]
        rows = SweepStore(store)
        assert not rows.has_points("anna", "tiny") and list(rows.list_running()) == []
        rows.add(make_sweep(1), {})
        point = add_point(store, "a")
        assert rows.find_points("anna", "tiny", ["a"])["a"].id == point.id
        store.delete(records[0].id)
    with closing(JobStore.open(tmp_path)) as store:
        assert store.get(records[1].id) == records[1] and SweepStore(store).find(
            "token-1"
        ) == make_sweep(1)
    assert json.loads(json.dumps(DEFINITION)) == DEFINITION
