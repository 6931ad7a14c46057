"""Text and JSON for the page, made from a job's snapshot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.results import Result
from comfygradio.jobs.worker import NOT_RESPONDING
from comfygradio.ui.job.result_route import make_result_url

MIN_SHOWN_SECONDS = 5.5
"""What is left of a job is told in numbers down to here: below, every step would say another one.
"""

PICTURES = ("image", "preview")
"""Kinds of results that a small picture can be shown of."""

SAMPLER = re.compile(r"sampler(?!select)", re.IGNORECASE)
LOADER = re.compile(r"loader", re.IGNORECASE)
FINISHER = re.compile(r"^(Save|Preview)|(Save|Preview|Combine)$|decode", re.IGNORECASE)
"""Node classes that count as the last step of a job."""

OUT_OF_MEMORY = "out of memory"
"""Occurs in every out-of-memory message, ComfyUI's and ours."""

TOO_LARGE = "The picture is too large for this graphics card."
NOT_FINISHED = "It could not be finished."


def describe_job(job: Job, snapshot: JobSnapshot, outputs: Path) -> dict[str, Any]:
    """The message for the viewer, all JSON: phase, percent (0 to 100), the line, whether a node
    says it, and what more there is to know of it, whether the server is silent, warnings, the
    headline and the details of a failure, and the results, which lie in `outputs`.
    """
    state = snapshot.state
    seconds_left = state.seconds_left if state and snapshot.phase == "running" else None
    headline = describe_failure(snapshot)
    return {
        "token": job.token,
        "preset": job.order.preset,
        "title": job.order.title,
        "phase": snapshot.phase,
        "percent": round(100 * state.progress, 1) if state else 0,
        "line": describe_progress(snapshot),
        "told": bool(find_node_text(snapshot)),
        "silent": is_silent(snapshot),
        "detail": describe_node(snapshot),
        "left": describe_time_left(seconds_left),
        "warnings": list_warnings(snapshot),
        "headline": headline,
        "error": snapshot.error if headline and headline != snapshot.error else "",
        "refused": bool(snapshot.node_errors),
        "seed": find_seed(job),
        "seconds": round(snapshot.seconds, 1),
        "results": [describe_result(result, outputs) for result in snapshot.results],
    }


def describe_job_brief(job: Job, snapshot: JobSnapshot, outputs: Path) -> dict[str, Any]:
    """A job as one of several, all JSON: phase, percent (0 to 100), place in the queue (0 where it
    is not known), and a small picture of what came out.
    """
    state = snapshot.state
    pictures = [one for one in snapshot.results if one.kind in PICTURES and one.display]
    picture = make_result_url(pictures[0].display, outputs) if pictures else ""
    return {
        "token": job.token,
        "title": job.order.title,
        "phase": snapshot.shown_phase,
        "percent": round(100 * state.progress) if state else 0,
        "place": find_queue_position(snapshot),
        "picture": picture,
    }


def is_silent(snapshot: JobSnapshot) -> bool:
    """Whether a job runs on a server that does not answer, so that nothing is known of it now."""
    state = snapshot.state
    if snapshot.phase != "running" or state is None:
        return False
    return not state.is_answered


def find_queue_position(snapshot: JobSnapshot) -> int:
    """How many jobs come before one that waits; 0 where that is not known, or it waits no more."""
    if snapshot.is_over:
        return 0
    if snapshot.ahead:
        return snapshot.ahead
    # With none before it here, it may still wait in its server's own queue.
    state = snapshot.state
    if state is None:
        return 0
    return state.queue_position or 0


def describe_progress(snapshot: JobSnapshot) -> str:
    """One line: the place in the queue, or what is being done, in words that people know."""
    state = snapshot.state
    if state is None or snapshot.shown_phase == "waiting":
        return snapshot.reason or describe_queue_position(find_queue_position(snapshot))
    if is_silent(snapshot):
        return NOT_RESPONDING
    return find_node_text(snapshot) or describe_work(snapshot)


def find_node_text(snapshot: JobSnapshot) -> str:
    """What the node that runs says itself about its work; "" where it says nothing."""
    state = snapshot.state
    if snapshot.shown_phase != "running" or state is None or is_silent(snapshot):
        return ""
    return state.text


def describe_queue_position(ahead: int) -> str:
    """The line for a job with this many jobs before it."""
    if ahead == 0:
        return "Starting"
    return f"Waiting: {ahead} before you" if ahead > 1 else "Waiting: you are next"


def describe_work(snapshot: JobSnapshot) -> str:
    """What a running job is at. Only steps show that a picture is being painted: before them the
    models may have to be moved to the graphics card first.
    """
    state = snapshot.state
    if state is None:
        return describe_queue_position(0)
    name = state.node_class or ""
    counts_steps = state.step is not None and (state.steps or 0) > 1
    if LOADER.search(name):
        return "Loading the model"
    if not state.has_stepped:
        return "Painting" if counts_steps else "Getting ready"
    if FINISHER.search(name):
        return "Finishing"
    if counts_steps or SAMPLER.search(name):
        return "Painting"
    return "Finishing"


def describe_node(snapshot: JobSnapshot) -> str:
    """The node that runs and its step, for those who know the workflow; "" where none runs."""
    state = snapshot.state
    if snapshot.phase != "running" or state is None or not state.node:
        return ""
    if state.step is None or (state.steps or 0) <= 1:
        return state.node
    return f"{state.node} · step {state.step} of {state.steps}"


def describe_failure(snapshot: JobSnapshot) -> str:
    """What went wrong, in a sentence for everybody; "" where nothing did."""
    if snapshot.phase == "failed":
        return TOO_LARGE if is_out_of_memory(snapshot) else NOT_FINISHED
    return snapshot.error if snapshot.phase == "stopped" else ""


def is_out_of_memory(snapshot: JobSnapshot) -> bool:
    """Whether a job failed because its picture needs more memory than there is."""
    return snapshot.phase == "failed" and OUT_OF_MEMORY in snapshot.error.lower()


def list_warnings(snapshot: JobSnapshot) -> list[str]:
    """What a person should know although the job goes on, or came to a good end."""
    warnings = list(snapshot.state.warnings) if snapshot.state else []
    if snapshot.phase == "done" and snapshot.error:
        warnings.append(snapshot.error)
    return warnings


def describe_time_left(seconds: float | None) -> str:
    """The estimated time left, rounded so that it does not flicker; "" if unknown."""
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
    """One result for the viewer: where to see it, where to get the original, its name and size in
    pixels.
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


def find_seed(job: Job) -> str:
    """The seed that was used, as text, since a JavaScript number would round it; "" without one."""
    for name, value in job.order.values.items():
        if name in job.order.seeds:
            return str(value)
    return ""
