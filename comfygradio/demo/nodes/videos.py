"""Video nodes: pictures and sound to clips, clips to files and back."""

from __future__ import annotations

from fractions import Fraction

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs
from comfygradio.demo.media.sound import Audio
from comfygradio.demo.media.video import (
    SUFFIXES,
    Clip,
    Encoding,
    VideoFile,
    load_clip,
    measure,
    save_video,
)
from comfygradio.demo.nodes.outputs import claim_file


def nodes() -> dict[str, NodeFunction]:
    return {
        "LoadVideo": load,
        "CreateVideo": create,
        "GetVideoComponents": take_apart,
        "SaveVideo": save,
    }


def load(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    path = run.folders.annotated(inputs.text("file"))
    return NodeResult((VideoFile(path),))


def create(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    audio: Audio | None = None
    if inputs.get("audio") is not None:
        audio = inputs.audio("audio")
    images = inputs.images("images")
    fps = Fraction(inputs.real("fps", 30.0))
    clip = Clip(images, fps, audio)
    return NodeResult((clip,))


def take_apart(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Pictures, sound, pictures a second, bits of a color and the name of the color space."""
    video = inputs.video("video")
    clip = video if isinstance(video, Clip) else load_clip(video)
    fps = float(clip.fps)
    return NodeResult((clip.pictures, clip.audio, fps, 8, "sRGB"))


def save(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """Inputs of the codec stand below `format.codec`, or below `codec` in prompts for older
    servers.
    """
    video = inputs.video("video")
    codec = "format.codec" if inputs.has("format.codec") else "codec"
    encoding = Encoding(
        container=inputs.text("format", "auto"),
        codec=inputs.text(codec, "auto"),
        crf=inputs.get(f"{codec}.encoding.crf"),
    )
    suffix = SUFFIXES[encoding.container]
    prefix = inputs.text("filename_prefix")
    path, stored = claim_file(run, prefix, "output", f"_{suffix}", measure(video))
    save_video(path, video, encoding, run.tag_texts())
    return NodeResult((video,), {"images": [stored.to_json()], "animated": [True]})
