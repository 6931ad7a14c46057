"""Set the defaults of fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.comfy.object_info import InputSpec, Scalar
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.number import describe_off_step
from comfygradio.forms.kinds.text import MAX_TEXT
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.literals import check_literal, convert_literal
from comfygradio.forms.preset_file import FieldEntry, dump_lora_rows
from comfygradio.forms.problem import BindError, ProblemKind
from comfygradio.forms.scalar_resolution import resolve_value
from comfygradio.forms.slots import Slot, get_slot_value
from comfygradio.forms.text_expansion import invert_template
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import value_to_json

SlotSpecs = Sequence[tuple[Slot, InputSpec]]
"""The slots of a field and what the server says about them."""

FieldWithNotes = tuple[Field, tuple[str, ...]]
"""A field with its default, and sentences about it."""

STAYS = "it stays until somebody changes it."


def set_default(
    field: Field, entry: FieldEntry, workflow: Workflow, pairs: SlotSpecs
) -> FieldWithNotes:
    """Set the default to the first valid value of: the preset's, the workflow's, the server's.

    The workflow's own value is kept even if a person could not enter it; if it is outside the
    preset's limits, it is clamped. Raises BindError if the preset's value is invalid, or if there
    is no value at all.
    """
    word = "default" if entry.fixed is None else "fixed value"
    written = entry.default if entry.fixed is None else entry.fixed
    given = resolve_value(field, written)
    # Files start empty, whatever the workflow loads.
    if field.kind.is_media:
        return field, ()
    if field.kind.is_open(given):
        return _leave_random(field, entry), ()
    if given is not None:
        started = _exempt_off_step(field, given, f"the {word}")
        if started is not None:
            return started
        return _take_preset_value(field, word, given), ()
    if not field.slots:
        # Without choices, it is a switch that bypasses nodes.
        candidates = [True] if field.choices is None else _first_choice(field)
        return _take_first(field, candidates, None), ()
    return _start_from_workflow(field, entry, workflow, pairs)


def _leave_random(field: Field, entry: FieldEntry) -> Field:
    """Leave a seed without a default, so that it is random for each job. Raises BindError."""
    if entry.fixed is not None:
        raise BindError(
            "preset", "a fixed seed is a number; for a new one each time, leave out fixed."
        )
    return field


def _take_preset_value(field: Field, word: str, given: Any) -> Field:
    """Set the default to the preset's value, with names as the server spells them. Raises
    BindError.
    """
    offered = [choice.value for choice in field.choices or ()]
    if isinstance(given, list):
        given = [_respell_row(row, offered) for row in dump_lora_rows(given)]
    spelled = _respell(given, offered)
    try:
        return _with_default(field, spelled)
    except InvalidValue as refusal:
        kind: ProblemKind = "value" if field.choices is None else "missing_choice"
        # The key in the file: default or fixed.
        key = word.removesuffix(" value")
        raise BindError(kind, f"the {word} does not fit: {refusal}", key=key) from refusal


def _respell_row(row: Any, offered: list[Scalar]) -> Any:
    """Respell the name in a row of a LoRA list. A choice of several is a name itself."""
    if isinstance(row, dict):
        name = _respell(row["name"], offered)
        return {**row, "name": name}
    return _respell(row, offered)


def _respell(value: Any, offered: list[Scalar]) -> Any:
    """Return the server's spelling of a name; any other value unchanged."""
    found = match_name(value, offered)
    return value if found is None else found


def _with_default(field: Field, value: Any) -> Field:
    """Return the field with a default that is checked here. Raises InvalidValue."""
    checked = check_value(field, value)
    return _with_checked(field, checked)


def _with_checked(field: Field, checked: Any) -> Field:
    """Return the field with this checked value as its default."""
    default = value_to_json(field, checked)
    return replace(field, default=default)


def _take_first(field: Field, candidates: Sequence[Any], spec: InputSpec | None) -> Field:
    """Set the default to the first of these values that the field accepts. Raises BindError."""
    for candidate in candidates:
        try:
            return _with_default(field, candidate)
        except InvalidValue:
            continue
    raise _describe_empty(field, spec)


