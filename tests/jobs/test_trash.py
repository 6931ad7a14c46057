"""The trash: whose it is, what is found of it, how it is restored, and when it is emptied."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from comfygradio.errors import JobStoreError
from comfygradio.jobs.job_store import JobRecord, JobStore, Query
from comfygradio.jobs.job_trash import TRASH_SECONDS, JobTrash
from comfygradio.jobs.results import Result
from comfygradio.service.trash_emptier import EVERY_SECONDS, TrashEmptier
from tests.clocks import ManualClock
from tests.jobs.records import make_record

ADA, BOB = "user:ada", "user:bob"


@pytest.fixture
def trash(store: JobStore, clock: ManualClock) -> JobTrash:
    return JobTrash(store, clock)


def put(store: JobStore, owner: str = ADA, **fields: Any) -> JobRecord:
    """Put a finished job of somebody with a file into the store."""
    folder = Path(tempfile.mkdtemp(dir=store.outputs))
    path = folder / "made.txt"
    path.write_text("made")
    result = Result("file", path, path)
    record = make_record(owner, **{"phase": "done", "results": (result,), **fields})
    store.add(record)
    return record


def list_found(store: JobStore, owner: str = ADA, **query: Any) -> list[str]:
    page = store.search(owner, Query(**query))
    return [record.id for record in page.records]


def has_file(record: JobRecord) -> bool:
    path = record.results[0].path
    return path is not None and path.is_file()


def test_what_is_in_the_trash_is_found_there_alone(store: JobStore, trash: JobTrash) -> None:
    kept = put(store, values={"prompt": "a fox", "seed": 7})
    gone = put(store, values={"prompt": "a fox", "seed": 7}, favourite=True)
    trash.put(gone.id)
    assert list_found(store) == [kept.id] and list_found(store, deleted=True) == [gone.id]
    queries: list[dict[str, Any]] = [
        {"text": "fox"},
        {"text": "fo"},
        {"values": {"seed": 7}},
        {"preset": "tiny"},
    ]
    for query in queries:
        assert list_found(store, **query) == [kept.id]
    assert list_found(store, favourites=True) == []
    assert store.find(gone.token) is None and store.find_deleted(kept.token) is None
    assert store.find_deleted(gone.token) is not None
    assert trash.has_any(ADA) and not trash.has_any(BOB)
    assert trash.list_all(ADA) == [gone.id] and trash.list_all(BOB) == []
    trash.put(kept.id)
    assert store.list_values(ADA, "seed") == []


def test_what_is_restored_is_as_it_was(store: JobStore, trash: JobTrash) -> None:
    record = put(store, values={"prompt": "a fox"}, favourite=True)
    trash.put(record.id)
    trash.restore(record.id)
    assert list_found(store, text="fox", favourites=True) == [record.id]
    assert store.find(record.token) == record and has_file(record)
    trash.delete(record.id)
    assert store.find(record.token) == record


def test_what_is_not_over_is_not_deleted(store: JobStore, trash: JobTrash) -> None:
    record = put(store, phase="running")
    with pytest.raises(JobStoreError, match="not over yet"):
        trash.put(record.id)
    trash.put("unknown")
    trash.restore("unknown")
    trash.delete("unknown")
    assert list_found(store) == [record.id]


def test_after_a_day_it_is_gone_with_its_files(
    store: JobStore, trash: JobTrash, clock: ManualClock
) -> None:
    old, young, kept = put(store), put(store), put(store)
    trash.put(old.id)
    clock.advance(TRASH_SECONDS / 2)
    trash.put(young.id)
    trash.put(old.id)  # which does not begin anew
    deleted = store.get(old.id)
    assert deleted is not None and deleted.deleted is not None
    assert trash.measure_time_left(deleted.deleted) == TRASH_SECONDS / 2
    clock.advance(TRASH_SECONDS / 2)
    assert trash.delete_old() == 1
    assert store.get(old.id) is None and not has_file(old)
    assert has_file(young) and has_file(kept)
    clock.advance(TRASH_SECONDS)
    assert trash.delete_old() == 1
    assert not has_file(young) and has_file(kept) and list_found(store) == [kept.id]


def test_a_file_that_cannot_be_deleted_keeps_nobody_else(
    store: JobStore, trash: JobTrash, clock: ManualClock
) -> None:
    stuck, other = put(store), put(store)
    path = stuck.results[0].path
    assert path is not None
    path.unlink()
    path.mkdir()  # a folder cannot be deleted as a file
    trash.put(stuck.id)
    trash.put(other.id)
    clock.advance(TRASH_SECONDS)
    assert trash.delete_old() == 1 and not has_file(other)
    assert trash.list_all(ADA) == [stuck.id]
    path.rmdir()
    assert trash.delete_old() == 1


def test_it_is_emptied_at_the_start_and_while_the_app_runs(
    store: JobStore, trash: JobTrash, clock: ManualClock
) -> None:
    early, late = put(store), put(store)
    trash.put(early.id)
    clock.advance(TRASH_SECONDS)
    trash.put(late.id)
    emptier = TrashEmptier(trash, clock)
    emptier.start()
    clock.await_waiters()
    assert trash.list_all(ADA) == [late.id]
    clock.advance(TRASH_SECONDS - EVERY_SECONDS)
    clock.await_waiters()
    assert trash.list_all(ADA) == [late.id]
    clock.advance(EVERY_SECONDS)
    clock.await_waiters()
    assert trash.list_all(ADA) == []
    emptier.stop()
