"""What the script of a model's field may ask, and that it gets no more than a page at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from comfygradio.forms.kinds.value import Choice
from comfygradio.ui.form.model_functions import make_model_functions

Json = dict[str, Any]


class Field:
    """A field with choices that may change, asked as its script asks."""

    def __init__(self, *names: str) -> None:
        self.choices = make_choices(*names)
        self.functions = {one.__name__: one for one in make_model_functions(lambda: self.choices)}

    def ask(self, name: str, data: object) -> Json:
        answer: Json = asyncio.run(self.functions[name](data))
        return answer


def make_choices(*names: str) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


def test_a_page_of_what_fits() -> None:
    field = Field(*(f"sd/m{number:03}.safetensors" for number in range(200)))
    answer = field.ask("search_models", ["m", 60])
    assert (len(answer["models"]), answer["total"], answer["folders"]) == (60, 200, [])
    assert answer["models"][0] == ["sd/m060.safetensors", "m060", "sd"]


def test_the_content_of_a_folder() -> None:
    field = Field("sd/a.pt", "b.pt")
    assert field.ask("list_models", ["", 0]) == {
        "folders": [["sd", "sd", 1]],
        "models": [["b.pt", "b", ""]],
        "total": 2,
    }
    assert field.ask("list_models", ["sd", 0])["models"] == [["sd/a.pt", "a", "sd"]]


def test_what_a_browser_remembers_is_checked() -> None:
    field = Field("a.pt", "b.pt")
    answer = field.ask("recall_models", [["b.pt", "gone.pt", 3, None, ["a.pt"]]])
    assert answer["models"] == [["b.pt", "b", ""]]


def test_lists_that_are_read_again_count() -> None:
    field = Field("a.pt")
    assert field.ask("search_models", ["", 0])["total"] == 1
    field.choices = make_choices("a.pt", "b.pt")
    assert field.ask("search_models", ["", 0])["total"] == 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "m",
        ["a"],
        [3, 0],
        [None, None],
        ["", -1],
        ["", True],
        ["", "1"],
        [{}, []],
        ["", 0, 0],
        ["", 10**30],
        ["x" * 100_000, 0],
        ["\ud800 \0", 0],
    ],
)
@pytest.mark.parametrize("name", ["search_models", "list_models", "recall_models"])
def test_anybody_may_send_anything(name: str, data: object) -> None:
    answer = Field("a.pt", "sd/b.pt").ask(name, data)
    assert set(answer) == {"folders", "models", "total"}
