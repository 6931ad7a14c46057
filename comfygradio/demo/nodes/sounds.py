"""Audio nodes: files of input/ in, flac, mp3 or opus out."""

from __future__ import annotations

import numpy as np

from comfygradio.demo.execution.node_run import NodeFunction, NodeResult, NodeRun
from comfygradio.demo.execution.values import NodeInputs
from comfygradio.demo.media.sound import Audio, load_audio, write_audio
from comfygradio.demo.nodes.outputs import claim_file


def nodes() -> dict[str, NodeFunction]:
    return {
        "LoadAudio": load,
        "EmptyAudio": make_empty,
        "SaveAudio": save_flac,
        "SaveAudioMP3": save_mp3,
        "SaveAudioOpus": save_opus,
        "SaveAudioAdvanced": save_any,
        "PreviewAudio": preview,
    }


def load(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    path = run.folders.annotated(inputs.text("audio"))
    audio = load_audio(path)
    if audio is None:
        raise ValueError("No audio stream found in the file.")
    return NodeResult((audio,))


def make_empty(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    rate = inputs.integer("sample_rate", 44100)
    length = round(inputs.real("duration", 60.0) * rate)
    channels = inputs.integer("channels", 2)
    silence = np.zeros((channels, length), dtype=np.float32)
    audio = Audio(silence, rate)
    return NodeResult((audio,))


def save_flac(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return save(run, inputs, "flac", "")


def save_mp3(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return save(run, inputs, "mp3", inputs.text("quality"))


def save_opus(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    return save(run, inputs, "opus", inputs.text("quality"))


def save_any(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    """The V3 node whose format brings its own quality (`format.quality`)."""
    kind = inputs.text("format")
    quality = inputs.text("format.quality", "128k")
    return save(run, inputs, kind, quality)


def save(run: NodeRun, inputs: NodeInputs, kind: str, quality: str) -> NodeResult:
    audio = take_audio(run, inputs)
    prefix = inputs.text("filename_prefix")
    return store(run, audio, prefix, "output", kind, quality)


def preview(run: NodeRun, inputs: NodeInputs) -> NodeResult:
    audio = take_audio(run, inputs)
    return store(run, audio, run.temp_prefix, "temp", "flac", "")


def take_audio(run: NodeRun, inputs: NodeInputs) -> Audio:
    """ValueError if it is the missing sound of a silent video."""
    if inputs.has("audio") and inputs.get("audio") is None:
        raise ValueError(
            f"{run.class_type}: input audio is None (source video may have no audio track)."
        )
    return inputs.audio("audio")


def store(
    run: NodeRun, audio: Audio, prefix: str, folder: str, kind: str, quality: str
) -> NodeResult:
    """The file's name ends in `_.flac` on servers of 2025, in `.flac` on newer ones."""
    ending = f".{kind}"
    if not run.options.can("v3_schemas"):
        ending = f"_.{kind}"
    path, stored = claim_file(run, prefix, folder, ending)
    write_audio(path, audio, quality, run.tag_texts())
    return NodeResult((audio,), {"audio": [stored.to_json()]})
