"""Text and JSON for the page, made from a job's snapshot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.results import Result
from comfygradio.jobs.worker import NOT_RESPONDING
from comfygradio.ui.job.result_route import make_result_url

MIN_SHOWN_SECONDS = 5.5
"""Below this, the time left is not given as a number, which would flicker with every step."""

PICTURES = ("image", "preview")
"""Kinds of results that are pictures."""

SUMMARY_CHARACTERS = 240

SAMPLER = re.compile(r"sampler(?!select)", re.IGNORECASE)
LOADER = re.compile(r"loader", re.IGNORECASE)
FINISHER = re.compile(r"^(Save|Preview)|(Save|Preview|Combine)$|decode", re.IGNORECASE)
"""Node classes that count as the last step of a job."""

OUT_OF_MEMORY = "out of memory"
"""Part of every out-of-memory message, ComfyUI's and ours."""

TOO_LARGE = "The picture is too large for this graphics card."
NOT_FINISHED = "It could not be finished."


def describe_job(job: Job, snapshot: JobSnapshot, outputs: Path) -> dict[str, Any]:
    """Describe a job as JSON for the job view.

    `percent` goes from 0 to 100, `told` says whether the `line` is a node's own text, `silent`
    whether the server does not answer; `summary` is its prompt, shortened, or "". The results are
    files in `outputs`.
    """
    state = snapshot.state
    seconds_left = None
    if state and snapshot.phase == "running":
        seconds_left = state.seconds_left
    headline = describe_failure(snapshot)
    has_details = headline and headline != snapshot.error
    return {
        "token": job.token,
        "preset": job.order.preset,
        "title": job.order.title,
        "summary": find_summary(job.order.values),
        "phase": snapshot.phase,
        "percent": round(100 * state.progress, 1) if state else 0,
        "line": describe_progress(snapshot),
        "told": bool(find_node_text(snapshot)),
        "silent": is_silent(snapshot),
        "detail": describe_node(snapshot),
        "left": describe_time_left(seconds_left),
        "warnings": list_warnings(snapshot),
        "headline": headline,
        "error": snapshot.error if has_details else "",
        "refused": bool(snapshot.node_errors),
        "seed": find_seed(job),
        "seconds": round(snapshot.seconds, 1),
        "results": [describe_result(result, outputs) for result in snapshot.results],
        "layoutNotes": list(snapshot.layout_notes) if snapshot.results else [],
    }


def describe_job_brief(job: Job, snapshot: JobSnapshot, outputs: Path) -> dict[str, Any]:
    """Describe a job as one of several, as JSON: among others, `percent` from 0 to 100, the `place`
    in the queue (0 if unknown), and the address of its first `picture`.
    """
    state = snapshot.state
    return {
        "token": job.token,
        "title": job.order.title,
        "phase": snapshot.shown_phase,
        "percent": round(100 * state.progress) if state else 0,
        "place": find_queue_position(snapshot),
        "picture": _find_picture_url(snapshot, outputs),
    }


def _find_picture_url(snapshot: JobSnapshot, outputs: Path) -> str:
    """Find the address of a job's first picture; "" if there is none."""
    for result in snapshot.results:
        if result.kind in PICTURES and result.display:
            return make_result_url(result.display, outputs)
    return ""


def is_silent(snapshot: JobSnapshot) -> bool:
    """Return whether a job runs on a server that does not answer at the moment."""
    state = snapshot.state
    if snapshot.phase != "running" or state is None:
        return False
    return not state.is_answered


def find_queue_position(snapshot: JobSnapshot) -> int:
    """Find how many jobs come before a waiting one; 0 if that is unknown, or it waits no more."""
    if snapshot.is_over:
        return 0
    if snapshot.ahead:
        return snapshot.ahead
    # If none is before it here, it may still wait in its server's own queue.
    state = snapshot.state
    if state is None:
        return 0
    return state.queue_position or 0


def describe_progress(snapshot: JobSnapshot) -> str:
    """Describe a job in one line: its place in the queue, or what is being done."""
    state = snapshot.state
    if state is None or snapshot.shown_phase == "waiting":
        return snapshot.reason or describe_queue_position(find_queue_position(snapshot))
    if is_silent(snapshot):
        return NOT_RESPONDING
    return find_node_text(snapshot) or describe_work(snapshot)


