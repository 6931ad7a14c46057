"""Models are found by words and by folders, and are called what people call them."""

from __future__ import annotations

import pytest

from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.model_search import PAGE, ListedModel, ModelIndex

NAMES = (
    "dreamShaper_8.safetensors",
    "photo-xl.safetensors",
    "sdxl/base/photoReal.safetensors",
    "sdxl/telephoto.ckpt",
    "sd15\\ink.safetensors",
    "sd15\\ink.ckpt",
)


def make_index(*names: str) -> ModelIndex:
    return ModelIndex([Choice(name, name) for name in names])


def list_names(index: ModelIndex, query: str) -> list[str]:
    return [model.name for model in index.search(query).models]


def test_names_have_neither_suffix_nor_folder() -> None:
    found = make_index(*NAMES).search("").models
    assert found[0] == ListedModel("dreamShaper_8.safetensors", "dreamShaper_8")
    assert found[2] == ListedModel("sdxl/base/photoReal.safetensors", "photoReal", "sdxl/base")


def test_names_that_differ_only_in_the_suffix_keep_it() -> None:
    found = make_index(*NAMES).search("ink").models
    assert [(model.folder, model.name) for model in found] == [
        ("sd15", "ink.safetensors"),
        ("sd15", "ink.ckpt"),
    ]


def test_an_author_s_name_is_shown_as_it_is() -> None:
    index = ModelIndex([Choice("Fast / good", "sdxl/x.safetensors")])
    assert index.search("").models == (ListedModel("sdxl/x.safetensors", "Fast / good"),)
    assert index.search("GOOD").total == 1
    assert index.search("sdxl").total == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("photo", ["photo-xl", "photoReal", "telephoto"]),
        ("PHOTO sdxl", ["photoReal", "telephoto"]),
        ("shaper", ["dreamShaper_8"]),
        ("real", ["photoReal"]),
        ("real base", ["photoReal"]),
        ("nothing", []),
        ("photo nothing", []),
    ],
)
def test_all_words_must_fit_and_beginnings_come_first(query: str, expected: list[str]) -> None:
    assert list_names(make_index(*NAMES), query) == expected


def test_the_beginning_of_a_word_comes_before_its_middle() -> None:
    index = make_index("unreal.pt", "so-real.pt", "realistic.pt", "real/other.pt")
    assert list_names(index, "real") == ["realistic", "so-real", "other", "unreal"]


def test_signs_in_a_query_count() -> None:
    index = make_index("v1-5-pruned.ckpt", "x-v1-5.ckpt", "v15.ckpt", "a[1].pt")
    assert list_names(index, "v1-5") == ["v1-5-pruned", "x-v1-5"]
    assert list_names(index, "[1]") == ["a[1]"]
    assert list_names(index, "---") == []


def test_a_long_answer_comes_in_pages() -> None:
    index = make_index(*(f"m{number:03}.pt" for number in range(130)))
    first = index.search("m")
    assert (len(first.models), first.total) == (PAGE, 130)
    last = index.search("m", start=120)
    assert [model.name for model in last.models][:1] == ["m120"]
    assert (len(last.models), last.total) == (10, 130)
    assert index.search("m", start=500).models == ()


def test_folders_are_a_tree_with_counts() -> None:
    index = make_index(*NAMES)
    root = index.list_folder("")
    assert [(one.path, one.total) for one in root.folders] == [("sd15", 2), ("sdxl", 2)]
    assert [one.name for one in root.models] == ["dreamShaper_8", "photo-xl"]
    assert root.total == 4
    inner = index.list_folder("sdxl")
    assert [(one.path, one.name, one.total) for one in inner.folders] == [("sdxl/base", "base", 1)]
    assert [one.name for one in inner.models] == ["telephoto"]
    assert index.list_folder("sdxl/none").total == 0


def test_a_folder_comes_in_pages_too() -> None:
    folders = [f"f{number:02}/a.pt" for number in range(70)]
    index = make_index(*folders, *(f"m{number:02}.pt" for number in range(70)))
    first = index.list_folder("")
    assert (len(first.folders), len(first.models), first.total) == (60, 0, 140)
    second = index.list_folder("", 60)
    assert (len(second.folders), len(second.models)) == (10, 50)
    assert second.models[0].name == "m00"
    third = index.list_folder("", 120)
    assert (len(third.folders), third.models[0].name) == (0, "m50")
    assert len(third.models) == 20


def test_only_what_is_offered_is_found() -> None:
    index = make_index(*NAMES)
    found = index.find(["sdxl/telephoto.ckpt", "gone.pt", None, {}, "photo-xl.safetensors"])
    assert [model.name for model in found] == ["telephoto", "photo-xl"]


@pytest.mark.parametrize("name", ["/a.pt", "a//b.pt", "a/.pt", "//", "", ".safetensors", "a/"])
def test_odd_names_are_reached_by_the_tree(name: str) -> None:
    index = make_index(name)
    path = index.search("").models[0].folder
    assert index.list_folder(path).models[0].value == name
    assert index.list_folder("").total == 1
