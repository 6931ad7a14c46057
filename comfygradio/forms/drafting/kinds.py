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
    return KINDS[KIND_OF[find_medium(graph)](graph, catch)]


def find_medium(graph: Graph) -> str:
    """What comes out: "3d", "video", "image", "audio" or "text"; of several, the first of these."""
    found = {medium for node_id in graph.outputs for medium in _find_media(graph, node_id)}
    return next(
        (medium for medium in ("3d", "video", "image", "audio", "text") if medium in found), "image"
    )


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
    node = graph.node(node_id)
    types = {
        kind for name in graph.links.get(node_id, {}) for kind in graph.link_types(node_id, name)
    }
    if any(word in node.class_type.lower() for word in ("animated", "webm", "video")):
        return {"video"}
    found = {"video"} if "VIDEO" in types else set()
    found |= {"audio"} if "AUDIO" in types else set()
    found |= {"image"} if types & {"IMAGE", "MASK", "SVG", "LATENT"} else set()
    found |= (
        {"3d"}
        if types & THREE_D or "3D" in node.class_type or any("3D" in kind for kind in types)
        else set()
    )
    return found or {"text"}


def _name_image(graph: Graph, catch: Catch) -> str:
    has_words, has_picture = catch.has("prompt", "tags"), catch.has("image", "mask")
    if not has_words:
        upscales = catch.has("upscale_model") or any(
            "upscal" in t.lower() for t in graph.workflow.class_types
        )
        return (
            ("upscale" if upscales else "picture")
            if has_picture or catch.has("video")
            else "make picture"
        )
    if not has_picture:
        return "text to image"
    for word, kind in (("outpaint", "outpaint"), ("upscale", "upscale")):
        if any(word in class_type.lower() for class_type in _list_conditioners(graph)):
            return kind
    if catch.has("mask"):
        return "inpaint"
    if catch.has("strength"):
        return "image to image"
    return "guided" if catch.has(*GUIDES) else "edit"


def _list_conditioners(graph: Graph) -> list[str]:
    """Classes of the nodes that take pictures and either conditionings or nothing else."""
    nodes = [node_id for node_id in graph.order if graph.links_of(node_id, "IMAGE")]
    kept = [
        n for n in nodes if graph.links_of(n, "CONDITIONING") or "MASK" in graph.output_types(n)
    ]
    return [graph.node(node_id).class_type for node_id in kept]


def _name_video(graph: Graph, catch: Catch) -> str:
    if catch.has("video"):
        return "video to video"
    if catch.has("image", "mask"):
        return "image to video"
    return "text to video" if catch.has("prompt", "tags") else "make video"


def _name_audio(graph: Graph, catch: Catch) -> str:
    if catch.has("audio", "video"):
        return "audio to audio"
    return "audio" if catch.has("prompt", "text", "tags") else "make audio"


def _name_3d(graph: Graph, catch: Catch) -> str:
    if catch.has("image", "mask"):
        return "image to 3d"
    return "3d" if catch.has("prompt", "text") else "make 3d"


def _name_text(graph: Graph, catch: Catch) -> str:
    if catch.has("prompt", "text"):
        return "text about picture" if catch.has("image", "mask") else "text"
    return "make text"


KIND_OF = {
    "image": _name_image,
    "video": _name_video,
    "audio": _name_audio,
    "3d": _name_3d,
    "text": _name_text,
}
