"""Lines: findings become lines of a preset file, with a name, a label and limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from comfygradio.forms.drafting.finding import Finding
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.loaders import find_purpose
from comfygradio.forms.drafting.naming import clean, make_label, make_name, one_line, pick_name
from comfygradio.forms.drafting.rest import is_carrier
from comfygradio.forms.drafting.titles import find_title, is_telling
from comfygradio.forms.drafting.words import ORDER, ROLES, Words
from comfygradio.forms.dynamic_prompt import has_choices
from comfygradio.forms.preset_file import ComputedSlot, FieldFile, SlotFile
from comfygradio.forms.slots import Slot

SLIDER_STEPS = 200


@dataclass(frozen=True)
class DraftField:
    """One suggested line of a preset: its name, the role it was recognised in, its keys, and a
    short reason.
    """

    name: str
    role: str
    line: FieldFile
    why: str


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """What is asked for first, then More settings; both in the order of the roles."""
    return sorted(findings, key=lambda found: (is_advanced(found), ORDER[found.role]))


def is_advanced(finding: Finding) -> bool:
    """Whether a finding stands under More settings."""
    return finding.is_side or ROLES[finding.role].is_advanced


def write_fields(
    graph: Graph, findings: Iterable[Finding], labels: Mapping[str, str], names: Iterable[str] = ()
) -> list[DraftField]:
    """A field for each finding; `labels` are the main labels of roles, `names` are
    already taken.
    """
    taken = set(names)
    shown: set[str] = set()
    fields = []
    for finding in findings:
        words = ROLES[finding.role]
        own_name, own_label = find_own_words(graph, finding)
        name = pick_name(
            [own_name or words.name, make_name(own_label) if words.by_title else ""], taken
        )
        title = _title(graph, finding.first)
        label = _pick_label(own_label or labels.get(finding.role) or words.label, title, shown)
        keys = {"label": label, **_write_help(words), **suit_keys(graph, finding, words)}
        if finding.is_extra:
            keys["help"] = "Empty: the same words as in the first text."
        if is_advanced(finding):
            keys["advanced"] = True
        fields.append(
            DraftField(name, finding.role, write_line(graph, finding, keys), one_line(finding.why))
        )
    return fields


def write_line(graph: Graph, finding: Finding, keys: Mapping[str, Any]) -> FieldFile:
    """The line of a preset file that fills these inputs, with their nodes described at length."""
    addresses: dict[str, list[SlotFile | ComputedSlot]] = {
        part: [write_slot(graph, slot) for slot in slots] for part, slots in finding.parts.items()
    }
    for slot, formula in finding.computed.items():
        addresses[""].append(ComputedSlot(slot=write_slot(graph, slot), of=formula))
    short = {part: listed[0] if len(listed) == 1 else listed for part, listed in addresses.items()}
    where = {"slot": short[""]} if "" in short else {"slots": short}
    return FieldFile.model_validate({**where, **keys, **_write_dynamic(graph, finding.parts, keys)})


def _write_dynamic(
    graph: Graph, parts: Mapping[str, tuple[Slot, ...]], keys: Mapping[str, Any]
) -> dict[str, Any]:
    """`{a|b}` is drawn where ComfyUI's own page does it, unless that would change the workflow's
    own text.
    """
    if keys.get("widget") not in (None, "text", "textarea"):
        return {}
    slots = parts.get("", ())
    is_plain = not any(has_choices(str(graph.value(slot))) for slot in slots)
    specs = [graph.spec(slot) for slot in slots]
    is_drawn = any(
        spec and "STRING" in spec.types and spec.options.get("dynamicPrompts") for spec in specs
    )
    return {"dynamic": True} if is_drawn and is_plain else {}


def write_slot(graph: Graph, slot: Slot) -> SlotFile:
    """The long form of a slot address."""
    node = graph.node(slot.node_id)
    title = {} if node.title == node.class_type else {"title": node.title}
    return SlotFile.model_validate(
        {"node": node.id, "class": node.class_type, **title, "input": slot.input}
    )


def find_own_words(graph: Graph, finding: Finding) -> tuple[str, str]:
    """The name and label that a finding brings along, by the author's title or the input's own
    name; "" for none.
    """
    title, slot = _title(graph, finding.first), finding.first
    if finding.is_extra:
        names = " and ".join(slot.input for slot in finding.slots)
        wanted = "unwanted words" if finding.role == "negative_prompt" else "words"
        return "", f"Other {wanted} for {names}"
    if finding.role in ("image", "mask"):
        purpose = find_purpose(graph, slot.node_id)
        return purpose, _drop_verb(title) if is_telling(title) else make_label(purpose)
    if finding.role in ("other", "shape", "model_file") and not (is_carrier(graph, slot) and title):
        spec = graph.spec(slot)
        last = slot.input.rpartition(".")[2]
        shown = spec.label if spec and spec.label != spec.name else last
        return make_name(last) or "value", make_label(shown)
    if finding.role == "other":
        return make_name(title), title
    return "", _drop_verb(title) if ROLES[finding.role].by_title and is_telling(title) else ""


def _drop_verb(title: str) -> str:
    """`Load style image` → `Style image`."""
    rest = title.removeprefix("Load ").removeprefix("Upload ").strip()
    return f"{rest[:1].upper()}{rest[1:]}" if is_telling(rest) else title


def _title(graph: Graph, slot: Slot) -> str:
    return find_title(graph, slot.node_id)


def _pick_label(label: str, title: str, shown: set[str]) -> str:
    """A label that no other field has: with the node's title, or a number."""
    titled = [f"{label} ({title})"] if is_telling(title) and title != label else []
    numbered = (f"{label} {number}" for number in count(2))
    found = next(wish for wish in chain([label], titled, numbered) if wish not in shown)
    shown.add(found)
    return clean(found)


