from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.registry import Widget

from .corpus import (
    Case,
    corpus_info,
    corpus_json,
    draft_form,
    fill_defaults,
    list_cases,
    make_media,
)

pytestmark = pytest.mark.deep

Spec = list[Any]
CASES = list_cases()
INFO = corpus_json()
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def list_inputs(
    groups: Mapping[str, Any], inputs: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Spec, bool]]:
    """Name, spec and whether it has to be there, of the inputs that a node has with
    these values.
    """
    for group in ("required", "optional"):
        for key, spec in (groups.get(group) or {}).items():
            name, options = prefix + key, spec[1] if len(spec) > 1 else {}
            if spec[0] == "COMFY_AUTOGROW_V3":
                (row,) = options["template"]["input"]["required"].values()
                rows = [given for given in inputs if given.startswith(f"{name}.")]
                assert len(rows) >= options["template"]["min"], f"{name} has too few rows"
                yield from ((given, row, True) for given in rows)
                continue
            yield name, spec, group == "required"
            if spec[0] == "COMFY_DYNAMICCOMBO_V3" and name in inputs:
                (chosen,) = [entry for entry in options["options"] if entry["key"] == inputs[name]]
                yield from list_inputs(chosen["inputs"], inputs, f"{name}.")


def find_choices(spec: Spec) -> list[Any] | None:
    if isinstance(spec[0], list):
        return spec[0]
    choices: list[Any] | None = (
        spec[1]["options"] if spec[0] == "COMBO" and "remote" not in spec[1] else None
    )
    return choices


def type_of_output(workflow: Workflow, node_id: str, slot: int) -> str:
    node = workflow.nodes[node_id]
    kind = INFO[node.class_type]["output"][slot]
    if kind != "COMFY_MATCHTYPE_V3":
        return kind if isinstance(kind, str) else "COMBO"
    specs = {
        name: spec for name, spec, _ in list_inputs(INFO[node.class_type]["input"], node.inputs)
    }
    fed = next(link for name, link in node.links.items() if specs[name][0] == kind)
    return type_of_output(workflow, fed.node_id, fed.slot)


def fits(offered: str, spec: Spec) -> bool:
    wanted = "COMBO" if isinstance(spec[0], list) else spec[0]
    if wanted == "COMFY_MATCHTYPE_V3":
        wanted = spec[1]["template"]["allowed_types"]
    return "*" in (offered, wanted) or bool(set(offered.split(",")) & set(wanted.split(",")))


def check_value(value: Any, spec: Spec) -> bool:
    """Whether the server would take a plain value."""
    choices = find_choices(spec)
    if choices is not None:
        return value in choices
    options = spec[1] if len(spec) > 1 else {}
    if spec[0] in ("INT", "FLOAT"):
        whole = isinstance(value, int) or (spec[0] == "FLOAT" and isinstance(value, float))
        return whole and options.get("min", value) <= value <= options.get("max", value)
    wanted = {"STRING": str, "BOOLEAN": bool, "COLOR": str}.get(spec[0])
    return wanted is None or isinstance(value, wanted)


def test_the_corpus_is_large_and_varied() -> None:
    assert len(CASES) >= 64
    assert len({case.expected.kind for case in CASES}) == len(CASES)
    ways = Counter(
        role
        for case in CASES
        for role in ("loras", "images", "masks", "video", "audio")
        if getattr(case.expected, role)
    )
    assert all(ways[role] >= 4 for role in ("loras", "images", "masks", "video", "audio"))
    assert {class_type for case in CASES for class_type in case.workflow.class_types} == INFO.keys()
    seeds = [
        case.workflow.nodes[slot.split(".")[0]].inputs
        for case in CASES
        for slot in case.expected.seed
    ]
    assert any(
        isinstance(value, int) and value > 2**53 for inputs in seeds for value in inputs.values()
    )


@each_case
def test_the_inputs_of_a_workflow_are_right(case: Case) -> None:
    for node in case.workflow:
        specs = {
            name: (spec, must)
            for name, spec, must in list_inputs(INFO[node.class_type]["input"], node.inputs)
        }
        assert node.inputs.keys() <= specs.keys(), f"{node.id}: unknown inputs"
        assert {name for name, (_, must) in specs.items() if must} <= node.inputs.keys(), (
            f"{node.id}: inputs missing"
        )
        for name, value in node.inputs.items():
            link, spec = node.links.get(name), specs[name][0]
            if link:
                offered = type_of_output(case.workflow, link.node_id, link.slot)
                assert fits(offered, spec), f"{node.id}.{name}: {offered} for {spec[0]}"
            else:
                assert check_value(value, spec), f"{node.id}.{name}: {value!r}"


