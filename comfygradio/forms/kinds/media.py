"""Media fields: pictures, masks, videos, sound and other files that people upload.

Pillow and FFmpeg are imported where they are used, since commands whose form has no files need
neither.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from comfygradio.comfy.workflow import Upload
from comfygradio.errors import ValuesRefused
from comfygradio.forms.kinds.axis_text import Item, quote
from comfygradio.forms.kinds.axis_values import AxisContext, AxisValues
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.value import InvalidValue, shorten
from comfygradio.media.pixel_budget import MAX_PIXELS
from comfygradio.media.video_frame import limit_to_header_size

if TYPE_CHECKING:
    from comfygradio.comfy.object_info import InputSpec
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar

MAX_PATH = 100_000
"""Maximum number of characters of a path; the system allows far fewer, and checks that itself."""


CONTAINERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif,apng,flac,mp3,wav,w64,aac,aiff,caf,amr"
)
"""FFmpeg's names of the containers that are opened. Playlists are not among them, since FFmpeg
would read the files that they name.
"""

FRESH_NANOSECONDS = 2 * 10**9
"""A file that changed less than this ago may change again within one tick of its times."""

CACHE_SIZE = 1000
"""Maximum number of files whose check, or hash, is cached."""


class MediaKind(Kind):
    """A file that is uploaded; by itself, one of any type."""

    noun = "a file"
    max_length = MAX_PATH
    keys = frozenset({"max_mb"})
    syntax = "file names with commas between them, or a pattern such as pictures/*.png"
    is_media = True

    def can_fill(self, spec: InputSpec) -> bool:
        """Whether an input takes the name of a file: an upload, a list or a text."""
        if spec.media or spec.choices is not None:
            return True
        return "STRING" in spec.types

    def is_likely_for(self, spec: InputSpec, has_choices: bool) -> bool:
        """Whether an input takes the name of a file."""
        return self.can_fill(spec)

    def check(self, field: Field, value: Any) -> Path:
        """Convert to the path of a readable file within the size limit. Raises InvalidValue."""
        if value is None or value == "":
            raise InvalidValue(f"please add {self.noun}.")
        if not isinstance(value, str | Path):
            # "a sound file" is one already.
            expected = self.noun if "file" in self.noun else f"{self.noun} file"
            raise InvalidValue(f"{expected} is expected.")
        path = Path(value)
        problem = _find_problem_once(self, field.max_mb, path, _stamp(path))
        if problem:
            raise InvalidValue(problem)
        return path

    def find_problem(self, path: Path, max_mb: float) -> str | None:
        """Explain in a sentence what is wrong with a file, or return None."""
        return check_nonempty_file(path, max_mb)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """Return the name of a file, or None for no file."""
        return None if scalar.is_null else scalar.text

    def to_json(self, field: Field, value: Any) -> Any:
        """Return the file's name alone, since JSON cannot contain the file."""
        if isinstance(value, Path):
            return value.name
        return value

    def build_upload(self, field: Field, value: Any) -> Upload | None:
        """Build the upload, with a name made from the file's content.

        Raises ValuesRefused if the file has gone.
        """
        slots = [(slot.node_id, slot.input) for slot in field.slots[""]]
        name = name_upload(field, value)
        return Upload(value, name, tuple(slots))

    def find_python_type(self, field: Field) -> type:
        """`dict`, which Gradio's clients send for a file."""
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


class PictureKind(MediaKind):
    """A picture."""

    noun = "a picture"
    is_picture = True

    def find_problem(self, path: Path, max_mb: float) -> str | None:
        """Explain what is wrong with a picture, or return None; decodes all of it."""
        from comfygradio.forms.kinds.picture import check_picture

        return check_picture(path, max_mb)


class MaskKind(PictureKind):
    """A picture that is transparent where something is to change."""

    def find_problem(self, path: Path, max_mb: float) -> str | None:
        """Explain what is wrong with a picture or its mask, or return None."""
        from comfygradio.forms.kinds.picture import check_mask

        return super().find_problem(path, max_mb) or check_mask(path)


