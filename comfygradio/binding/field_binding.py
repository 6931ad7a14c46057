"""Bind fields: combine an entry of a preset file with the server's spec of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from comfygradio.binding.choice_binding import (
    bind_choice_slots,
    bind_choices,
    bind_sizes,
    describe_choice_slots,
    describe_choices,
    describe_respelled,
    find_offered,
    narrow_sizes,
    resolve_choices,
)
from comfygradio.binding.defaults import set_default
from comfygradio.binding.formula_binding import bind_computed
from comfygradio.binding.lora_binding import bind_loras
from comfygradio.binding.model_parts import check_model_parts
from comfygradio.binding.specs import find_highest, find_lowest, find_spec
from comfygradio.binding.widgets import check_keys, check_widget, choose_widget
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.number import check_number, describe_off_step
from comfygradio.forms.kinds.registry import KINDS, Widget
from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import Choice, InvalidValue
from comfygradio.forms.literals import check_preset_literal, is_multiselect
from comfygradio.forms.missing_inputs import DYNAMIC_COMBO, fill_missing_inputs, find_missing_inputs
from comfygradio.forms.preset_file import FieldEntry, SlotAddress, list_addresses, list_direct_slots
from comfygradio.forms.problem import BindError
from comfygradio.forms.scalar_resolution import resolve_value
from comfygradio.forms.slots import LocatedSlot, Slot, find_node, locate_slot
from comfygradio.forms.step_grid import build_step_grid, intersect_grids
from comfygradio.forms.text_expansion import has_alternatives

RADIO_CHOICES = 5
"""Maximum number of choices that set several slots and are still shown as radio buttons."""

SlotSpecs = list[tuple[Slot, InputSpec]]


class BoundField(NamedTuple):
    """A field, and a sentence for each adjustment that was needed."""

    field: Field
    notes: tuple[str, ...] = ()


def bind_field(
    name: str,
    entry: FieldEntry,
    workflow: Workflow,
    object_info: ObjectInfo,
    embeddings: tuple[str, ...] = (),
) -> BoundField:
    """Bind one entry of a preset file. Raises BindError with what does not fit."""
    # Where it goes: its nodes and inputs in this workflow.
    bypass = _find_bypassed(entry, workflow)
    slots: dict[str, tuple[Slot, ...]] = {}
    notes: list[str] = []
    for part, located in _find_slots(entry, workflow).items():
        slots[part] = tuple(place.slot for place in located)
        notes += [place.note for place in located if place.note]
    bare = replace(_begin_field(name, entry), slots=slots, bypass=bypass)
    # What it is: each way also sets the default.
    if not slots:
        bound, more = _bind_slotless(bare, entry, workflow, object_info)
    elif entry.is_lora_list:
        bound, more = bind_loras(bare, entry, workflow, object_info)
    else:
        bound, more = _bind_plain(bare, entry, workflow, object_info, embeddings)
    # After the default, with which the formulas have to work.
    bound, found_again = bind_computed(bound, entry, workflow, object_info)
    # Not before the widget is known, which decides what keys there are.
    check_keys(bound, entry)
    notes += more
    notes += found_again
    notes += _describe_respelled_default(bound, entry)
    labelled = [f"{bound.label}: {note}" for note in notes]
    # Several inputs of a field may lead to the same note, which is told once.
    return BoundField(bound, tuple(dict.fromkeys(labelled)))


def find_named_slots(entry: FieldEntry, workflow: Workflow) -> set[Slot]:
    """Find the existing slots that an entry names, whether or not it can be bound."""
    addresses = list_addresses(entry)
    try:
        located = [locate_slot(workflow, address) for address in addresses]
    except BindError:
        return set()
    return {place.slot for place in located}


def _begin_field(name: str, entry: FieldEntry) -> Field:
    return Field(
        name=name,
        widget=entry.widget or "text",
        label=entry.label or name.replace("_", " ").capitalize(),
        slots={},
        help=entry.help or "",
        placeholder=entry.placeholder or "",
        group=entry.group or "",
        advanced=entry.advanced,
        max_mb=entry.max_mb or 50.0,
        template=entry.template or "",
        optional=entry.optional,
        takes_wildcards=entry.dynamic is not False,
    )


def _find_bypassed(entry: FieldEntry, workflow: Workflow) -> tuple[str, ...]:
    if entry.bypass is None:
        return ()
    named = entry.bypass if isinstance(entry.bypass, list) else [entry.bypass]
    node_ids = [find_node(workflow, name).id for name in named]
    distinct = dict.fromkeys(node_ids)
    return tuple(distinct)


def _find_slots(entry: FieldEntry, workflow: Workflow) -> dict[str, tuple[LocatedSlot, ...]]:
    parts: dict[str, Any] = {"": list_direct_slots(entry)}
    if entry.slots is not None:
        parts = dict(entry.slots.items())
    found = {}
    for part, addresses in parts.items():
        if not addresses:
            continue
        listed: list[SlotAddress] = addresses if isinstance(addresses, list) else [addresses]
        found[part] = tuple(locate_slot(workflow, address) for address in listed)
    return found


def _bind_slotless(
    bare: Field, entry: FieldEntry, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Field, tuple[str, ...]]:
    """Bind choices that set several slots, or a checkbox that only bypasses nodes."""
    choices = bind_choice_slots(entry, workflow, object_info)
    named_kind = entry.kind
    if named_kind is not None and not choices and named_kind.needs_slot:
        raise BindError(
            "preset",
            f"a {entry.widget} widget needs a slot; only a checkbox can do with bypass alone.",
        )
    if named_kind is not None and choices and not named_kind.is_list:
        raise BindError(
            "widget", f"a {entry.widget} widget does not suit choices that set several slots."
        )
    widget = entry.widget or _choose_slotless_widget(choices)
    field = replace(bare, widget=widget, choices=choices or None)
    # The texts that choices set may hold {a|b}, too.
    known: SlotSpecs = []
    for slot in field.all_slots:
        node = workflow.nodes[slot.node_id]
        spec = object_info.spec(node.class_type, slot.input)
        if spec:
            known.append((slot, spec))
    field = replace(
        field,
        expanding_slots=_find_expanding_slots(entry, known),
        always_expands=entry.dynamic is True,
    )
    started, notes = set_default(field, entry, workflow, ())
    return started, (*describe_choice_slots(entry, choices), *notes)


def _choose_slotless_widget(choices: tuple[Choice, ...]) -> Widget:
    if not choices:
        return "checkbox"
    if len(choices) <= RADIO_CHOICES:
        return "radio"
    return "dropdown"


def _bind_plain(
    bare: Field,
    entry: FieldEntry,
    workflow: Workflow,
    object_info: ObjectInfo,
    embeddings: tuple[str, ...],
) -> tuple[Field, tuple[str, ...]]:
    """Bind a field whose value fills inputs as it is. Returns the field and notes."""
    # What the server says about its inputs.
    found = [(slot, find_spec(slot, workflow, object_info)) for slot in bare.all_slots]
    pairs = [(slot, _force_list(spec, entry)) for slot, spec in found]
    specs = [spec for _, spec in pairs]
    # What may be chosen.
    listed = resolve_choices(entry.choices, _choose_choice_spec(bare, specs))
    is_size = _is_size(bare)
    offered = None if is_size else find_offered(specs)
    choices = bind_sizes(listed) if is_size else bind_choices(listed, offered)
    # The widget and the limits, which narrow the choices in turn.
    field = _set_widget(bare, entry, pairs, choices)
    is_prompt = field.kind.takes_embeddings and _is_prompt(bare, workflow, object_info)
    if entry.embeddings and is_prompt:
        field = replace(field, embeddings=embeddings)
    field, stepped = _bind_grids(field, entry, dict(pairs))
    field, lost = _narrow_choices(field, pairs, workflow, object_info)
    between = _describe_off_step_choices(field)
    unlisted = _describe_unlisted(found, workflow, object_info)
    # The default comes last, since everything above says what is accepted.
    field, started = set_default(field, entry, workflow, pairs)
    is_own_text = entry.default is None and entry.fixed is None
    if is_own_text and is_prompt and _is_main_text(field, entry, workflow):
        field = replace(field, starts_empty=True)
    field, plain = _disable_expansion(field, entry)
    field, emptied = check_model_parts(field, entry, pairs, workflow, object_info)
    if emptied:
        # It starts with nothing, so that what it would have started with need not be said.
        return field, (*unlisted, *stepped, *lost, *between, *plain, *emptied)
    named = describe_choices(listed, offered)
    return field, (*unlisted, *named, *stepped, *lost, *between, *started, *plain)


def _set_widget(
    bare: Field, entry: FieldEntry, pairs: SlotSpecs, choices: tuple[Choice, ...] | None
) -> Field:
    """Set the widget of a field, and what preset and server say about its values."""
    specs = [spec for _, spec in pairs]
    first = specs[0]
    widget = entry.widget or choose_widget(bare, entry, first, choices)
    check_widget(widget, entry, specs, choices)
    low, high = _narrow_limits(bare.name, entry, specs)
    takes_several = KINDS[widget].takes_several and all(is_multiselect(spec) for spec in specs)
    return replace(
        bare,
        widget=widget,
        help=_choose_help(entry, bare, first),
        placeholder=bare.placeholder or _read_placeholder(first),
        choices=choices,
        minimum=low,
        maximum=high,
        step=first.step if entry.step is None else entry.step,
        is_integer=any(_is_whole(spec) for spec in specs),
        is_multiple=takes_several,
        expanding_slots=_find_expanding_slots(entry, pairs),
        always_expands=entry.dynamic is True,
    )


def _is_size(field: Field) -> bool:
    """Whether a field fills a width and a height."""
    return "width" in field.slots


def _is_whole(spec: InputSpec) -> bool:
    """Whether an input takes whole numbers alone."""
    takes_whole = "INT" in spec.types
    return takes_whole and "FLOAT" not in spec.types


def _describe_unlisted(pairs: SlotSpecs, workflow: Workflow, object_info: ObjectInfo) -> list[str]:
    """List a sentence for each input that only the workflow knows."""
    notes = []
    for slot, _ in pairs:
        node = workflow.nodes[slot.node_id]
        # An object and a growing row of inputs accept whatever is in them.
        owner = slot.input.partition(".")[0]
        is_listed = object_info.spec(node.class_type, owner, node.inputs)
        if slot.input in node.inputs and not is_listed:
            notes.append(
                f"the server does not list {slot.input} of {node.title}; it has an effect only if "
                "that node takes inputs of any name."
            )
    return notes


def _force_list(spec: InputSpec, entry: FieldEntry) -> InputSpec:
    """Treat an input as a list to choose from if the author wants one, although it seems to take an
    upload.
    """
    # Packs list the files of the input folder without a word about uploads, since their own page
    # adds the button. What looks like such a list may be another after all.
    has_value = entry.default is not None or entry.fixed is not None
    wants_list = has_value if entry.kind is None else entry.kind.is_list
    if wants_list or entry.choices is not None:
        return replace(spec, guessed=None)
    return spec


def _choose_choice_spec(field: Field, specs: list[InputSpec]) -> InputSpec | None:
    """Choose the input that decides the type of choices. None for sizes, which are texts."""
    if _is_size(field):
        return None
    for spec in specs:
        if spec.choices is None:
            return spec
    return specs[0]


def _choose_help(entry: FieldEntry, field: Field, spec: InputSpec) -> str:
    """Choose the preset's help, else the server's. The server's help for a width does not suit a
    size.
    """
    if entry.help is not None:
        return entry.help
    return "" if _is_size(field) else spec.tooltip


def _find_expanding_slots(entry: FieldEntry, pairs: SlotSpecs) -> frozenset[Slot]:
    """Find the slots whose `{a|b}` is expanded: where ComfyUI's own page does it, or the preset
    asks for it.

    Raises BindError if the preset asks for it on inputs that take no text.
    """
    texts: list[Slot] = []
    expanded: list[Slot] = []
    for slot, spec in pairs:
        if "STRING" in spec.types:
            texts.append(slot)
            if spec.options.get("dynamicPrompts"):
                expanded.append(slot)
    if entry.dynamic and not texts:
        raise BindError("widget", "dynamic is for texts; none of its inputs takes one.")
    if entry.dynamic is None:
        return frozenset(expanded)
    return frozenset(texts) if entry.dynamic else frozenset()


def _disable_expansion(field: Field, entry: FieldEntry) -> tuple[Field, tuple[str, ...]]:
    """Disable expansion if it would change the workflow's own text."""
    is_own = entry.default is None and entry.fixed is None
    if not is_own or entry.dynamic is not None:
        return field, ()
    if not field.kind.is_text or not field.expanding_slots:
        return field, ()
    text = field.default if field.exempt_value is None else field.exempt_value
    if not isinstance(text, str) or not has_alternatives(text):
        return field, ()
    note = (
        "the workflow's own text has signs of {a|b} in it, so texts are sent as they stand; write "
        "dynamic: true to have one of such options drawn."
    )
    return replace(field, expanding_slots=frozenset()), (note,)


