"""Limits that whoever runs the app may set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """`jobs_waiting` counts a person's waiting jobs; `megapixels` bounds a picture's size, `steps` a sampler's."""

    jobs_waiting: int = 100
    megapixels: float | None = None
    steps: int | None = None
