"""Invert templates and choices: infer the values that produced what a graph contains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from comfygradio.comfy.nested_input import has_input, read_input, unwrap_list
from comfygradio.comfy.workflow import Link
from comfygradio.forms.kinds.model_name import is_model_name, match_name
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import (
    expand_dynamic,
    fill_template,
    find_placeholders,
    has_alternatives,
)


class Unreadable(Exception):
    """Raised when a graph does not tell a value; the text says why.

    It is always caught inside this package.
    """


def invert_text(template: str, text: Any, known: Mapping[str, str]) -> dict[str, str] | None:
    """Find the value of each name of a template that made it become `text`. Returns None if none
    do.

    `known` contains values that are certain. One other name may be unknown, however often it is
    used; with two, the result would be ambiguous.
    """
    if not isinstance(text, str):
        return None
    names = find_placeholders(template)
    open_names = [name for name in names if name not in known]
    if len(open_names) > 1:
        return None
    found = {name: known[name] for name in names if name in known}
    for name in open_names:
        value = _cut_out(template, name, text, found)
        if value is None:
            return None
        found[name] = value
    return found if fill_template(template, found) == text else None


def _cut_out(template: str, name: str, text: str, found: Mapping[str, str]) -> str | None:
    """Cut the value of one name out of a text. Its length follows from the length of the whole."""
    parts = template.split(f"{{{name}}}")
    frame = [fill_template(part, found) for part in parts]
    frame_length = sum(len(part) for part in frame)
    occurrences = len(parts) - 1
    # Every occurrence has the same length, so what the frame leaves must divide evenly.
    length, rest = divmod(len(text) - frame_length, occurrences)
    if rest or length < 0:
        return None
    start = len(frame[0])
    return text[start : start + length]


def escape_dynamic(text: str) -> str:
    """Escape a text so that its expansion returns it. Returns it unchanged if that is
    impossible.
    """
    if not has_alternatives(text):
        return text
    letters = [f"\\{letter}" if letter in "{}|" else letter for letter in text]
    escaped = "".join(letters)
    # A text without alternatives expands to the same with every seed.
    return escaped if expand_dynamic(escaped, Random(0)) == text else text


def is_same_literal(mine: Any, other: Any) -> bool:
    """Whether two literals mean the same to ComfyUI: 1 and 1.0 do, 1 and true do not. Model names
    may be spelled differently.
    """
    if isinstance(mine, bool) != isinstance(other, bool):
        return False
    if mine == other:
        return True
    return is_model_name(mine) and match_name(other, [mine]) is not None


def find_choice(
    choices: tuple[Choice, ...],
    read: Callable[[Slot], Any],
    taken: frozenset[Slot],
    known: Mapping[str, str],
) -> tuple[Choice, dict[str, str], int]:
    """Find the choice whose settings are all in the graph. Returns it, the values that its texts
    tell of other fields, and how many other choices fit as well.

    `read` returns the literal of a slot or raises Unreadable. Slots in `taken` were overwritten
    later and are ignored. If several choices fit, the first one with the most settings counts.
    Raises Unreadable if none does.
    """
    most = 0
    fitting: list[tuple[Choice, dict[str, str]]] = []
    for choice in choices:
        settings = [(slot, setting) for slot, setting in choice.sets if slot not in taken]
        told = _fit(settings, read, known)
        # A choice all of whose slots are taken fits any graph, and so says nothing.
        if told is None or not settings or len(settings) < most:
            continue
        if len(settings) > most:
            most = len(settings)
            fitting.clear()
        fitting.append((choice, told))
    if not fitting:
        raise Unreadable(_describe_misfit(choices, read))
    first, told = fitting[0]
    return first, told, len(fitting) - 1


def _fit(
    settings: list[tuple[Slot, Any]], read: Callable[[Slot], Any], known: Mapping[str, str]
) -> dict[str, str] | None:
    told: dict[str, str] = {}
    for slot, setting in settings:
        try:
            value = read(slot)
        except Unreadable:
            return None
        if isinstance(setting, str) and find_placeholders(setting):
            # What earlier settings of the choice have told is certain for the later ones.
            found = invert_text(setting, value, {**known, **told})
            if found is None:
                return None
            told |= found
        elif not is_same_literal(setting, value):
            return None
    return told


def _describe_misfit(choices: tuple[Choice, ...], read: Callable[[Slot], Any]) -> str:
    """Write a sentence with the first literals that no choice sets."""
    slots: list[Slot] = []
    for choice in choices:
        slots.extend(slot for slot, _ in choice.sets)
    seen = []
    for slot in dict.fromkeys(slots):
        try:
            value = read(slot)
        except Unreadable as reason:
            return str(reason)
        seen.append(f"{slot.input} {_show_short(value)}")
    return f"none of its choices gives {' and '.join(seen[:3])}."


def _show_short(value: Any) -> str:
    text = str(value)
    if len(text) <= 40:
        return text
    return f"{text[:37]}…"


def get_literal(inputs: Mapping[str, Any], name: str, title: str) -> Any:
    """Return the literal of one input of a node. Raises Unreadable if it has none."""
    if not has_input(inputs, name):
        raise Unreadable(f"{title} had no input {name} in the picture.")
    found = read_input(inputs, name)
    value = unwrap_list(found)
    if Link.parse(found) is not None:
        raise Unreadable(f"{name} of {title} was fed by another node in the picture.")
    return value
