"""The texts about a job on the page, in every state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.jobs.worker import NOT_RESPONDING
from comfygradio.ui.job.job_text import describe_job
from tests.jobs.lines import draw

MEMORY_TEXT = "KSampler (node 3) failed: CUDA out of memory. Tried to allocate 2.00 GiB."


def describe(snapshot: JobSnapshot) -> dict[str, Any]:
    return describe_job(Job(draw(1)), snapshot, Path())


def run(node_class: str, **more: Any) -> JobSnapshot:
    """Make a job that runs a node of this class."""
    state = PromptProgress("x", "running", node="My node", node_class=node_class, **more)
    return JobSnapshot("running", state=state)


STEPPING = {"step": 12, "steps": 20, "has_stepped": True}
STEPPED = {"has_stepped": True}


@pytest.mark.parametrize(
    ("node_class", "more", "line"),
    [
        ("CheckpointLoaderSimple", {}, "Loading the model"),
        ("UNETLoader", {}, "Loading the model"),
        ("LoraLoader", {}, "Loading the model"),
        ("LoadImage", {}, "Getting ready"),
        ("CLIPTextEncode", {}, "Getting ready"),
        ("PreviewImage", {}, "Getting ready"),
        ("KSampler", {}, "Getting ready"),
        ("KSampler", STEPPING, "Painting"),
        ("KSampler", STEPPED, "Painting"),
        ("KSampler", {"step": 1, "steps": 1}, "Getting ready"),
        ("SomebodysOwnPainter", STEPPING, "Painting"),
        ("UpscaleModelLoader", STEPPED, "Loading the model"),
        ("VAEDecode", STEPPED, "Finishing"),
        ("VAEDecodeTiled", STEPPING, "Finishing"),
        ("SaveImage", STEPPED, "Finishing"),
        ("VHS_VideoCombine", STEPPED, "Finishing"),
        ("ImageScale", STEPPED, "Finishing"),
    ],
)
def test_work_is_told_in_words_that_people_know(
    node_class: str, more: dict[str, Any], line: str
) -> None:
    assert describe(run(node_class, **more))["line"] == line


def test_what_a_node_says_itself_is_the_line() -> None:
    message = describe(run("KSampler", text="Waiting for the cloud, 12 s", **STEPPING))
    assert (message["line"], message["told"]) == ("Waiting for the cloud, 12 s", True)
    assert message["detail"] == "My node · step 12 of 20"
    assert not describe(run("KSampler", **STEPPING))["told"]


def test_what_a_node_said_is_not_the_line_where_that_is_no_longer_so() -> None:
    silent = describe(run("KSampler", text="Half done", is_answered=False))
    assert (silent["line"], silent["told"]) == (NOT_RESPONDING, False)
    over = JobSnapshot("failed", state=run("KSampler", text="Half done").state, error="No luck.")
    assert not describe(over)["told"] and "Half done" not in describe(over).values()


def test_the_node_and_its_step_are_a_detail() -> None:
    assert describe(run("KSampler", **STEPPING))["detail"] == "My node · step 12 of 20"
    assert describe(run("VAEDecode", **STEPPED))["detail"] == "My node"
    assert describe(JobSnapshot("waiting", ahead=2))["detail"] == ""
    assert describe(JobSnapshot("done", state=run("KSampler").state))["detail"] == ""


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        (JobSnapshot(), "Starting"),
        (JobSnapshot(ahead=1), "Waiting: you are next"),
        (JobSnapshot(ahead=3), "Waiting: 3 before you"),
        (JobSnapshot(ahead=3, reason="The server sleeps."), "The server sleeps."),
        (JobSnapshot("running", state=PromptProgress("x", "uploading")), "Starting"),
        (
            JobSnapshot("running", state=PromptProgress("x", "queued", queue_position=2)),
            "Waiting: 2 before you",
        ),
    ],
)
def test_who_waits_is_told_the_place_and_the_reason(snapshot: JobSnapshot, line: str) -> None:
    assert describe(snapshot)["line"] == line


def test_a_server_that_does_not_answer_is_told_of_at_once() -> None:
    message = describe(run("KSampler", is_answered=False, progress=0.4, **STEPPING))
    assert (message["line"], message["left"], message["percent"]) == (NOT_RESPONDING, "", 40)
    assert message["silent"] and not describe(run("KSampler"))["silent"]


def test_want_of_memory_is_told_in_words_that_people_know() -> None:
    message = describe(JobSnapshot("failed", error=MEMORY_TEXT))
    assert message["headline"] == "The picture is too large for this graphics card."
    assert message["error"] == MEMORY_TEXT


def test_any_other_failure_has_its_reason_among_the_details() -> None:
    message = describe(JobSnapshot("failed", error="LabRaise (node 2) failed: no luck."))
    assert message["headline"] == "It could not be finished."
    assert message["error"] == "LabRaise (node 2) failed: no luck."


def test_a_job_that_somebody_else_stopped_says_so_once() -> None:
    said = "Somebody stopped this job on the server."
    message = describe(JobSnapshot("stopped", error=said))
    assert (message["headline"], message["error"]) == (said, "")
    assert describe(JobSnapshot("stopped"))["headline"] == ""


def test_what_went_wrong_with_a_picture_that_is_there_is_a_warning() -> None:
    message = describe(JobSnapshot("done", error="The record could not be written."))
    assert (message["headline"], message["error"]) == ("", "")
    assert message["warnings"] == ["The record could not be written."]


def test_the_summary_is_the_prompt_and_short() -> None:
    job = Job(replace(draw(1), values={"steps": 4, "prompt": "a red fox " * 100}))
    summary = describe_job(job, JobSnapshot("done"), Path())["summary"]
    assert summary == ("a red fox " * 24)[:240]
    job = Job(replace(draw(1), values={"steps": 4, "sampler": "euler"}))
    assert describe_job(job, JobSnapshot("done"), Path())["summary"] == ""
