"""Forms that are kept in the job store: whose they are, how many, how large, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.errors import LimitReached
from comfygradio.jobs import kept_form_store
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.kept_form_store import (
    DAY_SECONDS,
    KEPT_DAYS,
    MAX_BYTES,
    MAX_FORMS,
    MAX_NAME,
    MAX_NAMED,
    KeptFormStore,
)
from tests.clocks import ManualClock

ADA, BOB, GUEST = "user:ada", "user:bob", "anon:0123"


@pytest.fixture
def kept(store: JobStore, clock: ManualClock) -> KeptFormStore:
    return KeptFormStore(store, clock)


def test_a_form_is_kept_for_its_person_and_preset(kept: KeptFormStore) -> None:
    values = {"prompt": "a fox \ud800 🦊", "loras": [{"name": "film", "strength": 0.5}]}
    kept.keep(ADA, "paint", values)
    assert kept.read(ADA, "paint") == values
    assert kept.read(BOB, "paint") is None and kept.read(ADA, "other") is None
    kept.keep(ADA, "paint", {"prompt": "a hen"})
    assert kept.read(ADA, "paint") == {"prompt": "a hen"}


def test_a_form_without_values_is_no_row(kept: KeptFormStore) -> None:
    kept.keep(ADA, "paint", {"prompt": "a fox"})
    kept.keep(ADA, "paint", {})
    assert kept.read(ADA, "paint") is None


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    first = JobStore.open(tmp_path)
    KeptFormStore(first).keep(ADA, "paint", {"prompt": "a fox"})
    first.close()
    second = JobStore.open(tmp_path)
    assert KeptFormStore(second).read(ADA, "paint") == {"prompt": "a fox"}
    second.close()


def test_a_form_is_kept_for_some_time_and_named_settings_until_they_are_deleted(
    kept: KeptFormStore, store: JobStore, clock: ManualClock
) -> None:
    kept.keep(ADA, "paint", {"prompt": "a fox"})
    kept.keep(ADA, "paint", {"prompt": "a hen"}, "Hen")
    clock.advance(KEPT_DAYS * DAY_SECONDS + 1)
    assert kept.read(ADA, "paint") is None
    kept.keep(BOB, "paint", {"prompt": "a dog"})
    with store.read() as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM kept_forms").fetchone()
    assert count == 2
    assert kept.read(ADA, "paint", "Hen") == {"prompt": "a hen"}


def test_names_are_those_of_one_person_and_preset(kept: KeptFormStore) -> None:
    for name in ("night", "Day", "Ada's"):
        kept.keep(ADA, "paint", {}, name)
    kept.keep(BOB, "paint", {"prompt": "a fox"}, "bob's")
    kept.keep(ADA, "paint", {"prompt": "a fox"})
    assert kept.list_names(ADA, "paint") == ["Ada's", "Day", "night"]
    kept.delete(ADA, "paint", "Day")
    kept.delete(BOB, "paint", "night")
    assert kept.list_names(ADA, "paint") == ["Ada's", "night"]


def test_there_are_limits(kept: KeptFormStore) -> None:
    for number in range(MAX_NAMED):
        kept.keep(ADA, "paint", {}, f"name {number}")
    with pytest.raises(LimitReached, match="delete one first"):
        kept.keep(ADA, "paint", {}, "one more")
    kept.keep(ADA, "paint", {"prompt": "again"}, "name 7")
    assert kept.read(ADA, "paint", "name 7") == {"prompt": "again"}
    with pytest.raises(LimitReached, match="characters"):
        kept.keep(BOB, "paint", {}, "x" * (MAX_NAME + 1))
    with pytest.raises(LimitReached, match="too much"):
        kept.keep(BOB, "paint", {"prompt": "x" * MAX_BYTES})


def test_the_oldest_forms_of_a_person_go(kept: KeptFormStore, clock: ManualClock) -> None:
    for number in range(MAX_FORMS + 1):
        kept.keep(ADA, f"preset {number}", {"prompt": "a fox"})
        clock.advance(1)
    assert kept.read(ADA, "preset 0") is None
    assert kept.read(ADA, "preset 1") and kept.read(ADA, f"preset {MAX_FORMS}")


@pytest.mark.deep
def test_people_without_a_login_share_a_limit(kept: KeptFormStore, clock: ManualClock) -> None:
    large = {"prompt": "x" * 150_000}
    kept.keep(ADA, "paint", large)
    count = kept_form_store.MAX_ANONYMOUS_BYTES // 150_000 + 2
    for number in range(count):
        kept.keep(f"{GUEST}{number:05}", "paint", large)
        clock.advance(1)
    assert kept.read(f"{GUEST}00000", "paint") is None
    assert kept.read(f"{GUEST}{count - 1:05}", "paint") == large
    assert kept.read(ADA, "paint") == large
