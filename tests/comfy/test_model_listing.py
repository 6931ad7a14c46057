"""What a server tells of its models is checked before anything uses it."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.comfy.model_listing import (
    ModelFile,
    ModelFolder,
    parse_model_files,
    parse_model_folders,
)


def make_entry(**changes: Any) -> dict[str, Any]:
    return {"name": "fox.safetensors", "pathIndex": 0, "modified": 5.5, **changes}


def test_files_and_folders_are_parsed() -> None:
    assert parse_model_files([make_entry(pathIndex=1)]) == [ModelFile("fox.safetensors", 1, 5.5)]
    assert parse_model_folders([{"name": "loras", "extensions": [".pt", 3]}]) == [
        ModelFolder("loras", (".pt",))
    ]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "fox.safetensors",
        {},
        make_entry(name=""),
        make_entry(name=3),
        make_entry(name="x" * 1001),
        make_entry(name="a\0b"),
        make_entry(name="../../system_stats"),
        make_entry(name="a\\..\\b"),
        make_entry(pathIndex=-1),
        make_entry(pathIndex=True),
        make_entry(pathIndex="0"),
        make_entry(pathIndex=10**9),
    ],
)
def test_what_is_no_file_is_skipped(entry: object) -> None:
    assert parse_model_files([entry, make_entry(name="b.pt")]) == [ModelFile("b.pt", 0, 5.5)]


@pytest.mark.parametrize("date", [None, "now", float("nan"), float("inf"), 10**400, True])
def test_a_date_that_is_none_counts_as_none(date: object) -> None:
    (found,) = parse_model_files([make_entry(modified=date)])
    assert found.modified == 0.0


@pytest.mark.parametrize("data", [None, {}, "loras", 3, {"error": "no"}])
def test_what_is_no_list_is_empty(data: object) -> None:
    assert parse_model_files(data) == []
    assert parse_model_folders(data) == []
