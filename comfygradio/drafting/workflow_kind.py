"""Kinds of workflows by input and output: title, description and prompt label of a draft."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.drafting.detection import Detections
from comfygradio.drafting.graph import Graph

DEFAULT_QUESTION = "What do you want to see?"


@dataclass(frozen=True)
class WorkflowKind:
    """What a workflow does, in words for people. `question` is the label of its main text."""

    title: str
    description: str
    icon: str
    question: str = DEFAULT_QUESTION


KINDS = {
    "text to image": WorkflowKind(
        "Text to image", "Describe a picture in words, and it is painted.", "🎨"
    ),
    "guided": WorkflowKind(
        "Picture from a guide", "A picture of yours guides what is painted from words.", "🧭"
    ),
    "image to image": WorkflowKind(
        "Change a picture",
        "Paint a picture of yours anew, guided by words.",
        "🖼️",
        "What should it become?",
    ),
    "edit": WorkflowKind(
        "Edit a picture", "Say what should change in your picture.", "🪄", "What should change?"
    ),
    "inpaint": WorkflowKind(
        "Repaint a part",
        "Paint over a part of your picture, and say what should be there.",
        "🖌️",
        "What should be there?",
    ),
    "outpaint": WorkflowKind(
        "Outpaint", "Extend your picture beyond its edges.", "🖼️", "What should be there?"
    ),
    "upscale": WorkflowKind("Enlarge", "Make a small picture large and crisp.", "🔍"),
    "picture": WorkflowKind(
        "Work on a picture", "Your picture goes in, and a new one comes out.", "🖼️"
    ),
    "make picture": WorkflowKind("Make a picture", "Set the values, and a picture is made.", "🖼️"),
    "text to video": WorkflowKind(
        "Text to video", "Describe a scene in words, and it is filmed.", "🎬"
    ),
    "image to video": WorkflowKind(
        "Image to video", "Bring a picture of yours to life.", "🎬", "What should happen?"
    ),
    "video to video": WorkflowKind(
        "Video to video", "Turn a video of yours into another one.", "🎞️", "What should it become?"
    ),
    "make video": WorkflowKind("Make a video", "Set the values, and a video is made.", "🎬"),
    "audio": WorkflowKind(
        "Text to audio",
        "Describe a sound in words, and it is played.",
        "🎵",
        "What do you want to hear?",
    ),
    "audio to audio": WorkflowKind(
        "Audio to audio", "Turn a sound of yours into another one.", "🎵", "What should it become?"
    ),
    "3d": WorkflowKind(
        "Text to 3D",
        "Describe a thing in words, and it is modelled.",
        "🧊",
        "What should be modelled?",
    ),
    "image to 3d": WorkflowKind(
        "Image to 3D", "Make a 3D model of a picture.", "🧊", "What should be modelled?"
    ),
    "make audio": WorkflowKind("Make a sound", "Set the values, and a sound is made.", "🎵"),
    "make 3d": WorkflowKind("Make a 3D model", "Set the values, and a 3D model is made.", "🧊"),
    "text": WorkflowKind(
        "Ask a model", "Write a question, and read the answer.", "💬", "What do you want to know?"
    ),
    "text about picture": WorkflowKind(
        "Ask about a picture",
        "Ask something about it, and read the answer.",
        "💬",
        "What do you want to know?",
    ),
    "make text": WorkflowKind("Work out a text", "Set the values, and read the result.", "📝"),
}
"""Every kind of workflow."""

GUIDES = ("controlnet", "style_model", "clip_vision", "model_patch")
"""Roles of models that use a picture as guidance and do not repaint it."""

TYPES_3D = frozenset({"MESH", "VOXEL", "SPLAT", "POINT_CLOUD", "LOAD_3D", "FILE_3D_GLB"})


def find_workflow_kind(graph: Graph, detections: Detections) -> WorkflowKind:
    """Find the kind of a workflow from what was detected in it."""
    name_kind = KIND_OF[find_medium(graph)]
    return KINDS[name_kind(graph, detections)]


def find_medium(graph: Graph) -> str:
    """Return the output medium: "3d", "video", "image", "audio" or "text"; of several, the first of
    these.
    """
    found: set[str] = set()
    for node_id in graph.outputs:
        found |= _find_media(graph, node_id)
    for medium in ("3d", "video", "image", "audio", "text"):
        if medium in found:
            return medium
    return "image"


def starts_from_picture(graph: Graph, samplers: tuple[str, ...]) -> bool:
    """Whether the first sampler starts from an uploaded picture instead of noise."""
    if not samplers:
        return False
    seen: set[str] = set()
    queue = [samplers[0]]
    while queue:
        node_id = queue.pop()
        if node_id in seen:
            continue
        seen.add(node_id)
        latents = graph.links_of(node_id, "LATENT")
        # Where the chain of latents begins: a picture that is encoded there is what it starts from.
        is_source = not latents and node_id != samplers[0]
        if is_source and graph.links_of(node_id, "IMAGE"):
            return True
        queue += [link.node_id for link in latents.values()]
    return False


def _find_media(graph: Graph, node_id: str) -> set[str]:
    class_type = graph.node(node_id).class_type
    # Nodes that write videos may take single pictures, so that their inputs do not tell.
    if any(word in class_type.lower() for word in ("animated", "webm", "video")):
        return {"video"}
    types: set[str] = set()
    for name in graph.links.get(node_id, {}):
        types |= graph.link_types(node_id, name)
    found = set()
    if "VIDEO" in types:
        found.add("video")
    if "AUDIO" in types:
        found.add("audio")
    if types & {"IMAGE", "MASK", "SVG", "LATENT"}:
        found.add("image")
    names_3d = [name for name in (class_type, *types) if "3D" in name]
    if names_3d or types & TYPES_3D:
        found.add("3d")
    return found or {"text"}


def _name_image(graph: Graph, detections: Detections) -> str:
    has_picture = detections.has("image", "mask")
    if not detections.has("prompt", "tags"):
        if not has_picture and not detections.has("video"):
            return "make picture"
        return "upscale" if _upscales(graph, detections) else "picture"
    if not has_picture:
        return "text to image"
    conditioners = [class_type.lower() for class_type in _list_conditioners(graph)]
    for kind in ("outpaint", "upscale"):
        if any(kind in class_type for class_type in conditioners):
            return kind
    if detections.has("mask"):
        return "inpaint"
    if detections.has("strength"):
        return "image to image"
    return "guided" if detections.has(*GUIDES) else "edit"


def _upscales(graph: Graph, detections: Detections) -> bool:
    if detections.has("upscale_model"):
        return True
    names = [class_type.lower() for class_type in graph.workflow.class_types]
    return any("upscal" in name for name in names)


def _list_conditioners(graph: Graph) -> list[str]:
    """List the classes of nodes that take pictures, and take conditionings or make masks."""
    found = []
    for node_id in graph.order:
        if not graph.links_of(node_id, "IMAGE"):
            continue
        takes_conditioning = bool(graph.links_of(node_id, "CONDITIONING"))
        makes_mask = "MASK" in graph.output_types(node_id)
        if takes_conditioning or makes_mask:
            found.append(graph.node(node_id).class_type)
    return found


def _name_video(graph: Graph, detections: Detections) -> str:
    if detections.has("video"):
        return "video to video"
    if detections.has("image", "mask"):
        return "image to video"
    if detections.has("prompt", "tags"):
        return "text to video"
    return "make video"


def _name_audio(graph: Graph, detections: Detections) -> str:
    if detections.has("audio", "video"):
        return "audio to audio"
    if detections.has("prompt", "text", "tags"):
        return "audio"
    return "make audio"


def _name_3d(graph: Graph, detections: Detections) -> str:
    if detections.has("image", "mask"):
        return "image to 3d"
    if detections.has("prompt", "text"):
        return "3d"
    return "make 3d"


def _name_text(graph: Graph, detections: Detections) -> str:
    if not detections.has("prompt", "text"):
        return "make text"
    if detections.has("image", "mask"):
        return "text about picture"
    return "text"


KIND_OF = {
    "image": _name_image,
    "video": _name_video,
    "audio": _name_audio,
    "3d": _name_3d,
    "text": _name_text,
}
