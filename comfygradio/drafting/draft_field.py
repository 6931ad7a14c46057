"""Draft fields: turn detections into fields of a preset file, with a name, a label and limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.object_info import InputSpec, is_number
from comfygradio.drafting.detection import Detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.leftovers import is_value_node
from comfygradio.drafting.loaders import find_purpose
from comfygradio.drafting.naming import (
    add_number,
    capitalise,
    clean_label,
    make_label,
    make_name,
    one_line,
    pick_name,
)
from comfygradio.drafting.node_title import find_author_title, is_descriptive
from comfygradio.drafting.role import ROLE_ORDER, ROLES, Role
from comfygradio.forms.preset_file import ComputedSlot, FieldEntry, SlotEntry
from comfygradio.forms.slots import Slot
from comfygradio.forms.text_expansion import has_alternatives

SLIDER_STEPS = 200


@dataclass(frozen=True)
class DraftField:
    """One suggested entry of a preset: its name, detected role, keys, and a short reason."""

    name: str
    role: str
    entry: FieldEntry
    why: str


def sort_detections(detections: Iterable[Detection]) -> list[Detection]:
    """Sort the detections: main fields before advanced ones, both in the order of the roles."""
    return sorted(detections, key=_rank)


def _rank(detection: Detection) -> tuple[bool, int]:
    place = ROLE_ORDER[detection.role]
    return is_advanced(detection), place


def is_advanced(detection: Detection) -> bool:
    """Whether a detection becomes an advanced field."""
    role = ROLES[detection.role]
    return detection.is_secondary or role.is_advanced


def make_fields(
    graph: Graph,
    detections: Iterable[Detection],
    labels: Mapping[str, str],
    names: Iterable[str] = (),
) -> list[DraftField]:
    """Make a field for each detection. `labels` are labels by role, `names` are already taken."""
    taken = set(names)
    shown: set[str] = set()
    fields = []
    for detection in detections:
        role = ROLES[detection.role]
        own_name, own_label = find_own_name(graph, detection)
        titled_name = make_name(own_label) if role.is_titled_by_author else ""
        name = pick_name([own_name or role.name, titled_name], taken)
        wish = own_label or labels.get(detection.role) or role.label
        label = _pick_label(wish, _title(graph, detection.first), shown)
        keys: dict[str, Any] = {"label": label}
        if role.help is not None:
            keys["help"] = role.help
        keys |= adapt_keys(graph, detection, role)
        if detection.is_variant:
            keys["help"] = "Empty: the same words as in the first text."
        if is_advanced(detection):
            keys["advanced"] = True
        entry = make_field_entry(graph, detection, keys)
        fields.append(DraftField(name, detection.role, entry, one_line(detection.why)))
    return fields


def make_field_entry(graph: Graph, detection: Detection, keys: Mapping[str, Any]) -> FieldEntry:
    """Make the entry of a preset file that fills these inputs, with full descriptions of their
    nodes.
    """
    where = _write_slots(graph, detection)
    dynamic = _write_dynamic(graph, detection.parts, keys)
    return FieldEntry.model_validate({**where, **keys, **dynamic})


def _write_slots(graph: Graph, detection: Detection) -> dict[str, Any]:
    """Return the key `slot` for a single value, or `slots` for named parts."""
    addresses: dict[str, list[SlotEntry | ComputedSlot]] = {}
    for part, slots in detection.parts.items():
        addresses[part] = [make_slot_file(graph, slot) for slot in slots]
    for slot, formula in detection.computed.items():
        address = make_slot_file(graph, slot)
        # Only single values have computed inputs.
        addresses[""].append(ComputedSlot(slot=address, of=formula))
    written: dict[str, Any] = {}
    for part, listed in addresses.items():
        # A part with one slot is written as that slot, without a list around it.
        written[part] = listed[0] if len(listed) == 1 else listed
    if "" in written:
        return {"slot": written[""]}
    return {"slots": written}


def _write_dynamic(
    graph: Graph, parts: Mapping[str, tuple[Slot, ...]], keys: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the key `dynamic`: set if ComfyUI's own page expands `{a|b}` here and that would not
    change the workflow's own text.
    """
    if keys.get("widget") not in (None, "text", "textarea"):
        return {}
    slots = parts.get("", ())
    for slot in slots:
        text = str(graph.value(slot))
        if has_alternatives(text):
            return {}
    if any(_is_drawn(graph.spec(slot)) for slot in slots):
        return {"dynamic": True}
    return {}


def _is_drawn(spec: InputSpec | None) -> bool:
    """Whether ComfyUI's own page draws one of the alternatives in the text of this input."""
    if spec is None or "STRING" not in spec.types:
        return False
    return bool(spec.options.get("dynamicPrompts"))