def _write_help(words: Words) -> dict[str, Any]:
    return {} if words.help is None else {"help": words.help}


def suit_keys(graph: Graph, finding: Finding, words: Words) -> dict[str, Any]:
    """The keys that make a finding suit people: the widget, where the server's own hint misleads,
    and limits.
    """
    keys = dict(finding.keys)
    spec, value = graph.spec(finding.first), graph.value(finding.first)
    if spec is None or finding.role == "size":
        return keys
    if spec.choices is None and isinstance(value, int | float) and not isinstance(value, bool):
        keys |= _narrow(keys, words, value, spec.minimum, spec.maximum)
        if finding.role == "seed":
            keys |= {} if spec.is_seed else {"widget": "seed"}
        elif spec.is_seed:
            keys["widget"] = (
                "slider" if {"min", "max"} <= keys.keys() and _is_short(keys) else "number"
            )
    if finding.role in ("prompt", "negative_prompt", "tags", "lyrics") and spec.type == "STRING":
        keys |= {} if spec.is_multiline else {"widget": "textarea"}
    return keys


def _narrow(
    keys: Mapping[str, Any],
    words: Words,
    value: int | float,
    low: int | float | None,
    high: int | float | None,
) -> dict[str, Any]:
    """Limits that suit people, where they are narrower than the server's and let the workflow's own
    value through.
    """
    found: dict[str, Any] = {}
    if not math.isfinite(value):
        return found
    low, high = keys.get("min", low), keys.get("max", high)
    if words.low is not None and value >= words.low and (low is None or low < words.low):
        found["min"] = words.low
    if words.high is not None:
        most = words.high if value <= words.high else 2 * value
        found |= {"max": most} if math.isfinite(most) and (high is None or high > most) else {}
    return found


def _is_short(keys: Mapping[str, Any]) -> bool:
    return bool(0 < keys["max"] - keys["min"] <= SLIDER_STEPS)
