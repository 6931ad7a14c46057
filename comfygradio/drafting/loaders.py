"""Detect models and uploaded files: what the loaders of a workflow read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.forms.kinds.lora_stack import LoraStack, find_lora_stack
from comfygradio.forms.kinds.model_name import is_model_name
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot

ROLE_BY_INPUT: Mapping[str, str] = {
    "ckpt_name": "checkpoint",
    "unet_name": "model",
    "vae_name": "vae",
    "control_net_name": "controlnet",
    "style_model_name": "style_model",
    "text_encoder": "text_encoder",
    "audio_encoder_name": "audio_encoder",
    "gligen_name": "gligen",
}
"""Names of inputs that load models in ComfyUI's own nodes (v0.33.0) → role."""

ROLE_BY_TYPE: Mapping[str, str] = {
    "MODEL": "model",
    "CLIP": "text_encoder",
    "CLIP_VISION": "clip_vision",
    "VAE": "vae",
    "CONTROL_NET": "controlnet",
    "UPSCALE_MODEL": "upscale_model",
    "LATENT_UPSCALE_MODEL": "upscale_model",
    "STYLE_MODEL": "style_model",
    "MODEL_PATCH": "model_patch",
    "AUDIO_ENCODER": "audio_encoder",
}
"""Output type of a loader → role, if the name of its input does not tell it."""

MEDIA_WIDGETS: Mapping[str, Widget] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "file",
}


def find_models(graph: Graph, ranks: Mapping[str, int]) -> list[Detection]:
    """Detect each model file. The same file, loaded in the same way by several nodes, is one
    detection.
    """

    def place(node_id: str) -> tuple[bool, int]:
        makes_model = "MODEL" in graph.output_types(node_id)
        return not makes_model, ranks.get(node_id, len(ranks))

    groups: dict[tuple[str, str, str], list[Slot]] = {}
    for node_id in sorted(graph.order, key=place):
        for slot in graph.list_settable(node_id):
            role = _find_role(graph, slot)
            if role is not None:
                key = (role, slot.input, str(graph.value(slot)))
                groups.setdefault(key, []).append(slot)
    found = []
    for (role, _, _), slots in groups.items():
        is_side = role == "checkpoint" and not _makes_model(graph, slots[0])
        found.append(make_detection(role, slots, graph.describe_slots(slots), is_side))
    return found


def _makes_model(graph: Graph, slot: Slot) -> bool:
    makes = graph.output_types(slot.node_id)
    return "MODEL" in makes or not makes


def find_loras(graph: Graph) -> list[Detection]:
    """Detect one LoRA list for the loaders of each chain, in the order of the chain."""
    stacks: list[LoraStack] = []
    loaders: list[Slot] = []
    lone: list[Slot] = []
    for node_id in graph.order:
        rows = find_lora_rows(graph, node_id)
        if rows is not None:
            stacks.append(rows)
            continue
        for slot in graph.list_settable(node_id):
            if _loads_lora(graph, slot):
                loaders.append(slot)
            elif _names_lora(graph, slot):
                lone.append(slot)
    found = [_describe_chain(graph, chain) for chain in _link_chains(graph, loaders)]
    found += [_describe_rows(graph, rows) for rows in stacks]
    found += [make_detection("lora", [slot], graph.describe_slots([slot])) for slot in lone]
    return found


def _link_chains(graph: Graph, loaders: list[Slot]) -> list[list[Slot]]:
    """Group the loaders that feed each other."""
    chains: list[list[Slot]] = []
    for slot in loaders:
        link = graph.links[slot.node_id].get("model")
        chain = None
        if link is not None:
            fed_by = link.node_id
            chain = next((known for known in chains if known[-1].node_id == fed_by), None)
        if chain is None:
            chains.append([slot])
        else:
            chain.append(slot)
    return chains


def list_strengths(graph: Graph, slot: Slot) -> list[Slot]:
    """List the strengths beside a LoRA's name; for a row, everything that belongs to it."""
    rows = find_lora_rows(graph, slot.node_id)
    if rows is None:
        own = graph.list_settable(slot.node_id)
        return [found for found in own if found.input.startswith("strength")]
    strengths = []
    for row in rows.rows:
        for name in row.inputs:
            if name and name != row.name:
                strengths.append(Slot(slot.node_id, name))
    if rows.count:
        strengths.append(Slot(slot.node_id, rows.count))
    return strengths


def find_lora_rows(graph: Graph, node_id: str) -> LoraStack | None:
    """Find the rows of LoRAs of a node, if each of them can be left out."""
    inputs = graph.node(node_id).inputs
    specs = {name: graph.spec(Slot(node_id, name)) for name in inputs}
    rows = find_lora_stack(node_id, inputs, specs)
    return rows if rows and rows.can_be_empty else None


def find_media(graph: Graph) -> Iterator[Detection]:
    """Detect uploaded pictures, videos, sounds and other files. A picture whose mask is used is
    painted on.
    """
    for node_id in graph.order:
        for slot in graph.list_settable(node_id):
            spec = graph.spec(slot)
            kind = MEDIA_WIDGETS.get(spec.media or "") if spec else None
            if spec is not None and kind is not None:
                yield _describe_file(graph, slot, spec, kind)


