from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.forms.file_prefix import expand_prefix, expand_prefixes

NOW = datetime(2026, 3, 9, 17, 5, 8)

GRAPH: Mapping[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 18446744073709551615, "cfg": 7.0, "denoise": 0.35, "model": ["4", 0]},
        "_meta": {"title": "Base"},
    },
    "4": {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "sub folder\\tiny ü.safetensors"},
    },
    "5": {
        "class_type": "KSamplerAdvanced",
        "inputs": {"seed": 2, "on": True},
        "_meta": {"title": "KSampler"},
    },
    "6": {"class_type": "KSampler", "inputs": {"seed": 3}, "_meta": {"title": "Second"}},
    "7": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": 'a/b\\c:d*e?f"g<h>i|j\nk', "none": None, "empty": ""},
    },
    "8": {
        "class_type": "Names",
        "inputs": {"up": "..", "dot": ".", "out": "../../etc", "late": "%date:yyyy%"},
    },
    "9": {
        "class_type": "Odd",
        "inputs": {"list": {"__value__": [1]}, "big": 1e300, "nan": float("nan")},
    },
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("%date:yyyy-MM-dd%/x", "2026-03-09/x"),
        ("%date:yy M d h m s%", "26 3 9 17 5 8"),
        ("%date:hhmmss%_%date:hh.mm%", "170508_17.05"),
        ("%date:yyyy.MM.dd%", "2026.03.09"),
        ("%date:yyy y D H%", "yyy y D H"),
        ("%date:yyyy/MM%", "2026/03"),
        ("%date:%x", "x"),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert expand_prefix(text, {}, NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%KSampler.seed%", "18446744073709551615"),
        ("%Base.seed%_%Second.seed%", "18446744073709551615_3"),
        ("%KSamplerAdvanced.on%", "true"),
        ("%Base.cfg%_%Base.denoise%", "7_0.35"),
        ("%CheckpointLoaderSimple.ckpt_name%", "sub folder_tiny ü.safetensors"),
        ("%CLIPTextEncode.text%", "a_b_c_d_e_f_g_h_i_j_k"),
        ("a%CLIPTextEncode.empty%b", "ab"),
    ],
)
def test_values(text: str, expected: str) -> None:
    assert expand_prefix(text, GRAPH, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "%width%x%height%",
        "%year%-%month%-%day%_%batch_num%",
        "%date%",
        "%Nobody.seed%",
        "%KSampler.nothing%",
        "%KSampler.model%",
        "%KSampler.%",
        "%.seed%",
        "%Base.a.b%",
        "%Odd.list%",
        "%CLIPTextEncode.none%",
        "100%",
        "%%",
        "%KSampler.seed",
    ],
)
def test_unknown_ones_stay(text: str) -> None:
    assert expand_prefix(text, GRAPH, NOW) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%Names.up%/x", "_/x"),
        (".%Names.dot%/x", "._/x"),
        ("a/%Names.up%/%Names.up%/b", "a/_/_/b"),
        ("%Names.out%", ".._.._etc"),
        ("%Names.late%", "%date_yyyy%"),
    ],
)
def test_a_value_stays_in_its_folder(text: str, expected: str) -> None:
    assert expand_prefix(text, GRAPH, NOW) == expected


def test_all_prefixes_of_a_graph() -> None:
    graph: dict[str, Any] = {
        "1": {
            "class_type": "SaveImage",
            "inputs": {"filename_prefix": "%date:yyyy%/%B.filename_prefix%"},
        },
        "2": {
            "class_type": "SaveVideo",
            "inputs": {"filename_prefix": "%A.x%"},
            "_meta": {"title": "B"},
        },
        "3": {
            "class_type": "A",
            "inputs": {"x": 5, "filename_prefix": ["1", 0], "text": "%date:yyyy%"},
        },
        "4": {"class_type": "Empty", "inputs": {}},
    }
    expand_prefixes(graph, NOW)
    assert graph["1"]["inputs"]["filename_prefix"] == "2026/%A.x%"
    assert graph["2"]["inputs"]["filename_prefix"] == "5"
    assert graph["3"]["inputs"] == {"x": 5, "filename_prefix": ["1", 0], "text": "%date:yyyy%"}


LITERALS = (
    st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers())
)


@given(LITERALS, st.text("./_ a"), st.text("./_ a"))
def test_no_value_makes_or_leaves_a_folder(value: Any, before: str, after: str) -> None:
    graph = {"1": {"class_type": "Node", "inputs": {"value": value}}}
    written = expand_prefix("%Node.value%", graph, NOW)
    assert written in ("", "%Node.value%") or not re.search(
        r'^[. ]+$|[/?<>\\:*|"\x00-\x1f\x7f]', written
    )
    whole = expand_prefix(f"{before}%Node.value%{after}", graph, NOW)
    assert whole == before + written + after
    if written:
        assert whole.split("/").count("..") <= f"{before}x{after}".split("/").count("..")


@given(st.text("%.:dateyMhmsKSamplerseed/ "))
def test_any_prefix_expands(text: str) -> None:
    expanded = expand_prefix(text, GRAPH, NOW)
    if "%" not in text:
        assert expanded == text
