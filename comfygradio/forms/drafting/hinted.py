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
    marked: set[Slot] = set()
    for hint in hints:
        marked.update(hint.slots)
    ordered = sorted(hints, key=lambda hint: hint.order)
    for hint in _pair_sides(guess, ordered):
        slots = [slot for slot in _find_slots(graph, hint, hinted) if slot not in done]
        if not slots:
            continue
        finding = _recognise(hint, slots, hinted, marked)
        done.update(finding.all_slots)
        guess.catch.claim(*finding.all_slots)
        written = _write_field(graph, hint, finding, names, hinted)
        hinted.fields.append(written)
        _free(graph, guess, hinted, done)
    hinted.findings = _step_back(graph, hinted, done)
    return hinted


def _step_back(graph: Graph, hinted: Hinted, done: set[Slot]) -> list[Finding]:
    """What was not marked, set aside."""
    has_seed = any(found.role == "seed" for found in hinted.fields)
    kept = []
    for found in hinted.findings:
        if found.slots and not _is_orphan(found, hinted, done):
            kept.append(found)
    aside = []
    for found in _split(graph, kept, done):
        stays = found.role == "seed" and not has_seed
        aside.append(found if stays else replace(found, is_side=True))
    return aside


def _is_orphan(found: Finding, hinted: Hinted, done: set[Slot]) -> bool:
    """Whether what would give its inputs a value was marked away from them."""
    own = set(found.slots)
    if not found.is_extra or own <= done:
        return False
    mains = [set(main.slots) for main in hinted.findings if not main.is_extra]
    return not any(own < slots for slots in mains)


def _pair_sides(guess: Guess, hints: list[Hint]) -> list[Hint]:
    """Width and height that were marked one by one, and no more than marked, as one size."""
    paired = list(hints)
    bare = [hint for hint in hints if _is_bare(hint)]
    for found in guess.catch.findings:
        if found.role != "size":
            continue
        sides = [_list_meaning(bare, slots) for slots in found.parts.values()]
        is_one_each = all(len(side) == 1 for side in sides)
        if not is_one_each or sides[0] == sides[1]:
            continue
        first, second = sorted((sides[0][0], sides[1][0]), key=hints.index)
        paired[paired.index(first)] = replace(first, slots=found.slots, label="", name="")
        paired.remove(second)
    return paired


def _list_meaning(hints: list[Hint], slots: tuple[Slot, ...]) -> list[Hint]:
    """The hints that mean at least one of these inputs."""
    return [hint for hint in hints if not set(hint.slots).isdisjoint(slots)]


def _is_bare(hint: Hint) -> bool:
    """Whether a hint says nothing but which number is meant."""
    if hint.name.lower() not in ("", "width", "height"):
        return False
    return not _says_limits(hint) and hint.widget is None


def _says_limits(hint: Hint) -> bool:
    """Whether a hint says which values are possible, or the first one."""
    if hint.choices:
        return True
    limits = (hint.minimum, hint.maximum, hint.step, hint.default)
    return any(limit is not None for limit in limits)


def _split(graph: Graph, findings: Sequence[Finding], done: set[Slot]) -> Iterator[Finding]:
    """The findings; LoRA lists whose strengths were marked by themselves as single names."""
    for found in findings:
        if found.role != "loras" or not _has_marked_strength(graph, found, done):
            yield found
            continue
        for slot in found.slots:
            yield Finding("lora", {"": (slot,)}, graph.tell([slot]))


def _has_marked_strength(graph: Graph, found: Finding, done: set[Slot]) -> bool:
    for slot in found.slots:
        strengths = list_strengths(graph, slot)
        if not done.isdisjoint(strengths):
            return True
    return False


