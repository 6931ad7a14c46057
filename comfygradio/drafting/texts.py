"""Detect positive and negative prompts by following the conditionings back from the samplers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from comfygradio.comfy.workflow import Link
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.trace import NOT_TEXTS, TracedValue, find_sources
from comfygradio.forms.slots import Slot

ENCODER_PARTS = re.compile(
    r"(?:text|clip|t5|mt5|umt5|byt5|llama|bert|qwen|gemma|mistral)[a-z\d]*(?:_\w+)?"
)
"""Inputs of one encoder that take the same text for different text models."""

PROMPT_NAMES = frozenset(
    {"caption", "instruction", "instructions", "tags", "lyrics", "positive", "prompt_text"}
)
"""Inputs that take a prompt, besides those of PROMPT_PATTERN."""

PROMPT_PATTERN = re.compile(r"text_?\d*|(?!system).*prompt|.*_description")
"""Names that tell a prompt by how they begin or end. A system prompt is none."""

OWN_ROLES = {"tags": "tags", "lyrics": "lyrics"}


@dataclass(frozen=True)
class Encoder:
    """A node that makes a conditioning from texts, and the input at the end of the chain that it
    feeds.

    `is_late`: it adds to a conditioning of other nodes. `is_weak`: it feeds a second conditioning.
    """

    node_id: str
    feeds: Slot
    is_negative: bool
    is_late: bool

    @property
    def is_weak(self) -> bool:
        """Whether a negative text is possible here too, as in the second of a guider's three
        conditionings.
        """
        return self.feeds.input == "cond2"


def find_texts(graph: Graph) -> list[Detection]:
    """Detect every text that a conditioning is made of. Texts that feed a positive and a negative
    input are positive.
    """
    detections: list[Detection] = []
    for encoder in find_encoders(graph):
        detections += _read_encoder(graph, encoder)
    return _merge(graph, detections)


def find_variant_texts(graph: Graph, detections: Iterable[Detection]) -> Iterator[Detection]:
    """Detect the texts that differ from the first text of their detection. Each can be given its
    own value.
    """
    for detection in detections:
        if detection.role not in ("prompt", "negative_prompt"):
            continue
        by_text: dict[str, list[Slot]] = {}
        for slot in detection.slots:
            text = str(graph.value(slot))
            alike = by_text.setdefault(text, [])
            alike.append(slot)
        # The first text is that of the detection itself.
        others = list(by_text.values())[1:]
        for slots in others:
            yield Detection(
                role=detection.role,
                parts={"": tuple(slots)},
                why=f"another text than {detection.first.input} had; left empty, it is the same",
                keys={"optional": True, "default": ""},
                is_secondary=True,
                is_variant=True,
            )


def find_texts_by_name(graph: Graph, samples: bool) -> list[Detection]:
    """Detect texts by the names of their inputs, for nodes that generate on their own or pass a
    text to a service.

    If the workflow `samples`, nodes that make a conditioning are skipped: no sampler reads theirs.
    """
    detections: list[Detection] = []
    for node_id in graph.order:
        if samples and "CONDITIONING" in graph.output_types(node_id):
            continue
        for name in graph.node(node_id).inputs:
            slot = Slot(node_id, name)
            last = slot.last_part.lower()
            if not _is_text(graph, slot) or not _is_prompt_name(last):
                continue
            role = _find_named_role(last)
            why = f"{name} of {graph.describe(node_id)}"
            detections += _read_input(graph, slot, role, why)
    return _merge(graph, detections)


def _find_named_role(name: str) -> str:
    """Find the role of a text that no sampler reads, by the name of its input."""
    if name.startswith("text") and "prompt" not in name:
        return "text"
    return _find_role(name, "neg" in name)


def find_encoders(graph: Graph) -> list[Encoder]:
    """Find the encoders behind every place where conditionings end, in the order in which these
    run.
    """
    found: dict[str, Encoder] = {}
    for node_id in graph.order:
        # A node that gives a conditioning is no end; the walk reaches it from one.
        if "CONDITIONING" in graph.output_types(node_id):
            continue
        conditionings = _find_conditionings(graph, node_id)
        for name in sorted(conditionings, key=_is_negative):
            for behind, negative in _walk(graph, node_id, name):
                encoder = Encoder(
                    node_id=behind,
                    feeds=Slot(node_id, name),
                    is_negative=negative,
                    is_late=bool(_find_conditionings(graph, behind)),
                )
                if behind not in found or _rank(encoder) < _rank(found[behind]):
                    found[behind] = encoder
    return sorted(found.values(), key=lambda encoder: encoder.is_late)


def _rank(encoder: Encoder) -> int:
    """Rank what an encoder's text may be: positive before negative, and second conditionings, which
    may be either, last.
    """
    if encoder.is_negative:
        return 1
    return 2 if encoder.is_weak else 0


def _find_conditionings(graph: Graph, node_id: str, wild: bool = False) -> dict[str, Link]:
    """Find the conditionings that feed a node; with `wild`, also links of unknown type. Of a class
    that the server lacks, only the names of the inputs tell.
    """
    if graph.node(node_id).class_type in graph.object_info:
        return graph.links_of(node_id, "CONDITIONING", wild=wild)
    found = {}
    for name, link in graph.links.get(node_id, {}).items():
        if name in ("positive", "negative"):
            found[name] = link
    return found


def _walk(graph: Graph, node_id: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield the encoders behind one conditioning input, nearest first, and whether each is negative
    there.
    """
    queue = [(graph.links[node_id][name], _is_negative(name))]
    seen: set[tuple[str, bool]] = set()
    while queue:
        link, negative = queue.pop(0)
        place = (link.node_id, negative)
        if place in seen:
            continue
        node = graph.node(link.node_id)
        # What is zeroed out has no effect, whatever its text says.
        if "ZeroOut" in node.class_type:
            continue
        seen.add(place)
        if _list_texts(graph, node.id):
            yield place
        queue += _pass_on(graph, link, negative)


