"""Kinds of workflows: what goes in and what comes out, as the title, the description and the
questions of a draft.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.forms.drafting.finding import Catch
from comfygradio.forms.drafting.graph import Graph

QUESTION = "What do you want to see?"


@dataclass(frozen=True)
class Kind:
    """What a workflow does, in words for people; `question` is the label of its main text."""

    title: str
    description: str
    icon: str
    question: str = QUESTION


KINDS = {
    "text to image": Kind("Text to image", "Describe a picture in words, and it is painted.", "🎨"),
    "guided": Kind(
        "Picture from a guide", "A picture of yours guides what is painted from words.", "🧭"
    ),
    "image to image": Kind(
        "Image to image",
        "Paint a picture of yours anew, guided by words.",
        "🖼️",
        "What should it become?",
    ),
    "edit": Kind(
        "Edit a picture", "Say what should change in your picture.", "🪄", "What should change?"
    ),
    "inpaint": Kind(
        "Inpaint",
        "Paint over a part of your picture, and say what should be there.",
        "🖌️",
        "What should be there?",
    ),
    "outpaint": Kind(
        "Outpaint", "Extend your picture beyond its edges.", "🖼️", "What should be there?"
    ),
    "upscale": Kind("Upscale", "Make a small picture large and crisp.", "🔍"),
    "picture": Kind("Work on a picture", "Your picture goes in, and a new one comes out.", "🖼️"),
    "make picture": Kind("Make a picture", "Set the values, and a picture is made.", "🖼️"),
    "text to video": Kind("Text to video", "Describe a scene in words, and it is filmed.", "🎬"),
    "image to video": Kind(
        "Image to video", "Bring a picture of yours to life.", "🎬", "What should happen?"
    ),
    "video to video": Kind(
        "Video to video", "Turn a video of yours into another one.", "🎞️", "What should it become?"
    ),
    "make video": Kind("Make a video", "Set the values, and a video is made.", "🎬"),
    "audio": Kind(
        "Text to audio",
        "Describe a sound in words, and it is played.",
        "🎵",
        "What do you want to hear?",
    ),
    "audio to audio": Kind(
        "Audio to audio", "Turn a sound of yours into another one.", "🎵", "What should it become?"
    ),
    "3d": Kind(
        "Text to 3D",
        "Describe a thing in words, and it is modelled.",
        "🧊",
        "What should be modelled?",
    ),
    "image to 3d": Kind(
        "Image to 3D", "Make a 3D model of a picture.", "🧊", "What should be modelled?"
    ),
    "make audio": Kind("Make a sound", "Set the values, and a sound is made.", "🎵"),
    "make 3d": Kind("Make a 3D model", "Set the values, and a 3D model is made.", "🧊"),
    "text": Kind(
        "Ask a model", "Write a question, and read the answer.", "💬", "What do you want to know?"
    ),
    "text about picture": Kind(
        "Ask about a picture",
        "Ask something about it, and read the answer.",
        "💬",
        "What do you want to know?",
    ),
    "make text": Kind("Work out a text", "Set the values, and read the result.", "📝"),
}
"""Every kind that is told apart."""

GUIDES = ("controlnet", "style_model", "clip_vision", "model_patch")
"""Roles of models that look at a picture without painting it anew."""

THREE_D = frozenset({"MESH", "VOXEL", "SPLAT", "POINT_CLOUD", "LOAD_3D", "FILE_3D_GLB"})


def find_kind(graph: Graph, catch: Catch) -> Kind:
    """The kind of a workflow, by what was found in it."""
    name_kind = KIND_OF[find_medium(graph)]
    return KINDS[name_kind(graph, catch)]


def find_medium(graph: Graph) -> str:
    """What comes out: "3d", "video", "image", "audio" or "text"; of several, the first of these."""
    found: set[str] = set()
    for node_id in graph.outputs:
        found |= _find_media(graph, node_id)
    for medium in ("3d", "video", "image", "audio", "text"):
        if medium in found:
            return medium
    return "image"


def starts_from_picture(graph: Graph, samplers: tuple[str, ...]) -> bool:
    """Whether the first sampler begins with a picture of the person instead of noise."""
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
        if not latents and node_id != samplers[0] and graph.links_of(node_id, "IMAGE"):
            return True
        queue += [link.node_id for link in latents.values()]
    return False


def _find_media(graph: Graph, node_id: str) -> set[str]:
    class_type = graph.node(node_id).class_type
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
    if types & THREE_D or any("3D" in text for text in (class_type, *types)):
        found.add("3d")
    return found or {"text"}


def _name_image(graph: Graph, catch: Catch) -> str:
    has_picture = catch.has("image", "mask")
    if not catch.has("prompt", "tags"):
        if not has_picture and not catch.has("video"):
            return "make picture"
        return "upscale" if _upscales(graph, catch) else "picture"
    if not has_picture:
        return "text to image"
    conditioners = _list_conditioners(graph)
    for kind in ("outpaint", "upscale"):
        if any(kind in class_type.lower() for class_type in conditioners):
            return kind
    if catch.has("mask"):
        return "inpaint"
    if catch.has("strength"):
        return "image to image"
    return "guided" if catch.has(*GUIDES) else "edit"


def _upscales(graph: Graph, catch: Catch) -> bool:
    if catch.has("upscale_model"):
        return True
    return any("upscal" in class_type.lower() for class_type in graph.workflow.class_types)


def _list_conditioners(graph: Graph) -> list[str]:
    """Classes of the nodes that take pictures and either conditionings or nothing else."""
    found = []
    for node_id in graph.order:
        if not graph.links_of(node_id, "IMAGE"):
            continue
        if graph.links_of(node_id, "CONDITIONING") or "MASK" in graph.output_types(node_id):
            found.append(graph.node(node_id).class_type)
    return found


def _name_video(graph: Graph, catch: Catch) -> str:
    if catch.has("video"):
        return "video to video"
    if catch.has("image", "mask"):
        return "image to video"
    if catch.has("prompt", "tags"):
        return "text to video"
    return "make video"


def _name_audio(graph: Graph, catch: Catch) -> str:
    if catch.has("audio", "video"):
        return "audio to audio"
    if catch.has("prompt", "text", "tags"):
        return "audio"
    return "make audio"


def _name_3d(graph: Graph, catch: Catch) -> str:
    if catch.has("image", "mask"):
        return "image to 3d"
    if catch.has("prompt", "text"):
        return "3d"
    return "make 3d"


def _name_text(graph: Graph, catch: Catch) -> str:
    if not catch.has("prompt", "text"):
        return "make text"
    if catch.has("image", "mask"):
        return "text about picture"
    return "text"


KIND_OF = {
    "image": _name_image,
    "video": _name_video,
    "audio": _name_audio,
    "3d": _name_3d,
    "text": _name_text,
}
