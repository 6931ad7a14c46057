"""Apply annotations to a draft: annotated inputs become the form and override detections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.binding.field_binding import bind_field
from comfygradio.binding.specs import MissingClass
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.detector import DetectionResult
from comfygradio.drafting.draft_field import DraftField, adapt_keys, find_own_name, make_field_entry
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.loaders import list_strengths
from comfygradio.drafting.naming import clean_label, make_label, make_name, one_line, pick_name
from comfygradio.drafting.numbers import join_seeds
from comfygradio.drafting.role import ROLES
from comfygradio.drafting.trace import NUMBERS, find_sources
from comfygradio.errors import PresetError
from comfygradio.forms.preset_file import FieldEntry
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation

LIMITS = ("min", "max", "step", "default", "choices", "widget")
"""Keys of an annotation that may conflict with the server's own limits."""


@dataclass
class AnnotatedFields:
    """The annotated fields, the remaining detections, and notes on what could not be used."""

    fields: list[DraftField] = field(default_factory=list)
    detections: list[Detection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def apply_annotations(
    graph: Graph, detected: DetectionResult, annotations: Sequence[Annotation]
) -> AnnotatedFields:
    """Build the annotated fields in their order.

    Other detections become secondary, except a seed if none was annotated.
    """
    annotated = AnnotatedFields(detections=list(detected.detections.found))
    if not annotations:
        return annotated
    names: set[str] = set()
    done: set[Slot] = set()
    marked: set[Slot] = set()
    for annotation in annotations:
        marked.update(annotation.slots)
    ordered = sorted(annotations, key=lambda annotation: annotation.order)
    for annotation in _pair_width_and_height(detected, ordered):
        named = _find_slots(graph, annotation, annotated)
        slots = [slot for slot in named if slot not in done]
        if not slots:
            continue
        detection = _recognise(annotation, slots, annotated, marked)
        # The annotation takes these inputs away from all other detections.
        done.update(detection.all_slots)
        detected.detections.claim(*detection.all_slots)
        annotated.fields.append(_write_field(graph, annotation, detection, names, annotated))
        _release_slots(graph, detected, annotated, done)
    annotated.detections = _make_rest_secondary(graph, annotated, done)
    return annotated


def _make_rest_secondary(
    graph: Graph, annotated: AnnotatedFields, done: set[Slot]
) -> list[Detection]:
    """Return the remaining detections, marked as secondary."""
    has_seed = any(field.role == "seed" for field in annotated.fields)
    kept = []
    for detection in annotated.detections:
        if detection.slots and not _is_orphan(detection, annotated, done):
            kept.append(detection)
    rest = []
    # A seed that the author forgot stays in view: without it, each picture would be the same.
    for detection in _split(graph, kept, done):
        if detection.role == "seed" and not has_seed:
            rest.append(detection)
        else:
            rest.append(replace(detection, is_secondary=True))
    return rest


def _is_orphan(detection: Detection, annotated: AnnotatedFields, done: set[Slot]) -> bool:
    """Return whether the detection that would fill these inputs was claimed by an annotation."""
    own = set(detection.slots)
    if not detection.is_variant or own <= done:
        return False
    mains = [set(main.slots) for main in annotated.detections if not main.is_variant]
    return not any(own < slots for slots in mains)


def _pair_width_and_height(
    detected: DetectionResult, annotations: list[Annotation]
) -> list[Annotation]:
    """Join a width and a height that were annotated separately, and without further settings, into
    one size.
    """
    paired = list(annotations)
    bare = [annotation for annotation in annotations if _is_bare(annotation)]
    for detection in detected.detections.found:
        if detection.role != "size":
            continue
        sides = _find_sides(bare, detection)
        if sides is None:
            continue
        first, second = sorted(sides, key=annotations.index)
        # The size stands where the first of both did.
        place = paired.index(first)
        paired[place] = replace(first, slots=detection.slots, label="", name="")
        paired.remove(second)
    return paired


def _find_sides(
    annotations: list[Annotation], size: Detection
) -> tuple[Annotation, Annotation] | None:
    """Find the only annotation of a size's width, and of its height. Returns None if there are not
    exactly these two.
    """
    sides: list[Annotation] = []
    for slots in size.parts.values():
        naming = _find_naming(annotations, slots)
        if len(naming) != 1:
            return None
        sides += naming
    width, height = sides
    if width == height:
        return None
    return width, height


def _find_naming(annotations: list[Annotation], slots: tuple[Slot, ...]) -> list[Annotation]:
    """Find the annotations that name at least one of these inputs."""
    naming = []
    for annotation in annotations:
        named = set(annotation.slots)
        if not named.isdisjoint(slots):
            naming.append(annotation)
    return naming


def _is_bare(annotation: Annotation) -> bool:
    """Whether an annotation only names an input, without limits or a widget."""
    if annotation.name.lower() not in ("", "width", "height"):
        return False
    return not _says_limits(annotation) and annotation.widget is None


def _says_limits(annotation: Annotation) -> bool:
    """Whether an annotation restricts the values, or states a default."""
    if annotation.choices:
        return True
    limits = (annotation.minimum, annotation.maximum, annotation.step, annotation.default)
    return any(limit is not None for limit in limits)


def _split(graph: Graph, detections: Sequence[Detection], done: set[Slot]) -> Iterator[Detection]:
    """Yield the detections. A LoRA list whose strengths were annotated separately is split into
    single names.
    """
    for detection in detections:
        if detection.role != "loras" or not _has_marked_strength(graph, detection, done):
            yield detection
            continue
        for slot in detection.slots:
            yield make_detection("lora", [slot], graph.describe_slots([slot]))


def _has_marked_strength(graph: Graph, loras: Detection, done: set[Slot]) -> bool:
    """Whether a strength of this LoRA list has become a field already."""
    for slot in loras.slots:
        strengths = list_strengths(graph, slot)
        if not done.isdisjoint(strengths):
            return True
    return False


def _find_slots(graph: Graph, annotation: Annotation, annotated: AnnotatedFields) -> list[Slot]:
    """Find the inputs that an annotation names. For a linked input, find the literals behind it."""
    found: list[Slot] = []
    for slot in annotation.slots:
        if slot.node_id not in graph.workflow.nodes:
            continue
        if graph.is_settable(slot) or slot in graph.unlisted:
            found.append(slot)
        elif slot.input in graph.links.get(slot.node_id, {}):
            sources = find_sources(graph, slot, "STRING", "BOOLEAN", *NUMBERS)
            if sources:
                found.append(sources[0].slot)
    if not found:
        annotated.notes.append(_describe_without_input(annotation))
    return list(dict.fromkeys(found))


def _describe_without_input(annotation: Annotation) -> str:
    inputs = ", ".join(str(slot) for slot in annotation.slots)
    name = clean_label(annotation.label or annotation.name or inputs)
    return f"{name} was marked for {annotation.source}, but no input that can be set belongs to it."


def _recognise(
    annotation: Annotation, slots: list[Slot], annotated: AnnotatedFields, marked: set[Slot]
) -> Detection:
    """Return what was detected for annotated inputs, or a detection with the role "other"."""
    why = f"marked for {annotation.source}"
    other = make_detection("other", slots, why)
    detection = _find_detection(annotated.detections, slots)
    if detection is None or detection.role == "loras":
        return other
    if detection.role == "size":
        is_whole = len(detection.slots) == len(slots)
        may_be_size = annotation.widget in (None, "size")
        return replace(detection, why=why) if is_whole and may_be_size else other
    beside: list[Slot] = []
    # Inputs of the same node that take the same value go along, unless exactly these were meant.
    if not annotation.is_exact:
        nodes = {slot.node_id for slot in slots}
        beside = [slot for slot in detection.slots if slot.node_id in nodes]
    filled = dict.fromkeys([*slots, *beside])
    parts = {"": tuple(filled)}
    if detection.role == "seed":
        return replace(detection, parts=parts, computed={}, why=why)
    if set(slots).isdisjoint(detection.slots):
        # Only what moves along with a value was marked, so that it is a value of its own.
        return other
    # What is marked by itself becomes a field by itself.
    computed = {}
    for slot, formula in detection.computed.items():
        if slot not in marked:
            computed[slot] = formula
    return replace(detection, parts=parts, computed=computed, why=why)


def _find_detection(detections: list[Detection], slots: list[Slot]) -> Detection | None:
    """Find the first detection that fills one of these inputs."""
    for detection in detections:
        if not set(slots).isdisjoint(detection.all_slots):
            return detection
    return None


def _write_field(
    graph: Graph,
    annotation: Annotation,
    detection: Detection,
    names: set[str],
    annotated: AnnotatedFields,
) -> DraftField:
    role = ROLES[detection.role]
    own_name, own_label = find_own_name(graph, detection)
    name = pick_name(
        [
            make_name(annotation.name),
            own_name or role.name,
            make_name(annotation.label),
        ],
        names,
    )
    label = clean_label(annotation.label)
    if not label:
        label = own_label or role.label or make_label(detection.first.input)
    keys: dict[str, Any] = {"label": label}
    keys |= _adapt_keys(graph, annotation, detection)
    keys |= _list_keys(annotation)
    if detection.computed and "min" in detection.keys:
        # With fewer steps a part between two splits would have none.
        keys["min"] = max(keys.get("min", 0), detection.keys["min"])
    entry = _write_fitting(graph, name, detection, keys, annotated)
    return DraftField(name, detection.role, entry, one_line(detection.why))


def _adapt_keys(graph: Graph, annotation: Annotation, detection: Detection) -> dict[str, Any]:
    """Return the keys that the annotation leaves open. If it states one limit, it leaves
    none open.
    """
    suited = adapt_keys(graph, detection, ROLES[detection.role])
    if not _says_limits(annotation):
        return suited
    widget = suited.get("widget")
    if not widget:
        return {}
    # A slider needs the limits that are dropped here.
    return {"widget": "number" if widget == "slider" else widget}


def _list_keys(annotation: Annotation) -> dict[str, Any]:
    """Return what an annotation says as keys of a preset file."""
    keys = {
        "help": clean_label(annotation.help) if annotation.help else None,
        "group": clean_label(annotation.group) if annotation.group else None,
        "advanced": annotation.advanced or None,
        "optional": annotation.optional or None,
        "widget": annotation.widget,
        "default": annotation.default,
        "min": annotation.minimum,
        "max": annotation.maximum,
        "step": annotation.step,
        "choices": list(annotation.choices) or None,
        "template": annotation.template or None,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _write_fitting(
    graph: Graph,
    name: str,
    detection: Detection,
    keys: dict[str, Any],
    annotated: AnnotatedFields,
) -> FieldEntry:
    """Write the entry with all keys, or without the limits if they do not suit this server."""
    try:
        entry = make_field_entry(graph, detection, keys)
        bind_field(name, entry, graph.workflow, graph.object_info)
    except MissingClass:
        return entry
    except (PresetError, ValueError) as error:
        bare = {key: value for key, value in keys.items() if key not in LIMITS}
        if bare != keys:
            reason = one_line(str(error))
            annotated.notes.append(
                f"The limits marked for {name} were left out, as they do not fit: {reason}"
            )
        return make_field_entry(graph, detection, bare)
    return entry


def _release_slots(
    graph: Graph, detected: DetectionResult, annotated: AnnotatedFields, done: set[Slot]
) -> None:
    """Remove annotated inputs from the detections. Inputs of a detection that lost a whole part can
    be detected again.
    """
    for index, detection in enumerate(annotated.detections):
        if detection.is_variant or done.isdisjoint(detection.all_slots):
            continue
        if detection.role == "seed":
            seeds = [slot for slot in detection.all_slots if slot not in done]
            annotated.detections[index] = join_seeds(graph, detection, seeds)
            continue
        computed: dict[Slot, str] = {}
        for slot, formula in detection.computed.items():
            if slot not in done:
                computed[slot] = formula
        parts: dict[str, tuple[Slot, ...]] = {}
        for part, slots in detection.parts.items():
            parts[part] = tuple(slot for slot in slots if slot not in done)
        if all(parts.values()):
            annotated.detections[index] = replace(detection, parts=parts, computed=computed)
            continue
        # A part without inputs is lost, and the detection with it.
        annotated.detections[index] = replace(detection, parts={}, computed={})
        claimed = detected.detections.claimed
        for slots in parts.values():
            claimed.difference_update(slots)
        claimed.difference_update(computed)
