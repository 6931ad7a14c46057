"""Lines: findings become lines of a preset file, with a name, a label and limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.object_info import InputSpec
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

    def place(finding: Finding) -> tuple[bool, int]:
        return is_advanced(finding), ORDER[finding.role]

    return sorted(findings, key=place)


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
        titled_name = make_name(own_label) if words.by_title else ""
        name = pick_name([own_name or words.name, titled_name], taken)
        wish = own_label or labels.get(finding.role) or words.label
        label = _pick_label(wish, _title(graph, finding.first), shown)
        keys: dict[str, Any] = {"label": label}
        if words.help is not None:
            keys["help"] = words.help
        keys |= suit_keys(graph, finding, words)
        if finding.is_extra:
            keys["help"] = "Empty: the same words as in the first text."
        if is_advanced(finding):
            keys["advanced"] = True
        line = write_line(graph, finding, keys)
        fields.append(DraftField(name, finding.role, line, one_line(finding.why)))
    return fields


def write_line(graph: Graph, finding: Finding, keys: Mapping[str, Any]) -> FieldFile:
    """The line of a preset file that fills these inputs, with their nodes described at length."""
    where = _write_slots(graph, finding)
    dynamic = _write_dynamic(graph, finding.parts, keys)
    return FieldFile.model_validate({**where, **keys, **dynamic})


def _write_slots(graph: Graph, finding: Finding) -> dict[str, Any]:
    """The key `slot` of a plain value, or `slots` of one with named parts."""
    addresses: dict[str, list[SlotFile | ComputedSlot]] = {}
    for part, slots in finding.parts.items():
        addresses[part] = [write_slot(graph, slot) for slot in slots]
    for slot, formula in finding.computed.items():
        computed = ComputedSlot(slot=write_slot(graph, slot), of=formula)
        addresses[""].append(computed)
    # A part with one slot is written as that slot, without a list around it.
    short: dict[str, Any] = {}
    for part, listed in addresses.items():
        short[part] = listed[0] if len(listed) == 1 else listed
    if "" in short:
        return {"slot": short[""]}
    return {"slots": short}


def _write_dynamic(
    graph: Graph, parts: Mapping[str, tuple[Slot, ...]], keys: Mapping[str, Any]
) -> dict[str, Any]:
    """`{a|b}` is drawn where ComfyUI's own page does it, unless that would change the workflow's
    own text.
    """
    if keys.get("widget") not in (None, "text", "textarea"):
        return {}
    slots = parts.get("", ())
    if any(has_choices(str(graph.value(slot))) for slot in slots):
        return {}
    is_drawn = any(_is_drawn(graph.spec(slot)) for slot in slots)
    return {"dynamic": True} if is_drawn else {}


def _is_drawn(spec: InputSpec | None) -> bool:
    if spec is None or "STRING" not in spec.types:
        return False
    return bool(spec.options.get("dynamicPrompts"))


def write_slot(graph: Graph, slot: Slot) -> SlotFile:
    """The long form of a slot address."""
    node = graph.node(slot.node_id)
    keys = {"node": node.id, "class": node.class_type}
    if node.title != node.class_type:
        keys["title"] = node.title
    keys["input"] = slot.input
    return SlotFile.model_validate(keys)


def find_own_words(graph: Graph, finding: Finding) -> tuple[str, str]:
    """The name and label that a finding brings along, by the author's title or the input's own
    name; "" for none.
    """
    slot = finding.first
    title = _title(graph, slot)
    if finding.is_extra:
        names = " and ".join(extra.input for extra in finding.slots)
        wanted = "unwanted words" if finding.role == "negative_prompt" else "words"
        return "", f"Other {wanted} for {names}"
    if finding.role in ("image", "mask"):
        purpose = find_purpose(graph, slot.node_id)
        label = _drop_verb(title) if is_telling(title) else make_label(purpose)
        return purpose, label
    is_titled = bool(title) and is_carrier(graph, slot)
    if finding.role in ("other", "shape", "model_file") and not is_titled:
        return _name_by_input(graph, slot)
    if finding.role == "other":
        return make_name(title), title
    if ROLES[finding.role].by_title and is_telling(title):
        return "", _drop_verb(title)
    return "", ""


def _name_by_input(graph: Graph, slot: Slot) -> tuple[str, str]:
    spec = graph.spec(slot)
    last = slot.input.rpartition(".")[2]
    shown = last
    if spec is not None and spec.label != spec.name:
        shown = spec.label
    return make_name(last) or "value", make_label(shown)


def _drop_verb(title: str) -> str:
    """`Load style image` → `Style image`."""
    rest = title.removeprefix("Load ").removeprefix("Upload ").strip()
    if not is_telling(rest):
        return title
    return rest[:1].upper() + rest[1:]


def _title(graph: Graph, slot: Slot) -> str:
    return find_title(graph, slot.node_id)


def _pick_label(label: str, title: str, shown: set[str]) -> str:
    """A label that no other field has: with the node's title, or a number."""
    wishes = [label]
    if is_telling(title) and title != label:
        wishes.append(f"{label} ({title})")
    found = next((wish for wish in wishes if wish not in shown), None)
    if found is None:
        found = _number_label(label, shown)
    shown.add(found)
    return clean(found)


def _number_label(label: str, shown: set[str]) -> str:
    number = 2
    while f"{label} {number}" in shown:
        number += 1
    return f"{label} {number}"


def suit_keys(graph: Graph, finding: Finding, words: Words) -> dict[str, Any]:
    """The keys that make a finding suit people: the widget, where the server's own hint misleads,
    and limits.
    """
    keys = dict(finding.keys)
    spec = graph.spec(finding.first)
    value = graph.value(finding.first)
    if spec is None or finding.role == "size":
        return keys
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and spec.choices is None:
        keys |= _narrow(keys, words, value, spec.minimum, spec.maximum)
        if finding.role == "seed":
            if not spec.is_seed:
                keys["widget"] = "seed"
        elif spec.is_seed:
            # The server draws it like a seed, though it is none.
            keys["widget"] = "slider" if _is_short(keys) else "number"
    is_words = finding.role in ("prompt", "negative_prompt", "tags", "lyrics")
    if is_words and spec.type == "STRING" and not spec.is_multiline:
        keys["widget"] = "textarea"
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
    low = keys.get("min", low)
    high = keys.get("max", high)
    if words.low is not None and value >= words.low and (low is None or low < words.low):
        found["min"] = words.low
    if words.high is not None:
        most = words.high if value <= words.high else 2 * value
        if math.isfinite(most) and (high is None or high > most):
            found["max"] = most
    return found


def _is_short(keys: Mapping[str, Any]) -> bool:
    """Whether limits are said, and a slider between them would have few steps."""
    if "min" not in keys or "max" not in keys:
        return False
    return bool(0 < keys["max"] - keys["min"] <= SLIDER_STEPS)
