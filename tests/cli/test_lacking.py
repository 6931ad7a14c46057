"""`run` keeps what is there of its results, and says what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoOptions, DemoServer

from .shell import Answer, Shell


def run_three(shell: Shell, *more: str, **options: Any) -> Answer:
    with DemoServer(DemoOptions(step_seconds=0, **options)) as server:
        arguments = ("text_to_image", "pictures=3", "--out", "mine", "--server", server.url)
        return shell("run", *arguments, *more)


def test_a_sequence_is_saved_file_by_file(shell: Shell) -> None:
    answer = run_three(shell, sequence_names=True)
    assert (answer.code, answer.err) == (0, "")
    names = [Path(line).name for line in answer.out.splitlines()]
    assert names == [f"ComfyUI_00001.00{number}.png" for number in (1, 2, 3)]
    assert sorted(path.name for path in Path("mine").iterdir()) == names


@pytest.mark.parametrize(
    ("options", "kept", "lost"),
    [
        (
            {"lose_named": ("*_00001_.png",)},
            ["ComfyUI_00002_.png", "ComfyUI_00003_.png"],
            "ComfyUI_00001_.png",
        ),
        (
            {"sequence_names": True, "lose_named": ("*.002.png",)},
            ["ComfyUI_00001.001.png", "ComfyUI_00001.003.png"],
            "ComfyUI_00001.002.png",
        ),
    ],
)
def test_the_others_are_kept_where_one_is_missing(
    shell: Shell, options: dict[str, Any], kept: list[str], lost: str
) -> None:
    answer = run_three(shell, **options)
    assert answer.code == 1
    assert [Path(line).name for line in answer.out.splitlines()] == kept
    assert sorted(path.name for path in Path("mine").iterdir()) == kept
    told = f"{lost} was made, but could not be fetched: the server has no such file.\n"
    assert answer.err == told


def test_json_names_what_is_missing(shell: Shell) -> None:
    answer = run_three(shell, "--json", lose_named=("*_00003_.png",))
    report = json.loads(answer.out)
    assert answer.code == 1 and len(report["files"]) == 2
    assert report["missing"] == [answer.err.strip()]


def test_nothing_is_left_of_a_result_that_is_not_there(shell: Shell) -> None:
    answer = run_three(shell, lose_outputs=True)
    assert answer.code == 1 and answer.out == "" and len(answer.err.splitlines()) == 3
    assert not list(Path("mine").iterdir())
