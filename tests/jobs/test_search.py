"""Searching the job store: what is found, by whom, and page by page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.jobs.job_store import JobStore, Query
from tests.effort import scale
from tests.jobs.records import make_record

JOBS = {
    "lighthouse": make_record(
        values={
            "prompt": "A Lighthouse at dusk, 35mm",
            "steps": 20,
            "hires": True,
            "seed": 2**64 - 1,
        },
        phase="done",
    ),
    "street": make_record(
        values={"prompt": "Straße im Regen", "steps": 20.0, "size": "512x768"},
        preset="street",
        phase="failed",
    ),
    "tokyo": make_record(
        values={"prompt": "東京タワーの夜", "steps": 8, "hires": 1}, phase="done", favourite=True
    ),
    "broken": make_record(
        error="CheckpointLoaderSimple: 100% out of memory", phase="failed", title="Video"
    ),
    "loras": make_record(values={"loras": [{"name": "ink_style", "strength": 0.8}], "empty": None}),
    "other": make_record(
        "user:eve", {"prompt": "a lighthouse of somebody else", "steps": 20}, phase="done"
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobStore]:
    """A job store with JOBS; no test changes it."""
    with closing(JobStore.open(tmp_path_factory.mktemp("outputs"))) as store:
        store.add(*JOBS.values())
        yield store


def find(store: JobStore, query: Query, owner: str = "user:ada") -> list[str]:
    """Names of the JOBS that are found."""
    names = {record.id: name for name, record in JOBS.items()}
    return [names[record.id] for record in store.search(owner, query).records]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(), ["loras", "broken", "tokyo", "street", "lighthouse"]),
        (Query("lighthouse"), ["lighthouse"]),
        (Query("  HOUSE   dusk "), ["lighthouse"]),
        (Query("lighthouse rain"), []),
        (Query("strasse"), ["street"]),
        (Query("STRAẞE"), ["street"]),
        (Query("タワー"), ["tokyo"]),
        (Query("東京"), ["tokyo"]),
        (Query("夜"), ["tokyo"]),
        (Query("ﾀﾜｰ"), ["tokyo"]),
        (Query("18446744073709551615"), ["lighthouse"]),
        (Query("at 35mm"), ["lighthouse"]),
        (Query("ink_style"), ["loras"]),
        (Query("memory"), ["broken"]),
        (Query("100%"), ["broken"]),
        (Query("%"), ["broken"]),
        (Query("___"), []),
        (Query("video"), ["broken"]),
        (Query('" OR "lighthouse'), []),
        (Query("lighthouse OR tokyo"), []),
        (Query("light*"), []),
        (Query("title:video"), []),
        (Query("\0"), ["loras", "broken", "tokyo", "street", "lighthouse"]),
        (Query(preset="street"), ["street"]),
        (Query(preset="nothing"), []),
        (Query(favourites=True), ["tokyo"]),
        (Query(phases=("done",)), ["tokyo", "lighthouse"]),
        (Query(phases=("failed", "waiting")), ["loras", "broken", "street"]),
        (Query(values={"steps": 20}), ["street", "lighthouse"]),
        (Query(values={"steps": 20.0}), ["street", "lighthouse"]),
        (Query(values={"steps": "20"}), []),
        (Query(values={"hires": True}), ["lighthouse"]),
        (Query(values={"hires": 1}), ["tokyo"]),
        (Query(values={"seed": 2**64 - 1}), ["lighthouse"]),
        (Query(values={"steps": 20, "size": "512x768"}), ["street"]),
        (Query(values={"steps": 20, "size": "512x512"}), []),
        (Query(values={"unknown": 1}), []),
        (Query(values={"empty": None}), []),
        (
            Query("lighthouse", values={"steps": 20}, phases=("done",), preset="tiny"),
            ["lighthouse"],
        ),
        (Query("夜 タワー", values={"steps": 8}, favourites=True), ["tokyo"]),
        (Query(limit=0), ["loras"]),
        (Query(limit=10**9, before=10**30), ["loras", "broken", "tokyo", "street", "lighthouse"]),
        (Query(before=-5), []),
    ],
)
def test_searches(store: JobStore, query: Query, names: list[str]) -> None:
    assert find(store, query) == names


def test_nobody_finds_what_is_not_theirs(store: JobStore) -> None:
    assert find(store, Query("lighthouse"), "user:eve") == ["other"]
    assert find(store, Query(values={"steps": 20}), "user:eve") == ["other"]
    for owner in ("", "user:ad", "user:ada%", "USER:ADA", "user:%", "' OR 1=1 --"):
        for query in (
            Query(),
            Query("lighthouse"),
            Query("夜"),
            Query(values={"steps": 20}),
            Query(phases=("done",)),
        ):
            assert find(store, query, owner) == []


def test_the_values_of_a_field_are_listed_last_used_first(store: JobStore) -> None:
    assert store.list_values("user:ada", "steps") == [8, 20]
    assert store.list_values("user:ada", "steps", limit=1) == [8]
    assert (
        store.list_values("user:eve", "steps") == [20]
        and store.list_values("user:eve", "hires") == []
    )


@pytest.mark.deep
@given(text=st.text(st.sampled_from("ab\" *'()-+:^ナ夜%_ \t"), max_size=12))
@settings(max_examples=scale(150), deadline=None)
def test_whatever_is_typed_is_text(store: JobStore, text: str) -> None:
    words = text.casefold().split()
    expected = [
        name
        for name, record in reversed(JOBS.items())
        if record.owner == "user:ada"
        for told in [f"{record.title} {record.order.values} {record.error}".casefold()]
        if all(word in told for word in words)
    ]
    assert (
        set(find(store, Query(text))) <= set(expected)
        if words
        else find(store, Query(text)) == expected
    )


@pytest.mark.parametrize(
    "query", [Query(limit=7), Query("word", limit=7), Query(values={"kind": "x"}, limit=7)]
)
def test_pages_hold_every_job_once_though_jobs_come_and_go(tmp_path: Path, query: Query) -> None:
    records = [
        make_record(values={"prompt": f"word {n}", "kind": "x"}, phase="done") for n in range(30)
    ]
    with closing(JobStore.open(tmp_path)) as store:
        store.add(*records)
        seen, before = [], None
        while True:
            page = store.search(
                "user:ada", Query(query.text, values=query.values, limit=7, before=before)
            )
            seen += [record.id for record in page.records]
            if page.next is None:
                break
            store.add(make_record(values={"prompt": "word, new", "kind": "x"}))
            store.delete(page.records[-1].id)
            before = page.next
    assert seen == [record.id for record in reversed(records)]


def test_a_last_page_that_is_full_is_the_last(tmp_path: Path) -> None:
    with closing(JobStore.open(tmp_path)) as store:
        store.add(*(make_record() for _ in range(7)))
        assert store.search("user:ada", Query(limit=7)).next is None
        assert store.search("user:ada", Query(limit=6)).next is not None


def test_an_error_or_title_that_changes_is_found_anew(tmp_path: Path) -> None:
    with closing(JobStore.open(tmp_path)) as store:
        record = make_record(error="first reason")
        store.add(record, make_record())
        store.change(record.id, error="second cause", title="Renamed")
        assert [
            len(store.search("user:ada", Query(text)).records)
            for text in ("first", "cause", "renamed")
        ] == [
            0,
            1,
            1,
        ]
        assert len(store.search("user:ada", Query("tiny")).records) == 1
