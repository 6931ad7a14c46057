"""Covers: the picture that the card of a preset shows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Cover(NamedTuple):
    """A picture that can be shown; its `mark` changes with the file."""

    path: Path
    mark: str