def _start_from_workflow(
    field: Field, entry: FieldEntry, workflow: Workflow, pairs: SlotSpecs
) -> FieldWithNotes:
    """Set the default to the workflow's own value, else to the first fallback. Raises BindError."""
    own = _get_workflow_value(field, workflow, pairs)
    refused = list(_find_refused(field, workflow, pairs))
    if own is not None and not refused:
        notes = list(_describe_converted(field, workflow, pairs))
        started, note = _take_workflow_value(field, entry, own)
        if started is not None:
            if note:
                notes.append(note)
            return started, tuple(notes)
    fallbacks = _list_fallbacks(field, pairs)
    _, first_spec = pairs[0]
    started = _take_first(field, fallbacks, first_spec)
    return started, tuple(_describe_replaced(started, entry, own, refused))


def _get_workflow_value(field: Field, workflow: Workflow, pairs: SlotSpecs) -> Any:
    """Return the workflow's own value as ComfyUI reads it, or None. A text that no template made is
    returned whole.
    """
    specs = dict(pairs)
    if field.kind.has_parts:
        parts = {}
        for part, slots in field.slots.items():
            written = get_slot_value(workflow, slots[0])
            parts[part] = convert_literal(specs[slots[0]], written)
        if None in parts.values():
            return None
        return field.kind.join_parts(parts)
    slot = field.slots[""][0]
    spec = specs[slot]
    written = unwrap_list(get_slot_value(workflow, slot))
    own = spec.to_choice_name(convert_literal(spec, written))
    if not field.template or not isinstance(own, str):
        return own
    inner = invert_template(field.template, own)
    if inner is None and "{value}" in field.template:
        return own
    return inner


def _take_workflow_value(field: Field, entry: FieldEntry, own: Any) -> tuple[Field | None, str]:
    """Set the default to the workflow's own value, and write notes about it. Returns None if it is
    not possible and no other value is near.
    """
    try:
        checked = check_value(field, own)
    except InvalidValue:
        if entry.choices is not None:  # the author's list alone decides
            return None, ""
        between = _exempt_off_step(field, own, "the workflow's own")
        if between is not None:
            kept, (note,) = between
            return kept, note
        # Some nodes take 0 for "as the picture has it"; only our own limit forbids that.
        keeps_zero = entry.min is None and field.minimum == 1
        near = field.kind.find_near(field, own, keeps_zero)
        if near is None:
            return _exempt(field, own)
        started = _with_default(field, near)
        return started, _describe_outside(entry, own, started.default)
    if checked is None or _is_same(own, checked):
        return _with_checked(field, checked), ""
    # The check would change it: the author's own value is kept where a prompt can hold it.
    exempt, note = _exempt(field, own)
    if exempt is not None:
        return exempt, note
    started = _with_checked(field, checked)
    note = f"the workflow's own {shorten(own)} is sent as {shorten(started.default)}."
    return started, note


def _is_same(own: Any, checked: Any) -> bool:
    """Whether a checked value equals the one it was made from, apart from its notation."""
    if isinstance(own, dict):
        sides = (own.get("width"), own.get("height"))
        return bool(checked == sides)
    if isinstance(checked, tuple):
        # A list with one value may be written without the list around it.
        return own == list(checked) or checked == (own,)
    if isinstance(own, str) and isinstance(checked, str):
        if own.startswith("#"):  # colors are the same in capitals
            return own.casefold() == checked.casefold()
        return own == checked
    return bool(own == checked) or str(own) == str(checked)


def _exempt(field: Field, own: Any) -> tuple[Field | None, str]:
    """Set an exempt default, which a person could not enter. Returns None if no prompt may contain
    it.
    """
    kept = field.kind.make_exempt(field, own)
    if kept is None:
        return None, ""
    exempt = _with_checked(replace(field, exempt_value=kept), kept)
    return exempt, _describe_exempt(exempt, kept)