def _find_slots(graph: Graph, hint: Hint, hinted: Hinted) -> list[Slot]:
    """The inputs that a hint means; for a linked one, the plain values behind it."""
    found: list[Slot] = []
    for slot in hint.slots:
        if slot.node_id not in graph.workflow.nodes:
            continue
        if graph.is_settable(slot) or slot in graph.unlisted:
            found.append(slot)
        elif slot.input in graph.links.get(slot.node_id, {}):
            sources = find_sources(graph, slot, "STRING", "BOOLEAN", *NUMBERS)
            if sources:
                found.append(sources[0].slot)
    if not found:
        inputs = ", ".join(str(slot) for slot in hint.slots)
        name = clean(hint.label or hint.name or inputs)
        hinted.notes.append(
            f"{name} was marked for {hint.source}, but no input that can be set belongs to it."
        )
    return list(dict.fromkeys(found))


def _recognise(hint: Hint, slots: list[Slot], hinted: Hinted, marked: set[Slot]) -> Finding:
    """What was guessed of marked inputs, with the inputs of the same node that a text has to fill
    with them, and what moves along and is not `marked` itself.
    """
    why = f"marked for {hint.source}"
    wanted = set(slots)
    other = Finding("other", {"": tuple(slots)}, why)
    guessed = next(
        (found for found in hinted.findings if not wanted.isdisjoint(found.all_slots)), None
    )
    if guessed is None or guessed.role == "loras":
        return other
    if guessed.role == "size":
        is_whole = len(guessed.slots) == len(slots)
        may_be_size = hint.widget in (None, "size")
        return replace(guessed, why=why) if is_whole and may_be_size else other
    beside: list[Slot] = []
    if not hint.alone:
        nodes = {slot.node_id for slot in slots}
        beside = [slot for slot in guessed.slots if slot.node_id in nodes]
    parts = {"": tuple(dict.fromkeys([*slots, *beside]))}
    if guessed.role == "seed":
        return replace(guessed, parts=parts, computed={}, why=why)
    if wanted.isdisjoint(guessed.slots):
        # Only what moves along with a value was marked, so that it is a value of its own.
        return other
    computed = {slot: formula for slot, formula in guessed.computed.items() if slot not in marked}
    return replace(guessed, parts=parts, computed=computed, why=why)


def _write_field(
    graph: Graph, hint: Hint, finding: Finding, names: set[str], hinted: Hinted
) -> DraftField:
    words = ROLES[finding.role]
    own_name, own_label = find_own_words(graph, finding)
    wishes = [make_name(hint.name), own_name or words.name, make_name(hint.label)]
    name = pick_name(wishes, names)
    marked_label = clean(hint.label)
    label = marked_label or own_label or words.label or make_label(finding.first.input)
    suited = _suit(graph, hint, finding)
    keys = {"label": label, **suited, **_list_keys(hint)}
    if finding.computed and "min" in finding.keys:
        # With fewer steps a part between two splits would have none.
        keys["min"] = max(keys.get("min", 0), finding.keys["min"])
    line = _write_fitting(graph, name, finding, keys, hinted)
    return DraftField(name, finding.role, line, one_line(finding.why))


def _suit(graph: Graph, hint: Hint, finding: Finding) -> dict[str, Any]:
    """What suits people, as far as the hint leaves it open: one limit said means all
    limits said.
    """
    suited = suit_keys(graph, finding, ROLES[finding.role])
    if not _says_limits(hint):
        return suited
    widget = suited.get("widget")
    if not widget:
        return {}
    # A slider needs the limits that are dropped here.
    return {"widget": "number" if widget == "slider" else widget}


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
        if found.role == "seed":
            seeds = [slot for slot in found.all_slots if slot not in done]
            hinted.findings[index] = join_seeds(graph, found, seeds)
            continue
        computed = {slot: text for slot, text in found.computed.items() if slot not in done}
        parts: dict[str, tuple[Slot, ...]] = {}
        for part, slots in found.parts.items():
            parts[part] = tuple(slot for slot in slots if slot not in done)
        if all(parts.values()):
            hinted.findings[index] = replace(found, parts=parts, computed=computed)
            continue
        # A part without inputs is lost, and the finding with it.
        hinted.findings[index] = replace(found, parts={}, computed={})
        for slots in parts.values():
            guess.catch.claimed.difference_update(slots)
        guess.catch.claimed.difference_update(computed)