def _describe_file(graph: Graph, slot: Slot, spec: InputSpec, kind: Widget) -> Detection:
    node = graph.node(slot.node_id)
    name = graph.describe(node.id)
    if kind == "image":
        makes_mask = graph.output_types(node.id)[:1] == ("MASK",)
        if makes_mask:
            # Only a mask that lies in the transparency of a picture can be painted on it.
            widget = "mask" if node.inputs.get("channel") == "alpha" else "image"
            return make_detection("mask", [slot], f"the mask of {name}", widget=widget)
        if _gives_mask(graph, node.id):
            return make_detection("mask", [slot], f"the mask of {name} is used", widget="mask")
    # Where the server does not say that a list is an upload, the preset does.
    keys = {"widget": kind} if spec.guessed else {}
    return Detection(kind, {"": (slot,)}, f"{kind} of {name}", keys)


def find_purpose(graph: Graph, node_id: str) -> str:
    """Find the name of the input that a loaded picture is meant for, such as start_image; "" if it
    tells nothing.
    """
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        uses = graph.uses.get(node_id, ())
        names = {Slot(use.node_id, use.input).last_part for use in uses}
        if len(uses) != 1:
            return _read_purpose(names) if len(names) == 1 else ""
        user = uses[0].node_id
        if "IMAGE" not in graph.output_types(user):
            return _read_purpose(names)
        # The next node only works on the picture; what takes that tells the purpose.
        node_id = user
    return ""


def _read_purpose(names: set[str]) -> str:
    """Return the only name among these if its last word tells what it takes."""
    name = next(iter(names))
    _, underscore, last = name.rpartition("_")
    if underscore and last in ("image", "frame", "video", "audio"):
        return name
    return ""


def _find_role(graph: Graph, slot: Slot) -> str | None:
    """Return the role of an input that loads a model, or None."""
    spec = graph.spec(slot)
    if spec is None or spec.media or "lora" in slot.input:
        return None
    if spec.choices is None and spec.type != "STRING":
        return None
    named = ROLE_BY_INPUT.get(slot.input)
    if named:
        return named
    if slot.input == "filename_prefix":
        return None
    makes = graph.output_types(slot.node_id)
    made = next((ROLE_BY_TYPE[kind] for kind in makes if kind in ROLE_BY_TYPE), None)
    if is_model_name(graph.value(slot)):
        return made or "model_file"
    is_fed = bool(graph.links.get(slot.node_id))
    return made if slot.input.endswith("_name") and not is_fed else None


def _names_lora(graph: Graph, slot: Slot) -> bool:
    if "lora" not in slot.input.lower() or slot.input.startswith("strength"):
        return False
    spec = graph.spec(slot)
    if spec is None:
        return False
    return spec.choices is not None or is_model_name(graph.value(slot))


def _loads_lora(graph: Graph, slot: Slot) -> bool:
    """Whether a node is part of a chain, so that it can be bypassed: it takes the types that it
    outputs.
    """
    links = graph.links[slot.node_id]
    if "model" not in links or not _names_lora(graph, slot):
        return False
    makes = graph.output_types(slot.node_id)
    used = set()
    for use in graph.uses.get(slot.node_id, ()):
        if 0 <= use.output < len(makes):
            used.add(makes[use.output])
    taken: set[str] = set()
    for name in links:
        taken |= graph.link_types(slot.node_id, name)
    return used <= taken


def _describe_chain(graph: Graph, chain: list[Slot]) -> Detection:
    first = chain[0]
    why = f"{first.input} of {graph.describe(first.node_id)}"
    if len(chain) > 1:
        why += f" and {len(chain) - 1} more behind it"
    return make_detection("loras", chain, why, widget="loras")


def _describe_rows(graph: Graph, rows: LoraStack) -> Detection:
    slots = [Slot(rows.node_id, row.name) for row in rows.rows]
    why = f"{len(slots)} rows of {graph.describe(rows.node_id)}"
    return make_detection("loras", slots, why, widget="loras")


def _gives_mask(graph: Graph, node_id: str) -> bool:
    """Whether a node's mask is used for more than the transparency that it came from."""
    makes = graph.output_types(node_id)
    masks = [index for index, kind in enumerate(makes) if kind == "MASK"]
    for use in graph.uses.get(node_id, ()):
        if use.output in masks and not _keeps_alpha(graph, use.node_id):
            return True
    return False


def _keeps_alpha(graph: Graph, node_id: str) -> bool:
    """Whether a mask is only joined to the picture again as its transparency."""
    if _joins(graph, node_id):
        return True
    uses = graph.uses.get(node_id, ())
    if not uses or graph.output_types(node_id) != ("MASK",):
        return False
    return all(_joins(graph, use.node_id) for use in uses)


def _joins(graph: Graph, node_id: str) -> bool:
    return "JoinImageWithAlpha" in graph.node(node_id).class_type
