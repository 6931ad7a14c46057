"""Restore the values of a form from a file that ComfyUI or comfygradio wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from comfygradio.binding.lora_binding import list_chain_classes
from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.file_prefix import FILENAME_PREFIX
from comfygradio.forms.fill import FROM_FORM, RANDOM_SEED
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.slots import Slot
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import value_to_json
from comfygradio.metadata.infer import ValueInference, describe_absent_file
from comfygradio.metadata.inversion import is_same_literal
from comfygradio.metadata.load import Metadata
from comfygradio.metadata.match import Match, match_nodes

RestoreState = Literal["exact", "read", "repaired", "missing"]

MAX_NOTES = 20
# `upload` is the button of a loader, which some exports list among its inputs.
IGNORED_INPUTS = frozenset({FILENAME_PREFIX, "upload"})


@dataclass(frozen=True)
class RestoredField:
    """One field and its value, which the form's check accepts. None if it is missing or was empty.

    `state` is "exact" for a value that comfygradio itself wrote, "read" for one inferred from the
    graph, "repaired" for a name that this server spells differently, or "missing". `note` says
    more; for a missing value, why.
    """

    name: str
    label: str
    value: Any
    state: RestoreState
    note: str = ""


@dataclass(frozen=True)
class RestoredForm:
    """The values of a form, restored from a file; `notes` say what the form does not cover."""

    fields: tuple[RestoredField, ...]
    notes: tuple[str, ...] = ()
    randomness: Mapping[str, Any] = field(default_factory=dict)
    """The random seed and flag of dynamic prompts. They belong to the values but are no fields."""

    @property
    def values(self) -> dict[str, Any]:
        """The values that were found, as `Form.fill` accepts them."""
        return {**_list_found(self.fields), **self.randomness}


def restore_values(form: Form, metadata: Metadata) -> RestoredForm:
    """Restore every field of a form from a file: exactly if comfygradio wrote the values, else from
    the graph.
    """
    graph = Workflow.from_json(metadata.prompt) if metadata.prompt else None
    own = metadata.comfygradio or {}
    own_values = own.get("values")
    # Values of another form may have the same names and other meanings.
    if own.get("preset") == form.name and isinstance(own_values, dict):
        return _restore_own(form, own_values, graph)
    if graph is None:
        return _restore_nothing(form)
    return _restore_inferred(form, graph)


def _restore_nothing(form: Form) -> RestoredForm:
    """Make a row without a value for each field."""
    reason = "the file holds no prompt that could be read."
    rows: list[RestoredField] = []
    for name, one in form.fields.items():
        rows.append(RestoredField(name, one.label, None, "missing", reason))
    return RestoredForm(tuple(rows))


def _restore_inferred(form: Form, graph: Workflow) -> RestoredForm:
    """Restore a form from a graph, whichever program made it."""
    rows: list[RestoredField] = []
    match = match_form(form, graph)
    reader = ValueInference(form, graph, match)
    for name, reading in reader.infer_all().items():
        label = form.fields[name].label
        rows.append(RestoredField(name, label, reading.value, reading.state, reading.note))
    visible = _leave_out_hidden(form, rows)
    notes = [
        *_describe_nodes(form, graph, match, reader.loaders),
        *_describe_uncovered(form, graph, match, reader.covered),
    ]
    return RestoredForm(visible, _shorten(notes))


def _leave_out_hidden(form: Form, rows: list[RestoredField]) -> tuple[RestoredField, ...]:
    """Drop the missing rows of fields that the other values hide."""
    found = _list_found(rows)
    shown = form.find_visible(found)
    left: list[RestoredField] = []
    for row in rows:
        if row.state != "missing" or shown[row.name]:
            left.append(row)
    return tuple(left)


def _list_found(rows: Iterable[RestoredField]) -> dict[str, Any]:
    """Map field names to values, without missing fields."""
    found: dict[str, Any] = {}
    for row in rows:
        if row.state != "missing":
            found[row.name] = row.value
    return found


def match_form(form: Form, graph: Workflow) -> Match:
    """Match the nodes of a graph with those of a form, which may bypass some and add loaders."""
    may_miss = _list_forgiven(form)
    may_add = _list_added_classes(form)
    return match_nodes(form.workflow, graph, may_miss, may_add)


def _list_forgiven(form: Form) -> set[str]:
    """List the ids of nodes that a picture may lack: those that fields bypass and those that LoRA
    lists fill.
    """
    forgiven = set(_list_loaders(form))
    for one in form.fields.values():
        forgiven.update(one.bypass)
    return forgiven


def _list_loaders(form: Form) -> list[str]:
    """List the ids of the nodes that LoRA lists fill."""
    loaders: list[str] = []
    for one in form.fields.values():
        if one.kind.is_lora_list:
            loaders.extend(slot.node_id for slot in one.slots.get("", ()))
    return loaders


def _list_added_classes(form: Form) -> set[str]:
    """List the classes of the nodes that LoRA lists may add."""
    added: set[str] = set()
    for node_id in _list_loaders(form):
        loader = form.workflow.nodes[node_id]
        added.add(loader.class_type)
    for line in form.file.fields.values():
        added |= list_chain_classes(line)
    return added


def _restore_own(form: Form, values: Mapping[str, Any], graph: Workflow | None) -> RestoredForm:
    rows = [_restore_field(one, values) for one in form.fields.values()]
    visible = _leave_out_hidden(form, rows)
    notes: list[str] = []
    known = {*form.fields, RANDOM_SEED, FROM_FORM}
    for name in values:
        if name not in known:
            notes.append(
                f"The picture also had a value for {shorten(name)}, a field that this form no "
                "longer "
                "has."
            )
    if graph is not None:
        notes.extend(_describe_differences(form, graph))
    drawn: dict[str, Any] = {}
    if isinstance(values.get(RANDOM_SEED), int):
        drawn[RANDOM_SEED] = values[RANDOM_SEED]
    if values.get(FROM_FORM) is True:
        drawn[FROM_FORM] = True
    return RestoredForm(visible, _shorten(notes), drawn)


def _describe_differences(form: Form, graph: Workflow) -> Iterator[str]:
    """Yield sentences about what a graph has beyond a form whose values are all known."""
    match = match_form(form, graph)
    covered: set[Slot] = set()
    for one in form.fields.values():
        covered.update(one.all_slots)
    own_classes = _list_added_classes(form)
    # All values are known, so added loaders of a LoRA list are those of the list itself.
    own: set[str] = set()
    for key in match.added:
        if graph.nodes[key].class_type in own_classes:
            own.add(key)
    yield from _describe_nodes(form, graph, match, own)
    yield from _describe_uncovered(form, graph, match, covered)


def _restore_field(one: Field, values: Mapping[str, Any]) -> RestoredField:
    """Restore one field from the values that comfygradio wrote. Files are never looked up by their
    old name.
    """
    if one.name not in values:
        reason = "the picture was made before this form had it."
        return RestoredField(one.name, one.label, None, "missing", reason)
    value = values[one.name]
    # The values name a file of that time; one of the same name here may be another.
    if one.kind.is_media and value is not None:
        return RestoredField(one.name, one.label, None, "missing", describe_absent_file(one, value))
    if one.kind.is_media and one.optional:
        return RestoredField(one.name, one.label, None, "exact")
    try:
        repaired = _respell(one, one.kind.check_stored(value))
        checked = value_to_json(one, check_value(one, repaired))
    except InvalidValue as refusal:
        reason = f"the picture's value does not fit this form: {refusal}"
        return RestoredField(one.name, one.label, None, "missing", reason)
    if repaired == value:
        return RestoredField(one.name, one.label, checked, "exact")
    return RestoredField(
        one.name, one.label, checked, "repaired", "a name is spelled in another way here."
    )


def _respell(one: Field, value: Any) -> Any:
    """Replace names by the server's own spelling if exactly one fits."""
    offered = [choice.value for choice in one.choices or ()]
    if not offered or not one.kind.names_resource:
        return value
    if isinstance(value, list):
        return [_respell(one, item) for item in value]
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return {**value, "name": _respell(one, value["name"])}
    if value in offered:
        return value
    found = match_name(value, offered)
    return value if found is None else found


