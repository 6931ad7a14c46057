"""Media fields: pictures, masks, videos, sound and other files that people hand in.

What opens them is imported where it is used: a command whose form has no files needs neither Pillow
nor FFmpeg.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.workflow import Upload
from comfygradio.errors import ValuesRefused
from comfygradio.forms.kinds.axis_text import Item, quote
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.media.pixel_budget import MAX_PIXELS
from comfygradio.media.video_frame import limit_to_header_size

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar

MAX_PATH = 100_000
"""Characters of the path of a file; the system itself takes far fewer, and says so at once."""


CONTAINERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif,apng,flac,mp3,wav,w64,aac,aiff,caf,amr"
)
"""FFmpeg's names of what is opened; playlists are not among them, since they make it read other
files.
"""

FRESH_NANOSECONDS = 2 * 10**9

CACHE_SIZE = 1000
"""Files of which it is remembered whether they can be used."""

EXAMPLES: Mapping[str, str] = {"video": "MP4 or WebM", "audio": "FLAC, MP3 or WAV"}


@dataclass(frozen=True)
class MediaKind(Kind):
    """A file that is uploaded."""

    noun: str = "a file"
    max_length: int = MAX_PATH
    keys: frozenset[str] = frozenset({"max_mb"})
    syntax: str = "file names with commas between them, or a pattern such as pictures/*.png"
    is_media: bool = True

    def check(self, field: Field, value: Any) -> Path:
        """The path of a readable file. Raises InvalidValue."""
        return check_media(field, value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """The name of a file, None for no file."""
        return None if scalar.is_null else scalar.text

    def to_json(self, value: Any) -> Any:
        """The name alone, since the file itself does not go into JSON."""
        return value.name if isinstance(value, Path) else value

    def build_upload(self, field: Field, value: Any) -> Upload | None:
        """The file, under a name made from its content. Raises ValuesRefused if it has gone."""
        slots = tuple((slot.node_id, slot.input) for slot in field.slots[""])
        return Upload(value, name_upload(field, value), slots)

    def find_python_type(self, field: Field) -> type:
        """What Gradio's clients send for a file."""
        return dict

    def parse_axis_item(self, axis: AxisContext, items: Sequence[Item], index: int) -> AxisValues:
        """Find a file by its name, or those that fit a pattern. Raises InvalidValue."""
        item = items[index]
        paths = axis.files.find(item.text, item.is_quoted)
        checked = [axis.check(path) for path in paths]
        return AxisValues(checked, is_open=not item.is_quoted)

    def parse_axis_value(self, axis: AxisContext, value: Any) -> Any:
        """Find a file by its name, in which nothing is a pattern. Raises InvalidValue."""
        if isinstance(value, str) and value.strip():
            [path] = axis.files.find(value, is_literal=True)
            return axis.check(path)
        return axis.check(value)

    def format_axis_item(self, axis: AxisContext, value: Any) -> str:
        """Format the path below the folder of files that may be named, in quotes."""
        return quote(axis.files.to_text(value))


def check_media(field: Field, value: Any) -> Path:
    """The path of a readable file within the limits of size. Raises InvalidValue."""
    noun = field.kind.noun
    if value is None or value == "":
        raise InvalidValue(f"please add {noun}.")
    if not isinstance(value, str | Path):
        expected = noun if "file" in noun else f"{noun} file"
        raise InvalidValue(f"{expected} is expected.")
    path = Path(value)
    problem = _check_once(field.widget, noun, field.max_mb, path, _stamp(path))
    if problem:
        raise InvalidValue(problem)
    return path


def name_upload(field: Field, path: Path) -> str:
    """A file name made from the content, so that the same file is uploaded once and stays in
    ComfyUI's cache.

    Raises ValuesRefused where the file has gone since it was checked.
    """
    from comfygradio.forms.kinds.picture import find_suffix

    is_picture = field.kind.is_picture
    try:
        digest = _hash_once(path, _stamp(path))[:20]
        suffix = find_suffix(path) if is_picture else path.suffix.lower()
    except OSError as error:
        text = f"the file {shorten(path.name)} is no longer there; please add it again."
        raise ValuesRefused({field.name: text}) from error
    if not re.fullmatch(r"[.][a-z0-9]{1,12}", suffix):
        suffix = ".bin"
    return f"comfygradio-{digest}{suffix}"


def check_nonempty_file(path: Path, max_mb: float) -> str | None:
    """What is wrong with a file's presence or size, in a sentence, or None."""
    from comfygradio.forms.kinds.picture import check_file_size

    problem = check_file_size(path, max_mb)
    if problem:
        return problem
    return None if path.stat().st_size else "the file is empty."


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when a file does; empty for one that cannot be looked at.

    Of one that was written a moment ago no two are the same, since it may change again within a
    tick of its times.
    """
    try:
        found = path.stat()
        now = time.time_ns()
    except (OSError, ValueError):
        return ()
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    if now - changed < FRESH_NANOSECONDS:
        return (*stamp, now)
    return stamp


@lru_cache(maxsize=CACHE_SIZE)
def _check_once(
    widget: str, noun: str, max_mb: float, path: Path, stamp: tuple[int, ...]
) -> str | None:
    """What is wrong with a file; remembered for as long as its stamp stays, since sweeps ask for
    every point.
    """
    from comfygradio.forms.kinds.picture import check_mask, check_picture

    if widget == "image":
        return check_picture(path, max_mb)
    if widget == "mask":
        return check_picture(path, max_mb) or check_mask(path)
    problem = check_nonempty_file(path, max_mb)
    if problem or widget == "file":
        return problem
    return _check_stream(widget, noun, path)


@lru_cache(maxsize=CACHE_SIZE)
def _hash_once(path: Path, stamp: tuple[int, ...]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_stream(kind: str, noun: str, path: Path) -> str | None:
    """Whether FFmpeg finds a video or a sound in the file, and can decode the beginning of it."""
    import av

    from comfygradio.media.pictures import reserve_pixels

    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        with av.open(str(path), options=options) as container:
            streams = container.streams.video if kind == "video" else container.streams.audio
            pixels = limit_to_header_size(streams[0]) if streams else 0
            if pixels > MAX_PIXELS:
                return f"the video has {pixels / 1e6:.0f} megapixels a frame, which is too large."
            with reserve_pixels(pixels):
                if streams and next(container.decode(streams[0]), None) is not None:
                    return None
    except Exception:  # FFmpeg and its decoders raise errors of any kind on broken files
        pass
    return f"this file is not {noun} that can be read; please use {EXAMPLES[kind]}."


PICTURE = MediaKind(noun="a picture", is_picture=True)
VIDEO = MediaKind(noun="a video")
AUDIO = MediaKind(noun="a sound file")
FILE = MediaKind()
