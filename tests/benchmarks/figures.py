"""Figures: lists of measured values become medians and percentiles, rows become a table or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """How measured values lie; all in the unit of the values."""

    count: int
    median: float
    p90: float
    p95: float
    largest: float


@dataclass(frozen=True)
class Goal:
    """A figure beside what it should be at most."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure keeps its limit; a figure that is missing (NaN) does not."""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return f"{verdict:6}  {self.name}: {self.value:.4g} {self.unit} (at most {self.limit:g})"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, interpolated; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def describe_spread(values: Sequence[float]) -> Spread:
    """The figures of some values; NaN without any."""
    median, p90, p95, largest = (percentile(values, percent) for percent in (50, 90, 95, 100))
    return Spread(len(values), median, p90, p95, largest)


def format_table(rows: Sequence[Row]) -> str:
    """Rows with the same keys as an aligned table; numbers keep four digits."""
    if not rows:
        return ""
    lines = [list(rows[0]), *([_format_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def write_json(path: Path | None, report: Mapping[str, Any]) -> None:
    """Write a report where one was asked for; figures that are missing become null."""
    if path is not None:
        path.write_text(json.dumps(_drop_nan(report), indent=2) + "\n", encoding="utf-8")


def _format_cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def _drop_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_drop_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
