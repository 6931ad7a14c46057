from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.forms.text_expansion import expand_dynamic, has_alternatives


class Fixed(Random):
    """Always the same draw, from 0 to below 1."""

    def __init__(self, draw: float) -> None:
        super().__init__(0)
        self.draw = draw

    def random(self) -> float:
        return self.draw


PIECES = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "|",
            "\\",
            "/",
            "*",
            "//",
            "/*",
            "*/",
            "\n",
            "\r",
            "a",
            "b ",
            "ü",
            "\u2028",
            "🎨",
        ]
    )
)
TEXTS = PIECES.map("".join) | st.text()


@pytest.mark.parametrize(
    ("text", "draw", "expected"),
    [
        ("", 0, ""),
        ("a lighthouse", 0, "a lighthouse"),
        ("a {red|blue} door", 0, "a red door"),
        ("a {red|blue} door", 0.5, "a blue door"),
        ("{a|b|{c|d}}", 0.99, "d"),
        ("1{a|b|{c|d}}2{e|f}3", 0.5, "1b2f3"),
        ("{x{a|b}y|z}", 0, "xay"),
        ("{only}", 0.5, "{only}"),
        ("({red|blue}:1.2)", 0, "(red:1.2)"),
        ("{|a}", 0, ""),
        ("{a|}", 0.99, ""),
        ("{||}", 0.5, ""),
        ("{}", 0, "{}"),
        ('{"mood": "calm", "of": ["a", {"b": 1}]}', 0, '{"mood": "calm", "of": ["a", {"b": 1}]}'),
        ("{{x|y}}", 0, "{x}"),
        ("{a||b}", 0.5, ""),
    ],
)
def test_options(text: str, draw: float, expected: str) -> None:
    assert expand_dynamic(text, Fixed(draw)) == expected


@pytest.mark.parametrize(
    ("text", "draw", "expected"),
    [
        ("a | b", 0, "a | b"),
        ("a } b", 0, "a } b"),
        ("{a|b}}", 0, "a}"),
        ("{one|two|{three|four", 0, "{one|two|{three|four"),
        ("{one|two|{three|four}", 0.99, "{one|two|four"),
        ("x {a {b|c} d", 0, "x {a b d"),
        ("a {", 0, "a {"),
    ],
)
def test_unbalanced_braces(text: str, draw: float, expected: str) -> None:
    assert expand_dynamic(text, Fixed(draw)) == expected


@pytest.mark.parametrize(
    ("text", "draw", "expected"),
    [
        (r"\{a|b\}", 0, "{a|b}"),
        (r"a\|b", 0, "a|b"),
        (r"{\{a\}\|b|c}", 0, "{a}|b"),
        (r"{a|\}", 0.99, "{a|}"),
        (r"{a|\}}", 0.99, "}"),
        (r"{a|{b|\{c\}}}", 0.99, "{c}"),
        (r"a \(b\) \\ c", 0, r"a \(b\) \\ c"),
        (r"\\{a|b}", 0, r"\\a"),
        (r"a \} b", 0, "a } b"),
        ("a\\", 0, "a\\"),
        ("{a\\", 0, "{a\\"),
    ],
)
def test_escapes(text: str, draw: float, expected: str) -> None:
    assert expand_dynamic(text, Fixed(draw)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a /* note */ b",
        "/*\nlong\n*/a\n// note\nb",
        "a // note {b",
        "see https://example.org/x now\nb",
        "a // one\rb // two\u2028c",
        "a /* never closed",
        "/*/ a */ b",
        "{a/*b*/c}",
        "a / b * c",
        "half // a { brace",
        "ends }} with | them",
    ],
)
def test_nothing_is_cut(text: str) -> None:
    assert expand_dynamic(text, Fixed(0)) == text
    assert not has_alternatives(text)


def test_the_same_seed_chooses_the_same() -> None:
    text = "{a|b|c|d|e}" * 50
    assert expand_dynamic(text, Random(7)) == expand_dynamic(text, Random(7))
    assert expand_dynamic(text, Random(7)) != expand_dynamic(text, Random(8))
    assert (
        expand_dynamic("{a|b|c}" * 10, Random(7)) == "aababbabab"
    )  # draws of Random.random() never change


def test_every_option_is_as_likely() -> None:
    random = Random(1)
    counts = [0, 0, 0]
    for _ in range(3000):
        counts["abc".index(expand_dynamic("{a|b|{c|c}}", random))] += 1
    assert min(counts) > 900


@pytest.mark.deep
@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000 + "}" * 50_000,
        "{" * 100_000,
        "{a|" * 50_000,
        "{a|b}" * 20_000,
        "|" * 100_000,
        "\\" * 100_000,
        "/*" * 50_000,
        "/*/" * 33_000,
        "/**/" * 25_000,
        "//" * 50_000,
        "x" * 100_000,
    ],
)
def test_long_texts_take_no_time(text: str) -> None:
    start = time.process_time()
    expand_dynamic(text, Fixed(0.99))
    has_alternatives(text)
    assert time.process_time() - start < 2


@given(TEXTS, st.integers())
def test_any_text_expands(text: str, seed: int) -> None:
    expanded = expand_dynamic(text, Random(seed))
    assert len(expanded) <= len(text)
    assert has_alternatives(text) == (expanded != text)


@given(TEXTS)
def test_an_escaped_text_comes_back(text: str) -> None:
    plain = text.replace("\\", "")
    escaped = plain.replace("{", "\\{").replace("}", "\\}").replace("|", "\\|")
    assert expand_dynamic(escaped, Random(0)) == plain
    assert expand_dynamic("{" + escaped + "|" + escaped + "}", Random(0)) == plain
