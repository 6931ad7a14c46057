"""Node classes made up by a seeded random generator, in the shape of `/object_info`, and values to
try on them.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from comfygradio.binding.form_binding import bind_form
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import PresetFile

COUNT = 120
INPUT = "x"

LIMITS = [0, 1, -1, 2, 7, 100, 255, 4096, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1]
NAMES = ["a", "B", "a/b.pt", "x\\y.pt", "1", "true", "é ü", "a, b", "", " c ", "None", "0.5"]


def make_classes(seed: int) -> dict[str, Any]:
    """COUNT output nodes `Random0` …, each with one input."""
    chance = random.Random(seed)
    return {
        f"Random{index}": {
            "input": {"required": {INPUT: make_spec(chance)}},
            "input_order": {"required": [INPUT]},
            "output": [],
            "name": f"Random{index}",
            "output_node": True,
        }
        for index in range(COUNT)
    }


def make_spec(chance: random.Random) -> list[Any]:
    """One input: a number with any limits, a text, a switch, a color, or a list of either form."""
    kind = chance.choice(
        ["INT", "INT", "FLOAT", "FLOAT", "STRING", "BOOLEAN", "COLOR", "V1", "V3", "V3"]
    )
    if kind in ("INT", "FLOAT"):
        return [kind, _make_limits(chance, kind)]
    if kind in ("V1", "V3"):
        return _make_list(chance, kind)
    defaults = {"STRING": "", "BOOLEAN": False, "COLOR": "#ffffff"}
    return [kind, {"default": defaults[kind], "multiline": chance.random() < 0.5}]


def parse_classes(classes: dict[str, Any]) -> ObjectInfo:
    """The classes as the package sees them."""
    return ObjectInfo.from_json(classes)


def make_form(info: ObjectInfo, class_type: str, **keys: Any) -> Form:
    """A form with the one field `f` on a node of this class."""
    file = PresetFile.model_validate(
        {"title": "T", "workflow": "w.json", "fields": {"f": {"slot": f"1.{INPUT}", **keys}}},
        strict=False,
    )
    workflow = Workflow.from_json({"1": {"class_type": class_type, "inputs": {}}})
    return bind_form("t", file, workflow, info)


def draw_values(spec: InputSpec) -> st.SearchStrategy[Any]:
    """Values that might be meant for an input, and odd ones."""
    edges = [limit for limit in (spec.minimum, spec.maximum) if limit is not None]
    near = [edge + step for edge in edges for step in (-1, 0, 1, 0.5)]
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    known = st.sampled_from(
        [*near, *map(str, near), *(spec.choices or ()), *NAMES, 0, 1.0, "5", "-1"]
    )
    nested = st.lists(plain | known, max_size=3) | st.dictionaries(
        st.text(max_size=3), plain, max_size=2
    )
    return st.one_of(known, known, plain, nested)


def draw_typed(spec: InputSpec) -> st.SearchStrategy[Any]:
    """Values of the input's own JSON type, within its limits and beyond."""
    edges = [limit for limit in (spec.minimum, spec.maximum) if limit is not None] or [0]
    if spec.choices is not None:
        kind = type(spec.choices[0])
        like: Any = {
            str: st.text(max_size=5),
            bool: st.booleans(),
            int: st.integers(),
            float: st.floats(),
        }[kind]
        item = st.sampled_from(spec.choices) | like
        return st.lists(item, max_size=3) if spec.options.get("multiselect") else item
    if spec.type == "INT":
        return st.integers() | st.builds(
            lambda edge, step: int(edge) + step, st.sampled_from(edges), st.integers(-3, 3)
        )
    if spec.type == "FLOAT":
        near = st.builds(lambda edge, step: edge + step, st.sampled_from(edges), st.floats(-3, 3))
        return st.floats(allow_nan=False) | st.integers() | near
    return st.booleans() if spec.type == "BOOLEAN" else st.text()


def is_allowed(spec: InputSpec, value: Any) -> bool:
    """Whether a value of the input's own JSON type is within the server's limits."""
    if spec.choices is not None:
        listed = value if spec.options.get("multiselect") else [value]
        return all(item in spec.choices for item in listed)
    if spec.type in ("STRING", "BOOLEAN"):
        return True
    low, high = spec.minimum, spec.maximum
    is_inside = (low is None or value >= low) and (high is None or value <= high)
    return bool(is_inside and abs(value) < float("inf"))


def _make_limits(chance: random.Random, kind: str) -> dict[str, Any]:
    low: float
    high: float
    low, high = sorted(chance.sample(LIMITS, 2))
    if kind == "FLOAT":
        low, high = low / chance.choice([1, 3, 10]), high * chance.choice([1, 1.5])
    options: dict[str, Any] = {
        "min": low,
        "max": high,
        "default": low,
        "step": chance.choice([1, 0.01, 8]),
    }
    for name in chance.sample(["min", "max", "step"], chance.choice([0, 0, 1, 2])):
        del options[name]
    if kind == "INT" and chance.random() < 0.3:
        options["control_after_generate"] = True
    return options


def _make_list(chance: random.Random, kind: str) -> list[Any]:
    pool: list[Any] = chance.choice([NAMES, [1, 2, 3, 50], [0.5, 1.0, 2.0], [True, False]])
    listed = chance.sample(pool, chance.randint(1, len(pool)))
    if kind == "V1":
        return [listed, {}]
    several = chance.random() < 0.4
    return [
        "COMBO",
        {"options": listed, "multiselect": several, **({"default": listed[:1]} if several else {})},
    ]
