"""Hints applied: what the author marked becomes the form, and what was guessed besides
steps back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.errors import PresetError
from comfygradio.forms.binding.field_binding import bind_field
from comfygradio.forms.binding.specs import MissingClass
from comfygradio.forms.drafting.finding import Finding
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.guess import Guess
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.lines import DraftField, find_own_words, suit_keys, write_line
from comfygradio.forms.drafting.loaders import list_strengths
from comfygradio.forms.drafting.naming import clean, make_label, make_name, one_line, pick_name
from comfygradio.forms.drafting.numbers import join_seeds
from comfygradio.forms.drafting.trace import NUMBERS, find_sources
from comfygradio.forms.drafting.words import ROLES
from comfygradio.forms.preset_file import FieldFile
from comfygradio.forms.slots import Slot

LIMITS = ("min", "max", "step", "default", "choices", "widget")
"""Keys of a hint that a server may not go along with."""


@dataclass
class Hinted:
    """The fields that were marked, the findings that were not, and what could not be taken over."""

    fields: list[DraftField] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def apply_hints(graph: Graph, guess: Guess, hints: Sequence[Hint]) -> Hinted:
    """The marked fields in their order.

    Everything guessed steps back, except a seed where none was marked.
    """
    hinted = Hinted(findings=list(guess.catch.findings))
    if not hints:
        return hinted
    names: set[str] = set()
    done: set[Slot] = set()
    marked = {slot for hint in hints for slot in hint.slots}
    for hint in _pair_sides(guess, sorted(hints, key=lambda hint: hint.order)):
        slots = [slot for slot in _find_slots(graph, hint, hinted) if slot not in done]
        if not slots:
            continue
        finding = _recognise(hint, slots, hinted, marked)
        done |= set(finding.all_slots)
        guess.catch.claim(*finding.all_slots)
        hinted.fields.append(_write_field(graph, hint, finding, names, hinted))
        _free(graph, guess, hinted, done)
    has_seed = any(found.role == "seed" for found in hinted.fields)
    kept = [
        found for found in hinted.findings if found.slots and not _is_orphan(found, hinted, done)
    ]
    hinted.findings = [
        replace(f, is_side=True) if f.role != "seed" or has_seed else f
        for f in _split(graph, kept, done)
    ]
    return hinted


def _is_orphan(found: Finding, hinted: Hinted, done: set[Slot]) -> bool:
    """Whether what would give its inputs a value was marked away from them."""
    own = set(found.slots)
    mains = (set(one.slots) for one in hinted.findings if not one.is_extra)
    return found.is_extra and not own <= done and not any(own < slots for slots in mains)


def _pair_sides(guess: Guess, hints: list[Hint]) -> list[Hint]:
    """Width and height that were marked one by one, and no more than marked, as one size."""
    paired = list(hints)
    for found in guess.catch.findings:
        sides = [
            [h for h in hints if _is_bare(h) and set(h.slots) & set(slots)]
            for slots in found.parts.values()
        ]
        if found.role == "size" and all(len(side) == 1 for side in sides) and sides[0] != sides[1]:
            first, second = sorted((sides[0][0], sides[1][0]), key=hints.index)
            paired[paired.index(first)] = replace(first, slots=found.slots, label="", name="")
            paired.remove(second)
    return paired


def _is_bare(hint: Hint) -> bool:
    """Whether a hint says nothing but which number is meant."""
    said = (hint.minimum, hint.maximum, hint.step, hint.default, hint.widget, *hint.choices)
    return hint.name.lower() in ("", "width", "height") and all(value is None for value in said)


def _split(graph: Graph, findings: Sequence[Finding], done: set[Slot]) -> Iterator[Finding]:
    """The findings; LoRA lists whose strengths were marked by themselves as single names."""
    for found in findings:
        strengths = {strength for slot in found.slots for strength in list_strengths(graph, slot)}
        if found.role == "loras" and strengths & done:
            yield from (Finding("lora", {"": (slot,)}, graph.tell([slot])) for slot in found.slots)
        else:
            yield found


def _find_slots(graph: Graph, hint: Hint, hinted: Hinted) -> list[Slot]:
    """The inputs that a hint means; for a linked one, the plain values behind it."""
    found: list[Slot] = []
    for slot in hint.slots:
        if slot.node_id not in graph.workflow.nodes:
            continue
        if graph.is_settable(slot) or slot in graph.unlisted:
            found.append(slot)
        elif slot.input in graph.links.get(slot.node_id, {}):
            found += [
                source.slot for source in find_sources(graph, slot, "STRING", "BOOLEAN", *NUMBERS)
            ][:1]
    if not found:
        name = hint.label or hint.name or ", ".join(map(str, hint.slots))
        hinted.notes.append(
            f"{clean(name)} was marked for {hint.source}, but no input that can be set belongs "
            "to it."
        )
    return list(dict.fromkeys(found))


def _recognise(hint: Hint, slots: list[Slot], hinted: Hinted, marked: set[Slot]) -> Finding:
    """What was guessed of marked inputs, with the inputs of the same node that a text has to fill
    with them, and what moves along and is not `marked` itself.
    """
    why = f"marked for {hint.source}"
    guessed = next((found for found in hinted.findings if set(slots) & set(found.all_slots)), None)
    if guessed is None:
        return Finding("other", {"": tuple(slots)}, why)
    if guessed.role in ("size", "loras"):
        is_size = (
            guessed.role == "size"
            and len(guessed.slots) == len(slots)
            and hint.widget in (None, "size")
        )
        return replace(guessed, why=why) if is_size else Finding("other", {"": tuple(slots)}, why)
    nodes = {slot.node_id for slot in slots}
    beside = [slot for slot in guessed.slots if slot.node_id in nodes and not hint.alone]
    parts = {"": tuple(dict.fromkeys([*slots, *beside]))}
    if guessed.role == "seed":
        return replace(guessed, parts=parts, computed={}, why=why)
    if not set(slots) & set(guessed.slots):
        return Finding("other", {"": tuple(slots)}, why)
    computed = {slot: text for slot, text in guessed.computed.items() if slot not in marked}
    return replace(guessed, parts=parts, computed=computed, why=why)


def _write_field(
    graph: Graph, hint: Hint, finding: Finding, names: set[str], hinted: Hinted
) -> DraftField:
    words = ROLES[finding.role]
    own_name, own_label = find_own_words(graph, finding)
    name = pick_name([make_name(hint.name), own_name or words.name, make_name(hint.label)], names)
    label = clean(hint.label) or own_label or words.label or make_label(finding.first.input)
    keys = {"label": label, **_suit(graph, hint, finding), **_list_keys(hint)}
    if finding.computed and "min" in finding.keys:
        keys["min"] = max(keys.get("min", 0), finding.keys["min"])
    line = _write_fitting(graph, name, finding, keys, hinted)
    return DraftField(name, finding.role, line, one_line(finding.why))


def _suit(graph: Graph, hint: Hint, finding: Finding) -> dict[str, Any]:
    """What suits people, as far as the hint leaves it open: one limit said means all
    limits said.
    """
    suited = suit_keys(graph, finding, ROLES[finding.role])
    if (
        all(value is None for value in (hint.minimum, hint.maximum, hint.step, hint.default))
        and not hint.choices
    ):
        return suited
    widget = suited.get("widget")
    return {"widget": "number" if widget == "slider" else widget} if widget else {}


def _list_keys(hint: Hint) -> dict[str, Any]:
    """What a hint says, as keys of a preset file."""
    keys = {
        "help": clean(hint.help) if hint.help else None,
        "group": clean(hint.group) if hint.group else None,
        "advanced": hint.advanced or None,
        "optional": hint.optional or None,
        "widget": hint.widget,
        "default": hint.default,
        "min": hint.minimum,
        "max": hint.maximum,
        "step": hint.step,
        "choices": list(hint.choices) or None,
        "template": hint.template or None,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _write_fitting(
    graph: Graph,
    name: str,
    finding: Finding,
    keys: dict[str, Any],
    hinted: Hinted,
) -> FieldFile:
    """The line with all keys, or without limits that this server does not go along with."""
    try:
        line = write_line(graph, finding, keys)
        bind_field(name, line, graph.workflow, graph.object_info)
    except MissingClass:
        return line
    except (PresetError, ValueError) as error:
        bare = {key: value for key, value in keys.items() if key not in LIMITS}
        if bare != keys:
            reason = one_line(str(error))
            hinted.notes.append(
                f"The limits marked for {name} were left out, as they do not fit: {reason}"
            )
        return write_line(graph, finding, bare)
    return line


def _free(graph: Graph, guess: Guess, hinted: Hinted, done: set[Slot]) -> None:
    """Take marked inputs out of the findings; what is left of one with several parts can be offered
    again.
    """
    for index, found in enumerate(hinted.findings):
        if found.is_extra or done.isdisjoint(found.all_slots):
            continue
        left = {slot: text for slot, text in found.computed.items() if slot not in done}
        if found.role == "seed":
            seeds = [slot for slot in found.all_slots if slot not in done]
            hinted.findings[index] = join_seeds(graph, found, seeds)
            continue
        found = hinted.findings[index] = replace(found, computed=left)
        rest = {
            part: tuple(slot for slot in slots if slot not in done)
            for part, slots in found.parts.items()
        }
        if rest != dict(found.parts):
            whole = all(rest.values())
            kept = replace(found, parts=rest) if whole else replace(found, parts={}, computed={})
            hinted.findings[index] = kept
            if not whole:
                guess.catch.claimed -= {slot for slots in rest.values() for slot in slots}
                guess.catch.claimed -= left.keys()
