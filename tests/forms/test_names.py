"""Names of models: the same file under another spelling, and the nearest ones."""

from __future__ import annotations

import pytest

from comfygradio.forms.kinds.model_name import find_near, fold_file_name, is_model_name, match_name


@pytest.mark.parametrize(
    ("value", "choices", "expected"),
    [
        ("a", ["a", "A"], "a"),
        ("a\\b", ["a/b"], "a/b"),
        ("A", ["a"], "a"),
        ("A", ["a", "á"], "a"),
        ("a.pt", ["x/a.pt", "b.pt"], "x/a.pt"),
        ("y/A.pt", ["x\\a.pt"], "x\\a.pt"),
        ("a.pt", ["x/a.pt", "y/a.pt"], None),
        ("a/b", ["c/b"], None),
        ("9/16.5", ["1/16.5"], None),
        ("", ["a"], None),
        (7, [7, "7"], None),
        (None, ["None"], None),
        (["a"], ["a"], None),
        ("a", [1, True, 0.5], None),
        ("x", [], None),
    ],
)
def test_one_name_that_fits(
    value: object, choices: list[str | int | float | bool], expected: str | None
) -> None:
    assert match_name(value, choices) == expected


def test_the_nearest_names() -> None:
    choices = [
        "sdxl/dream-shaper-v8.safetensors",
        "dreamshaper_7.safetensors",
        "flux-dev.safetensors",
        "vae.pt",
    ]
    assert find_near("DreamShaper_8.safetensors", choices)[:2] == (
        "dreamshaper_7.safetensors",
        "sdxl/dream-shaper-v8.safetensors",
    )
    assert find_near("zzz", choices) == () and find_near("x", []) == ()
    assert find_near(float("nan"), [1, 2]) == () and find_near("x" * 100_000, choices) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.safetensors", True),
        ("A.GGUF", True),
        ("a.png", False),
        ("safetensors", False),
        (7, False),
        (None, False),
    ],
)
def test_what_a_model_is_called(value: object, expected: bool) -> None:
    assert is_model_name(value) is expected


def test_a_name_without_folders() -> None:
    assert fold_file_name("a\\b/C.PT") == "c.pt"
