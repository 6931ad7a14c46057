"""What nodes say about their work: text frames over real sockets, hostile ones too."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygradio.comfy.messages import Executing, ProgressText, parse_binary
from comfygradio.comfy.tracker import MAX_TEXT_LENGTH, PromptTracker

from .conftest import Connect, Serve
from .gate import Gate
from .graphs import make_empty_graph, make_text_graph


def hold_text(text: str, serve: Serve, connect: Connect, gate: Gate) -> str:
    """What a run shows while a node that has sent this text works on."""
    gate.hold()
    run = connect(serve(lab_nodes=True).url).run(make_text_graph(text, seconds=5.0))
    shown = next(state.text for state in run if state.text)
    gate.release()
    *_, last = run
    assert (last.status, last.text) == ("done", "")
    return shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Waiting for the cloud", "Waiting for the cloud"),
        ("Status: rendering\nElapsed: 12s\r\n", "Status: rendering Elapsed: 12s"),
        ("日本語 ümläut 🎨", "日本語 ümläut 🎨"),
        ("<script>alert(1)</script>[red]x[/]", "<script>alert(1)</script>[red]x[/]"),
        ("\x1b]0;title\x07\x1b[31mred\x9b31m\u202egnp", "]0;title [31mred 31m gnp"),
        ("loading /home/ann/models/secret.pt", "loading secret.pt"),
        ("x" * 5_000_000, "x" * (MAX_TEXT_LENGTH - 1) + "…"),
    ],
)
def test_a_text_is_one_short_line(
    sent: str, shown: str, serve: Serve, connect: Connect, gate: Gate
) -> None:
    assert hold_text(sent, serve, connect, gate) == shown


def track(*messages: ProgressText | Executing) -> str:
    """What is shown after these messages to a run of a graph with the nodes 1 and 2."""
    tracker = PromptTracker(make_empty_graph(), "p")
    for message in messages:
        tracker.apply(message, 0.0)
    return tracker.state.text


BEGUN = Executing("1", "1", prompt_id="p")


def test_a_text_stands_until_another_one_comes_or_another_node_runs() -> None:
    assert track(BEGUN, ProgressText("1", "first"), ProgressText("1", "second")) == "second"
    assert track(BEGUN, ProgressText("1", "first"), ProgressText("1", " \n")) == ""
    assert track(BEGUN, ProgressText("1", "a"), Executing("2", "2", prompt_id="p")) == ""
    assert track(BEGUN, ProgressText("1", "a"), Executing(None, None, prompt_id="p")) == ""


def test_texts_of_other_nodes_and_before_anything_runs_are_not_ours() -> None:
    assert track(ProgressText("1", "early")) == ""
    assert track(BEGUN, ProgressText("2", "other")) == ""
    assert track(BEGUN, ProgressText("1.0.0.7", "of an expanded node")) == "of an expanded node"


@given(st.text(st.characters(exclude_categories=()), max_size=3000))
def test_no_text_breaks_the_line(text: str) -> None:
    shown = track(BEGUN, ProgressText("1", text))
    assert shown.isprintable() and len(shown) <= MAX_TEXT_LENGTH


@given(st.binary(max_size=60), st.integers(0, 2**32 - 1))
def test_no_text_frame_raises(body: bytes, length: int) -> None:
    message = parse_binary(struct.pack(">II", 3, length) + body)
    assert isinstance(message, ProgressText) is (length <= len(body))