def _read_placeholder(spec: InputSpec) -> str:
    text = spec.options.get("placeholder")
    if not isinstance(text, str):
        return ""
    # JSON may hold half a surrogate pair, which no page could be sent.
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_prompt(field: Field, workflow: Workflow, object_info: ObjectInfo) -> bool:
    """Whether a text goes into a CLIP text encoder, which knows embeddings."""
    for slot in field.all_slots:
        node = workflow.nodes[slot.node_id]
        definition = object_info.get(node.class_type)
        if definition is None:
            continue
        if any("CLIP" in spec.types for spec in definition.inputs.values()):
            return True
    return False


def _is_main_text(field: Field, entry: FieldEntry, workflow: Workflow) -> bool:
    """Whether a text is in the first view, has to be there, and does not say what to avoid."""
    if field.advanced or field.optional or entry.show_if:
        return False
    if not isinstance(field.default, str) or not field.default.strip():
        return False
    own_nodes = {slot.node_id for slot in field.all_slots}
    for node in workflow.nodes.values():
        link = node.links.get("negative")
        if link is not None and link.node_id in own_nodes:
            return False
    return True


def _narrow_limits(
    name: str, entry: FieldEntry, specs: list[InputSpec]
) -> tuple[int | float | None, int | float | None]:
    """Combine the limits of preset and server. A size is at least one pixel, whatever the server
    says.

    Raises BindError if no value is left.
    """
    low = find_highest([entry.min, *(spec.minimum for spec in specs)])
    high = find_lowest([entry.max, *(spec.maximum for spec in specs)])
    if entry.slots is not None:
        low = max(low or 1, 1)
    if low is not None and high is not None and low > high:
        raise BindError(
            "preset",
            f"no value is left: {name} would have to be at least {low} and at most {high}.",
        )
    return low, high


