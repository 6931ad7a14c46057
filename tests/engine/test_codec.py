"""What travels between machines: our own values and errors, and nothing that runs code."""

from __future__ import annotations

import importlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from comfygradio import errors
from comfygradio.cluster.codec import News, pack, pack_outcome, unpack, unpack_outcome
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.http_responses import Queue, QueuedPrompt, UploadedFile
from comfygradio.comfy.locate import PromptLocation
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import Preview, PromptProgress
from comfygradio.errors import ComfyGradioError, NodeError, UnexpectedResponse

MADE: dict[str, ComfyGradioError] = {
    "UnexpectedResponse": errors.UnexpectedResponse("It is HTML.", 502),
    "PromptRejected": errors.PromptRejected(
        "No.", "bad", [NodeError("1", "KSampler", "t", "m", "d", "seed")]
    ),
    "JobLost": errors.JobLost("Lost.", "id"),
    "ExecutionFailed": errors.ExecutionFailed("Failed.", "id", "3", "KSampler", "OOM"),
    "ValuesRefused": errors.ValuesRefused({"seed": "must be a number.", "cfg": "is too large."}),
    "AxisError": errors.AxisError("is no number.", "cfg", 2, 5, "x"),
}


def list_errors(kind: type[ComfyGradioError] = ComfyGradioError) -> list[type[ComfyGradioError]]:
    """Every class of the error tree that lies in errors.py."""
    below = [found for child in kind.__subclasses__() for found in list_errors(child)]
    return [kind, *below] if kind.__module__ == errors.__name__ else below


@pytest.mark.parametrize("kind", list_errors())
def test_every_error_survives_the_trip(kind: type[ComfyGradioError]) -> None:
    sent = MADE.get(kind.__name__) or kind("A sentence.")

    def fail() -> None:
        raise sent

    importlib.import_module("distributed")

    with pytest.raises(kind) as caught:
        unpack_outcome(pack_outcome(fail))
    assert (
        type(caught.value) is kind
        and str(caught.value) == str(sent)
        and vars(caught.value) == vars(sent)
    )


def test_a_client_stays_on_its_side() -> None:
    there, here = ComfyClient("http://127.0.0.1:1"), ComfyClient("http://127.0.0.1:2")
    state = PromptProgress("id", "done", outputs=(Output("1", "image", "a.png", source=there),))
    got = unpack(pack(state), here)
    assert got == state and got.outputs[0].source is here


def test_states_come_as_they_were() -> None:
    state = PromptProgress(
        "id",
        "running",
        progress=0.5,
        preview=Preview(b"jpg", "image/jpeg", "3"),
        node_seconds={"1": 0.5},
    )
    assert unpack_outcome(pack_outcome(lambda: state)) == state


@pytest.mark.parametrize(
    "answer",
    [
        PromptLocation(position=2, error=errors.ServerUnreachable("It does not answer.")),
        Queue((), ()),
        QueuedPrompt("id", 1.0),
        UploadedFile("a.png", "", "input"),
    ],
)
def test_what_else_a_worker_answers_comes_as_it_was(answer: tuple[Any, ...]) -> None:
    """Named tuples, which are no dataclasses."""
    got = unpack(pack(answer))
    assert type(got) is type(answer)
    assert repr(got) == repr(answer)


class Evil:
    """What an attacker would send."""

    def __init__(self, work: Any, *arguments: Any) -> None:
        self.made = work, arguments

    def __reduce__(self) -> Any:
        return self.made


@pytest.mark.parametrize(
    "evil",
    [
        Evil(os.system, "true"),
        Evil(eval, "1"),
        Evil(getattr, "x", "y"),
        Evil(Path, "x"),
        Evil(unpack, b""),
    ],
)
def test_nothing_else_is_unpacked(evil: Evil) -> None:
    with pytest.raises(UnexpectedResponse, match="cannot be read"):
        unpack(pickle.dumps(evil))


@pytest.mark.parametrize("data", [b"", b"x", pickle.dumps(News(1, None))[:-3]])
def test_rubbish_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(UnexpectedResponse, match="cannot be read"):
        unpack(data)


def test_a_mistake_of_ours_is_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnexpectedResponse, match="its log has the details"):
        unpack_outcome(pack_outcome(lambda: 1 / 0))
    assert "ZeroDivisionError" in caplog.text
