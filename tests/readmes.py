"""The READMEs of the project, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent

FIRST = ROOT / "README.md"
PRESETS = ROOT / "presets" / "README.md"
PACKAGE = ROOT / "comfygradio" / "README.md"
CLI = ROOT / "comfygradio" / "cli" / "README.md"
UI = ROOT / "comfygradio" / "ui" / "README.md"
SWEEPS = ROOT / "comfygradio" / "sweeps" / "README.md"
CLUSTER = ROOT / "comfygradio" / "cluster" / "README.md"
DEMO = ROOT / "comfygradio" / "demo" / "README.md"
HOW_TO_WORK = ROOT / "tests" / "README.md"

FOR_USERS = (FIRST, PRESETS, PACKAGE, CLI, UI, SWEEPS, CLUSTER, DEMO)
"""What is read by whoever uses comfygradio."""

ALL = (*FOR_USERS, HOW_TO_WORK)

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
"""A link of Markdown, and not a picture; its address."""

PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
"""A picture of Markdown; its address."""


def read_body(path: Path) -> str:
    """Read a README without what only a Space reads of it."""
    text = path.read_text(encoding="utf-8")
    if not text.startswith("---\n"):
        return text
    return text.split("\n---\n", 1)[1]


def read_prose(path: Path) -> str:
    """Read a README without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", read_body(path), flags=re.DOTALL | re.MULTILINE)


def take_section(text: str, title: str) -> str:
    """Take what stands under a heading of the second level."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def take_blocks(text: str, language: str) -> list[str]:
    """Take the fenced blocks of a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)


def list_anchors(path: Path) -> list[str]:
    """List the anchors that a README's headings have, as GitHub and PyPI make them."""
    headings = re.findall(r"^#+ (.+)$", read_prose(path), re.MULTILINE)
    return [make_anchor(heading) for heading in headings]


def make_anchor(heading: str) -> str:
    """Make the anchor of a heading: small letters, no punctuation, a dash for each space."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def list_links(path: Path) -> list[str]:
    """List the addresses of a README's links."""
    return LINK.findall(read_prose(path))


def split_sentences(path: Path) -> list[str]:
    """Split a README's prose into sentences; a cell of a table and an item of a list end one."""
    prose = LINK.sub(lambda match: match[0].split("](")[0].lstrip("["), read_prose(path))
    sentences = []
    for block in re.split(r"\n\s*\n|\n(?=#|\||\s*(?:-|\d+\.) )", prose):
        for cell in block.split("|"):
            words = " ".join(cell.split())
            sentences += re.split(r"(?<=[.!?]) ", words)
    return sentences
