"""Describes sweeps and their cells as JSON for the page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job
from comfygradio.jobs.results import Result
from comfygradio.jobs.sweep_store import SweepRecord
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.cell_store import Cell, Counts
from comfygradio.sweeps.export.grid import choose_layout
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.job.job_stream import encode_frame
from comfygradio.ui.job.job_text import describe_time_left
from comfygradio.ui.job.result_route import RESULT_PREFIX, make_result_url

MAX_PREVIEWS = 2
"""Most running cells whose previews are sent along."""

COUNTED_PHASES = ("waiting", "running", "done", "failed", "stopped")
"""The phases of cells that the page gets a number for."""

PHASE_WORDS = {"paused": "paused", "stopped": "stopped", "planned": "not started"}
"""Phases of a sweep that its line names."""

Json = dict[str, Any]

FindJob = Callable[[str], Job | None]


def describe_sweep(
    sweep: Sweep, form: Form | None, find_job: FindJob, outputs: Path, run_id: str
) -> Json:
    """Describe everything that the page of a sweep shows at first."""
    sizes = list_sizes(sweep)
    version, cells = sweep.list_changes()
    state = describe_state(sweep, find_job, f"{run_id}.{version}")
    layout = choose_layout(sizes)
    return {
        **state,
        "title": name_sweep(sweep),
        "form": form.title if form else sweep.definition.preset,
        "created": sweep.created,
        "axes": [describe_axis(axis) for axis in sweep.axes],
        "cells": [describe_cell(cell, sizes, outputs) for cell in cells],
        "layout": layout.to_json(),
        "root": RESULT_PREFIX,
        "canUse": form is not None and not form.problems,
    }


def list_sizes(sweep: Sweep) -> list[int]:
    """List how many positions each axis has."""
    return [len(axis.steps) for axis in sweep.axes]


def describe_axis(axis: Axis) -> Json:
    """Describe an axis: its title, and the labels of its positions."""
    labels = [step.label for step in axis.steps]
    return {"title": axis.title, "labels": labels}


def describe_changes(
    sweep: Sweep, since: int, find_job: FindJob, outputs: Path, run_id: str
) -> Json:
    """Describe the state of a sweep, and the cells that have changed since a version, each with its
    number.
    """
    sizes = list_sizes(sweep)
    version, cells = sweep.list_changes(since)
    changed = []
    for cell in cells:
        number = find_cell_number(cell.index, sizes)
        described = describe_cell(cell, sizes, outputs)
        changed.append([number, described])
    state = describe_state(sweep, find_job, f"{run_id}.{version}")
    return {**state, "cells": changed}


def describe_state(sweep: Sweep, find_job: FindJob, version: str) -> Json:
    """Describe the state of a sweep: phase, counts, a line about it, and what runs now."""
    counts = sweep.counts
    phase = sweep.phase
    rest = describe_time_left(sweep.seconds_left) if phase == "running" else ""
    return {
        "token": sweep.token,
        "version": version,
        "phase": phase,
        "total": counts.total,
        "counts": {name: getattr(counts, name) for name in COUNTED_PHASES},
        "line": describe_counts(phase, counts),
        "rest": rest,
        "trouble": sweep.trouble,
        "live": describe_live(sweep, find_job),
    }


def describe_counts(phase: str, counts: Counts) -> str:
    """Write one line: how many cells are done, failed or stopped, and the phase of the sweep."""
    parts = [f"{counts.done:,} of {counts.total:,} done"]
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    if counts.stopped:
        parts.append(f"{counts.stopped:,} stopped")
    # "3 stopped" says already that the sweep was stopped.
    is_said = phase == "stopped" and counts.stopped
    if phase in PHASE_WORDS and not is_said:
        parts.append(PHASE_WORDS[phase])
    return " · ".join(parts)


def describe_live(sweep: Sweep, find_job: FindJob) -> Json:
    """Describe the running cells, by number: their progress in percent, and for some the newest
    preview.
    """
    if not sweep.counts.running:
        return {}
    sizes = list_sizes(sweep)
    running = [cell for cell in sweep.cells.values() if cell.phase == "running"]
    described: Json = {}
    previews = 0
    for cell in running:
        live: Json = {"percent": 0}
        job = find_job(cell.token)
        snapshot = job.snapshot if job else None
        if snapshot and snapshot.state:
            live["percent"] = round(100 * snapshot.state.progress, 1)
        if snapshot and previews < MAX_PREVIEWS:
            preview = encode_frame(snapshot)
            if preview:
                live["frame"] = preview
                previews += 1
        number = find_cell_number(cell.index, sizes)
        described[str(number)] = live
    return described


def describe_cell(cell: Cell, sizes: Sequence[int], outputs: Path) -> Json | None:
    """Describe a cell: phase, results, error, seconds, rating, and whether its results were there
    before. None for a cell that waits.

    The keys are one letter and empty values are left out, since there are thousands of cells.
    """
    if cell.phase == "waiting" and not cell.rating:
        return None
    number = find_cell_number(cell.index, sizes)
    results = []
    for place, result in enumerate(cell.results):
        results.append(_describe_result(result, number, place, outputs))
    described = {
        "p": cell.phase,
        "r": results,
        "e": cell.error,
        "s": round(cell.seconds, 1),
        "k": cell.rating,
        "o": cell.is_reused,
    }
    return {key: value for key, value in described.items() if value}


def _describe_result(result: Result, number: int, place: int, outputs: Path) -> Json:
    """Describe the result at this place of a cell: kind, address, address of a small copy,
    thumbnail, width, height, text and problem; empty values are left out.
    """
    kind = "image" if result.kind == "preview" else result.kind
    has_small_copy = result.display is not None and result.display != result.path
    has_thumb = kind == "image" and result.path is not None
    described = {
        "n": kind,
        "u": _make_short_url(result.path, outputs),
        "d": _make_short_url(result.display, outputs) if has_small_copy else "",
        "m": make_thumb_name(result, number, place) if has_thumb else "",
        "w": result.width,
        "h": result.height,
        "t": result.text[:2000],
        "x": result.problem,
    }
    return {key: value for key, value in described.items() if value}


def make_thumb_name(result: Result, number: int, place: int) -> str:
    """Make the end of a thumbnail's address, from the number of its cell and the result's place in
    it; it changes with the file, so that browsers may cache the thumbnail.
    """
    path = str(result.path).encode()
    digest = hashlib.sha256(path).hexdigest()
    return f"{number}/{place}/{digest[:8]}"


def _make_short_url(path: Path | None, outputs: Path) -> str:
    """Make the address of a result without the common prefix; "" if it has none."""
    url = make_result_url(path, outputs)
    return url.removeprefix(RESULT_PREFIX)


def find_cell_number(index: Index, sizes: Sequence[int]) -> int:
    """Find the number of a point in the order as typed."""
    number = 0
    for position, size in zip(index, sizes, strict=True):
        number = number * size + position
    return number


def find_index(number: int, sizes: Sequence[int]) -> Index | None:
    """Find the point with this number; None if there is none."""
    index: list[int] = []
    rest = number
    for size in reversed(sizes):
        rest, position = divmod(rest, size)
        index.append(position)
    if rest:
        return None
    return tuple(reversed(index))


def describe_thumbs(sweep: Sweep, most: int = 4) -> list[str]:
    """List the addresses of the thumbnails of a few pictures of a sweep, the best rated first."""
    root = make_thumbs_url(sweep.token)
    sizes = list_sizes(sweep)
    shown = []
    for cell in sweep.cells.values():
        is_rejected = cell.rating < 0
        if cell.phase == "done" and not is_rejected:
            shown.append(cell)
    shown.sort(key=lambda cell: -cell.rating)
    addresses: list[str] = []
    for cell in shown:
        number = find_cell_number(cell.index, sizes)
        for place, result in enumerate(cell.results):
            if len(addresses) == most:
                return addresses
            if result.path and result.kind == "image":
                name = make_thumb_name(result, number, place)
                addresses.append(root + name)
    return addresses


def make_thumbs_url(token: str) -> str:
    """Make the beginning of the addresses of a sweep's thumbnails, relative to the app's root."""
    return f"gradio_api/comfygradio/sweep/{token}/"


def describe_card(record: SweepRecord, form: Form | None) -> Json:
    """Describe a sweep as the list shows it at first, from the job store alone."""
    counts = Counts(record.total, done=record.done)
    return {
        "token": record.token,
        "title": record.title,
        "form": form.title if form else record.preset,
        "created": record.created,
        "phase": record.phase,
        "line": describe_counts(record.phase, counts),
    }


def describe_visible_card(sweep: Sweep) -> Json:
    """Describe a sweep as the list shows it while it is in view."""
    return {
        "token": sweep.token,
        "title": name_sweep(sweep),
        "phase": sweep.phase,
        "line": describe_counts(sweep.phase, sweep.counts),
        "thumbs": describe_thumbs(sweep),
    }


def name_sweep(sweep: Sweep) -> str:
    """Return the name of a sweep: its title, else the titles of its axes."""
    if sweep.definition.title:
        return sweep.definition.title
    titles = [axis.title for axis in sweep.axes]
    return " × ".join(titles) or sweep.title
