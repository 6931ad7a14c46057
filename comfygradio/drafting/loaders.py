"""Detect models and uploaded files: what the loaders of a workflow read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.comfy.workflow import Link
from comfygradio.drafting.detection import Detection, make_detection
from comfygradio.drafting.graph import Graph
from comfygradio.drafting.trace import get_rank
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

    # The diffusion model first, then what belongs to it, each in the order of the samplers.
    def place(node_id: str) -> tuple[bool, int]:
        makes_model = "MODEL" in graph.output_types(node_id)
        return not makes_model, get_rank(ranks, node_id)

    groups: dict[tuple[str, str, str], list[Slot]] = {}
    for node_id in sorted(graph.order, key=place):
        for slot in graph.list_settable(node_id):
            role = _find_role(graph, slot)
            if role is None:
                continue
            value = str(graph.value(slot))
            group = groups.setdefault((role, slot.input, value), [])
            group.append(slot)
    found = []
    for (role, _, _), slots in groups.items():
        is_side = role == "checkpoint" and not _makes_model(graph, slots[0])
        found.append(make_detection(role, slots, graph.describe_slots(slots), is_side))
    return found


def _makes_model(graph: Graph, slot: Slot) -> bool:
    """Whether a loader gives a model, as far as the server knows its class."""
    makes = graph.output_types(slot.node_id)
    return "MODEL" in makes or not makes


def find_loras(graph: Graph) -> list[Detection]:
    """Detect one LoRA list for the loaders of each chain, in the order of the chain."""
    stacks: list[LoraStack] = []
    loaders: list[Slot] = []
    lone: list[Slot] = []
    for node_id in graph.order:
        stack = find_lora_rows(graph, node_id)
        # Rows are a list by themselves, whose inputs are no loaders.
        if stack is not None:
            stacks.append(stack)
            continue
        for slot in graph.list_settable(node_id):
            if _loads_lora(graph, slot):
                loaders.append(slot)
            elif _names_lora(graph, slot):
                lone.append(slot)
    chains = _link_chains(graph, loaders)
    found = [_describe_chain(graph, chain) for chain in chains]
    found += [_describe_rows(graph, stack) for stack in stacks]
    for slot in lone:
        found.append(make_detection("lora", [slot], graph.describe_slots([slot])))
    return found


def _link_chains(graph: Graph, loaders: list[Slot]) -> list[list[Slot]]:
    """Group the loaders that feed each other."""
    chains: list[list[Slot]] = []
    for slot in loaders:
        link = graph.links[slot.node_id].get("model")
        chain = _find_chain(chains, link)
        if chain is None:
            chains.append([slot])
        else:
            chain.append(slot)
    return chains


def _find_chain(chains: list[list[Slot]], link: Link | None) -> list[Slot] | None:
    """Find the chain whose last loader so far gives this link."""
    for chain in chains:
        last = chain[-1]
        if link is not None and link.node_id == last.node_id:
            return chain
    return None


def list_strengths(graph: Graph, slot: Slot) -> list[Slot]:
    """List the strengths beside a LoRA's name; for a row, everything that belongs to it."""
    stack = find_lora_rows(graph, slot.node_id)
    if stack is None:
        own = graph.list_settable(slot.node_id)
        return [found for found in own if found.input.startswith("strength")]
    names: list[str] = []
    for row in stack.rows:
        names += [name for name in row.inputs if name and name != row.name]
    if stack.count:
        names.append(stack.count)
    return [Slot(slot.node_id, name) for name in names]


def find_lora_rows(graph: Graph, node_id: str) -> LoraStack | None:
    """Find the rows of LoRAs of a node, if each of them can be left out."""
    inputs = graph.node(node_id).inputs
    specs = {name: graph.spec(Slot(node_id, name)) for name in inputs}
    stack = find_lora_stack(node_id, inputs, specs)
    if stack is None or not stack.can_be_empty:
        return None
    return stack


def find_media(graph: Graph) -> Iterator[Detection]:
    """Detect uploaded pictures, videos, sounds and other files. A picture whose mask is used is
    painted on.
    """
    for node_id in graph.order:
        for slot in graph.list_settable(node_id):
            spec = graph.spec(slot)
            if spec is None or spec.media is None:
                continue
            kind = MEDIA_WIDGETS.get(spec.media)
            if kind is not None:
                yield _describe_file(graph, slot, spec, kind)


def _describe_file(graph: Graph, slot: Slot, spec: InputSpec, kind: Widget) -> Detection:
    node = graph.node(slot.node_id)
    name = graph.describe(node.id)
    if kind == "image":
        first_output = graph.output_types(node.id)[:1]
        if first_output == ("MASK",):
            # Only a mask that lies in the transparency of a picture can be painted on it.
            widget = "mask" if node.inputs.get("channel") == "alpha" else "image"
            return make_detection("mask", [slot], f"the mask of {name}", widget=widget)
        if _gives_mask(graph, node.id):
            return make_detection("mask", [slot], f"the mask of {name} is used", widget="mask")
    why = f"{kind} of {name}"
    if spec.guessed:
        # Where the server does not say that a list is an upload, the preset does.
        return make_detection(kind, [slot], why, widget=kind)
    return make_detection(kind, [slot], why)


def find_purpose(graph: Graph, node_id: str) -> str:
    """Find the name of the input that a loaded picture is meant for, such as start_image; "" if it
    tells nothing.
    """
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        uses = graph.uses.get(node_id, ())
        names = {Slot(use.node_id, use.input).last_part for use in uses}
        if len(names) != 1:
            return ""
        name = names.pop()
        user = uses[0].node_id
        if len(uses) > 1 or "IMAGE" not in graph.output_types(user):
            return name if _tells_purpose(name) else ""
        # The next node only works on the picture; what takes that tells the purpose.
        node_id = user
    return ""


def _tells_purpose(name: str) -> bool:
    """Whether the last of several words in a name tells what the input takes."""
    _, underscore, last = name.rpartition("_")
    return bool(underscore) and last in ("image", "frame", "video", "audio")


def _find_role(graph: Graph, slot: Slot) -> str | None:
    """Return the role of an input that loads a model, or None."""
    spec = graph.spec(slot)
    if spec is None or spec.media or "lora" in slot.input:
        return None
    if spec.choices is None and spec.type != "STRING":
        return None
    if slot.input in ROLE_BY_INPUT:
        return ROLE_BY_INPUT[slot.input]
    if slot.input == "filename_prefix":
        return None
    makes = graph.output_types(slot.node_id)
    roles = [ROLE_BY_TYPE[kind] for kind in makes if kind in ROLE_BY_TYPE]
    if is_model_name(graph.value(slot)):
        return roles[0] if roles else "model_file"
    # A node that takes a model from another one is no loader.
    is_fed = bool(graph.links.get(slot.node_id))
    if is_fed or not roles or not slot.input.endswith("_name"):
        return None
    return roles[0]


def _names_lora(graph: Graph, slot: Slot) -> bool:
    """Whether an input chooses a LoRA."""
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


def _describe_rows(graph: Graph, stack: LoraStack) -> Detection:
    slots = [Slot(stack.node_id, row.name) for row in stack.rows]
    node = graph.describe(stack.node_id)
    return make_detection("loras", slots, f"{len(slots)} rows of {node}", widget="loras")


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
    """Whether a node joins a picture and its transparency."""
    node = graph.node(node_id)
    return "JoinImageWithAlpha" in node.class_type
