"""People's texts cost no more than their length: they are capped before anything parses them, every
pattern is linear, and nothing of it happens on the event loop.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

from comfygradio.demo import DemoServer
from comfygradio.errors import AxisError, ComfyGradioError, DefinitionError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.axis_text import (
    MAX_TYPED_LENGTH,
    quote_if_split,
    split_texts,
    split_values,
)
from comfygradio.forms.kinds.choice_index import ChoiceIndex, is_pattern
from comfygradio.forms.kinds.color import parse_color
from comfygradio.forms.kinds.model_name import find_near, match_name
from comfygradio.forms.kinds.number_range import MAX_RANGE_LENGTH, is_number, is_range
from comfygradio.forms.kinds.registry import KINDS, Widget
from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import Choice, InvalidValue, shorten
from comfygradio.forms.text_expansion import (
    expand_dynamic,
    fill_template,
    find_placeholders,
    has_alternatives,
)
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_length import MAX_PARTS, check_value_length
from comfygradio.sweeps.axes.axis_parser import format_unquoted, parse_all_axes, parse_axis
from comfygradio.sweeps.export.text_layout import clean_text
from comfygradio.ui.sweep.sweep_draft import check_axes, parse_draft
from comfygradio.ui.sweep.sweep_endpoint import parse_call
from tests.security.callable_endpoint import AppClient
from tests.security.slow_pattern import find_ambiguous
from tests.sweeps.axis_form import FIELDS, list_choices, make_form
from tests.test_architecture import MODULES, parse
from tests.ui.running import run_app

FOREIGN_TO_PEOPLE = ("comfygradio.demo", "comfygradio.cluster", "comfygradio.settings")
"""Rooms that read no texts of people or of foreign servers."""

SEARCHES = frozenset({"search", "findall", "finditer", "sub", "subn", "split"})
USES = SEARCHES | {"match", "fullmatch", "compile"}

FORM = make_form(*FIELDS)

Parser = Callable[[str], object]


def list_parsers() -> Iterator[tuple[str, Parser]]:
    """Everything that people's texts are given to."""
    for field in FIELDS:
        yield f"value of {field.name}", partial(check_value, field)
        yield (
            f"axis of {field.name}",
            lambda text, name=field.name: parse_axis(  # type: ignore[misc]
                FORM, {name: text}, {}
            ),
        )
        yield (
            f"S/R of {field.name}",
            lambda text, name=field.name: parse_all_axes(  # type: ignore[misc]
                FORM, [{name: f"S/R: {text}"}], {name: text}
            ),
        )
    catalog = ChoiceIndex((Choice("a", "a.pt"), Choice("b", "x/b.pt")))
    yield "choices", catalog.find
    yield "patterns of choices", catalog.find_all
    yield "is_pattern", is_pattern
    yield "is_number", is_number
    yield "is_range", is_range
    yield "split_values", split_values
    yield "split_values in brackets", lambda text: split_values(text, in_brackets=True)
    yield "split_texts", split_texts
    yield "quote_if_split", quote_if_split
    yield "size", parse_size
    yield "color", parse_color
    yield "dynamic prompt", lambda text: expand_dynamic(text, random.Random(1))
    yield "has_alternatives", has_alternatives
    yield "names of a template", find_placeholders
    yield "template", lambda text: fill_template(text, {"a": "b"})
    yield "near names", lambda text: find_near(text, ["a.pt", "b.pt"])
    yield "same name", lambda text: match_name(text, ["a.pt", "b.pt"])
    yield "shorten", shorten
    yield "lettering", clean_text.__wrapped__
    yield (
        "draft",
        lambda text: check_axes(
            FORM,
            parse_draft(
                FORM, {"values": {"size": text}, "axes": [[{"field": "cfg", "text": text}]]}
            ),
        ),
    )
    yield "call", lambda text: parse_call(FORM, text, text, True)


UNITS = (
    *(
        " ",
        "\t",
        "\n",
        "\r",
        '"',
        '""',
        "'",
        ",",
        ", ",
        ',"',
        '","',
        "|",
        "||",
        "[",
        "]",
        "[]",
        "[a]",
    ),
    *("(", ")", "()", "{", "}", "{a|", "|a}", "{a}", "\\", "\\{", "/", "//", "/*", "*/", "*", "?"),
    *("a", "a ", "a,", "a=", "=", "=a,", "<", "<lora:", "<lora:a>", ":", "a:", "%", "%a", "x", "1"),
    *(
        "1x",
        "1-",
        "1,",
        "-",
        "+",
        "+ ",
        ".",
        "..",
        "1.",
        "1e",
        "0",
        "é",
        "…",
        "…,",
        "SKIP:",
        "random",
    ),
    *("#", "rgb(", "S/R:", "a\n", "\\\\", "字", "\ud800", "::", "a/", "none,", "*,", "random,"),
)


