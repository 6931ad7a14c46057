"""The encoding of what is printed: letters that it lacks are escaped; nothing fails for them."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

ESCAPING_HANDLERS = ("strict", "surrogateescape")
"""What Python does about such letters where nobody chose anything else: it raises an error."""


def escape_unknown(stream: TextIO | None) -> None:
    """Make a stream write letters that its encoding lacks as `\\u706f`.

    That is how JSON writes them, so that JSON stays what it is. What somebody chose otherwise
    (`PYTHONIOENCODING=ascii:replace`) stays.
    """
    if not isinstance(stream, io.TextIOWrapper) or stream.errors not in ESCAPING_HANDLERS:
        return
    handler = _pass_bytes if stream.errors == "surrogateescape" else _escape
    codecs.register_error(handler.__name__, handler)
    stream.reconfigure(errors=handler.__name__)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write letters as pairs of bytes of UTF-16, which is what their escapes are in JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    data = letters.encode("utf-16-be", "surrogatepass")
    escaped = ""
    for place in range(0, len(data), 2):
        unit = data[place : place + 2].hex()
        escaped += f"\\u{unit}"
    return escaped, error.end


def _pass_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write bytes of file names that are not letters as they came in."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return _escape(error)
