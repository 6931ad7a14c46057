"""Search and replace: what is found, what is put in, and what is refused before the start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.errors import AxisError
from comfygradio.sweeps.axes.axis import Axis, apply_point, list_points, replace_texts
from comfygradio.sweeps.axes.axis_parser import parse_all_axes

from .axis_form import BASE, FORM, list_labels, list_values


def read_all(
    *texts: str, base: str = "a cat at night, (fur:0.8)", **others: Any
) -> tuple[Axis, ...]:
    """An axis over the prompt for each text, and one over each other field, before them."""
    entries = [{name: given} for name, given in others.items()] + [
        {"prompt": text} for text in texts
    ]
    return parse_all_axes(FORM, entries, {**BASE, "prompt": base})


def list_prompts(
    axes: tuple[Axis, ...], base: str = "a cat at night, (fur:0.8)", name: str = "prompt"
) -> list[Any]:
    """The prompt at every point."""
    return [apply_point(axes, {**BASE, "prompt": base}, index)[name] for index in list_points(axes)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("S/R: cat, dog, bird", ["cat", "dog", "bird"]),
        ("s/r:cat,dog,,", ["cat", "dog"]),
        (' S/R : cat, "dog, big", "", "say ""hi"""', ["cat", "dog, big", "", 'say "hi"']),
        ('S/R: "a cat" || dog, big || "a || b"', ["a cat", "dog, big", "a || b"]),
        ("S/R: cat\ndog\nbird", ["cat", "dog", "bird"]),
        ("S/R: SKIP:cat, dog, SKIP:owl, bird", ["dog", "bird"]),
        ("S/R: 0.8, 0.9-1.2 (+0.1)", ["0.8", "0.9", "1", "1.1", "1.2"]),
        ("S/R: 0.8, 1-3, 0.50, -1, much", ["0.8", "1", "2", "3", "0.50", "-1", "much"]),
        ('S/R: 0.8, "1-3"', ["0.8", "1-3"]),
        ("S/R: 0.8, 1.0, .., 1.6", ["0.8", "1.0", "1.2", "1.4", "1.6"]),
        ("S/R: cat, 1-3", ["cat", "1-3"]),
        ("S/R: cat, 1-3 (+1)", ["cat", "1", "2", "3"]),
        ("S/R: cat, .., a=b", ["cat", "..", "a=b"]),
    ],
)
def test_the_first_item_is_the_search_text_and_the_first_value(
    text: str, values: list[str]
) -> None:
    axes = read_all(text)
    search = "0.8" if "0.8" in text else "a cat" if "a cat" in text else "cat"
    assert [(change.kind, change.search) for step in axes[0].steps for change in step.changes] == [
        ("replace", search)
    ] * len(values)
    assert list_values(axes[0]) == values
    assert list_labels(axes[0]) == [value or "(nothing)" for value in values]
    assert axes[0].title == f"Prompt: {search}" and dict(axes[0].texts) == {"prompt": text}
    assert list_prompts(axes) == [
        "a cat at night, (fur:0.8)".replace(search, value) for value in values
    ]


def test_pairs_have_their_own_search_texts() -> None:
    axes = read_all("S/R: cat=dog || night = noon, sunny || a cat= || 0.8=1-2 [2]")
    assert list_prompts(axes) == [
        "a dog at night, (fur:0.8)",
        "a cat at noon, sunny, (fur:0.8)",
        " at night, (fur:0.8)",
        "a cat at night, (fur:1)",
        "a cat at night, (fur:2)",
    ]
    assert list_labels(axes[0]) == [
        "cat → dog",
        "night → noon, sunny",
        "a cat → (nothing)",
        "0.8 → 1",
        "0.8 → 2",
    ]
    assert axes[0].title == "Prompt"
    assert list_values(read_all("S/R: cat=dog, SKIP:owl=x, night=day")[0]) == ["dog", "day"]


def test_two_axes_on_one_text_do_not_find_what_the_other_puts_in() -> None:
    axes = read_all("S/R: cat, dog", "S/R: night, cat")
    assert list_prompts(axes, "a cat at night") == [
        "a cat at night",
        "a cat at cat",
        "a dog at night",
        "a dog at cat",
    ]


def test_the_longer_search_text_comes_first() -> None:
    axes = read_all("S/R: 1, 2", "S/R: 1.5, 9", base="(a:1) (b:1.5)")
    assert list_prompts(axes, "(a:1) (b:1.5)") == [
        "(a:1) (b:1.5)",
        "(a:1) (b:9)",
        "(a:2) (b:1.5)",
        "(a:2) (b:9)",
    ]
    with pytest.raises(
        AxisError, match="cat occurs only inside of a cat, which another axis replaces"
    ):
        read_all("S/R: cat, dog", "S/R: a cat, the owl")


