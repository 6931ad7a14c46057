"""Limit the frames of videos to the size in the header."""

from __future__ import annotations

from typing import Any

BLOCK = 128
"""Decoders work in whole blocks: a frame may be larger by this many pixels a side."""

MIN_LIMIT = 1_000_000
"""Pixels that are always allowed: for a tiny frame a decoder may ask for many more than it has
(FFmpeg 8 for 64 x 64 in MPEG-4: 192 x 280).
"""


def limit_to_header_size(stream: Any) -> int:
    """Return the pixels of a frame by the header of a video, or 0 for a sound, and make FFmpeg
    refuse larger frames.

    In some videos every frame contradicts the header. Call this before the first frame is read.
    """
    context = stream.codec_context
    # The codec context of a sound has neither.
    width = getattr(context, "width", 0)
    height = getattr(context, "height", 0)
    if not width or not height:
        return 0
    in_blocks = (width + BLOCK) * (height + BLOCK)
    most = max(in_blocks, MIN_LIMIT)
    context.options = {**context.options, "max_pixels": str(most)}
    return int(width * height)
