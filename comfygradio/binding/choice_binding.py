"""Bind choices: the lists of a form, from the preset and the server."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from comfygradio.binding.specs import find_spec
from comfygradio.comfy.object_info import InputSpec, ObjectInfo, Scalar
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.numerals import describe_thousands
from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import Choice, InvalidValue
from comfygradio.forms.literals import check_preset_literal
from comfygradio.forms.plain_scalar import PlainScalar
from comfygradio.forms.preset_file import Choices, FieldEntry
from comfygradio.forms.problem import BindError
from comfygradio.forms.scalar_resolution import resolve_input_value
from comfygradio.forms.slots import Slot, find_slot
from comfygradio.forms.text_expansion import find_placeholders

Written = Scalar | PlainScalar
"""A value as written in a preset; a `PlainScalar` still has to be resolved."""

Listed = list[Scalar] | dict[str, Scalar | dict[str, Scalar]] | str | None


def find_offered(specs: Sequence[InputSpec]) -> tuple[Scalar, ...] | None:
    """Find what the server lists for all these inputs. Returns None if an input has no list, or a
    remote one.

    Raises BindError if two lists have nothing in common.
    """
    lists = []
    for spec in specs:
        if spec.choices is not None and not spec.media and not _is_remote(spec):
            lists.append(spec.choices)
    if not lists:
        return None
    first, *others = lists
    common = frozenset(first).intersection(*others)
    shared = tuple(value for value in first if value in common)
    # An empty list only says that the server has no such files yet.
    if first and not shared:
        raise BindError(
            "missing_choice", "its inputs have no choice in common; give each a field of its own."
        )
    return shared


def resolve_choices(choices: Choices | None, spec: InputSpec | None) -> Listed:
    """Convert a preset's choices to the type of an input; without an input, to texts.

    Labels are as written: `1.10` keeps its label while the number is 1.1.
    """
    if isinstance(choices, dict):
        return {label: _resolve_choice(value, spec) for label, value in choices.items()}
    if not isinstance(choices, list):
        return choices
    resolved = [_resolve_setting(value, spec) for value in choices]
    is_list = spec is not None and spec.choices is not None
    is_resolved = not any(isinstance(value, PlainScalar) for value in choices)
    if spec is None or is_list or is_resolved:
        return resolved
    # A number keeps the author's spelling as its label.
    labels = [str(value) for value in choices]
    return dict(zip(labels, resolved, strict=True))


def bind_choices(choices: Listed, offered: tuple[Scalar, ...] | None) -> tuple[Choice, ...] | None:
    """Bind the choices of a list: the server's, filtered, labelled or replaced by the preset.
    Returns None if there are none.

    Raises BindError if nothing is left.
    """
    if isinstance(choices, str):
        return _keep_matching(choices, offered or ())
    if choices is not None:
        return _keep_offered(choices, offered)
    if offered is None:
        return None
    return tuple(Choice(str(value), value) for value in offered)


def describe_choices(choices: Listed, offered: tuple[Scalar, ...] | None) -> Iterator[str]:
    """Yield a sentence for each of the preset's choices that the server lacks or spells
    differently.
    """
    if offered is None or choices is None or isinstance(choices, str):
        return
    values = choices.values() if isinstance(choices, dict) else choices
    for value in values:
        if not isinstance(value, Scalar) or value in offered:
            continue
        found = match_name(value, offered)
        if found is None:
            yield f"this ComfyUI does not have {value}; it is left out of the list."
        else:
            yield describe_respelled(value, found)


def describe_respelled(value: object, found: object) -> str:
    """Write the sentence about a name that was found under another spelling."""
    return f"{value} is called {found} on this ComfyUI."


def bind_sizes(choices: Listed) -> tuple[Choice, ...] | None:
    """Bind the sizes of a list, as "WIDTHxHEIGHT". Raises BindError."""
    if choices is None:
        return None
    if isinstance(choices, str):
        example = "for example [512x512, 768x512]"
        raise BindError("preset", f"a size takes a list of choices, {example}.", key="choices")
    pairs: Iterable[tuple[str | None, object]] = [(None, value) for value in choices]
    if isinstance(choices, dict):
        pairs = choices.items()
    sizes = []
    for label, value in pairs:
        try:
            width, height = parse_size(value)
        except InvalidValue as refusal:
            raise BindError(
                "preset", f"a choice is not a size: {refusal}", key="choices"
            ) from refusal
        shown = label or f"{width} × {height}"
        sizes.append(Choice(shown, f"{width}x{height}"))
    return tuple(sizes)


def narrow_sizes(
    choices: tuple[Choice, ...] | None, low: int | float | None, high: int | float | None
) -> tuple[tuple[Choice, ...] | None, tuple[str, ...]]:
    """Keep the sizes within the limits of both sides. Also returns a sentence for each other size.

    Raises BindError if none is left.
    """
    if choices is None:
        return None, ()
    lowest = low or 1
    highest = high or 2**31
    inside = []
    notes = []
    for choice in choices:
        sides = str(choice.value).split("x")
        if all(lowest <= int(side) <= highest for side in sides):
            inside.append(choice)
        else:
            notes.append(f"the size {choice.label} is not possible here and left out.")
    return tuple(inside) or raise_no_choices(), tuple(notes)


def bind_choice_slots(
    entry: FieldEntry, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Choice, ...]:
    """Bind choices that set several slots each. Raises BindError with the first value that does not
    fit its input.
    """
    if not isinstance(entry.choices, dict):
        return ()
    found = []
    for label, settings in entry.choices.items():
        if isinstance(settings, dict):
            sets = tuple(_bind_each(label, settings, workflow, object_info))
            found.append(Choice(label, label, sets))
    return tuple(found)


def describe_choice_slots(entry: FieldEntry, choices: Iterable[Choice]) -> Iterator[str]:
    """Yield a sentence for each name in such choices that the server spells differently."""
    if not isinstance(entry.choices, dict):
        return
    for choice in choices:
        settings = entry.choices[choice.label]
        if not isinstance(settings, dict):
            continue
        for value, (_, found) in zip(settings.values(), choice.sets, strict=True):
            if isinstance(found, str) and str(value) != found:
                yield describe_respelled(value, found)


def raise_no_choices() -> tuple[Choice, ...]:
    """Raise the BindError for a preset none of whose choices exist."""
    message = "the server has none of the choices that the preset lists."
    raise BindError("missing_choice", message, key="choices")


def _resolve_choice(
    value: Written | dict[str, Written], spec: InputSpec | None
) -> Scalar | dict[str, Scalar]:
    if isinstance(value, dict):
        return {slot: _resolve_setting(one, None) for slot, one in value.items()}
    return _resolve_setting(value, spec)


def _resolve_setting(value: Written, spec: InputSpec | None) -> Scalar:
    if not isinstance(value, PlainScalar):
        return value
    if spec is None:
        return value.text
    takes_number = bool(spec.types & {"INT", "FLOAT"})
    takes_others = bool(spec.types & {"STRING", "BOOLEAN"})
    if spec.choices is None and takes_number and not takes_others:
        return value.typed_number
    return resolve_input_value(spec, value)


def _is_remote(spec: InputSpec) -> bool:
    """Whether ComfyUI's own page fetches the list from elsewhere."""
    if spec.choices:
        return False
    options = spec.options
    return bool(options.get("remote") or options.get("remote_combo"))


