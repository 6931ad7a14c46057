"""Words for the page: what a job's snapshot says to the person who waits for the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfygradio.jobs.job import Job, Snapshot
from comfygradio.jobs.results import Result
from comfygradio.ui.results import link_file

SHORT_SECONDS = 5.5
"""What is left of a job is told in numbers down to here: below, every step would say another one.
"""


def describe_job(job: Job, snapshot: Snapshot, outputs: Path) -> dict[str, Any]:
    """The message for the viewer, all JSON: phase, percent (0 to 100), line, warnings, error and
    the results, which lie in `outputs`.
    """
    state = snapshot.state
    return {
        "token": job.token,
        "preset": job.order.preset,
        "title": job.order.title,
        "phase": snapshot.phase,
        "percent": round(100 * state.progress, 1) if state else 0,
        "line": describe_progress(snapshot),
        "left": describe_left(
            state.seconds_left if state and snapshot.phase == "running" else None
        ),
        "warnings": list(state.warnings) if state else [],
        "error": snapshot.error,
        "refused": bool(snapshot.node_errors),
        "seed": find_seed(job),
        "seconds": round(snapshot.seconds, 1),
        "results": [describe_result(result, outputs) for result in snapshot.results],
    }


def describe_progress(snapshot: Snapshot) -> str:
    """One line: the place in the queue, or the running node and its step."""
    state = snapshot.state
    if snapshot.phase == "waiting" or state is None or state.status in ("uploading", "queued"):
        ahead = snapshot.ahead or (state.queue_position or 0 if state else 0)
        if snapshot.reason:
            return snapshot.reason
        return (
            "Starting"
            if ahead == 0
            else f"Waiting: {ahead} before you"
            if ahead > 1
            else "Waiting: you are next"
        )
    steps = (
        f" · step {state.step} of {state.steps}"
        if state.step is not None and (state.steps or 0) > 1
        else ""
    )
    return f"{state.node or 'Working'}{steps}"


def describe_left(seconds: float | None) -> str:
    """How long it will take, as calmly as it can be known; "" where it cannot."""
    if seconds is None:
        return ""
    if seconds < SHORT_SECONDS:
        return "a few seconds left"
    if seconds < 57.5:
        return f"about {round(seconds) if seconds < 19.5 else 5 * round(seconds / 5)} s left"
    minutes = max(round(seconds / 60), 1)
    return (
        f"about {minutes} min left"
        if minutes < 60
        else f"about {minutes // 60} h {minutes % 60} min left"
    )


def describe_result(result: Result, outputs: Path) -> dict[str, Any]:
    """One result for the viewer: where to see it, where to get the original, its name and size in
    pixels.
    """
    return {
        "kind": "image" if result.kind == "preview" else result.kind,
        "text": result.text,
        "name": result.path.name if result.path else "",
        "url": link_file(result.path, outputs),
        "display": link_file(result.display, outputs),
        "width": result.width,
        "height": result.height,
        "partial": result.partial,
    }


def find_seed(job: Job) -> str:
    """The seed that was used, as text, since a JavaScript number would round it; "" without one."""
    return next((str(v) for k, v in job.order.values.items() if k in job.order.seeds), "")
