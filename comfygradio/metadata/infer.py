"""Infer the values of a form's fields from a picture's graph, whichever program made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from comfygradio.comfy.workflow import Link, Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.fill import order_by_filling
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.model_name import match_name
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import uses_other_fields
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import format_word, value_to_json
from comfygradio.metadata.inversion import (
    Unreadable,
    escape_dynamic,
    find_choice,
    get_literal,
    invert_text,
    is_same_literal,
)
from comfygradio.metadata.lora_chain import infer_loras
from comfygradio.metadata.match import Match


@dataclass(frozen=True)
class InferredValue:
    """What a graph tells about one field: a value that `check_value` accepts, or the reason why
    there is none.
    """

    value: Any
    state: Literal["read", "repaired", "missing"] = "read"
    note: str = ""


class ValueInference:
    """Infers the fields of a form from a graph whose nodes were matched with those of the form's
    workflow.

    `covered` are the inputs that the inferred values account for, `loaders` the LoRA loaders of the
    graph.
    """

    def __init__(self, form: Form, graph: Workflow, match: Match) -> None:
        self._form = form
        self._graph = graph
        self._match = match
        self._known_texts: dict[str, str] = {}
        self._inferred_texts: dict[str, str] = {}
        self.covered: set[Slot] = set()
        self.loaders: set[str] = set()

    def infer_all(self) -> dict[str, InferredValue]:
        """Infer the value of each field, in the order of the form."""
        fields = self._form.fields
        shared = _find_shared(fields)
        found: dict[str, InferredValue] = {}
        # First the fields that share no input: their values help to read composed texts.
        for name, field in fields.items():
            if shared.isdisjoint(field.all_slots) and not uses_other_fields(field):
                found[name] = self._read_safely(field)
        # Of fields that share an input, the last visible one counts, since it is filled last. What
        # a text composed of several fields tells about earlier fields is kept for them.
        for name in reversed(order_by_filling(fields)):
            if name in found:
                continue
            if fields[name].optional and not self._is_shown(name, found):
                found[name] = InferredValue(None)
            else:
                found[name] = self._read_safely(fields[name])
        return {name: found[name] for name in fields}

    def _is_shown(self, name: str, found: Mapping[str, InferredValue]) -> bool:
        values: dict[str, Any] = {}
        for key, reading in found.items():
            if reading.state != "missing":
                values[key] = reading.value
        shown = self._form.find_visible(values)
        return shown[name]

    def _read_safely(self, field: Field) -> InferredValue:
        try:
            reading = self._read(field)
        except Unreadable as reason:
            reading = InferredValue(None, "missing", str(reason))
        except InvalidValue as refusal:
            reading = InferredValue(
                None, "missing", f"the picture's value does not fit this form: {refusal}"
            )
        if reading.state == "missing":
            self.covered.update(field.all_slots)
        else:
            word = format_word(reading.value)
            self._known_texts.setdefault(field.name, word)
        return reading

    def _read(self, field: Field) -> InferredValue:
        # In this order: a bypassed node tells nothing; a file or LoRA list is no plain value.
        if self._is_bypassed(field):
            return self._read_bypassed(field)
        if field.kind.is_media:
            name = self._read_name(field)
            raise Unreadable(describe_absent_file(field, name))
        if field.kind.is_lora_list:
            return self._read_loras(field)
        if field.choices and field.choices[0].sets:
            return self._read_settings(field)
        if not field.slots:
            return InferredValue(True)  # a switch that bypasses nodes: they are active
        if field.kind.parts == ("",):
            value, note = self._read_plain(field)
        else:
            value, note = self._read_parts(field)
        self.covered.update(field.all_slots)
        if field.choices is not None and field.kind.names_resource:
            return self._respell(field, value, note)
        taken = _take(field, value)
        difference = self._compare(field, taken)
        notes = [one for one in (note, difference) if one]
        return InferredValue(taken, note=" ".join(notes))

    def _is_bypassed(self, field: Field) -> bool:
        """Whether a field bypasses nodes and all of them are bypassed in the picture."""
        if not field.bypass:
            return False
        return not any(self._match.find_active(node_id) for node_id in field.bypass)

    def _read_bypassed(self, field: Field) -> InferredValue:
        self.covered.update(field.all_slots)
        if not field.kind.can_be_off(field):
            raise Unreadable("the picture was made without the nodes that it fills.")
        return InferredValue(field.kind.get_off_value(field))

    def _read_name(self, field: Field) -> Any:
        """Return the name that a file had on the server, or None if the picture's graph does not
        have it.
        """
        try:
            name, _ = self._read_first(field.slots[""])
        except Unreadable:
            return None
        return name

    def _read_loras(self, field: Field) -> InferredValue:
        chain = infer_loras(field, self._form.workflow, self._graph, self._match)
        self.loaders.update(chain.node_ids)
        self.covered.update(field.all_slots)
        taken = _take(field, chain.rows)
        if chain.is_respelled:
            return InferredValue(taken, "repaired", chain.note)
        return InferredValue(taken, "read", chain.note)

    def _read_settings(self, field: Field) -> InferredValue:
        choices = field.choices or ()
        taken = frozenset(self.covered)
        choice, told, others = find_choice(choices, self._read_slot, taken, self._known_texts)
        self.covered.update(slot for slot, _ in choice.sets)
        self._inferred_texts.update(told)
        note = "other choices would have given the same picture." if others else ""
        return InferredValue(choice.value, note=note)

    def _read_parts(self, field: Field) -> tuple[Any, str]:
        """Return the raw value of a field whose parts fill inputs of their own, and a note on the
        first part that is uncertain.
        """
        values: dict[str, Any] = {}
        first_note = ""
        for part in field.kind.parts:
            values[part], note = self._read_first(field.slots[part])
            first_note = first_note or note
        return field.kind.join_parts(values), first_note

    def _read_plain(self, field: Field) -> tuple[Any, str]:
        """Return the raw value of a field with slots, and a note if it is uncertain."""
        # What is covered was filled by a later field, and says nothing about this one.
        slots = tuple(slot for slot in field.slots[""] if slot not in self.covered)
        value: Any
        note = ""
        if slots:
            value, note = self._read_first(slots)
        else:
            value = self._recall(field)
        if slots and field.template:
            value = self._invert(field, value)
        is_cut_out = bool(field.template) or not slots
        # A value that was cut out of a text is a text, also where the choices are numbers.
        if is_cut_out:
            value = _find_choice_by_text(field, value)
        if field.kind.is_text and isinstance(value, str):
            self._known_texts[field.name] = value
            if field.always_expands:
                value = escape_dynamic(value)
        return value, note

    def _compare(self, field: Field, value: Any) -> str:
        """Return a sentence if the picture has other numbers than this form computes from a value,
        else "".
        """
        for one in field.computed:
            own = one.compute(value)
            try:
                found = self._read_slot(one.slot)
            except Unreadable:
                continue
            if not is_same_literal(own, found):
                return (
                    f"the picture used {shorten(found)} for {one.slot.input}; this form works out "
                    f"{shorten(own)}."
                )
        return ""

    def _recall(self, field: Field) -> str:
        if field.name not in self._inferred_texts:
            raise Unreadable("another field stands in its place.")
        return self._inferred_texts[field.name]

    def _invert(self, field: Field, text: Any) -> str:
        found = invert_text(field.template, text, self._known_texts)
        if found is None:
            raise Unreadable(
                f"{shorten(text)} does not fit the text {shorten(field.template)} that this form "
                "makes."
            )
        if "value" not in found:
            raise Unreadable(f"the text {shorten(field.template)} says nothing about it.")
        return found["value"]

    def _read_first(self, slots: tuple[Slot, ...]) -> tuple[Any, str]:
        """Return the value of the first readable slot, and a note if another slot has a different
        one.

        Raises Unreadable if no slot is readable.
        """
        values: list[Any] = []
        reasons: list[Unreadable] = []
        for slot in slots:
            try:
                values.append(self._read_slot(slot))
            except Unreadable as reason:
                reasons.append(reason)
        if not values:
            raise reasons[0]
        first = values[0]
        other = next((value for value in values if not is_same_literal(first, value)), None)
        if other is None:
            return first, ""
        return first, f"the picture used {shorten(first)} and {shorten(other)}; the first is taken."

    def _read_slot(self, slot: Slot) -> Any:
        """Return the picture's literal for a slot of the form's workflow. Raises Unreadable."""
        ours = self._form.workflow.nodes[slot.node_id]
        partner = self._match.pairs.get(slot.node_id)
        if partner is None:
            raise Unreadable(f"the picture was made without the node {ours.title}.")
        theirs = self._graph.nodes[partner]
        inputs = self._follow(theirs.inputs, slot.input)
        value = get_literal(inputs, slot.input, ours.title)
        spec = self._form.object_info.spec(ours.class_type, slot.input, ours.inputs)
        if spec is None:
            return value
        return spec.to_choice_name(value)

    def _follow(self, inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Replace the link to a primitive node in inputs by the literal that the node holds."""
        link = Link.parse(inputs.get(name))
        if link is None:
            return inputs
        source = self._graph.nodes.get(link.node_id)
        if source is None or not source.class_type.startswith("Primitive"):
            return inputs
        if "value" not in source.inputs:
            return inputs
        return {**inputs, name: source.inputs["value"]}

    def _respell(self, field: Field, value: Any, note: str) -> InferredValue:
        """Look up the value of a list in its choices. A name that is spelled differently here is
        replaced if exactly one choice fits.
        """
        listed = value if field.is_multiple and isinstance(value, list) else [value]
        notes = [note] if note else []
        state: Literal["read", "repaired"] = "read"
        found: list[Any] = []
        for one in listed:
            here, is_spelled_so = _find_offered(field, one)
            found.append(here)
            if not is_spelled_so:
                state = "repaired"
                notes.append(f"{shorten(one)} is called {shorten(here)} here.")
        taken = value_to_json(field, tuple(found)) if field.is_multiple else found[0]
        return InferredValue(taken, state, " ".join(notes))