def _list_texts(graph: Graph, node_id: str) -> list[Slot]:
    """List the inputs of a node that take a text."""
    slots = [Slot(node_id, name) for name in graph.node(node_id).inputs]
    return [slot for slot in slots if _is_text(graph, slot)]


def _pass_on(graph: Graph, link: Link, negative: bool) -> list[tuple[Link, bool]]:
    """Return the conditionings that one output is made of, and whether each is negative there: its
    own one of two, else all of them.
    """
    conditionings = _find_conditionings(graph, link.node_id, wild=True)
    positives: list[Link] = []
    negatives: list[Link] = []
    for name, found in conditionings.items():
        if _is_negative(name):
            negatives.append(found)
        else:
            positives.append(found)
    types = graph.output_types(link.node_id)
    outputs = [index for index, kind in enumerate(types) if kind == "CONDITIONING"]
    if len(outputs) > 1 and link.slot in outputs and positives and negatives:
        # The second output carries the negative one.
        own = negatives if link.slot == outputs[1] else positives
        return [(found, negative) for found in own]
    passed = []
    for name, found in conditionings.items():
        passed.append((found, negative or _is_negative(name)))
    return passed


def _read_encoder(graph: Graph, encoder: Encoder) -> list[Detection]:
    """Detect the texts of an encoder. Inputs for its text models are filled together."""
    texts = _list_texts(graph, encoder.node_id)
    why = f"feeds {encoder.feeds.input} of {graph.describe(encoder.feeds.node_id)}"
    detections: list[Detection] = []
    parts = [slot for slot in texts if _is_encoder_part(graph, slot)]
    if parts:
        role = _find_role("", encoder.is_negative)
        detections.append(make_detection(role, parts, why))
    for slot in texts:
        if slot in parts:
            continue
        # A node with both texts names them, which counts more than what it feeds.
        negative = encoder.is_negative and "pos" not in slot.input
        if "neg" in slot.input:
            negative = True
        role = _find_role(slot.input, negative)
        detections += _read_input(graph, slot, role, why)
    return detections


def _is_encoder_part(graph: Graph, slot: Slot) -> bool:
    if not graph.is_settable(slot):
        return False
    return ENCODER_PARTS.fullmatch(slot.input) is not None


def _read_input(graph: Graph, slot: Slot, role: str, why: str) -> list[Detection]:
    """Detect the text behind an input. Of a text composed of several, the others are secondary."""
    sources = find_sources(graph, slot, "STRING")
    if not sources:
        return []
    main = max(sources, key=lambda source: _weigh(graph, source))
    detections = [make_detection(role, [main.slot], why)]
    for source in sources:
        if source is not main:
            detections.append(make_detection(role, [source.slot], why, is_secondary=True))
    return detections


def _weigh(graph: Graph, source: TracedValue) -> tuple[bool, bool, int]:
    """Weigh how likely a text is the main one: it arrives unchanged, nothing feeds its node, it is
    long.
    """
    slot = source.slot
    is_fed = bool(graph.links.get(slot.node_id))
    length = len(str(graph.value(slot)))
    return source.is_same, not is_fed, length


def _merge(graph: Graph, detections: list[Detection]) -> list[Detection]:
    """Join inputs that are the same, or that have the same text and role. Positive ones
    come first.
    """
    merged: list[Detection] = []
    # Where in `merged` the detection of a role and of these texts is.
    known: dict[tuple[str, frozenset[str]], int] = {}
    taken: set[Slot] = set()
    for detection in _put_positive_first(detections):
        slots = tuple(slot for slot in detection.slots if slot not in taken)
        if not slots:
            continue
        taken.update(slots)
        texts = frozenset(str(graph.value(slot)).strip() for slot in slots)
        key = (detection.role, texts)
        if key in known:
            index = known[key]
            twin = merged[index]
            merged[index] = replace(twin, parts={"": (*twin.slots, *slots)})
            continue
        # Empty texts may become different ones, so that each stays by itself. Negative texts are
        # often left empty, and are then alike.
        is_blank = texts == {""}
        if not is_blank or detection.role == "negative_prompt":
            known[key] = len(merged)
        merged.append(replace(detection, parts={"": slots}))
    return merged


def _put_positive_first(detections: Iterable[Detection]) -> list[Detection]:
    positive: list[Detection] = []
    negative: list[Detection] = []
    for detection in detections:
        if detection.role == "negative_prompt":
            negative.append(detection)
        else:
            positive.append(detection)
    return positive + negative


def _is_text(graph: Graph, slot: Slot) -> bool:
    """Whether an input takes a text, literal or linked."""
    spec = graph.spec(slot)
    if spec is None:
        if slot.input not in graph.links.get(slot.node_id, {}):
            return False
        return graph.link_types(slot.node_id, slot.input) == {"STRING"}
    if spec.choices is not None or spec.media is not None:
        return False
    return "STRING" in spec.types and slot.input not in NOT_TEXTS


def _is_negative(name: str) -> bool:
    if name == "empty_conditioning":
        return True
    lower = name.lower()
    return "neg" in lower or "uncond" in lower


def _is_prompt_name(name: str) -> bool:
    return name in PROMPT_NAMES or PROMPT_PATTERN.fullmatch(name) is not None


def _find_role(name: str, negative: bool) -> str:
    if negative:
        return "negative_prompt"
    return OWN_ROLES.get(name, "prompt")
