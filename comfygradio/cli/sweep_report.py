"""What `comfygradio sweep` says: the plan before, and what was made at the end."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.cell_store import Cell
from comfygradio.sweeps.planner.plan import Plan, format_seconds
from comfygradio.sweeps.sweep import Sweep

LISTED = 50
"""So many points of a plan are listed one by one; JSON has all of them."""


def print_plan(sweep: Sweep, as_json: bool) -> None:
    """Print how many points there are, in which order, what is executed, and how long it takes."""
    plan = sweep.plan
    if as_json:
        print(json.dumps(_write_plan(sweep, plan), ensure_ascii=False))
        return
    for line in plan.describe():
        print(line)
    seconds = format_seconds(plan.as_typed.seconds)
    print(
        f"As typed: {seconds}, {plan.as_typed.executed:,} nodes; as planned: "
        f"{plan.planned.executed:,} nodes."
    )
    for number, segment in enumerate(plan.segments, 1):
        where = f" on server {number}" if len(plan.segments) > 1 else ""
        print(f"\nOrder{where}:")
        for place, index in enumerate(segment[:LISTED], 1):
            print(f"{place:5}. {label_point(sweep, index)}")
        if len(segment) > LISTED:
            print(f"       and {len(segment) - LISTED:,} more")


def describe_sweep(sweep: Sweep) -> str:
    """Count the points by status, in a line."""
    counts = sweep.counts
    parts = [f"{counts.done:,} of {counts.total:,} points are done"]
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    if counts.stopped:
        parts.append(f"{counts.stopped:,} were stopped")
    return ", ".join(parts)


def print_sweep(sweep: Sweep, folder: Path, as_json: bool) -> None:
    """Print the paths of what was made, one a line, in the order as typed, or all of it as JSON;
    write errors to stderr.
    """
    cells = list(sweep.cells.values())
    if as_json:
        points = [_write_cell(sweep, cell, folder) for cell in cells]
        data = {
            "preset": sweep.form.name,
            "folder": str(folder),
            **vars(sweep.counts),
            "points": points,
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    for cell in cells:
        for path in _list_files(cell, folder):
            print(path)
        if cell.error:
            print(f"{label_point(sweep, cell.index)}: {cell.error}", file=sys.stderr)


def label_point(sweep: Sweep, index: Index) -> str:
    """Describe for people what a point has on each axis."""
    parts = []
    for axis, position in zip(sweep.axes, index, strict=True):
        step = axis.steps[position]
        parts.append(f"{axis.title}: {step.label}")
    return " · ".join(parts)


def _write_plan(sweep: Sweep, plan: Plan) -> dict[str, Any]:
    ways = {"planned": plan.planned, "as_typed": plan.as_typed, "without_cache": plan.uncached}
    costs = {
        name: {
            "seconds": round(way.seconds, 3),
            "work": round(way.work, 3),
            "executions": dict(way.executions),
        }
        for name, way in ways.items()
    }
    axes = []
    for axis in sweep.axes:
        labels = [step.label for step in axis.steps]
        axes.append({"title": axis.title, "labels": labels})
    servers = []
    for segment in plan.segments:
        servers.append([list(index) for index in segment])
    about = {
        "preset": sweep.form.name,
        "points": plan.points,
        "done": plan.done,
        "carry": plan.limits.is_pinning,
    }
    return {**about, "axes": axes, "servers": servers, **costs}


def _write_cell(sweep: Sweep, cell: Cell, folder: Path) -> dict[str, Any]:
    labels = []
    for axis, position in zip(sweep.axes, cell.index, strict=True):
        labels.append(axis.steps[position].label)
    return {
        "index": list(cell.index),
        "labels": labels,
        "values": dict(cell.values),
        "phase": cell.phase,
        "files": [str(path) for path in _list_files(cell, folder)],
        "texts": [result.text for result in cell.results if result.text],
        "error": cell.error,
        "seconds": round(cell.seconds, 3),
    }


def _list_files(cell: Cell, folder: Path) -> list[Path]:
    """List the files of a point that is done, by the name of the folder as it was typed."""
    if cell.phase != "done":
        return []
    real = folder.resolve()
    files = []
    for result in cell.results:
        path = result.path
        if path is None:
            continue
        if path.is_relative_to(real):
            path = folder / path.relative_to(real)
        files.append(path)
    return files
