"""Output nodes that make something and tell nobody: the work was done all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygradio.demo import DemoOptions, DemoServer

from .shell import Shell

SENTENCE = (
    "It ended well, and ComfyUI tells of no result: what its output nodes made is on its machine.\n"
)


@pytest.fixture
def lab() -> Iterator[DemoServer]:
    """A demo server with the test nodes; LabSleep is an output node that tells of nothing."""
    with DemoServer(DemoOptions(step_seconds=0, lab_nodes=True)) as server:
        yield server


def write_preset(graph: dict[str, Any], more: str = "") -> None:
    """A preset `quiet` with this workflow."""
    Path("presets").mkdir(exist_ok=True)
    Path("presets/quiet.json").write_text(json.dumps(graph), encoding="utf-8")
    text = f"title: Quiet\nworkflow: quiet.json\n{more}"
    Path("presets/quiet.yaml").write_text(text, encoding="utf-8")


def rest(seconds: float) -> dict[str, Any]:
    return {"class_type": "LabSleep", "inputs": {"seconds": seconds}}


def test_a_run_without_results_went_well(shell: Shell, lab: DemoServer) -> None:
    write_preset({"1": rest(0.0), "2": rest(0.01)})
    answer = shell("run", "quiet", "--server", lab.url)
    assert (answer.code, answer.out, answer.err) == (0, "", SENTENCE)
    answer = shell("run", "quiet", "--json", "--server", lab.url)
    assert answer.code == 0 and json.loads(answer.out)["files"] == []


def test_beside_results_nothing_is_said(shell: Shell, lab: DemoServer) -> None:
    said = {"class_type": "LabText", "inputs": {"text": "hello"}}
    write_preset({"1": rest(0.0), "2": said})
    answer = shell("run", "quiet", "--server", lab.url)
    assert (answer.code, answer.err) == (0, "") and Path(answer.out.strip()).is_file()
    write_preset({"1": rest(0.0), "2": said}, "outputs: ['1']\n")
    answer = shell("run", "quiet", "--server", lab.url)
    assert (answer.code, answer.out, answer.err) == (0, "", SENTENCE)


def test_a_node_that_fails_is_no_silent_one(shell: Shell, lab: DemoServer) -> None:
    broken = {"class_type": "LabRaise", "inputs": {"message": "no space left"}}
    write_preset({"1": rest(0.0), "2": broken})
    answer = shell("run", "quiet", "--server", lab.url)
    assert answer.code == 1 and "no space left" in answer.err and SENTENCE not in answer.err
