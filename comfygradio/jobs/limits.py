"""Limits that whoever runs the app may set."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.jobs.naming import DEFAULT_PATTERN


@dataclass(frozen=True)
class Limits:
    """`jobs_waiting` counts a person's waiting jobs; `megapixels` bounds a picture's size, `steps` a sampler's.

    `names` is the pattern by which results are named (see `naming`).
    """

    jobs_waiting: int = 100
    megapixels: float | None = None
    steps: int | None = None
    names: str = DEFAULT_PATTERN
