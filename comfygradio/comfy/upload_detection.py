"""Detect inputs that take an uploaded file although `/object_info` does not say so.

Some node packs list the uploaded files, and add the upload button only in their own page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

LOADERS: Mapping[tuple[str, str], str] = {
    ("VHS_LoadVideo", "video"): "video",
    ("VHS_LoadVideoFFmpeg", "video"): "video",
    ("VHS_LoadAudioUpload", "audio"): "audio",
}
"""Class and input of widespread loaders (VideoHelperSuite) → kind of file that is
uploaded there.
"""

PICTURES = frozenset(
    ["png", "jpg", "jpeg", "jfif", "webp", "avif", "bmp", "tif", "tiff", "gif", "apng", "heic"]
)
VIDEOS = frozenset(
    ["mp4", "webm", "mov", "mkv", "avi", "m4v", "mpg", "mpeg", "wmv", "flv", "ogv", "3gp", "gif"]
)
SOUNDS = frozenset(["wav", "mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "aif", "aiff", "wma"])

SUFFIXES_BY_KIND: Mapping[str, frozenset[str]] = {
    "image": PICTURES,
    "video": VIDEOS,
    "audio": SOUNDS | VIDEOS - {"gif"},
}
"""Kind → suffixes of its files. Loaders of sounds list videos too, for their sound."""


WORDS: Mapping[str, frozenset[str]] = {
    "image": frozenset(["image", "picture", "photo", "img", "pic", "mask"]),
    "video": frozenset(["video", "movie", "film", "footage"]),
    "audio": frozenset(["audio", "sound", "music", "song"]),
}
"""Kind → words in a name that stand for it."""

NO_UPLOAD = frozenset(["multi_select", "multiselect", "remote"])
"""Options of lists that never take uploads, whatever their entries are."""

FILLERS = frozenset(
    ["file", "filename", "name", "path", "input", "upload", "load", "loader", "the"]
)
"""Words in a name that do not tell the kind."""

LOADING = frozenset(["load", "loader", "upload"])
"""Words in the names of classes that load what is uploaded."""

OWN_FILES = frozenset(
    ["voice", "speaker", "style", "template", "texture", "preset", "theme", "overlay", "font"]
)
"""Words in the names of lists that offer files shipped with a pack."""

WORD = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])"
SUFFIX = r"[.]([A-Za-z0-9]{2,5})(?: \[(?:input|output|temp)\])?$"


def guess_upload(
    class_type: str, name: str, choices: Sequence[Any], options: Mapping[str, Any]
) -> str | None:
    """Guess what is uploaded for a list: "image", "video", "audio", "file" (several kinds), or None
    for a list to choose from.

    Every entry has to be the name of such a file. A list with a default was put together by the
    pack, and a list from which several entries may be chosen is no upload.
    """
    if (class_type, name) in LOADERS:
        return LOADERS[class_type, name]
    if options.get("default") or NO_UPLOAD & options.keys():
        return None
    words = _list_words(name)
    class_words = _list_words(class_type)
    named = _find_named(words)
    # Nothing has been uploaded yet, so the names alone have to tell.
    if not choices:
        is_loader = not class_words.isdisjoint(LOADING)
        is_plain = words <= _list_plain()
        return named if is_loader and is_plain else None
    if words & OWN_FILES and not named:
        return None
    # An entry without a suffix gives "", which is no known suffix.
    suffixes = {_find_suffix(entry) for entry in choices}
    if not suffixes <= _list_suffixes():
        return None
    named = named or _find_named(class_words)
    possible: list[str] = []
    for kind, known in SUFFIXES_BY_KIND.items():
        if suffixes <= known:
            possible.append(kind)
    # The suffixes are of several kinds.
    if not possible:
        return named or "file"
    if named in possible:
        return named
    return possible[0]


def _list_words(name: str) -> frozenset[str]:
    """List the words of a name in lower case, without a plural s."""
    words: set[str] = set()
    for word in re.findall(WORD, name):
        words.add(word.lower().removesuffix("s"))
    return frozenset(words)


def _find_named(words: Collection[str]) -> str | None:
    for kind, known in WORDS.items():
        if known.intersection(words):
            return kind
    return None


def _list_plain() -> frozenset[str]:
    """List the words of names that mean a file and nothing else."""
    return FILLERS.union(*WORDS.values())


def _list_suffixes() -> frozenset[str]:
    """List the suffixes of all kinds of files."""
    suffixes: set[str] = set()
    for known in SUFFIXES_BY_KIND.values():
        suffixes |= known
    return frozenset(suffixes)


def _find_suffix(entry: Any) -> str:
    """Return the suffix of a file name in lower case, or "" if it has none."""
    if not isinstance(entry, str):
        return ""
    found = re.search(SUFFIX, entry)
    return found[1].lower() if found else ""
