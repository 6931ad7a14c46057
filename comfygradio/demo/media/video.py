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

from comfygradio.demo.media.sound import OPUS_RATE, Audio, encode_audio, load_audio, name_layout

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
        video = load_clip(video)
    with open_output(path) as container:
        container.metadata.update(texts)
        encode_clip(container, video, encoding.codec_for(path), encoding.crf)


def open_output(path: Path) -> OutputContainer:
    """A container to write to, of the kind that the suffix names."""
    import av

    format = CONTAINERS[path.suffix]
    options = KEEP_TAGS if path.suffix == ".mp4" else {}
    container: OutputContainer = av.open(str(path), "w", format=format, options=options)
    return container


def copy_streams(source: InputContainer, path: Path, texts: Mapping[str, str]) -> None:
    """Copies pictures and sounds as they are, with the tags of the source and `texts`."""
    with open_output(path) as target:
        target.metadata.update(source.metadata)
        target.metadata.update(texts)
        streams: dict[Any, Any] = {}
        for stream in source.streams:
            if stream.type in ("video", "audio") and stream.codec_context is not None:
                streams[stream] = target.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(*streams):
            # An empty packet ends each stream.
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                target.mux(packet)


def encode_clip(container: OutputContainer, clip: Clip, codec: str, crf: float | None) -> None:
    """Encodes the pictures of a clip, and its sound if it has one."""
    stream = add_pictures(container, clip, codec, crf)
    # Every stream has to be there before the first one is written.
    sound: Any = None
    if clip.audio is not None:
        sound = add_sound(container, clip.audio)
    encode_pictures(container, stream, clip.pictures)
    if clip.audio is not None:
        # The sound is not longer than the pictures.
        length = ceil(clip.audio.rate * len(clip.pictures) / clip.fps)
        samples = clip.audio.samples[:, :length]
        encode_audio(container, sound, Audio(samples, clip.audio.rate))


def add_pictures(container: OutputContainer, clip: Clip, codec: str, crf: float | None) -> Any:
    """The stream for the pictures of a clip."""
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would print its settings
    rate = Fraction(round(clip.fps * 1000), 1000)
    options = {"preset": SPEEDS[codec]}
    if crf is not None:
        options["crf"] = str(crf)
    stream: Any = container.add_stream(ENCODERS[codec], rate=rate)
    stream.width, stream.height = clip.pictures[0].size
    stream.pix_fmt = "yuv420p"
    stream.options = options
    return stream


def encode_pictures(container: OutputContainer, stream: Any, pictures: list[Image.Image]) -> None:
    """Writes all pictures into a stream of a container."""
    import av

    for picture in pictures:
        pixels = np.asarray(picture.convert("RGB"))
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def add_sound(container: OutputContainer, audio: Audio) -> Any:
    """The stream for a sound: Opus in WebM, AAC elsewhere."""
    layout = name_layout(audio)
    if container.format.name == "webm":
        return container.add_stream("libopus", rate=OPUS_RATE, layout=layout)
    return container.add_stream("aac", rate=audio.rate, layout=layout)


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
