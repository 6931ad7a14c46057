"""Names that stand for many files."""

from __future__ import annotations

import pytest

from comfygradio.comfy.file_sequence import MAX_GAP, fetch_files, is_sequence, name_file
from comfygradio.comfy.outputs import Output


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x_%03d.png", "x_007.png"),
        ("AnimateDiff_00004.%03d.png", "AnimateDiff_00004.007.png"),
        ("%d.webp", "7.webp"),
        ("a b_%5d_.exr", "a b_    7_.exr"),
        ("depth.####.exr", "depth.0007.exr"),
        ("100 % done_%02d.jpg", "100 % done_07.jpg"),
    ],
)
def test_a_counter_is_filled_in(name: str, expected: str) -> None:
    assert is_sequence(name)
    assert name_file(name, 7) == expected


def test_a_number_may_be_longer_than_its_counter() -> None:
    assert name_file("x_%03d.png", 12_345) == "x_12345.png"
    assert name_file("x_##.png", 12_345) == "x_12345.png"


@pytest.mark.parametrize("name", ["", "x.png", "50%.png", "x#1.png", "%s.png", "%03d_%03d.png"])
def test_other_names_stand_for_themselves(name: str) -> None:
    assert not is_sequence(name)


def walk(*there: int) -> list[str]:
    """What is found of a sequence of which these files are there; absent ones with a question
    mark.
    """
    names = {f"x_{number:03}.png" for number in there}

    def fetch(frame: Output) -> str:
        return frame.filename if frame.filename in names else f"{frame.filename}?"

    found = fetch_files(Output("9", "image", "x_%03d.png", "sub"), fetch, lambda f: f[-1] == "?")
    return [name.removeprefix("x_").replace(".png", "") for name in found]


def test_it_is_counted_up_from_wherever_it_begins() -> None:
    assert walk(0, 1, 2) == ["000", "001", "002"]
    assert walk(1, 2) == ["001", "002"]
    assert walk(MAX_GAP, MAX_GAP + 1) == ["003", "004"]


def test_what_is_missing_between_two_is_named() -> None:
    assert walk(1, 2, 4, 5) == ["001", "002", "003?", "004", "005"]
    assert walk(0, 1 + MAX_GAP) == ["000", "001?", "002?", "003?", "004"]
    assert walk(0, 2 + MAX_GAP) == ["000"]


def test_nothing_comes_of_a_sequence_without_files() -> None:
    assert walk() == walk(99) == []
