"""Bind whole forms: every entry of a preset file, and whether the workflow can run with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from comfygradio.binding.cross_field import connect_fields
from comfygradio.binding.field_binding import bind_field, find_named_slots
from comfygradio.binding.model_copies import replace_by_copies
from comfygradio.binding.repair import repair_workflow
from comfygradio.binding.specs import MissingClass
from comfygradio.binding.validation import (
    find_bypass_problems,
    find_graph_problems,
    find_missing_api_key,
    find_missing_classes,
)
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.fill import list_preset_texts
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.literals import check_literal
from comfygradio.forms.model_hashes import NO_HASHES, ModelHashes
from comfygradio.forms.model_presence import find_lacking_models
from comfygradio.forms.preset_file import FieldEntry, PresetFile, dump_lora_rows
from comfygradio.forms.problem import BindError, Problem
from comfygradio.forms.scalar_resolution import resolve_examples
from comfygradio.forms.slots import Slot, find_node
from comfygradio.forms.strict_yaml import KeyLines
from comfygradio.forms.text_expansion import fill_template
from comfygradio.forms.value_check import check_value
from comfygradio.forms.wildcards import NO_WILDCARDS, Wildcards, check_wildcards

Fixed = tuple[tuple[Slot, Any], ...]


def bind_form(
    name: str,
    file: PresetFile,
    workflow: Workflow,
    object_info: ObjectInfo,
    embeddings: Sequence[str] = (),
    lines: KeyLines | None = None,
    hashes: ModelHashes = NO_HASHES,
    wildcards: Wildcards = NO_WILDCARDS,
) -> Form:
    """Bind a preset file to a server. Whatever does not fit is collected in the form's `problems`,
    all at once.

    `lines` tells the line of each key in the file, if known. `embeddings` are the server's;
    `hashes` are those of models that are known, `wildcards` those beside the preset.
    """
    lines = lines or {}
    file, workflow, renamed = replace_by_copies(file, workflow, object_info, hashes)
    repaired, repairs = repair_workflow(workflow, object_info)
    # Each field by itself, then all of them together.
    binder = _Binder(repaired, object_info, tuple(embeddings))
    for key, entry in file.fields.items():
        binder.add(key, entry)
    fields, conflicts = connect_fields(binder.fields, binder.fixed, file)
    fields = _keep_main_prompt(fields)
    # Whether the workflow runs with them. `find_outputs` adds to the problems that are read below.
    settled = _replace_refused_values(repaired, fields, object_info)
    outputs = binder.find_outputs(file)
    filled = _find_always_filled(binder, fields)
    invalid, unneeded = find_graph_problems(settled, object_info, filled, outputs)
    missing = find_missing_classes(settled, object_info)
    problems = [
        *missing,
        *find_missing_api_key(settled, object_info),
        *binder.problems,
        *conflicts,
        *invalid,
        *_find_wildcard_problems(fields, binder.fixed, wildcards),
    ]
    # A bypass cannot be followed through a node of an unknown class.
    if not missing:
        problems += _find_bypass_problems(fields, settled, object_info, outputs)
    file = resolve_examples(file, fields)
    notes = [*renamed, *repairs, *binder.notes, *_describe_unneeded(unneeded)]
    if not problems:
        notes += _check_examples(file, fields, lines)
    return Form(
        name=name,
        title=file.title,
        file=file,
        workflow=settled,
        fields=fields,
        fixed=tuple(binder.fixed),
        outputs=outputs,
        problems=tuple(_add_line(problem, lines) for problem in problems),
        notes=tuple(notes),
        object_info=object_info,
        lacking_models=tuple(find_lacking_models(file.models, settled, object_info, hashes)),
        wildcards=wildcards,
    )


def _find_wildcard_problems(
    fields: Mapping[str, Field], fixed: Iterable[tuple[Slot, Any]], wildcards: Wildcards
) -> Iterator[Problem]:
    """Yield a problem for each text of the preset's own whose wildcards cannot be drawn."""
    for name, text in list_preset_texts(fields, tuple(fixed)):
        try:
            check_wildcards(text, wildcards)
        except InvalidValue as refusal:
            yield Problem("preset", str(refusal), name)


def _describe_unneeded(unneeded: Iterable[Problem]) -> Iterator[str]:
    """Yield a note for each problem in a part of the workflow that does not run."""
    for problem in unneeded:
        yield f"A part that nothing shown here needs will not run: {problem}"


def _keep_main_prompt(fields: Mapping[str, Field]) -> dict[str, Field]:
    """Let only the first prompt start empty; the others keep the workflow's own words."""
    kept = dict(fields)
    is_found = False
    for name, field in fields.items():
        if not field.starts_empty:
            continue
        if is_found or field.defers_when_empty:
            kept[name] = replace(field, starts_empty=False)
        is_found = True
    return kept


