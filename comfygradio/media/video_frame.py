"""Frames of videos: how large they are by the header, and no larger when they are decoded."""

from __future__ import annotations

from typing import Any

BLOCK = 128
"""Decoders work in whole blocks: a frame may be larger by so many pixels a side."""

MIN_LIMIT = 1_000_000
"""So many pixels are always allowed: for a tiny frame a decoder may ask for much more than it has
(FFmpeg 8 for 64 x 64 in MPEG-4: 192 x 280).
"""


def limit_to_header_size(stream: Any) -> int:
    """The pixels of a frame as the header of a video says; 0 for a sound.

    From then on FFmpeg refuses a frame that turns out to be larger: there are videos whose header
    is believed although each frame says something else. To be called before the first one is read.
    """
    context = stream.codec_context
    width = getattr(context, "width", 0) or 0
    height = getattr(context, "height", 0) or 0
    if width and height:
        in_blocks = (width + BLOCK) * (height + BLOCK)
        most = max(in_blocks, MIN_LIMIT)
        context.options = {**context.options, "max_pixels": str(most)}
    return width * height