def count_steps(parser: Parser, text: str) -> int:
    """How many lines of Python run while a text is parsed; what it is refused with is fine."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parser(text)
    except (InvalidValue, ComfyGradioError):
        pass
    finally:
        sys.settrace(before)
    return steps


SHORT, LONG = 60, 600

TAGS = "comfygradio.metadata.file_tags"


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "parser"), [pytest.param(name, one, id=name) for name, one in list_parsers()]
)
def test_ten_times_the_text_is_no_more_than_some_ten_times_the_work(
    name: str, parser: Parser
) -> None:
    """Steps are counted, not time; work that grows with the square would be a hundred times."""
    for unit in UNITS:
        parser_of = count_steps(parser, unit * SHORT + "y")
        longer = count_steps(parser, unit * LONG + "y")
        assert longer <= 20 * parser_of + 2000, (name, unit, parser_of, longer)


def test_work_that_grows_with_the_square_is_seen() -> None:
    def parse_slowly(text: str) -> int:
        count = 0
        for one in text:
            for other in text:
                count += one == other
        return count

    assert (
        count_steps(parse_slowly, "a" * LONG) > 20 * count_steps(parse_slowly, "a" * SHORT) + 2000
    )


def list_patterns() -> Iterator[tuple[str, str, int, bool]]:
    """Module, pattern, flags, and whether it is searched for; of everything that people write."""
    for module, file in MODULES.items():
        if module.startswith(FOREIGN_TO_PEOPLE):
            continue
        searched = {name for name, _, use in _list_uses(file) if use in SEARCHES}
        loaded = importlib.import_module(module)
        for name, value in vars(loaded).items():
            if isinstance(value, re.Pattern):
                yield f"{module}.{name}", value.pattern, value.flags, name in searched
        for owner, call, use in _list_uses(file):
            if owner == "re" and use != "compile":
                pattern = _read_pattern(call.args[0], vars(loaded))
                if pattern is not None:
                    yield f"{module}:{call.lineno}", pattern, _read_flags(call), use in SEARCHES


def _read_pattern(argument: ast.expr, constants: Mapping[str, Any]) -> str | None:
    """The text of a pattern that stands in a call, or in a constant of the module."""
    value: Any = None
    if isinstance(argument, ast.Constant):
        value = argument.value
    elif isinstance(argument, ast.Name):
        value = constants.get(argument.id)
    return value if isinstance(value, str) else None


def _list_uses(file: Path) -> Iterator[tuple[str, ast.Call, str]]:
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner, use = node.func.value, node.func.attr
            if isinstance(owner, ast.Name) and use in USES and (owner.id == "re" or node.args):
                yield owner.id, node, use


def _read_flags(call: ast.Call) -> int:
    text = " ".join(ast.unparse(one) for one in [*call.args[1:], *call.keywords])
    names = ("IGNORECASE", "DOTALL", "MULTILINE")
    return sum(getattr(re, name) for name in names if f"re.{name}" in text)


@pytest.mark.deep
def test_every_pattern_takes_linear_time() -> None:
    patterns = list(list_patterns())
    assert len(patterns) > 150
    assert {"comfygradio.sweeps.export.grid.NUMBER", f"{TAGS}.NAMED"} <= {
        one[0] for one in patterns
    }
    slow = [
        f"{place} is slow on {char!r}: {pattern}"
        for place, pattern, flags, is_search in patterns
        if (char := find_ambiguous(pattern, flags, is_search)) is not None
    ]
    assert not slow, "\n" + "\n".join(slow)


@pytest.mark.parametrize(
    ("pattern", "is_search"),
    [
        (r"\s*([0-9]{1,6})\s*[x×*, ]\s*([0-9]{1,6})\s*", False),
        (r"[*?]|\[[^\]]+\]", True),
        (r"(a+)+b", False),
        (r"(?:a|aa*)*c", False),
        (r"\s*\S+\s*", True),
        (r"[-+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?", False),
        (r"[+-]?\s*\d+\s*-\s*[+-]?\s*\d+", False),
        (r"(.+?)\s*\((?:int|float)\)", False),
    ],
)
def test_slow_patterns_are_found(pattern: str, is_search: bool) -> None:
    assert find_ambiguous(pattern, 0, is_search) is not None


@pytest.mark.parametrize(
    ("pattern", "is_search"),
    [
        (r"([0-9]{1,6})(?:\s*[x×*,]\s*|\s+)([0-9]{1,6})", False),
        (r'"([^"]*(?:""[^"]*)*)"(?!")', False),
        (r"[^a-z0-9]+", True),
        (r"<lora:([^<>]+)>", True),
        (r"^(?P<path>.*?)(?: \[(?:output|temp)\])?$", False),
    ],
)
def test_linear_patterns_are_not(pattern: str, is_search: bool) -> None:
    assert find_ambiguous(pattern, 0, is_search) is None


def make_field(widget: Widget) -> Field:
    choices = (Choice("a", "a"),) if widget in ("dropdown", "radio", "loras") else None
    return Field("f", widget, "F", {}, choices=choices, is_multiple=widget == "dropdown")


@pytest.mark.deep
@pytest.mark.parametrize("widget", sorted(KINDS))
def test_a_text_that_is_too_long_is_refused_before_it_is_read(widget: Widget) -> None:
    """Each widget has a limit; just below it, what is wrong is something else, or nothing."""
    field, longest = make_field(widget), KINDS[widget].max_length
    check_value_length(field, " " * longest)
    for long in (
        " " * (longest + 1),
        ["a", " " * (longest + 1)],
        {"width": {" " * (longest + 1): 1}},
    ):
        with pytest.raises(InvalidValue, match=f"too long: at most {longest:,} characters"):
            check_value(field, long)
    if not KINDS[widget].is_media:
        with pytest.raises(InvalidValue, match="list is too long"):
            check_value(field, [[["a"] * MAX_PARTS]])
        with pytest.raises(InvalidValue):
            check_value(field, nest(100_000))


def nest(depth: int) -> list[Any]:
    """A list in a list in a list …"""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def test_numbers_sizes_and_colors_end_at_a_hundred_characters() -> None:
    for widget in ("number", "slider", "size", "color", "seed"):
        assert KINDS[widget].max_length == 100


@pytest.mark.parametrize("field", [field.name for field in FIELDS])
def test_an_axis_text_and_its_items_have_their_limits(field: str) -> None:
    long = "1," * (MAX_TYPED_LENGTH // 2) + "1"
    draft = parse_draft(FORM, {"axes": [[{"field": field, "text": long}]]})
    if not FORM.fields[field].kind.is_media:
        told, is_ready = check_axes(FORM, draft)
        assert "too long: at most 100,000" in told[0][0]["error"] and not is_ready
        with pytest.raises(AxisError, match="too long"):
            draft.define()
        with pytest.raises(AxisError, match="too long"):
            parse_call(FORM, {field: long}, {}, True)
    with pytest.raises(AxisError, match=r"too long|is allowed|are allowed"):
        parse_axis(FORM, {field: '"' + "[" * 100_001 + '"'}, {})


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_an_item_may_be_as_long_as_a_value_or_a_range(field: Field) -> None:
    longest = max(field.kind.max_length, MAX_RANGE_LENGTH)
    told = f"too long: at most {longest:,} characters"
    for length, is_refused in ((longest, False), (longest + 1, True)):
        try:
            parse_axis(FORM, {field.name: '"' + "[" * length + '"'}, {})
        except AxisError as error:
            assert (told in str(error)) == is_refused, error
        else:
            assert not is_refused


NAMES = [f"l{number}" for number in range(1000)]

MANY = Field("many", "dropdown", "Many", {}, default=[], choices=list_choices(*NAMES))
MANY = dataclasses.replace(MANY, is_multiple=True)

MANY_FORM = make_form(MANY, FORM.fields["steps"])


@pytest.mark.deep
def test_a_few_patterns_do_not_stand_for_a_million_choices() -> None:
    """Ten thousand values of ninety choices each took a minute, from a text of 400 letters."""
    names = ", ".join(NAMES[900:986])
    with pytest.raises(AxisError, match="too many choices in all; at most 100,000"):
        parse_axis(MANY_FORM, {"many": f'"{names}, l1?, l2?, l3?, l4?"'}, {})
    items = [f'"{names}, l{number}?, l2?"' for number in range(10, 24)]
    with pytest.raises(AxisError, match="too many choices in all; at most 100,000") as refused:
        parse_axis(MANY_FORM, {"many": " || ".join(items)}, {})
    assert refused.value.position == 12
    assert len(parse_axis(MANY_FORM, {"many": '"l1?, l2?, l3?, l4?"'}, {}).steps) == 10_000


@pytest.mark.deep
def test_all_axes_together_have_a_limit() -> None:
    """Twelve axes of twelve fields with as many values as an axis may have took three minutes."""
    axes = [[{"field": "steps", "text": "1-10000"}] * 12] * 12
    told, is_ready = check_axes(MANY_FORM, parse_draft(MANY_FORM, {"axes": axes}))
    counted = [one for axis in told for one in axis if "count" in one]
    assert len(counted) == 3 and not is_ready
    assert told[11][11] == {
        "error": "All axes together hold too many values; at most 30,000 are allowed."
    }
    wrong = [[{"field": "steps", "text": "1-10000, x"}] * 12] * 12
    told, _ = check_axes(MANY_FORM, parse_draft(MANY_FORM, {"axes": wrong}))
    assert [one["error"][:5] for axis in told for one in axis].count("Value") == 12
    with pytest.raises(AxisError, match="all axes together hold too many values"):
        parse_all_axes(MANY_FORM, [{"steps": "1-10000"}] * 4, {})


def test_a_list_of_choices_is_indexed_once_for_all_values_that_are_written() -> None:
    """Once for each, five hundred of three thousand models took ten seconds."""
    count = 100
    one = count_steps(lambda text: format_unquoted(MANY_FORM, "many", [[text]]), "l1")
    many = count_steps(
        lambda text: format_unquoted(MANY_FORM, "many", [[name] for name in NAMES[:count]]), "l1"
    )
    assert many < 20 * one, (one, many)


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(DefinitionError):
        parse_call(FORM, "[" * 200_000, {}, True)


LOOP_FREE = frozenset(
    {
        "read_values",
        "read_payload",
        "parse_call",
        "parse_draft",
        "read_upload",
        "load_metadata",
        "check",
        "check_value",
        "fill",
        "submit",
        "make_order",
        "plan",
        "start_sweep",
        "check_axes",
        "compose_mask",
        "open_picture",
        "check_picture",
        "load_sweep",
        "describe_file",
        "copy_to_uploads",
    }
)
"""What reads people's texts or files, and so has no place on the event loop."""