def test_replacing_beside_an_axis_that_sets_the_text() -> None:
    for axes in (
        read_all("red cat\ntwo cats", "S/R: cat, dog"),
        read_all("S/R: cat, dog", "red cat || two cats"),
    ):
        assert sorted(list_prompts(axes)) == ["red cat", "red dog", "two cats", "two dogs"]
    assert list_prompts(read_all("a cat\nan owl", "S/R: cat, dog")) == [
        "a cat",
        "a dog",
        "an owl",
        "an owl",
    ]


def test_replacing_beside_other_fields() -> None:
    entries = [{"prompt": "S/R: cat, dog", "words": "S/R: blurry, sharp", "steps": "1, 2"}]
    axes = parse_all_axes(FORM, entries, BASE)
    assert [apply_point(axes, BASE, (i,))["words"] for i in (0, 1)] == ["blurry", "sharp"]
    assert list_labels(axes[0]) == ["cat, blurry, 1", "dog, sharp, 2"]
    assert axes[0].title == "Prompt: cat + Words: blurry + Steps"


@pytest.mark.parametrize(
    ("texts", "place", "problem"),
    [
        (
            ["S/R: dog, cat"],
            (1, 6, "dog"),
            "dog does not occur in the text, so there is nothing to replace.",
        ),
        (["S/R: Cat, dog"], (1, 6, "Cat"), "Cat does not occur in the text (there is cat), so"),
        (["S/R: cat=dog, owl=cat"], (2, 15, "owl=cat"), "owl does not occur in the text"),
        (["an owl\na bird", "S/R: cat, dog"], (1, 6, "cat"), "cat does not occur in the text"),
        (["S/R: cat, dog", "S/R: cat, owl"], (1, 6, "cat"), "two axes search for the same text"),
        (["S/R: cat, dog", "S/R: dog, owl"], (1, 6, "dog"), "dog does not occur in the text"),
        (["S/R:"], (0, 0, ""), "are missing"),
        (['S/R: "", dog'], (1, 6, ""), "the text to look for is empty"),
        (["S/R: 0.8, 1-2 (-1)"], (2, 11, "1-2 (-1)"), "leads away from the end"),
        (["S/R: 0.8, .., 1"], (2, 11, ".."), "two numbers are needed"),
        (["S/R: 0.8, 1-1e9"], (2, 11, "1-1e9"), "at most 10,000"),
    ],
)
def test_what_cannot_work_is_refused_before_the_start(
    texts: list[str], place: tuple[int, int, str], problem: str
) -> None:
    with pytest.raises(AxisError) as caught:
        read_all(*texts)
    assert (caught.value.position, caught.value.place, caught.value.item) == place
    assert caught.value.field == "prompt" and problem in caught.value.problem


def test_only_words_are_searched() -> None:
    with pytest.raises(
        AxisError, match="steps: S/R: replaces words in texts, and this field is none"
    ):
        parse_all_axes(FORM, [{"steps": "S/R: 1, 2"}], BASE)
    with pytest.raises(AxisError, match="does not occur"):
        parse_all_axes(FORM, [{"words": "S/R: a, b"}], {**BASE, "words": None})


def test_texts_that_would_become_too_long_are_refused_at_once() -> None:
    started = time.process_time()
    long = "a" * 50_000
    for texts in (["S/R: a, " + long], ["S/R: x, " + long, "S/R: y, " + long]):
        with pytest.raises(AxisError, match="longer than 100,000 characters"):
            read_all(*texts, base="aaaxy")
    pairs = " || ".join(f"{i}=x" for i in range(2000))
    with pytest.raises(AxisError, match="at most 1,000 different texts"):
        read_all("S/R: " + pairs)
    assert time.process_time() - started < 5


@given(
    st.text("abcd", max_size=30),
    st.dictionaries(st.text("abcd", min_size=1, max_size=3), st.text("abcd")),
)
def test_all_at_once_is_what_one_walk_over_the_text_does(
    text: str, pairs: Mapping[str, str]
) -> None:
    walked, place = "", 0
    while place < len(text):
        found = max(
            (search for search in pairs if text.startswith(search, place)), key=len, default=""
        )
        walked += pairs[found] if found else text[place]
        place += len(found) or 1
    assert replace_texts(text, pairs) == walked if pairs else True