def make_slot_file(graph: Graph, slot: Slot) -> SlotEntry:
    """Make the long form of a slot address."""
    node = graph.node(slot.node_id)
    keys = {"node": node.id, "class": node.class_type}
    if node.title != node.class_type:
        keys["title"] = node.title
    keys["input"] = slot.input
    return SlotEntry.model_validate(keys)


def find_own_name(graph: Graph, detection: Detection) -> tuple[str, str]:
    """Return the name and label that a detection brings along, from the author's title or the
    input's name; "" for none.
    """
    slot = detection.first
    title = _title(graph, slot)
    if detection.is_variant:
        names = " and ".join(extra.input for extra in detection.slots)
        wanted = "unwanted words" if detection.role == "negative_prompt" else "words"
        return "", f"Other {wanted} for {names}"
    # A picture is called after the input that takes it, such as start_image.
    if detection.role in ("image", "mask"):
        purpose = find_purpose(graph, slot.node_id)
        label = _drop_verb(title) if is_descriptive(title) else make_label(purpose)
        return purpose, label
    is_titled = bool(title) and is_value_node(graph, slot)
    # Without a role that says more, the input's own name is the best there is.
    if detection.role in ("other", "shape", "model_file") and not is_titled:
        return _name_by_input(graph, slot)
    if detection.role == "other":
        return make_name(title), title
    if ROLES[detection.role].is_titled_by_author and is_descriptive(title):
        return "", _drop_verb(title)
    return "", ""


def _name_by_input(graph: Graph, slot: Slot) -> tuple[str, str]:
    spec = graph.spec(slot)
    shown = slot.last_part
    if spec is not None and spec.label != spec.name:
        shown = spec.label
    return make_name(slot.last_part) or "value", make_label(shown)


def _drop_verb(title: str) -> str:
    """`Load style image` → `Style image`."""
    rest = title.removeprefix("Load ").removeprefix("Upload ").strip()
    if not is_descriptive(rest):
        return title
    return capitalise(rest)


def _title(graph: Graph, slot: Slot) -> str:
    return find_author_title(graph, slot.node_id)


def _pick_label(label: str, title: str, shown: set[str]) -> str:
    """Pick a label that no other field has: with the node's title, or with a number."""
    picked = label
    if label in shown and is_descriptive(title) and title != label:
        picked = f"{label} ({title})"
    if picked in shown:
        picked = add_number(label, shown, " ")
    shown.add(picked)
    return clean_label(picked)


def adapt_keys(graph: Graph, detection: Detection, role: Role) -> dict[str, Any]:
    """Return the keys that make a detection suit people: its limits, and the widget if the server's
    own hint misleads.
    """
    keys = dict(detection.keys)
    spec = graph.spec(detection.first)
    value = graph.value(detection.first)
    if spec is None or detection.role == "size":
        return keys
    if is_number(value) and spec.choices is None:
        keys |= _narrow(keys, role, value, spec.minimum, spec.maximum)
        if detection.role == "seed":
            if not spec.is_seed:
                keys["widget"] = "seed"
        elif spec.is_seed:
            # The server draws it like a seed, though it is none.
            keys["widget"] = "slider" if _is_short(keys) else "number"
    is_words = detection.role in ("prompt", "negative_prompt", "tags", "lyrics")
    if is_words and spec.type == "STRING" and not spec.is_multiline:
        keys["widget"] = "textarea"
    return keys


def _narrow(
    keys: Mapping[str, Any],
    role: Role,
    value: int | float,
    low: int | float | None,
    high: int | float | None,
) -> dict[str, Any]:
    """Narrow the limits for people, if that is narrower than the server's and includes the
    workflow's own value.
    """
    found: dict[str, Any] = {}
    if not math.isfinite(value):
        return found
    low = keys.get("min", low)
    high = keys.get("max", high)
    if role.minimum is not None:
        is_narrower = low is None or low < role.minimum
        if is_narrower and value >= role.minimum:
            found["min"] = role.minimum
    if role.maximum is not None:
        # An author who uses more than usual gets room around that value.
        most = role.maximum if value <= role.maximum else 2 * value
        is_narrower = high is None or high > most
        if is_narrower and math.isfinite(most):
            found["max"] = most
    return found


def _is_short(keys: Mapping[str, Any]) -> bool:
    """Whether both limits are known and a slider between them has few steps."""
    if "min" not in keys or "max" not in keys:
        return False
    return bool(0 < keys["max"] - keys["min"] <= SLIDER_STEPS)