def _describe_nodes(form: Form, graph: Workflow, match: Match, own: set[str]) -> Iterator[str]:
    """Yield sentences about the nodes that only one of the two has. `own` are nodes that fields
    account for.
    """
    forgiven = _list_forgiven(form)
    lacking = [key for key in match.missing if key not in forgiven]
    if lacking:
        titles = _list_titles(form.workflow, lacking)
        yield f"The picture was made without {titles}, which this form uses."
    more = [key for key in match.added if key not in own]
    if more:
        titles = _list_titles(graph, more)
        yield f"The picture was made with {titles}, which this form does not have."
    if match.disconnected:
        titles = _list_titles(graph, match.disconnected)
        yield f"Nodes that had no part in the picture were left aside: {titles}."


def _describe_uncovered(
    form: Form, graph: Workflow, match: Match, covered: set[Slot]
) -> Iterator[str]:
    """Yield sentences about values of the picture that differ from the form's and that no field
    sets.
    """
    fixed = dict(form.fixed)
    loaders = _list_loaders(form)
    for key, partner in match.pairs.items():
        # The rows of the LoRA list account for these.
        if key in loaders:
            continue
        ours = form.workflow.nodes[key]
        theirs = graph.nodes[partner]
        for name, value in ours.inputs.items():
            slot = Slot(key, name)
            if slot in covered or name not in theirs.inputs or Link.parse(value):
                continue
            if _is_ignored(ours, name):
                continue
            mine = unwrap_list(fixed.get(slot, value))
            found = theirs.inputs[name]
            other = unwrap_list(found)
            if Link.parse(found):
                yield (
                    f"{ours.title}: {name} came from another node in the picture; this form "
                    f"uses {shorten(mine)}."
                )
            elif not is_same_literal(mine, other):
                yield (
                    f"{ours.title}: the picture used {name} {shorten(other)}, which no field sets; "
                    f"this form uses {shorten(mine)}."
                )


def _is_ignored(node: Node, name: str) -> bool:
    """Whether an input says nothing about how a picture was made."""
    if name in IGNORED_INPUTS:
        return True
    return node.class_type == "CustomCombo" and name == "index"


def _list_titles(workflow: Workflow, node_ids: Iterable[str]) -> str:
    """Join the first eight titles of these nodes, each once."""
    titles = [workflow.nodes[node_id].title for node_id in node_ids]
    distinct = list(dict.fromkeys(titles))
    listed = ", ".join(distinct[:8])
    if len(distinct) > 8:
        listed += f" and {len(distinct) - 8} more"
    return listed


def _shorten(notes: list[str]) -> tuple[str, ...]:
    more = len(notes) - MAX_NOTES
    if more <= 0:
        return tuple(notes)
    return (*notes[:MAX_NOTES], f"{more} more values differ.")
