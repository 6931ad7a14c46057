"""Wildcards: `__colours__` in a text is drawn from the lines of a file, by the seed of the job."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comfygradio.binding.wildcard_folder import WildcardFolder
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ValuesRefused
from comfygradio.forms.fill import RANDOM_SEED, find_posted_text
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.wildcards import (
    MAX_DEPTH,
    check_wildcards,
    describe_unknown,
    draw_text,
)

from .preset_folder import PresetFolder

LISTS = {
    "colours": ("red", "blue"),
    "animals/birds": ("a {small|large} __colours__ bird",),
    "one": ("1",),
}


def draw(text: str, key: str = "7", *, is_dynamic: bool = False) -> str:
    return draw_text(text, LISTS, key, is_dynamic=is_dynamic)


def write_wildcard(folder: Path, name: str, content: bytes) -> WildcardFolder:
    path = folder / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return WildcardFolder(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__one__", "1"),
        ("x__one__x", "x1x"),
        ("__one____one__", "11"),
        ("__nothing__ __One__ ____ __ __one", "__nothing__ __One__ ____ __ __one"),
        ("__../../etc/passwd__ __/one__", "__../../etc/passwd__ __/one__"),
        ("{__one__|__one__}", "{1|1}"),
    ],
)
def test_a_name_is_replaced_and_everything_else_stays(text: str, expected: str) -> None:
    assert draw(text) == expected


def test_whoever_writes_marks_gets_no_more_draws_than_names() -> None:
    assert draw("\1" + "0\1\1" + "0\1\1" + "5\1 __one__") == "1\1" + "0\1\1" + "5\1 \1" + "0\1"


def test_the_key_decides_and_each_occurrence_is_drawn_by_itself() -> None:
    assert draw("__colours__ __animals/birds__") == draw("__colours__ __animals/birds__")
    texts = {draw("__colours__ __colours__", str(seed)) for seed in range(40)}
    assert texts == {"red red", "red blue", "blue red", "blue blue"}
    assert draw("__colours__ and __colours__").startswith(draw("__colours__"))


def test_the_draw_is_the_same_in_every_version() -> None:
    assert draw("__colours__, __animals/birds__, __colours__") == ("red, a small red bird, red")


def test_options_around_wildcards_are_drawn_where_they_are_asked_for() -> None:
    texts = {draw("{__one__|two}", str(seed), is_dynamic=True) for seed in range(20)}
    assert texts == {"1", "two"}


def test_a_choice_expands_its_own_options() -> None:
    texts = {draw("__animals/birds__", str(seed)) for seed in range(60)}
    assert len(texts) == 4
    assert "a small red bird" in texts


def test_a_circle_is_told_with_its_names() -> None:
    lists = {"a": ("x", "__b__"), "b": ("__c__",), "c": ("__b__",)}
    with pytest.raises(InvalidValue, match="circle: b → c → b"):
        check_wildcards("__a__", lists)


def test_too_deep_a_nesting_is_told() -> None:
    lists = {f"w{number}": (f"__w{number + 1}__",) for number in range(MAX_DEPTH + 1)}
    lists[f"w{MAX_DEPTH + 1}"] = ("end",)
    check_wildcards("__w2__", lists)
    with pytest.raises(InvalidValue, match="leads to more than 10"):
        check_wildcards("__w1__", lists)
    # Also where the inner ones are known already.
    with pytest.raises(InvalidValue, match="leads to more than 10"):
        check_wildcards("__w8__ __w4__ __w0__", lists)


def test_what_may_become_too_long_is_told_at_once() -> None:
    lists = {f"w{number}": (f"__w{number + 1}__" * 10,) for number in range(8)}
    lists["w8"] = ("word",)
    with pytest.raises(InvalidValue, match="100,000"):
        check_wildcards("__w0__", lists)


def test_names_without_a_list_are_told_in_one_sentence() -> None:
    assert describe_unknown(["__colours__"], LISTS) == ""
    told = describe_unknown(["a __x__", "__x__ __one__"], LISTS)
    assert told == "There is no wildcard __x__, so it is posted as it is written."
    assert "and 2 more" in describe_unknown(["__a__ __b__ __c__ __d__ __e__"], LISTS)


def test_a_file_has_a_choice_a_line(tmp_path: Path) -> None:
    content = "\ufeffred\r\n\r\n  # not this\r\n  grün \r\n".encode()
    found = write_wildcard(tmp_path, "animals/birds", content)
    assert found["animals/birds"] == ("red", "grün")
    assert list(found) == ["animals/birds"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a\0b", "is not a text file"),
        (b"\x010\x01", "is not a text file"),
        (b"# only this\n\n", "has no choices"),
        (b"a\n" * 10_001, "too many lines"),
        (b"a" * 1_000_001, "too large"),
    ],
)
def test_a_file_that_is_no_list_is_told_by_its_name(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    found = write_wildcard(tmp_path, "odd", content)
    with pytest.raises(InvalidValue, match=f"^wildcards/odd.txt .*{reason}"):
        check_wildcards("__odd__", found)


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    folder = tmp_path / "wildcards"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    found = write_wildcard(folder, "one", b"1")
    text = "__../secret__ __/secret__ __link__ __one/../../secret__ __loop/one__"
    assert list(found) == ["one"]
    assert draw_text(text, found, "7", is_dynamic=True) == text


def test_a_folder_need_not_exist(tmp_path: Path) -> None:
    assert len(WildcardFolder(tmp_path / "none")) == 0


def test_a_form_posts_what_is_drawn_and_keeps_what_was_written(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write_wildcard(presets.folder / "wildcards", "colours", b"red\nblue\n")
    form = presets.bind("prompt: {slot: 6.text}\nseed: {slot: 3.seed}", new_info)
    values = {"prompt": "a __colours__ fox, __nope__", "seed": 7}
    first = form.fill(values)
    drawn = first.graph["6"]["inputs"]["text"]
    assert drawn in ("a red fox, __nope__", "a blue fox, __nope__")
    assert find_posted_text(form.fields["prompt"], first.graph) == drawn
    assert form.fill(values).graph == first.graph
    assert first.extra_pnginfo["comfygradio"]["values"] == values
    assert first.notes == ("There is no wildcard __nope__, so it is posted as it is written.",)
    seeds = [form.fill({**values, "seed": seed}) for seed in range(12)]
    assert len({prompt.graph["6"]["inputs"]["text"] for prompt in seeds}) == 2


def test_a_form_without_a_seed_keeps_a_random_one(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write_wildcard(presets.folder / "wildcards", "colours", b"red\nblue\n")
    form = presets.bind("prompt: {slot: 6.text}", new_info)
    checked = form.check({"prompt": "a __colours__ fox"})
    assert RANDOM_SEED in checked
    assert form.build(form.check(checked)).graph == form.build(checked).graph
    assert RANDOM_SEED not in form.check({"prompt": "a __nope__ fox"})


def test_templates_draw_and_values_in_them_are_drawn_once(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write_wildcard(presets.folder / "wildcards", "one", b"1")
    form = presets.bind(
        """
        prompt: {slot: 6.text, template: "__one__ {value}w0{negative}"}
        negative: {slot: 7.text, dynamic: false}
        """,
        new_info,
    )
    graph = form.fill({"prompt": "__one__", "negative": "__one__"}).graph
    assert graph["6"]["inputs"]["text"] == "1 1w0__one__"
    assert graph["7"]["inputs"]["text"] == "__one__"


def test_a_circle_is_refused_at_its_field(presets: PresetFolder, new_info: ObjectInfo) -> None:
    write_wildcard(presets.folder / "wildcards", "a", b"__a__")
    form = presets.bind("prompt: {slot: 6.text}", new_info)
    with pytest.raises(ValuesRefused) as refusal:
        form.fill({"prompt": "__a__"})
    assert refusal.value.problems == {"prompt": "wildcards lead in a circle: a → a."}


def test_a_circle_in_the_presets_own_text_closes_the_form(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write_wildcard(presets.folder / "wildcards", "a", b"__a__")
    form = presets.bind(
        'prompt: {slot: 6.text, template: "{value} __a__"}\nf: {slot: 7.text, fixed: __a__}',
        new_info,
    )
    assert ["circle" in str(problem) for problem in form.problems] == [True, True]


def test_a_default_whose_wildcards_have_no_file_is_told(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write_wildcard(presets.folder / "wildcards", "a", b"__a__")
    form = presets.bind(
        """
        prompt: {slot: 6.text, default: a __nope__ fox}
        negative: {slot: 7.text, default: "__a__"}
        """,
        new_info,
    )
    assert form.describe_own_wildcards() == (
        "negative: wildcards lead in a circle: a → a.",
        "There is no wildcard __nope__, so it is posted as it is written.",
    )
