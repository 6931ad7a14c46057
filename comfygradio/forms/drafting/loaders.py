"""Models, and files that people bring: what the loading nodes of a workflow read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.drafting.finding import Finding, plain
from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.names import is_model_name
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.rows import Rows, find_rows
from comfygradio.forms.slots import Slot

BY_NAME: Mapping[str, str] = {
    "ckpt_name": "checkpoint",
    "unet_name": "model",
    "vae_name": "vae",
    "control_net_name": "controlnet",
    "style_model_name": "style_model",
    "text_encoder": "text_encoder",
    "audio_encoder_name": "audio_encoder",
    "gligen_name": "gligen",
}
"""Names of inputs that load models, in ComfyUI's own nodes (v0.33.0)."""

BY_TYPE: Mapping[str, str] = {
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
"""What a loading node makes, where the name of its input does not tell."""

MEDIA: Mapping[str, Widget] = {"image": "image", "video": "video", "audio": "audio", "file": "file"}


def find_models(graph: Graph, ranks: Mapping[str, int]) -> list[Finding]:
    """One finding for each model file; the same file loaded in the same way by several nodes is
    one.
    """
    nodes = sorted(
        graph.order, key=lambda n: ("MODEL" not in graph.output_types(n), ranks.get(n, len(ranks)))
    )
    found: dict[tuple[str, str, str], list[Slot]] = {}
    for slot in (slot for node_id in nodes for slot in graph.literals(node_id)):
        spec = graph.spec(slot)
        role = _find_role(graph, slot, spec) if spec and "lora" not in slot.input else None
        if role is not None:
            found.setdefault((role, slot.input, str(graph.value(slot))), []).append(slot)
    return [
        plain(
            role,
            slots,
            graph.tell(slots),
            is_side=role == "checkpoint" and not _makes_model(graph, slots[0]),
        )
        for (role, _, _), slots in found.items()
    ]


def _makes_model(graph: Graph, slot: Slot) -> bool:
    makes = graph.output_types(slot.node_id)
    return "MODEL" in makes or not makes


def find_loras(graph: Graph) -> list[Finding]:
    """One list for the loaders of each chain, in the order of the chain."""
    stacks = [rows for node_id in graph.order if (rows := read_rows(graph, node_id))]
    stacked = {rows.node_id for rows in stacks}
    loaders = [
        slot
        for node_id in graph.order
        for slot in graph.literals(node_id)
        if node_id not in stacked and _loads_lora(graph, slot)
    ]
    chains: list[list[Slot]] = []
    for slot in loaders:
        link = graph.links[slot.node_id].get("model")
        chain = next((c for c in chains if link and c[-1].node_id == link.node_id), None)
        if chain is None:
            chains.append([slot])
        else:
            chain.append(slot)
    lone = [
        slot
        for node_id in graph.order
        for slot in graph.literals(node_id)
        if node_id not in stacked and _names_lora(graph, slot)
    ]
    lone = [slot for slot in lone if slot not in loaders]
    found = [_describe_chain(graph, chain) for chain in chains]
    found += [_describe_rows(graph, rows) for rows in stacks]
    return [*found, *(plain("lora", [slot], graph.tell([slot])) for slot in lone)]


def list_strengths(graph: Graph, slot: Slot) -> list[Slot]:
    """The strengths that stand beside a LoRA's name; of rows everything that belongs to them."""
    rows = read_rows(graph, slot.node_id)
    if rows is not None:
        names = [name for row in rows.rows for name in row.inputs if name != row.name]
        return [Slot(slot.node_id, name) for name in (*names, rows.count) if name]
    return [found for found in graph.literals(slot.node_id) if found.input.startswith("strength")]


def read_rows(graph: Graph, node_id: str) -> Rows | None:
    """The rows of LoRAs that a node has, if each of them can be left out."""
    inputs = graph.node(node_id).inputs
    rows = find_rows(node_id, inputs, {name: graph.spec(Slot(node_id, name)) for name in inputs})
    return rows if rows and rows.can_be_empty else None


def find_media(graph: Graph) -> Iterator[Finding]:
    """Pictures, videos, sounds and other files that are uploaded; pictures whose mask is used are
    painted on.
    """
    for node_id in graph.order:
        for slot in graph.literals(node_id):
            spec = graph.spec(slot)
            kind = MEDIA.get(spec.media or "") if spec else None
            if kind == "image" and graph.output_types(node_id)[:1] == ("MASK",):
                widget = "mask" if graph.node(node_id).inputs.get("channel") == "alpha" else "image"
                yield plain("mask", [slot], f"the mask of {graph.describe(node_id)}", widget=widget)
            elif kind == "image" and _gives_mask(graph, node_id):
                yield plain(
                    "mask", [slot], f"the mask of {graph.describe(node_id)} is used", widget="mask"
                )
            elif kind is not None:
                # Where the server does not say that a list is an upload, the preset does.
                keys = {"widget": kind} if spec and spec.guessed else {}
                why = f"{kind} of {graph.describe(node_id)}"
                yield Finding(kind, {"": (slot,)}, why, keys)


def find_purpose(graph: Graph, node_id: str) -> str:
    """The name of the input for which a loaded picture is meant, such as start_image; "" where it
    tells nothing.
    """
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        uses = graph.uses.get(node_id, ())
        names = {use.input.rpartition(".")[2] for use in uses}
        ends = {use.node_id for use in uses if "IMAGE" not in graph.output_types(use.node_id)}
        if len(uses) != 1:
            return _read_purpose(names) if uses and len(names) == 1 else ""
        if ends:
            return _read_purpose(names)
        node_id = uses[0].node_id
    return ""


def _read_purpose(names: set[str]) -> str:
    name = next(iter(names))
    return (
        name
        if "_" in name and name.rpartition("_")[2] in ("image", "frame", "video", "audio")
        else ""
    )


def _find_role(graph: Graph, slot: Slot, spec: InputSpec) -> str | None:
    if spec.media or not (spec.choices is not None or spec.type == "STRING"):
        return None
    makes = graph.output_types(slot.node_id)
    named = BY_NAME.get(slot.input)
    if named:
        return named
    if slot.input == "filename_prefix":
        return None
    made = next((BY_TYPE[kind] for kind in makes if kind in BY_TYPE), None)
    if is_model_name(graph.value(slot)):
        return made or "model_file"
    return made if slot.input.endswith("_name") and not graph.links.get(slot.node_id) else None


def _names_lora(graph: Graph, slot: Slot) -> bool:
    spec = graph.spec(slot)
    is_file = spec is not None and (spec.choices is not None or is_model_name(graph.value(slot)))
    return is_file and "lora" in slot.input.lower() and not slot.input.startswith("strength")


def _loads_lora(graph: Graph, slot: Slot) -> bool:
    """Whether a node stands in a chain, so that it can be bypassed: what it gives on, it also
    takes.
    """
    makes, links = graph.output_types(slot.node_id), graph.links[slot.node_id]
    used = {
        makes[use.output]
        for use in graph.uses.get(slot.node_id, ())
        if 0 <= use.output < len(makes)
    }
    taken = {kind for name in links for kind in graph.link_types(slot.node_id, name)}
    return _names_lora(graph, slot) and "model" in links and used <= taken


def _describe_chain(graph: Graph, chain: list[Slot]) -> Finding:
    more = f" and {len(chain) - 1} more behind it" if len(chain) > 1 else ""
    return plain(
        "loras",
        chain,
        f"{chain[0].input} of {graph.describe(chain[0].node_id)}{more}",
        widget="loras",
    )


def _describe_rows(graph: Graph, rows: Rows) -> Finding:
    slots = [Slot(rows.node_id, row.name) for row in rows.rows]
    why = f"{len(slots)} rows of {graph.describe(rows.node_id)}"
    return plain("loras", slots, why, widget="loras")


def _gives_mask(graph: Graph, node_id: str) -> bool:
    makes = graph.output_types(node_id)
    masks = {index for index, kind in enumerate(makes) if kind == "MASK"}
    uses = [use for use in graph.uses.get(node_id, ()) if use.output in masks]
    return any(not _keeps_alpha(graph, use.node_id) for use in uses)


def _keeps_alpha(graph: Graph, node_id: str) -> bool:
    """Whether a mask is only joined to the picture again as its transparency."""
    if "JoinImageWithAlpha" in graph.node(node_id).class_type:
        return True
    uses = graph.uses.get(node_id, ())
    return (
        bool(uses)
        and graph.output_types(node_id) == ("MASK",)
        and all(_joins(graph, use.node_id) for use in uses)
    )


def _joins(graph: Graph, node_id: str) -> bool:
    return "JoinImageWithAlpha" in graph.node(node_id).class_type
