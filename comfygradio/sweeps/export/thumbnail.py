"""Thumbnails of results, loaded one by one, so that thousands never fill the memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

from comfygradio.jobs.results import Result
from comfygradio.media.pictures import SHOWN_FORMATS, inspect_picture, open_picture, reserve_pixels
from comfygradio.media.pixel_budget import MAX_PIXELS
from comfygradio.media.video_frame import limit_to_header_size

CONTAINERS = "mov,matroska,webm,avi"
"""FFmpeg's names of what is opened; playlists are not among them, since they make it read other
files.
"""

SMOOTH_MODES = ("L", "RGB", "RGBA")
"""Pictures that can be scaled as they are, before anything else is done with them."""

WORKERS = 4

PICTURES = ("image", "preview")


def choose_result(results: Sequence[Result]) -> Result | None:
    """Choose the result that a cell shows: the first picture or video, else the first of any kind.

    Returns None if there is none.
    """
    there = [result for result in results if result.path is not None or result.text]
    for result in there:
        if result.kind in (*PICTURES, "video"):
            return result
    return there[0] if there else None


def load_thumbnail(result: Result, pixels: int) -> Image.Image | None:
    """Load a picture, or the first frame of a video, with sides of at most `pixels`.

    It is RGB, or RGBA if it is transparent, and never enlarged. Returns None for a file that is
    gone or cannot be read.
    """
    try:
        if result.kind == "video" and result.path:
            return _load_frame(result.path, pixels)
        if result.kind in PICTURES and result.path:
            return _load_picture(_choose_file(result, pixels), pixels)
    except Exception:  # Pillow's and FFmpeg's decoders raise errors of any kind on broken files
        pass
    return None


def load_thumbnails(results: Iterable[tuple[Result, int]]) -> Iterator[Image.Image | None]:
    """Load the thumbnails for pairs of result and pixels, in order. Only a few are in memory at
    once.
    """
    workers = min(WORKERS, os.cpu_count() or 1)
    pending: deque[Future[Image.Image | None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for result, pixels in results:
            future = pool.submit(load_thumbnail, result, pixels)
            pending.append(future)
            # More than there are workers, so that none of them waits for the reader.
            if len(pending) > 2 * workers:
                oldest = pending.popleft()
                yield oldest.result()
        while pending:
            oldest = pending.popleft()
            yield oldest.result()


def find_size(result: Result) -> tuple[int, int] | None:
    """Find the width and height of a picture or video in pixels, or None for anything else."""
    if result.width and result.height:
        return result.width, result.height
    if result.kind not in (*PICTURES, "video"):
        return None
    frame = load_thumbnail(result, 10_000)
    return frame.size if frame else None


def is_animated(path: Path) -> bool:
    """Whether a picture file is animated."""
    try:
        with inspect_picture(path, SHOWN_FORMATS) as picture:
            return bool(getattr(picture, "is_animated", False))
    except Exception:  # Pillow's decoders raise errors of any kind on broken files
        return False


def _choose_file(result: Result, pixels: int) -> Path:
    """Choose the light copy, which loads faster, if it is large enough, else the file itself."""
    path = result.path
    light = result.display
    assert path is not None
    if light is None or light == path:
        return path
    longest = max(result.width, result.height)
    if longest == 0 or not light.is_file():
        return path
    with inspect_picture(light, SHOWN_FORMATS) as picture:
        is_large_enough = max(picture.size) >= min(pixels, longest)
        return light if is_large_enough else path


def _load_picture(path: Path, pixels: int) -> Image.Image:
    with open_picture(path, SHOWN_FORMATS) as picture:
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        small: Image.Image = picture
        if picture.mode not in SMOOTH_MODES:
            small = picture.convert(mode)
        small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
        upright = ImageOps.exif_transpose(small)
        return upright.convert(mode)


def _load_frame(path: Path, pixels: int) -> Image.Image | None:
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    with av.open(str(path), options=options) as container:
        # A frame may be far larger than the header of the file says; the decoder refuses it then.
        area = limit_to_header_size(container.streams.video[0])
        if area > MAX_PIXELS:
            return None
        with reserve_pixels(area):
            for frame in container.decode(video=0):
                small: Image.Image = frame.to_image()
                small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
                return small
    return None