@each_case
def test_what_is_expected_is_there(case: Case) -> None:
    told = case.expected
    slots = [
        *told.prompt,
        *told.negative,
        *told.seed,
        *told.model,
        *told.loras,
        *told.media,
        *told.size.values(),
    ]
    for address in slots:
        node_id, _, name = address.partition(".")
        node = case.workflow.nodes[node_id]
        assert name in node.inputs and name not in node.links, address
    assert told.outputs == {
        node.id for node in case.workflow if INFO[node.class_type]["output_node"]
    }
    assert told.size.keys() in (set(), {"width", "height"})


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


@cache
def find_info() -> ObjectInfo:
    return corpus_info()


def find_field(form: Form, address: str) -> Field:
    """The one field that fills an input."""
    node_id, _, name = address.partition(".")
    field = form.find_field(node_id, name)
    assert field is not None, f"no field fills {address}; there are {list(form.fields)}"
    return field


def check_fields(form: Form, addresses: Iterable[str], *widgets: Widget) -> list[Field]:
    """The fields of these inputs; each is one of these widgets."""
    fields = [find_field(form, address) for address in addresses]
    assert all(field.widget in widgets for field in fields), [
        (field.name, field.widget) for field in fields
    ]
    return fields


@each_case
def test_a_draft_finds_what_a_person_would_name(case: Case, tmp_path: Path) -> None:
    form, told = draft_form(case, find_info(), tmp_path), case.expected
    assert form.problems == ()
    main = [
        check_fields(form, told.prompt, "text", "textarea"),
        check_fields(form, told.media - {*told.video, *told.audio}, "image", "mask"),
        check_fields(form, told.video, "video"),
        check_fields(form, told.audio, "audio"),
        check_fields(form, told.size.values(), "size"),
    ]
    assert all(not all(field.advanced for field in fields) for fields in main if fields)
    check_fields(form, told.negative, "text", "textarea")
    check_fields(form, told.seed, "seed")
    check_fields(form, told.model, "dropdown", "radio")
    check_fields(form, told.loras, "loras", "dropdown")
    for part, address in told.size.items():
        assert address in map(str, find_field(form, address).slots[part])
    shown = set(form.outputs) or told.outputs
    assert shown <= told.outputs
    assert shown


@each_case
def test_the_form_of_a_draft_gives_a_prompt(
    case: Case, tmp_path: Path, media: Mapping[str, Path]
) -> None:
    """Where nothing but files was put in, the prompt is the workflow, but for files, drawn seeds
    and expanded texts.
    """
    form = draft_form(case, find_info(), tmp_path)
    prompt = fill_defaults(form, media)
    assert prompt.graph.keys() == case.workflow.nodes.keys()
    assert {
        f"{node}.{name}" for upload in prompt.uploads for node, name in upload.slots
    } == case.expected.media
    for node in case.workflow:
        inputs = prompt.graph[node.id]["inputs"]
        assert inputs.keys() == node.inputs.keys()
        changed = {
            name
            for name, value in node.inputs.items()
            if inputs[name] != value and not is_expanded(value)
        }
        fields = {name: form.find_field(node.id, name) for name in changed}
        odd = {
            name
            for name, field in fields.items()
            if not field or not may_change(field, case.workflow, inputs[name])
        }
        assert not odd, {f"{node.id}.{name}": (node.inputs[name], inputs[name]) for name in odd}


def is_expanded(value: object) -> bool:
    """Whether a text holds a choice between words, or a date in a file name."""
    return isinstance(value, str) and ("{" in value or "%date" in value)


def may_change(field: Field, workflow: Workflow, value: object) -> bool:
    """Files and seeds may; else an input gets the value of the first input that the same field
    fills.
    """
    first = field.all_slots[0]
    return (
        field.kind.is_media
        or field.widget == "seed"
        or value == workflow.nodes[first.node_id].inputs[first.input]
    )
