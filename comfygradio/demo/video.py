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

from comfygradio.demo.sound import OPUS_RATE, read_audio
from comfygradio.demo.values import Audio, Clip, VideoFile

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

SUFFIXES = {"auto": ".mp4", "mp4": ".mp4", "mkv": ".mkv", "webm": ".webm"}
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska", ".webm": "webm"}
ENCODERS = {"h264": "libx264", "av1": "libsvtav1"}
SPEEDS = {"h264": "veryfast", "av1": "9"}
KEEP_TAGS = {"movflags": "use_metadata_tags+faststart"}


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
        fits = self.container == "auto" or wanted in source.format.name.split(",")
        return (
            fits
            and self.crf is None
            and self.codec in ("auto", source.streams.video[0].codec.canonical_name)
        )

    def codec_for(self, path: Path) -> str:
        """`h264` or `av1`; ValueError for what WebM does not take."""
        codec = (
            ("av1" if path.suffix == ".webm" else "h264") if self.codec == "auto" else self.codec
        )
        if path.suffix == ".webm" and codec != "av1":
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
    clip = video if isinstance(video, Clip) else read_clip(video)
    with av.open(
        str(path), "w", format=CONTAINERS[path.suffix], options=container_options(path)
    ) as container:
        container.metadata.update(texts)
        encode_clip(container, clip, encoding.codec_for(path), encoding.crf)


def container_options(path: Path) -> dict[str, str]:
    return KEEP_TAGS if path.suffix == ".mp4" else {}


def copy_streams(source: InputContainer, path: Path, texts: Mapping[str, str]) -> None:
    import av

    with av.open(
        str(path), "w", format=CONTAINERS[path.suffix], options=container_options(path)
    ) as target:
        target.metadata.update({**source.metadata, **texts})
        kept = [
            s
            for s in source.streams
            if s.type in ("video", "audio") and s.codec_context is not None
        ]
        streams: dict[Any, Any] = {
            stream: target.add_stream_from_template(stream, opaque=True) for stream in kept
        }
        for packet in source.demux(*kept):
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                target.mux(packet)


def encode_clip(container: OutputContainer, clip: Clip, codec: str, crf: float | None) -> None:
    import av

    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would print its settings
    stream: Any = container.add_stream(ENCODERS[codec], rate=Fraction(round(clip.fps * 1000), 1000))
    stream.width, stream.height = clip.pictures[0].size
    stream.pix_fmt = "yuv420p"
    stream.options = {"preset": SPEEDS[codec]} | ({} if crf is None else {"crf": str(crf)})
    sound: Any = None if clip.audio is None else add_sound(container, clip.audio)
    for picture in clip.pictures:
        frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    if clip.audio is not None:
        encode_sound(
            container, sound, clip.audio, ceil(clip.audio.rate * len(clip.pictures) / clip.fps)
        )


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
    frame.sample_rate, frame.pts = audio.rate, 0
    for block in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))


def read_clip(video: VideoFile) -> Clip:
    """All pictures, the frame rate and the sound of a file; ValueError if it holds no pictures."""
    import av

    with av.open(str(video.path)) as container:
        if not container.streams.video:
            raise ValueError(f"No video stream found in file '{video.path}'")
        stream = container.streams.video[0]
        pictures = [frame.to_image() for frame in container.decode(stream)]
        fps = stream.average_rate or Fraction(1)
    return Clip(pictures, Fraction(fps), read_audio(video.path))


def measure(video: Clip | VideoFile) -> tuple[int, int]:
    """Width and height in pixels; ValueError if a file holds no pictures."""
    import av

    if isinstance(video, Clip):
        return video.pictures[0].size
    with av.open(str(video.path)) as container:
        if not container.streams.video:
            raise ValueError(f"No video stream found in file '{video.path}'")
        return container.streams.video[0].width, container.streams.video[0].height
