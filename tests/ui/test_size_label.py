"""Sizes are named by their shape, and no two of them alike."""

from __future__ import annotations

import pytest

from comfygradio.forms.kinds.value import Choice
from comfygradio.ui.form.size_label import label_sizes, name_sizes


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ([(512, 512), (768, 512), (512, 768)], ["Square", "Wide", "Tall"]),
        ([(1024, 1024), (512, 512)], ["Large square", "Square"]),
        ([(512, 512), (768, 768), (1024, 1024)], ["Square 512", "Square 768", "Square 1024"]),
        ([(1344, 768), (1536, 640)], ["Wide 1344", "Wide 1536"]),
        ([(1024, 512), (1024, 768), (640, 512)], ["", "", "Wide 640"]),
        ([(512, 512), (512, 512)], ["Square", "Square"]),
        ([], []),
    ],
)
def test_a_size_is_named_by_its_shape(sizes: list[tuple[int, int]], names: list[str]) -> None:
    assert name_sizes(sizes) == names


def test_an_own_label_stays_and_so_do_the_values() -> None:
    choices = [Choice("512 × 512", "512x512"), Choice("Poster", "512x768")]
    assert label_sizes(choices, " · ") == [
        ("Square · 512 × 512", "512x512"),
        ("Poster", "512x768"),
    ]


def test_sizes_that_no_name_tells_apart_are_shown_in_pixels() -> None:
    choices = [Choice("1024 × 512", "1024x512"), Choice("1024 × 768", "1024x768")]
    assert [label for label, _ in label_sizes(choices, "\n")] == ["1024 × 512", "1024 × 768"]
