"""Words for sweeps: a sweep and its cells as JSON for its page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job
from comfygradio.jobs.results import Result
from comfygradio.jobs.sweep_store import SweepRecord
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.cell_store import Cell, Counts
from comfygradio.sweeps.export.grid import choose_layout
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.job.job_stream import encode_frame
from comfygradio.ui.job.job_text import describe_time_left
from comfygradio.ui.job.result_route import RESULT_PREFIX, make_result_url

MAX_PREVIEWS = 2
"""Previews of so many running cells are sent along."""

COUNTED_PHASES = ("waiting", "running", "done", "failed", "stopped")
"""The phases of cells that the page gets a number for."""

PHASE_WORDS = {"paused": "paused", "stopped": "stopped", "planned": "not started"}
"""Phases of a sweep that its line names."""

Json = dict[str, Any]

FindJob = Callable[[str], Job | None]


def describe_sweep(
    sweep: Sweep, form: Form | None, find_job: FindJob, outputs: Path, boot: str
) -> Json:
    """Everything that its page shows at first."""
    sizes = [len(axis.steps) for axis in sweep.axes]
    version, cells = sweep.list_changes()
    state = describe_state(sweep, find_job, f"{boot}.{version}")
    axes = []
    for axis in sweep.axes:
        labels = [step.label for step in axis.steps]
        axes.append({"title": axis.title, "labels": labels})
    return {
        **state,
        "title": name_sweep(sweep),
        "form": form.title if form else sweep.definition.preset,
        "created": sweep.created,
        "axes": axes,
        "cells": [describe_cell(cell, sizes, outputs) for cell in cells],
        "layout": choose_layout(sizes).to_json(),
        "root": RESULT_PREFIX,
        "canUse": form is not None and not form.problems,
    }


def describe_changes(sweep: Sweep, since: int, find_job: FindJob, outputs: Path, boot: str) -> Json:
    """What has changed after a version: the cells with their places, and how the whole stands."""
    sizes = [len(axis.steps) for axis in sweep.axes]
    version, cells = sweep.list_changes(since)
    changed = []
    for cell in cells:
        place = find_cell_number(cell.index, sizes)
        changed.append([place, describe_cell(cell, sizes, outputs)])
    state = describe_state(sweep, find_job, f"{boot}.{version}")
    return {**state, "cells": changed}


def describe_state(sweep: Sweep, find_job: FindJob, version: str) -> Json:
    """How a sweep stands: phase, counts, a line about it, and what runs now."""
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
    """One line: how many are done, and what became of the others."""
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
    """Place → percent of the cells that run, with the newest preview of some."""
    if not sweep.counts.running:
        return {}
    sizes = [len(axis.steps) for axis in sweep.axes]
    running = [cell for cell in sweep.cells.values() if cell.phase == "running"]
    found: Json = {}
    frames = 0
    for cell in running:
        job = find_job(cell.token)
        snapshot = job.snapshot if job else None
        told: Json = {"percent": 0}
        if snapshot and snapshot.state:
            told["percent"] = round(100 * snapshot.state.progress, 1)
        frame = encode_frame(snapshot) if snapshot and frames < MAX_PREVIEWS else ""
        if frame:
            told["frame"] = frame
            frames += 1
        place = find_cell_number(cell.index, sizes)
        found[str(place)] = told
    return found


def describe_cell(cell: Cell, sizes: Sequence[int], outputs: Path) -> Json | None:
    """A cell, short, since there are thousands: phase, results, error, seconds, stars; None for one
    that waits.
    """
    if cell.phase == "waiting" and not cell.rating:
        return None
    place = find_cell_number(cell.index, sizes)
    results = []
    for number, result in enumerate(cell.results):
        results.append(_describe_result(result, place, number, outputs))
    told = {
        "p": cell.phase,
        "r": results,
        "e": cell.error,
        "s": round(cell.seconds, 1),
        "k": cell.rating,
        "o": cell.is_reused,
    }
    return {name: value for name, value in told.items() if value}


def _describe_result(result: Result, place: int, number: int, outputs: Path) -> Json:
    """Kind, address, light copy, thumbnail, size, text and problem, as far as they are there."""
    kind = "image" if result.kind == "preview" else result.kind
    has_light_copy = result.display is not None and result.display != result.path
    has_thumb = kind == "image" and result.path is not None
    told = {
        "n": kind,
        "u": _shorten(result.path, outputs),
        "d": _shorten(result.display, outputs) if has_light_copy else "",
        "m": make_thumb_name(result, place, number) if has_thumb else "",
        "w": result.width,
        "h": result.height,
        "t": result.text[:2000],
        "x": result.problem,
    }
    return {name: value for name, value in told.items() if value}


def make_thumb_name(result: Result, place: int, number: int) -> str:
    """The end of a thumbnail's address; it changes with the file, so that browsers may keep what
    they got.
    """
    path = str(result.path).encode()
    mark = hashlib.sha256(path).hexdigest()[:8]
    return f"{place}/{number}/{mark}"


def _shorten(path: Path | None, outputs: Path) -> str:
    """An address relative to that of the outputs folder; "" for what lies elsewhere, or nowhere."""
    return make_result_url(path, outputs).removeprefix(RESULT_PREFIX)


def find_cell_number(index: Index, sizes: Sequence[int]) -> int:
    """The number of a point in the order as typed."""
    place = 0
    for position, size in zip(index, sizes, strict=True):
        place = place * size + position
    return place


def find_index(place: int, sizes: Sequence[int]) -> Index | None:
    """The point with this number, None if there is none."""
    index: list[int] = []
    for size in reversed(sizes):
        place, position = divmod(place, size)
        index.append(position)
    return None if place else tuple(reversed(index))


def describe_thumbs(sweep: Sweep, most: int = 4) -> list[str]:
    """Addresses of the thumbnails of a few pictures of a sweep: the best rated first."""
    root = make_thumbs_url(sweep.token)
    sizes = [len(axis.steps) for axis in sweep.axes]
    done = [cell for cell in sweep.cells.values() if cell.phase == "done"]
    shown = [cell for cell in done if cell.rating >= 0]
    shown.sort(key=lambda cell: -cell.rating)
    addresses: list[str] = []
    for cell in shown:
        place = find_cell_number(cell.index, sizes)
        for number, result in enumerate(cell.results):
            if len(addresses) == most:
                return addresses
            if result.path and result.kind == "image":
                addresses.append(root + make_thumb_name(result, place, number))
    return addresses


def make_thumbs_url(token: str) -> str:
    """What the addresses of a sweep's thumbnails begin with, relative to the app's root."""
    return f"gradio_api/comfygradio/sweep/{token}/"


def describe_card(record: SweepRecord, form: Form | None) -> Json:
    """A sweep as the list shows it at first, from the job store alone."""
    return {
        "token": record.token,
        "title": record.title,
        "form": form.title if form else record.preset,
        "created": record.created,
        "phase": record.phase,
        "line": describe_counts(record.phase, Counts(record.total, done=record.done)),
    }


def describe_visible_card(sweep: Sweep) -> Json:
    """What the list shows of a sweep that is in sight."""
    return {
        "token": sweep.token,
        "title": name_sweep(sweep),
        "phase": sweep.phase,
        "line": describe_counts(sweep.phase, sweep.counts),
        "thumbs": describe_thumbs(sweep),
    }


def name_sweep(sweep: Sweep) -> str:
    """What a sweep is called: the name that it was given, else its axes by their labels."""
    if sweep.definition.title:
        return sweep.definition.title
    titles = [axis.title for axis in sweep.axes]
    return " × ".join(titles) or sweep.title