def find_node_text(snapshot: JobSnapshot) -> str:
    """Find what the running node itself says about its work; "" if it says nothing."""
    state = snapshot.state
    if snapshot.shown_phase != "running" or state is None or is_silent(snapshot):
        return ""
    return state.text


def describe_queue_position(ahead: int) -> str:
    """Write the line for a job with this many jobs before it."""
    if ahead == 0:
        return "Starting"
    if ahead > 1:
        return f"Waiting: {ahead} before you"
    return "Waiting: you are next"


def describe_work(snapshot: JobSnapshot) -> str:
    """Describe what a running job does.

    Only steps show that a picture is being painted: before the first one, the models may have to
    be moved to the graphics card.
    """
    state = snapshot.state
    if state is None:
        return describe_queue_position(0)
    name = state.node_class or ""
    counts_steps = _counts_steps(snapshot)
    if LOADER.search(name):
        return "Loading the model"
    if not state.has_stepped:
        return "Painting" if counts_steps else "Getting ready"
    if FINISHER.search(name):
        return "Finishing"
    if counts_steps or SAMPLER.search(name):
        return "Painting"
    return "Finishing"


def _counts_steps(snapshot: JobSnapshot) -> bool:
    """Return whether the running node has reported one of several steps."""
    state = snapshot.state
    if state is None or state.step is None or state.steps is None:
        return False
    return state.steps > 1


def describe_node(snapshot: JobSnapshot) -> str:
    """Name the running node and its step, for those who know the workflow; "" if none runs."""
    state = snapshot.state
    if snapshot.phase != "running" or state is None or not state.node:
        return ""
    if not _counts_steps(snapshot):
        return state.node
    return f"{state.node} · step {state.step} of {state.steps}"


def describe_failure(snapshot: JobSnapshot) -> str:
    """Say what went wrong, in a sentence for everybody; "" if nothing did."""
    if snapshot.phase == "stopped":
        return snapshot.error
    if snapshot.phase != "failed":
        return ""
    return TOO_LARGE if is_out_of_memory(snapshot) else NOT_FINISHED


def is_out_of_memory(snapshot: JobSnapshot) -> bool:
    """Return whether a job failed because its picture needs more memory than there is."""
    if snapshot.phase != "failed":
        return False
    message = snapshot.error.lower()
    return OUT_OF_MEMORY in message


def list_warnings(snapshot: JobSnapshot) -> list[str]:
    """List what a person should know although the job goes on, or succeeded."""
    warnings: list[str] = []
    if snapshot.state:
        warnings.extend(snapshot.state.warnings)
    if snapshot.phase == "done" and snapshot.error:
        warnings.append(snapshot.error)
    return warnings


def describe_time_left(seconds: float | None) -> str:
    """Describe the estimated time left, rounded so that it does not flicker; "" if unknown."""
    if seconds is None:
        return ""
    if seconds < MIN_SHOWN_SECONDS:
        return "a few seconds left"
    if seconds < 19.5:
        return f"about {round(seconds)} s left"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} s left"
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return f"about {minutes} min left"
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min left"


def describe_result(result: Result, outputs: Path) -> dict[str, Any]:
    """Describe a result as JSON for the job view: the address of the original is `url`, that of the
    copy to show `display`; width and height are in pixels.
    """
    return {
        "kind": "image" if result.kind == "preview" else result.kind,
        "text": result.text,
        "name": result.path.name if result.path else "",
        "url": make_result_url(result.path, outputs),
        "display": make_result_url(result.display, outputs),
        "width": result.width,
        "height": result.height,
        "partial": result.partial,
    }


def find_summary(values: Mapping[str, Any]) -> str:
    """Find a text that summarises a job: its first value of several words, usually the prompt."""
    for value in values.values():
        if not isinstance(value, str):
            continue
        text = value.strip()
        if " " in text:
            return text[:SUMMARY_CHARACTERS]
    return ""


def find_seed(job: Job) -> str:
    """Find the seed that was used; as text, since JavaScript would round the number. "" if none."""
    for name, value in job.order.values.items():
        if name in job.order.seeds:
            return str(value)
    return ""
