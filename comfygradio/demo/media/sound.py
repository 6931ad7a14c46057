"""Reads and writes audio files with PyAV (loaded only when needed)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.container import OutputContainer

ENCODERS = {"flac": "flac", "mp3": "libmp3lame", "opus": "libopus"}
OPUS_RATE = 48000


@dataclass(frozen=True, eq=False)
class Audio:
    """AUDIO: samples of shape (channels, length) between -1 and 1, and their number per second."""

    samples: npt.NDArray[np.float32]
    rate: int


def load_audio(path: Path) -> Audio | None:
    """The first sound track of an audio or video file, None if there is none."""
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        blocks: list[npt.NDArray[Any]] = []
        for frame in container.decode(stream):
            for block in resampler.resample(frame):
                blocks.append(block.to_ndarray())
        # What the resampler has kept back.
        for block in resampler.resample(None):
            blocks.append(block.to_ndarray())
        samples = join_blocks(blocks, stream.channels)
        return Audio(samples, stream.rate)


def join_blocks(blocks: Sequence[npt.NDArray[Any]], channels: int) -> npt.NDArray[np.float32]:
    """The blocks one after the other; silence of no length if there are none."""
    silence = np.zeros((channels, 0), dtype=np.float32)
    parts = [silence, *blocks]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def write_audio(path: Path, audio: Audio, quality: str, texts: Mapping[str, str]) -> None:
    """Writes flac, mp3 or opus, whatever the suffix says; `texts` become tags, `quality` is V0 or a
    rate as 128k.
    """
    import av

    kind = path.suffix[1:]
    rate = OPUS_RATE if kind == "opus" else audio.rate
    with av.open(str(path), "w", format=kind) as container:
        container.metadata.update(texts)
        stream = container.add_stream(ENCODERS[kind], rate=rate, layout=name_layout(audio))
        if quality.endswith("k") and kind != "flac":
            stream.bit_rate = int(quality[:-1]) * 1000
        encode_audio(container, stream, audio)


def name_layout(audio: Audio) -> str:
    """FFmpeg's word for one or two channels."""
    return "mono" if len(audio.samples) == 1 else "stereo"


def encode_audio(container: OutputContainer, stream: Any, audio: Audio) -> None:
    """Writes all samples into a stream of a container."""
    import av

    layout = name_layout(audio)
    resampler = av.AudioResampler(format=stream.format, layout=layout, rate=stream.rate)
    samples = np.ascontiguousarray(audio.samples)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
    frame.sample_rate = audio.rate
    frame.pts = 0
    for block in resampler.resample(frame):
        container.mux(stream.encode(block))
    # What the resampler and the encoder have kept back.
    for block in resampler.resample(None):
        container.mux(stream.encode(block))
    container.mux(stream.encode(None))