class _Binder:
    """Collects fields, problems and notes while the entries of a file are bound.

    `claimed` are the slots of entries that could not be bound.
    """

    def __init__(
        self, workflow: Workflow, object_info: ObjectInfo, embeddings: tuple[str, ...]
    ) -> None:
        self._workflow = workflow
        self._object_info = object_info
        self._embeddings = embeddings
        self.fields: dict[str, Field] = {}
        self.fixed: list[tuple[Slot, Any]] = []
        self.claimed: set[Slot] = set()
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def add(self, key: str, entry: FieldEntry) -> None:
        """Bind one entry. A fixed one becomes values instead of a field."""
        try:
            bound = bind_field(key, entry, self._workflow, self._object_info, self._embeddings)
            if entry.fixed is not None:
                self.fixed += _expand_fixed(bound.field, entry.fixed)
            else:
                self.fields[key] = bound.field
            self.notes += bound.notes
        except BindError as error:
            self.claimed |= find_named_slots(entry, self._workflow)
            # A class that a node of the workflow has is reported once for the whole form.
            is_reported = isinstance(error, MissingClass) and error.node
            if not is_reported:
                self.problems.append(error.to_problem(key))

    def find_outputs(self, file: PresetFile) -> tuple[str, ...]:
        """Find the ids of the nodes whose results are shown."""
        outputs = []
        for address in file.outputs:
            try:
                node = find_node(self._workflow, address)
            except BindError as error:
                self.problems.append(Problem(error.kind, f"outputs: {error}"))
                continue
            outputs.append(node.id)
            definition = self._object_info.get(node.class_type)
            if definition is not None and not definition.is_output:
                text = f"outputs: {node.title} is not an output node."
                self.problems.append(Problem("preset", text, node=node.id))
        return tuple(outputs)


def _expand_fixed(field: Field, fixed: Any) -> list[tuple[Slot, Any]]:
    """List slot and value of a fixed entry. A file is named as the server has it. Raises
    BindError.
    """
    if field.kind.is_media and not isinstance(fixed, str):
        raise BindError(
            "value", "the fixed value does not fit: write the file's name as the server has it."
        )
    value = fixed if field.kind.is_media else check_value(field, field.default)
    if field.template:
        value = fill_template(field.template, {"value": str(value)})
    filled = field.kind.list_inputs(field, value)
    # A choice that sets slots fills those too.
    for choice in field.choices or ():
        if choice.value == value:
            return [*filled, *choice.sets]
    return filled


def _replace_refused_values(
    workflow: Workflow, fields: Mapping[str, Field], object_info: ObjectInfo
) -> Workflow:
    """Replace workflow values the server would reject with the default of the optional field that
    fills the slot, since an empty field leaves them in place.
    """
    nodes = dict(workflow.nodes)
    for field in fields.values():
        if not field.optional or field.template or field.default is None:
            continue
        default = check_value(field, field.default)
        if default is None:
            continue
        for slot, value in field.kind.list_inputs(field, default):
            node = nodes[slot.node_id]
            spec = object_info.spec(node.class_type, slot.input, node.inputs)
            if spec is None:
                continue
            is_absent = slot.input not in node.inputs
            if is_absent or check_literal(spec, node.inputs[slot.input]):
                nodes[node.id] = replace(node, inputs={**node.inputs, slot.input: value})
    return replace(workflow, nodes=nodes)


def _find_always_filled(binder: _Binder, fields: Mapping[str, Field]) -> dict[Slot, Any]:
    """Map the slots that need no value of the workflow to the value that is fixed for them, or to
    None.
    """
    # Entries that could not be bound are reported already, and their slots not once more.
    filled: dict[Slot, Any] = dict.fromkeys(binder.claimed)
    certain = _find_certain(fields)
    filled.update(dict.fromkeys(certain))
    filled.update(binder.fixed)
    return filled


def _find_certain(fields: Mapping[str, Field]) -> set[Slot]:
    """Find the slots that are always filled, or whose nodes are bypassed if they are not."""
    bypassed: set[str] = set()
    for field in fields.values():
        bypassed.update(field.bypass)
    certain: set[Slot] = set()
    for field in fields.values():
        own = _find_filled(field)
        may_stay_empty = field.optional or (field.kind.is_media and field.show_if)
        if may_stay_empty and not field.kind.is_lora_list:
            # If it stays empty, the workflow's own value is posted, unless that node is bypassed.
            own = {slot for slot in own if slot.node_id in bypassed}
        certain |= own
    return certain


def _find_filled(field: Field) -> set[Slot]:
    """Find the slots that every value of a field fills."""
    if field.choices and not field.slots:
        each = []
        for choice in field.choices:
            each.append({slot for slot, _ in choice.sets})
        return set.intersection(*each)
    filled = {computed.slot for computed in field.computed}
    for slots in field.slots.values():
        filled.update(slots)
    return filled


def _find_bypass_problems(
    fields: Mapping[str, Field],
    workflow: Workflow,
    object_info: ObjectInfo,
    outputs: tuple[str, ...],
) -> list[Problem]:
    found: list[Problem] = []
    for name, field in fields.items():
        nodes = [*field.bypass]
        is_chain = field.kind.is_lora_list and field.lora_stack is None
        if is_chain:
            nodes += [slot.node_id for slot in field.slots.get("", ())]
        if nodes:
            found += find_bypass_problems(workflow, object_info, name, nodes, outputs)
    return found


def _add_line(problem: Problem, lines: KeyLines) -> Problem:
    """Add the line number of a problem's key, else of its field."""
    place = ("fields", problem.field)
    line = lines.get((*place, problem.key))
    if line is None:
        line = lines.get(place)
    return replace(problem, line=line)


def _check_examples(
    file: PresetFile, fields: Mapping[str, Field], lines: KeyLines
) -> Iterator[str]:
    """Yield a sentence for each value of an example that this form does not accept."""
    for index, example in enumerate(file.examples, 1):
        for name, value in example.items():
            field = fields.get(name)
            if field is None:
                continue
            line = lines.get(("examples", str(index - 1), name))
            place = f" (line {line} of the preset)" if line else ""
            title = example.get("title", index)
            where = f"The example {title} does not fit here{place}: {field.label}: "
            if field.kind.is_media:
                yield f"{where}a file cannot stand in an example; people add their own."
                continue
            try:
                check_value(field, dump_lora_rows(value))
            except InvalidValue as refusal:
                yield f"{where}{refusal}"
