"""The smaller size that is offered if a picture was too large."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Choice
from comfygradio.ui.job.job_view import find_smaller_size

SIZES = ("512x512", "768x512", "512x768", "1024x1024", "1024x512")


def choose(*sizes: str) -> Field:
    return Field("size", "size", "Size", {}, choices=tuple(Choice(size, size) for size in sizes))


def type_in(**limits: Any) -> Field:
    return Field("size", "size", "Size", {}, **limits)


@pytest.mark.parametrize(
    ("field", "size", "smaller"),
    [
        (choose(*SIZES), "1024x1024", "1024x512"),
        (choose(*SIZES), "1024x512", "768x512"),
        (choose(*SIZES), [512, 768], "512x512"),
        (choose("512x768", "768x512", "1024x1024"), "768x1200", "512x768"),
        (choose("512x768", "768x512", "1024x1024"), "1200x768", "768x512"),
        (choose(*SIZES), "512x512", None),
        (choose("0x0", "512x512"), "512x512", None),
        (type_in(minimum=64), "512x512", "384x384"),
        (type_in(minimum=64, step=64), "768x512", "576x384"),
        (type_in(minimum=64), "512x80", None),
        (type_in(), "8x8", None),
        (type_in(), "0x512", None),
        (type_in(), "large", None),
        (type_in(), None, None),
    ],
)
def test_the_next_smaller_size(field: Field, size: Any, smaller: str | None) -> None:
    found = find_smaller_size({"size": field}, {"size": size})
    assert found == (("size", smaller) if smaller else None)


def test_a_form_without_a_size_has_none() -> None:
    other = Field("prompt", "text", "Prompt", {})
    assert find_smaller_size({"prompt": other}, {"prompt": "512x512"}) is None