class StreamKind(MediaKind):
    """A video, or sound."""

    is_video: ClassVar[bool] = False
    examples: ClassVar[str] = ""
    """Formats that are recommended to people."""

    def find_problem(self, path: Path, max_mb: float) -> str | None:
        """Explain what is wrong with a file, or return None; decodes the beginning of it."""
        problem = check_nonempty_file(path, max_mb)
        if problem:
            return problem
        return self._check_stream(path)

    def _check_stream(self, path: Path) -> str | None:
        """Whether FFmpeg finds a stream in the file, and can decode the beginning of it."""
        import av

        from comfygradio.media.pictures import reserve_pixels

        options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
        try:
            with av.open(str(path), options=options) as container:
                found = container.streams
                streams = found.video if self.is_video else found.audio
                # Of VP8 in a WebM, FFmpeg believes the header until a frame is decoded, which may
                # be far larger: the decoder has to refuse that.
                pixels = limit_to_header_size(streams[0]) if streams else 0
                if pixels > MAX_PIXELS:
                    megapixels = pixels / 1e6
                    return f"the video has {megapixels:.0f} megapixels a frame, which is too large."
                with reserve_pixels(pixels):
                    # One frame tells enough; a whole video would take minutes.
                    if streams and next(container.decode(streams[0]), None) is not None:
                        return None
        except Exception:  # FFmpeg and its decoders raise errors of any kind on broken files
            pass
        return f"this file is not {self.noun} that can be read; please use {self.examples}."


class VideoKind(StreamKind):
    """A video."""

    noun = "a video"
    is_video = True
    examples = "MP4 or WebM"


class AudioKind(StreamKind):
    """Sound."""

    noun = "a sound file"
    examples = "FLAC, MP3 or WAV"


def name_upload(field: Field, path: Path) -> str:
    """Make a file name from the content of a file, so that the same file is uploaded once and stays
    in ComfyUI's cache.

    Raises ValuesRefused if the file has gone since it was checked.
    """
    from comfygradio.forms.kinds.picture import find_suffix

    is_picture = field.kind.is_picture
    try:
        digest = _hash_once(path, _stamp(path))
        suffix = find_suffix(path) if is_picture else path.suffix.lower()
    except OSError as error:
        text = f"the file {shorten(path.name)} is no longer there; please add it again."
        raise ValuesRefused({field.name: text}) from error
    if not re.fullmatch(r"[.][a-z0-9]{1,12}", suffix):
        # Other characters would end up in a header and in a path of the server.
        suffix = ".bin"
    return f"comfygradio-{digest[:20]}{suffix}"


def check_nonempty_file(path: Path, max_mb: float) -> str | None:
    """Explain in a sentence that a file is missing, empty or too large, or return None."""
    from comfygradio.forms.kinds.picture import check_file_size

    problem = check_file_size(path, max_mb)
    if problem:
        return problem
    return None if path.stat().st_size else "the file is empty."


def _stamp(path: Path) -> tuple[int, ...]:
    """Return a tuple that changes when a file does; () for a file that cannot be read."""
    try:
        found = path.stat()
        now = time.time_ns()
    except (OSError, ValueError):
        return ()
    # A copy may keep the time of the content, but not that of the inode (ctime).
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    if now - changed < FRESH_NANOSECONDS:
        # It may change again without another stamp. The time of this call makes the tuple unlike
        # all others, so that no cache has an answer for it.
        return (*stamp, now)
    return stamp


@lru_cache(maxsize=CACHE_SIZE)
def _find_problem_once(
    kind: MediaKind, max_mb: float, path: Path, stamp: tuple[int, ...]
) -> str | None:
    """Find the problem of a file. The result is cached until the stamp changes, since sweeps check
    the same file for each of their cells.
    """
    return kind.find_problem(path, max_mb)


@lru_cache(maxsize=CACHE_SIZE)
def _hash_once(path: Path, stamp: tuple[int, ...]) -> str:
    """Hash the content of a file. The result is cached until the stamp changes."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


PICTURE = PictureKind()
MASK = MaskKind()
VIDEO = VideoKind()
AUDIO = AudioKind()
FILE = MediaKind()