def _keep_matching(choices: str, offered: tuple[Scalar, ...]) -> tuple[Choice, ...]:
    """Keep the server's choices that match a pattern such as `sdxl/*`, with either kind
    of slash.
    """
    pattern = choices.replace("\\", "/")
    kept = []
    for value in offered:
        name = str(value)
        if fnmatch.fnmatchcase(name.replace("\\", "/"), pattern):
            kept.append(Choice(name, value))
    if not kept:
        raise BindError(
            "missing_choice",
            f"none of the server's {len(offered)} choices fits {choices}.",
            key="choices",
        )
    return tuple(kept)


def _keep_offered(
    choices: list[Scalar] | dict[str, Scalar | dict[str, Scalar]],
    offered: tuple[Scalar, ...] | None,
) -> tuple[Choice, ...]:
    """Keep the preset's choices that the server has, in the server's spelling."""
    has_labels = isinstance(choices, dict)
    pairs: Mapping[str, object] = {str(value): value for value in choices}
    if isinstance(choices, dict):
        pairs = choices
    kept = []
    for label, value in pairs.items():
        # Choices that set slots are bound by bind_choice_slots.
        if not isinstance(value, Scalar):
            continue
        if offered is None:
            kept.append(Choice(label, value))
            continue
        found = value if value in offered else match_name(value, offered)
        if found is not None:
            kept.append(Choice(label if has_labels else str(found), found))
    return tuple(kept) or raise_no_choices()


def _bind_each(
    label: str, settings: Mapping[str, Written], workflow: Workflow, object_info: ObjectInfo
) -> Iterator[tuple[Slot, Scalar]]:
    """Return slot and value of each setting."""
    for address, written in settings.items():
        slot, value = _bind_setting(label, address, written, workflow, object_info)
        node = workflow.nodes[slot.node_id]
        # The next setting may fill an input that only this choice of a dynamic combo adds.
        inputs = {**node.inputs, slot.input: value}
        changed = replace(node, inputs=inputs)
        nodes = {**workflow.nodes, node.id: changed}
        workflow = replace(workflow, nodes=nodes)
        yield slot, value


def _bind_setting(
    label: str, address: str, written: Written, workflow: Workflow, object_info: ObjectInfo
) -> tuple[Slot, Scalar]:
    slot = find_slot(workflow, address)
    spec = find_spec(slot, workflow, object_info)
    value = resolve_input_value(spec, written)
    # Spelled as on this server: slashes, case and folders may differ.
    if isinstance(value, str) and spec.choices:
        value = match_name(value, spec.choices) or value
    # A text that uses other fields is complete, and can be checked, only when the form is filled.
    is_text = isinstance(value, str) and "STRING" in spec.types
    if is_text and find_placeholders(str(value)):
        return slot, value
    problem = _describe_ambiguous(spec, written, value) or check_preset_literal(spec, value)
    if problem:
        raise BindError(
            "value",
            f"the choice {label} sets {address}, but {problem}",
            slot.node_id,
            slot.input,
            key="choices",
        )
    return slot, value


def _describe_ambiguous(spec: InputSpec, written: object, value: object) -> str | None:
    """Explain what is wrong with a number that may have a dot as thousands separator."""
    if isinstance(value, str):
        return None
    is_whole = "FLOAT" not in spec.types
    return describe_thousands(str(written), spec.minimum, spec.maximum, is_whole)