def _find_offered(field: Field, value: Any) -> tuple[Any, bool]:
    """Find the choice for a value, and whether it is spelled the same. Raises Unreadable."""
    offered = [choice.value for choice in field.choices or ()]
    for one in offered:
        if _is_equal(one, value):
            return one, True
    found = match_name(value, offered)
    if found is None:
        raise Unreadable(f"{shorten(value)} is not in the list of this form.")
    return found, False


def _find_choice_by_text(field: Field, value: Any) -> Any:
    """Find the choice that is written like a part of a text, since the choice may be a number.
    Returns the value itself if there is none.
    """
    for choice in field.choices or ():
        if str(choice.value) == value:
            return choice.value
    return value


def describe_absent_file(field: Field, name: Any) -> str:
    """Explain to people why a field that takes a file stays empty."""
    noun = field.kind.noun.removeprefix("a ")
    called = ""
    # Names that comfygradio chose mean nothing to people.
    if isinstance(name, str) and name and not name.startswith("comfygradio-"):
        called = f" (it was called {shorten(name)})"
    return f"the {noun} itself is not in the file; add it again{called}."


def _take(field: Field, value: Any) -> Any:
    """Check a value and convert it to JSON. Raises InvalidValue, also for a random seed."""
    inferred = field.kind.check_inferred(value)
    checked = check_value(field, inferred)
    return value_to_json(field, checked)


def _find_shared(fields: Mapping[str, Field]) -> set[Slot]:
    """Find the inputs that more than one field fills."""
    seen: set[Slot] = set()
    shared: set[Slot] = set()
    for field in fields.values():
        slots = set(field.all_slots)
        shared |= seen & slots
        seen |= slots
    return shared


def _is_equal(mine: Any, other: Any) -> bool:
    # To Python True equals 1; in a list of choices they differ.
    if isinstance(mine, bool) != isinstance(other, bool):
        return False
    return bool(mine == other)
