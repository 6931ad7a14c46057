"""What a file says reaches sentences printable and short."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.conversion.api_workflow import describe_missing
from comfygradio.conversion.result import MissingClass, Note
from comfygradio.conversion.shown_text import show_name
from tests.conversion.ui_file import convert, make_file, make_node, socket
from tests.exam import list_lost


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("KSampler (Efficient) 采样器 🎨", "KSampler (Efficient) 采样器 🎨"),
        ("👩\u200d🎨", "👩\u200d🎨"),
        ("a\x1b[31m\nb\u3000c", "a\ufffd[31m b c"),
        ("\ud800", "\ufffd"),
        ("\u202egnp", "\ufffdgnp"),
        ("x" * 101, "x" * 100 + "…"),
    ],
)
def test_names_are_shown_printable_and_short(name: str, shown: str) -> None:
    assert show_name(name) == shown


def test_notes_can_be_printed() -> None:
    odd = "\ud800\x1b\u2028"
    for value in (odd, [odd], {odd: odd}, odd * 300):
        text = str(Note(odd, odd, value, "why."))
        text.encode()
        assert text.isprintable() and len(text) < 300
    told = str(MissingClass(odd, (odd,) * 30))
    assert told.isprintable() and "and 10 more" in told
    nodes = [make_node(1, odd, ["x"]), make_node(2, odd, ["x"], (socket("a", "X", 1),))]
    conversion = convert(make_file(nodes, [[1, 2, 0, 2, 0, "X"]]))
    for entry in (*conversion.notes, *conversion.missing):
        assert str(entry).isprintable()


@pytest.mark.parametrize(
    ("properties", "pack"),
    [
        ({"cnr_id": "comfyui_ipadapter-plus"}, "comfyui_ipadapter-plus"),
        ({"aux_id": "owner/Repo.name"}, "owner/Repo.name"),
        ({"cnr_id": "a/b", "aux_id": "owner/repo"}, "owner/repo"),
        ({"cnr_id": "a; rm -rf"}, ""),
        ({"aux_id": "owner/repo/../.."}, ""),
        ({"aux_id": "owner/repo\n"}, ""),
        ({"aux_id": "repo"}, ""),
        ({"cnr_id": "x" * 101}, ""),
        ({"cnr_id": "\x1b[31m"}, ""),
    ],
)
def test_only_what_can_be_a_pack_is_named(properties: dict[str, Any], pack: str) -> None:
    node = make_node(1, "Unknown", None, (socket("a", "X", 1),), properties=properties)
    assert [one.pack for one in convert(make_file([node], [[1, 1, 0, 1, 0, "X"]])).missing] == [
        pack
    ]


def test_a_sentence_names_few_missing_classes() -> None:
    missing = [MissingClass(f"Class{number}\n", (), f"pack{number}") for number in range(20)]
    text = describe_missing("The file", missing)
    assert text.isprintable() and "Class7" in text and "Class8" not in text
    assert "; 12 more, which" in text


def test_the_exam_misses_a_value_that_became_another_one() -> None:
    node = make_node(1, "Save", ["mine"], widgets_values_named={"prefix": "mine"})
    file = make_file([node], [])
    conversion = convert(file)
    assert list(list_lost(file, conversion)) == []
    conversion.prompt["1"]["inputs"]["prefix"] = "other"
    assert list(list_lost(file, conversion)) == ["1.prefix = 'mine'"]
