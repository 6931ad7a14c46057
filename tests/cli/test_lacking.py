"""`run` keeps what is there of its results, and says what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer

from .shell import Answer, Shell


def run_three(shell: Shell, *more: str, **options: Any) -> Answer:
    with DemoServer(DemoOptions(step_seconds=0, **options)) as server:
        arguments = ("text_to_image", "pictures=3", "--out", "mine", "--server", server.url)
        return shell("run", *arguments, *more)


@pytest.mark.deep
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


def test_what_the_server_kept_without_its_files_is_made_once_more(shell: Shell) -> None:
    """Its cache tells the files of the first run again, although somebody tidied them up."""
    with DemoServer(DemoOptions(step_seconds=0, tidy_outputs=True)) as server:
        arguments = ("text_to_image", "seed=5", "--out", "mine", "--server", server.url)
        first, second = [shell("run", *arguments) for _ in range(2)]
        assert server.executions["KSampler"] == 1
    told = "Files that the server had made earlier are gone, so this runs once more.\n"
    assert (first.code, first.err, second.code, second.err) == (0, "", 0, told)
    paths = [Path(answer.out.strip()) for answer in (first, second)]
    assert sorted(Path("mine").iterdir()) == sorted(paths)
    with Image.open(paths[0]) as one, Image.open(paths[1]) as other:
        assert one.tobytes() == other.tobytes()


def test_a_file_that_is_gone_again_is_told_and_not_asked_for_for_ever(shell: Shell) -> None:
    with DemoServer(DemoOptions(step_seconds=0, lose_outputs=True)) as server:
        arguments = ("text_to_image", "seed=5", "--out", "mine", "--server", server.url)
        answers = [shell("run", *arguments) for _ in range(2)]
        assert server.executions["SaveImage"] == 2
    assert [answer.code for answer in answers] == [1, 1]
    assert "runs once more" not in answers[0].err and "runs once more" in answers[1].err
    assert answers[1].err.count("could not be fetched") == 1
