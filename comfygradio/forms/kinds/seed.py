"""Seed fields: exact 64-bit numbers that may be left to chance."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.forms.kinds.kind import Kind


@dataclass(frozen=True)
class SeedKind(Kind):
    """A random seed; programs get it as text, since many round long numbers."""

    input_types: frozenset[str] = frozenset({"INT"})
    keys: frozenset[str] = frozenset({"min", "max", "step"})
    syntax: str = (
        "1, 2, 3 or 1-10; random x4 draws four; +3 is the form's seed and the three after it"
    )
    names_resource: bool = False


SEED = SeedKind()