def _bind_grids(
    field: Field, entry: FieldEntry, specs: dict[Slot, InputSpec]
) -> tuple[Field, tuple[str, ...]]:
    """Bind the step grids of a field's inputs and move its limits and step onto them.

    Returns the field and notes. Raises BindError where no value is left.
    """
    if not field.kind.has_step_grid:
        return field, ()
    grids = {}
    for part, slots in field.slots.items():
        grid = intersect_grids(build_step_grid(specs[slot]) for slot in slots)
        if grid is not None:
            grids[part] = grid
    shared = intersect_grids(grids.values())
    if shared is None:
        return field, ()
    # The limits are those of both sides of a size, so that they lie on the steps of both.
    low = None if field.minimum is None else shared.ceil(field.minimum)
    high = None if field.maximum is None else shared.floor(field.maximum)
    if low is not None and high is not None and low > high:
        raise BindError(
            "preset",
            f"no value is left: it goes in steps of {shared.step}, and none lies from "
            f"{field.minimum} to {field.maximum}.",
        )
    bound = replace(field, grids=grids, minimum=low, maximum=high, step=shared.step)
    if entry.step is None or entry.step == shared.step:
        return bound, ()
    if entry.step % shared.step == 0:
        return replace(bound, step=entry.step), ()
    note = f"the step {entry.step} does not suit the server's step {shared.step}, which is taken."
    return bound, (note,)


