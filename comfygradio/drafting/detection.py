"""Detections: what was recognised in a workflow, before it has a name and a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.forms.slots import Slot


@dataclass(frozen=True)
class Detection:
    """Inputs that belong together, and their role.

    `parts` maps parts of a value ("" for a simple one, "width" and "height" of a size) to inputs.
    `keys` are further keys of the entry in the preset file. `computed` maps further inputs to
    formulas that compute their number from the value. `is_secondary` marks what people rarely need
    first. With `is_variant` its inputs belong to another detection and take that one's value unless
    this one has its own.
    """

    role: str
    parts: Mapping[str, tuple[Slot, ...]]
    why: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    is_secondary: bool = False
    computed: Mapping[Slot, str] = field(default_factory=dict)
    is_variant: bool = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All inputs of all parts."""
        listed: list[Slot] = []
        for slots in self.parts.values():
            listed += slots
        return tuple(listed)

    @property
    def all_slots(self) -> tuple[Slot, ...]:
        """The inputs of all parts, and the computed ones."""
        return (*self.slots, *self.computed)

    @property
    def first(self) -> Slot:
        """The input that names the field."""
        return self.slots[0]


def make_detection(
    role: str, slots: Iterable[Slot], why: str, is_secondary: bool = False, **keys: Any
) -> Detection:
    """Make a detection with a single value."""
    return Detection(
        role=role,
        parts={"": tuple(slots)},
        why=why,
        keys=keys,
        is_secondary=is_secondary,
    )


@dataclass
class Detections:
    """The detections so far. Each input belongs to the first detection that claims it."""

    found: list[Detection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    claimed: set[Slot] = field(default_factory=set)

    def add(self, *detections: Detection) -> None:
        """Add detections and claim their inputs. Detections with an input that is already claimed
        are skipped.
        """
        for detection in detections:
            if self.claimed.isdisjoint(detection.all_slots):
                self.found.append(detection)
                self.claimed.update(detection.all_slots)

    def claim(self, *slots: Slot) -> None:
        """Claim inputs, so that they become no fields."""
        self.claimed.update(slots)

    def has(self, *roles: str) -> bool:
        """Whether one of these roles was detected."""
        return any(detection.role in roles for detection in self.found)
