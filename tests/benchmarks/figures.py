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
    low = ordered[math.floor(place)]
    high = ordered[math.ceil(place)]
    part = place - math.floor(place)
    return low + (high - low) * part


def describe_spread(values: Sequence[float]) -> Spread:
    """The figures of some values; NaN without any."""
    return Spread(
        count=len(values),
        median=percentile(values, 50),
        p90=percentile(values, 90),
        p95=percentile(values, 95),
        largest=percentile(values, 100),
    )


def format_table(rows: Sequence[Row]) -> str:
    """Rows with the same keys as an aligned table; numbers keep four digits."""
    if not rows:
        return ""
    table = [list(rows[0])]
    for row in rows:
        table.append([_format_cell(value) for value in row.values()])
    widths: list[int] = []
    for column in zip(*table, strict=True):
        widths.append(max(len(cell) for cell in column))
    lines: list[str] = []
    for cells in table:
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join(aligned))
    return "\n".join(lines)


def write_json(path: Path | None, report: Mapping[str, Any]) -> None:
    """Write a report where one was asked for; figures that are missing become null."""
    if path is None:
        return
    text = json.dumps(_drop_nan(report), indent=2)
    path.write_text(f"{text}\n", encoding="utf-8")


def _format_cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "-"
    return f"{value:.4g}"


def _drop_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_drop_nan(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
