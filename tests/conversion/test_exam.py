"""The exam: workflows with the prompts that ComfyUI's real page made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exam import FOLDER, NO_EXAM, Exam, Result

pytestmark = [pytest.mark.deep, pytest.mark.skipif(not FOLDER, reason=NO_EXAM)]

SHARES = {"strict": 0.99, "mutant": 0.97, "drift": 0.9, "no outputs": 0.95}
"""Kind of workflow → how many of them must become the page's prompt, but for ids."""


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Grade the whole exam once."""
    exam = Exam(Path(FOLDER))
    return [exam.grade(name) for name in exam.list_names()]


@pytest.mark.parametrize("kind", SHARES)
def test_prompts_are_those_of_the_page(results: list[Result], kind: str) -> None:
    chosen = [result for result in results if result.kind == kind]
    assert chosen
    right = [result for result in chosen if result.level in ("exact", "iso")]
    wrong = [f"{result.name}: {result.differences[:2]}" for result in chosen if result not in right]
    assert len(right) >= SHARES[kind] * len(chosen), "\n".join(wrong)


def test_no_conversion_fails(results: list[Result]) -> None:
    assert results
    assert [result.name for result in results if result.level == "error"] == []


def test_no_value_is_lost(results: list[Result]) -> None:
    assert [text for result in results for text in result.lost] == []