def _describe_off_step_choices(field: Field) -> Iterator[str]:
    """Yield a sentence for each size of the preset that lies between the steps. The size stays."""
    if not field.grids:
        return
    for choice in field.choices or ():
        between = describe_off_step(field, parse_size(choice.value))
        if between:
            yield f"{choice.label} lies between the steps: {between}"


def _narrow_choices(
    field: Field, pairs: SlotSpecs, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Field, tuple[str, ...]]:
    """Keep the choices that every input accepts. Also returns a sentence for each other choice.

    Raises BindError.
    """
    specs = [spec for _, spec in pairs]
    if field.kind.has_parts:
        choices, lost = narrow_sizes(field.choices, field.minimum, field.maximum)
        return replace(field, choices=choices), lost
    if field.choices is None:
        return field, ()
    unlisted = [spec for spec in specs if spec.choices is None]
    numbers = [spec for spec in unlisted if spec.types & {"INT", "FLOAT"}]
    # Plain numbers: each choice has to be one within the limits.
    if len(numbers) == len(specs):
        return _check_number_choices(field), ()
    _check_each(field.choices, unlisted)
    # A choice of a dynamic combo may add inputs that only another node can feed.
    if all(spec.type != DYNAMIC_COMBO for spec in specs):
        return field, ()
    whole = []
    notes = []
    for choice in field.choices:
        if _is_complete(choice, pairs, workflow, object_info):
            whole.append(choice)
        else:
            notes.append(f"{choice.label} is left out: it needs inputs from other nodes.")
    return replace(field, choices=tuple(whole)), tuple(notes)


