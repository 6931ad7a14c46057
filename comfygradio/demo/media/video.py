"""Reads and writes video files with PyAV (loaded only when needed)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from comfygradio.demo.media.sound import OPUS_RATE, Audio, load_audio

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

SUFFIXES = {"auto": ".mp4", "mp4": ".mp4", "mkv": ".mkv", "webm": ".webm"}
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".webm": "webm"}
ENCODERS = {"h264": "libx264", "av1": "libsvtav1"}
SPEEDS = {"h264": "veryfast", "av1": "9"}
KEEP_TAGS = {"movflags": "use_metadata_tags+faststart"}


@dataclass(frozen=True)
class Clip:
    """VIDEO made here: its pictures (all of one size), how many are shown per second, and its
    sound.
    """

    pictures: list[Image.Image]
    fps: Fraction
    audio: Audio | None = None


@dataclass(frozen=True)
class VideoFile:
    """VIDEO that was loaded: decoded only when somebody asks for its pictures."""

    path: Path


@dataclass(frozen=True)
class Encoding:
    """How to save a video: container and codec by ComfyUI's words, and the quality asked for, if
    any.
    """

    container: str = "auto"
    codec: str = "auto"
    crf: float | None = None

    def reuses(self, source: InputContainer) -> bool:
        """Whether the streams of a file can be copied as they are."""
        wanted = CONTAINERS[SUFFIXES[self.container]]
        if self.container != "auto" and wanted not in source.format.name.split(","):
            return False
        if self.crf is not None:
            return False
        codec = source.streams.video[0].codec
        return self.codec in ("auto", codec.canonical_name)

    def codec_for(self, path: Path) -> str:
        """`h264` or `av1`; ValueError for what WebM does not take."""
        is_webm = path.suffix == ".webm"
        codec = self.codec
        if codec == "auto":
            codec = "av1" if is_webm else "h264"
        if is_webm and codec != "av1":
            raise ValueError("WebM output requires the AV1 codec")
        return codec


def save_video(
    path: Path, video: Clip | VideoFile, encoding: Encoding, texts: Mapping[str, str]
) -> None:
    """Writes a video with `texts` as tags of the container; a loaded one is copied where that is
    possible.
    """
    import av

    if isinstance(video, VideoFile):
        with av.open(str(video.path)) as source:
            if encoding.reuses(source):
                copy_streams(source, path, texts)
                return
    clip = video if isinstance(video, Clip) else load_clip(video)
    format = CONTAINERS[path.suffix]
    with av.open(str(path), "w", format=format, options=container_options(path)) as container:
        container.metadata.update(texts)
        encode_clip(container, clip, encoding.codec_for(path), encoding.crf)


def container_options(path: Path) -> dict[str, str]:
    return KEEP_TAGS if path.suffix == ".mp4" else {}


def copy_streams(source: InputContainer, path: Path, texts: Mapping[str, str]) -> None:
    import av

    format = CONTAINERS[path.suffix]
    with av.open(str(path), "w", format=format, options=container_options(path)) as target:
        target.metadata.update({**source.metadata, **texts})
        streams: dict[Any, Any] = {}
        for stream in source.streams:
            if stream.type in ("video", "audio") and stream.codec_context is not None:
                streams[stream] = target.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(*streams):
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                target.mux(packet)


def encode_clip(container: OutputContainer, clip: Clip, codec: str, crf: float | None) -> None:
    import av

    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would print its settings
    rate = Fraction(round(clip.fps * 1000), 1000)
    options = {"preset": SPEEDS[codec]}
    if crf is not None:
        options["crf"] = str(crf)
    stream: Any = container.add_stream(ENCODERS[codec], rate=rate)
    stream.width, stream.height = clip.pictures[0].size
    stream.pix_fmt = "yuv420p"
    stream.options = options
    # Every stream has to be there before the first one is written.
    sound: Any = None if clip.audio is None else add_sound(container, clip.audio)
    for picture in clip.pictures:
        pixels = np.asarray(picture.convert("RGB"))
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    if clip.audio is not None:
        length = ceil(clip.audio.rate * len(clip.pictures) / clip.fps)
        encode_sound(container, sound, clip.audio, length)


def add_sound(container: OutputContainer, audio: Audio) -> Any:
    layout = "mono" if len(audio.samples) == 1 else "stereo"
    if container.format.name == "webm":
        return container.add_stream("libopus", rate=OPUS_RATE, layout=layout)
    return container.add_stream("aac", rate=audio.rate, layout=layout)


def encode_sound(container: OutputContainer, stream: Any, audio: Audio, length: int) -> None:
    """The first `length` samples, so that the sound is not longer than the pictures."""
    import av

    resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=stream.rate)
    samples = np.ascontiguousarray(audio.samples[:, :length])
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=stream.layout.name)
    frame.sample_rate = audio.rate
    frame.pts = 0
    for block in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def load_clip(video: VideoFile) -> Clip:
    """All pictures, the frame rate and the sound of a file; ValueError if it holds no pictures."""
    import av

    with av.open(str(video.path)) as container:
        if not container.streams.video:
            raise ValueError(f"No video stream found in file '{video.path}'")
        stream = container.streams.video[0]
        pictures = [frame.to_image() for frame in container.decode(stream)]
        fps = stream.average_rate or Fraction(1)
    return Clip(pictures, Fraction(fps), load_audio(video.path))


def measure(video: Clip | VideoFile) -> tuple[int, int]:
    """Width and height in pixels; ValueError if a file holds no pictures."""
    import av

    if isinstance(video, Clip):
        return video.pictures[0].size
    with av.open(str(video.path)) as container:
        if not container.streams.video:
            raise ValueError(f"No video stream found in file '{video.path}'")
        stream = container.streams.video[0]
        return stream.width, stream.height
