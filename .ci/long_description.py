"""Builds the long description of the package: the first README with all that it links to.

The project has no address on the web that a link could lead to. So the other READMEs follow the
first one as chapters, and the links between them lead to their headings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
"""What a Space reads at the top of the README."""

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)\n*")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


class CustomMetadataHook(MetadataHookInterface):
    """Hatchling calls this for the fields that pyproject.toml lists as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description."""
        urls = metadata.get("urls", {})
        text = compose_description(Path(self.root), urls.get("Source", ""))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def compose_description(root: Path, source: str) -> str:
    """Compose the text from the READMEs below `root`.

    `source` is where the project lies on the web, "" if nowhere. PyPI shows a picture from an
    address alone, so without one there is none.
    """
    root = root.resolve()
    chapters = list_chapters(root / "README.md")
    return "\n".join(write_chapter(path, chapters, root, source) for path in chapters)


def list_chapters(first: Path) -> Mapping[Path, str]:
    """Map the first README, and each that is linked from there on, to its text, in the order of
    the links.
    """
    chapters = {}
    waiting = [first]
    while waiting:
        path = waiting.pop(0)
        if path in chapters:
            continue
        text = path.read_text(encoding="utf-8")
        chapters[path] = FRONT_MATTER.sub("", text)
        for _, address in LINK.findall(text):
            if not is_on_the_web(address):
                waiting.append(find_target(path, address))
    return chapters


def write_chapter(path: Path, chapters: Mapping[Path, str], root: Path, source: str) -> str:
    """Write a README with links that lead to headings of the long description."""

    def lead_to_heading(match: re.Match[str]) -> str:
        words, address = match.groups()
        if is_on_the_web(address):
            return match[0]
        anchor = address.partition("#")[2]
        if not anchor:
            title = TITLE.search(chapters[find_target(path, address)])
            assert title, f"{path}: {address} has no title"
            anchor = make_anchor(title[1])
        return f"[{words}](#{anchor})"

    def show_from_web(match: re.Match[str]) -> str:
        if not source:
            return ""
        words, address = match.groups()
        place = (path.parent / address).resolve().relative_to(root)
        return f"![{words}]({source}/raw/HEAD/{place.as_posix()})\n\n"

    pictured = PICTURE.sub(show_from_web, chapters[path])
    return LINK.sub(lead_to_heading, pictured)


def is_on_the_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def find_target(path: Path, address: str) -> Path:
    """Find the file that a link of the README at `path` names; the README itself for `#heading`."""
    file = address.partition("#")[0]
    if not file:
        return path
    return (path.parent / file).resolve()


def make_anchor(heading: str) -> str:
    """Make the anchor of a heading, as PyPI does: small letters, no punctuation, a dash for each
    space.
    """
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