def _check_each(choices: tuple[Choice, ...], specs: list[InputSpec]) -> None:
    """Raise BindError for a choice that one of these inputs does not accept."""
    for choice in choices:
        for spec in specs:
            problem = check_preset_literal(spec, choice.value)
            if problem:
                raise BindError("value", f"a choice does not fit: {problem}", key="choices")


def _is_complete(
    choice: Choice, pairs: SlotSpecs, workflow: Workflow, object_info: ObjectInfo
) -> bool:
    """Whether the inputs that this choice of a dynamic combo adds have values or defaults."""
    for slot, spec in pairs:
        node = workflow.nodes[slot.node_id]
        inputs = {**node.inputs, slot.input: choice.value}
        fill_missing_inputs(node.class_type, inputs, object_info)
        missing = find_missing_inputs(node.class_type, inputs, object_info)
        added = f"{spec.name}."
        if any(one.name.startswith(added) for one in missing):
            return False
    return True


def _check_number_choices(field: Field) -> Field:
    """Convert the preset's choices for a number input to numbers within the limits. Raises
    BindError.
    """
    choices = []
    for choice in field.choices or ():
        try:
            number = check_number(field, choice.value)
        except InvalidValue as refusal:
            raise BindError(
                "value", f"a choice does not fit: {refusal}", key="choices"
            ) from refusal
        choices.append(Choice(choice.label, number))
    return replace(field, choices=tuple(choices))


def _describe_respelled_default(field: Field, entry: FieldEntry) -> Iterator[str]:
    """Yield a sentence for each name in the preset's own default that the server spells
    differently.
    """
    written = entry.default if entry.fixed is None else entry.fixed
    given = resolve_value(field, written)
    if field.choices is None or not field.kind.names_resource:
        return
    known: set[Any] = set()
    for choice in field.choices:
        known |= {choice.label, choice.value, str(choice.value)}
    pairs: Iterable[tuple[Any, Any]] = [(given, field.default)]
    if isinstance(given, list):
        pairs = zip(given, field.default or (), strict=False)
    for old, new in pairs:
        # An entry of a LoRA list is a row with a name, any other the name itself.
        name = getattr(old, "name", old)
        found = new["name"] if isinstance(new, dict) else new
        if not isinstance(name, str) or not isinstance(found, str):
            continue
        if name not in known and name != found:
            yield describe_respelled(name, found)