def _exempt_off_step(field: Field, value: Any, what: str) -> FieldWithNotes | None:
    """Exempt a number or size between the steps, which somebody wrote on purpose. Returns None for
    any other value.
    """
    if not field.grids or field.choices is not None:
        return None
    without_steps = replace(field, grids={})
    try:
        checked = check_value(without_steps, value)
    except InvalidValue:
        return None
    if checked is None:
        return None
    between = describe_off_step(field, checked)
    if not between:
        return None
    exempt = _with_checked(replace(field, exempt_value=checked), checked)
    shown = shorten(exempt.default)
    note = f"{what} {shown} lies between the steps and may be made another by ComfyUI: {between}"
    return exempt, (note,)


def _list_fallbacks(field: Field, pairs: SlotSpecs) -> list[Any]:
    """List the values that a field may start with if the workflow's own is not possible."""
    others: list[Any] = []
    _, first_spec = pairs[0]
    # The default of a single input says nothing about both sides of a size.
    if not field.kind.has_parts and first_spec.default is not None:
        others.append(first_spec.default)
    if field.is_multiple:
        others.append([])
    else:
        others += _first_choice(field)
        others.append(field.minimum)
    return others


def _first_choice(field: Field) -> list[Scalar]:
    if not field.choices:
        return []
    return [field.choices[0].value]


def _list_main(field: Field, pairs: SlotSpecs) -> SlotSpecs:
    """List the slots that decide the default: those of all parts, else the first slot."""
    if field.kind.has_parts:
        return pairs
    return pairs[:1]


def _find_refused(field: Field, workflow: Workflow, pairs: SlotSpecs) -> Iterator[tuple[Any, bool]]:
    """Find the workflow's own values that the server rejects, each with whether it is a name
    missing from the server's list.
    """
    for slot, spec in _list_main(field, pairs):
        own = get_slot_value(workflow, slot)
        if own is None or spec.media:
            continue
        if check_literal(spec, own) is None:
            continue
        is_name = spec.choices is not None and isinstance(own, str)
        yield own, is_name


def _describe_replaced(
    field: Field, entry: FieldEntry, own: Any, refused: Sequence[tuple[Any, bool]]
) -> Iterator[str]:
    """Yield a sentence for each value of the workflow that the form replaces."""
    for value, is_name in refused:
        if is_name:
            yield (
                f"this ComfyUI does not have {value}; the form starts with {field.default} instead."
            )
        else:
            yield (
                f"the workflow's own {shorten(value)} is not possible here; the form starts with "
                f"{field.default} instead."
            )
    if own is not None and not refused:
        yield _describe_outside(entry, own, field.default)


def _describe_converted(field: Field, workflow: Workflow, pairs: SlotSpecs) -> Iterator[str]:
    """Yield a sentence for each value that ComfyUI converts to a different one."""
    for slot, spec in _list_main(field, pairs):
        written = unwrap_list(get_slot_value(workflow, slot))
        read = convert_literal(spec, written)
        if written == read or str(written) == str(read):
            continue
        before = shorten(written)
        after = shorten(read)
        yield f"the workflow's own {before} is {after} for ComfyUI, and here."


def _describe_outside(entry: FieldEntry, own: Any, default: Any) -> str:
    if isinstance(own, dict):
        sides = [str(side) for side in own.values()]
        own = "x".join(sides)
    shown = shorten(own)
    where = "outside of what is allowed here"
    if entry.choices is not None:
        where = "not among the preset's choices"
    return f"the workflow's own {shown} is {where}; the form starts with {default} instead."


def _describe_exempt(field: Field, kept: Any) -> str:
    if isinstance(kept, str) and len(kept) > MAX_TEXT:
        return (
            f"the workflow's own text has {len(kept):,} characters, more than people may write; "
            f"{STAYS}"
        )
    shown = shorten(value_to_json(field, kept))
    return f"the workflow's own {shown} cannot be written here; {STAYS}"


def _describe_empty(field: Field, spec: InputSpec | None) -> BindError:
    name = spec.name if spec else field.name
    if field.choices is not None:
        message = (
            f"the server offers nothing for {name}; put a model into its models folder and refresh."
        )
        return BindError("missing_model", message)
    return BindError(
        "value", f"neither the preset nor the workflow nor the server has a value for {name}."
    )