def list_direct_calls(node: ast.AST) -> Iterator[str]:
    """Names of the functions that a coroutine calls itself; inner functions run elsewhere."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.Lambda | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Call):
            yield getattr(child.func, "id", getattr(child.func, "attr", ""))
        yield from list_direct_calls(child)


def test_nothing_that_people_send_is_read_on_the_event_loop() -> None:
    breaches = [
        f"{module}, {node.name}: call {name} on a thread"
        for module, file in MODULES.items()
        if module.startswith("comfygradio.ui")
        for node in ast.walk(parse(file))
        if isinstance(node, ast.AsyncFunctionDef)
        for name in list_direct_calls(node)
        if name in LOOP_FREE
    ]
    assert not breaches, breaches


@pytest.mark.app
def test_hostile_texts_get_a_sentence_over_the_wire(
    demo: DemoServer, client: httpx.Client, tmp_path: Path
) -> None:
    with run_app(demo.url, tmp_path / "outputs") as running:
        app_client = AppClient(running.url, client)
        fields = running.app.service.forms["text_to_image"].fields
        endpoint, sweep = (
            app_client.find_event("text_to_image"),
            app_client.find_event("text_to_image_sweep"),
        )
        for name, field in fields.items():
            data = [f"1{' ' * 40_000}y" if one == name else None for one in fields]
            if field.widget not in ("text", "textarea"):
                answer = app_client.call(endpoint, data)
                assert "characters are allowed" in answer.json()["error"], (name, answer.text)
            for unit in ("[", " ", '"', "1,"):
                answer = app_client.call(sweep, [{name: unit * 100_001}, {}, True])
                assert "at most 100,000 characters" in answer.json()["error"], (name, answer.text)
