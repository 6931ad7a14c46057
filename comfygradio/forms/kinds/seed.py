"""Seed fields: exact 64-bit numbers that may be left to chance."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygradio.comfy.object_info import is_number, is_whole_number
from comfygradio.forms.kinds.kind import Kind
from comfygradio.forms.kinds.number import check_number
from comfygradio.forms.kinds.value import InvalidValue, shorten

if TYPE_CHECKING:
    from comfygradio.forms.field import Field
    from comfygradio.forms.plain_scalar import PlainScalar


RANDOM_SEEDS = 2**50
"""Random seeds stay below what ComfyUI's own page draws (frontend 1.58), so that a browser does not
round them.
"""


@dataclass(frozen=True)
class SeedKind(Kind):
    """A random seed; programs get it as text, since many round long numbers."""

    input_types: frozenset[str] = frozenset({"INT"})
    keys: frozenset[str] = frozenset({"min", "max", "step"})
    syntax: str = (
        "1, 2, 3 or 1-10; random x4 draws four; +3 is the form's seed and the three after it"
    )
    names_resource: bool = False
    is_seed: bool = True

    def check(self, field: Field, value: Any) -> int:
        """An exact seed; an open one is drawn. Raises InvalidValue."""
        return check_seed(field, value)

    def is_open(self, value: Any) -> bool:
        """Whether a new seed is drawn: for nothing, -1 and "random"."""
        return is_open_seed(value)

    def resolve_scalar(self, field: Field, scalar: PlainScalar) -> Any:
        """A number, or None for a random seed."""
        if scalar.is_null:
            return None
        return scalar.typed_number

    def check_inferred(self, value: Any) -> Any:
        """Return a seed. Raises InvalidValue for one below 0, which some nodes take for random."""
        if not is_number(value) or value < 0:
            raise InvalidValue(f"{shorten(value)} is no seed that names a picture.")
        return value

    def check_stored(self, value: Any) -> Any:
        """Return a seed. Raises InvalidValue for one that stands for a new random one."""
        if not is_whole_number(value) or value < 0:
            raise InvalidValue(f"the seed {shorten(value)} names no picture.")
        return value


def check_seed(field: Field, value: Any) -> int:
    """An exact 64-bit seed; nothing, -1 or "random" draws one."""
    if is_open_seed(value):
        return _draw_seed(field)
    return int(check_number(field, value))


def is_open_seed(value: object) -> bool:
    """Whether a seed is left to chance: nothing, -1 or "random"."""
    if isinstance(value, str):
        return value.strip().lower() in ("", "-1", "random")
    return value is None or value == -1


def allowed_seeds(field: Field) -> range:
    """The seeds that are drawn for a field: within its limits, 0 or more where these allow it.

    Empty where there is none.
    """
    high = None if field.maximum is None else math.floor(field.maximum)
    low = 0
    if high is not None and high < 0:
        low = high - RANDOM_SEEDS + 1
    if field.minimum is not None:
        low = max(low, math.ceil(field.minimum))
    span = RANDOM_SEEDS
    if high is not None:
        span = min(RANDOM_SEEDS, high - low + 1)
    return range(low, low + span)


def _draw_seed(field: Field) -> int:
    seeds = allowed_seeds(field)
    return seeds.start + secrets.randbelow(max(1, len(seeds)))


SEED = SeedKind()
