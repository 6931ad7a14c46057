"""Recorded traffic of real servers through messages and tracker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfygradio.comfy.http_responses import HistoryEntry, QueuedPrompt
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.tracker import PromptTracker
from comfygradio.errors import ExecutionFailed, JobInterrupted
from tests.comfy.recording import RecordedPost, load_posts

ACCEPTED = [post for post in load_posts() if post.status == 200]
FINISHED = [post for post in ACCEPTED if post.history and post.messages]
NAMES = [f"{post.name}: {post.note}" for post in FINISHED]
SERVER_SECRETS = ("/comfyui", "Traceback", 'File "', "current_inputs", ".py")


def replay(post: RecordedPost) -> Iterator[tuple[PromptTracker, PromptProgress]]:
    tracker = PromptTracker(post.graph, post.prompt_id)
    tracker.accept(QueuedPrompt.from_json(post.answer))
    for at, message in post.messages:
        tracker.gap = at > post.reopened_at
        if not tracker.failure and not tracker.closed and tracker.apply(message, at):
            yield tracker, tracker.state


@pytest.mark.parametrize("post", FINISHED, ids=NAMES)
def test_messages_and_history_agree(post: RecordedPost) -> None:
    tracker, states = PromptTracker(post.graph, post.prompt_id), []
    for tracker, state in replay(post):  # noqa: B007
        states.append(state)
    entry = HistoryEntry.from_json(post.prompt_id, post.history)
    if entry.status == "success" and not tracker.gap:
        assert tracker.closed and tracker.succeeded and tracker.failure is None
    if entry.status == "error" and not tracker.gap:
        assert tracker.failure is not None
    told = {
        (output.filename, output.text) for output in tracker.state.outputs if output.data is None
    }
    assert told == {(output.filename, output.text) for output in entry.outputs} or tracker.gap


@pytest.mark.parametrize("post", FINISHED, ids=NAMES)
def test_progress_never_falls(post: RecordedPost) -> None:
    fractions = [state.progress for _, state in replay(post)]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction < 1 for fraction in fractions)


@pytest.mark.parametrize("post", FINISHED, ids=NAMES)
def test_history_alone_settles(post: RecordedPost) -> None:
    tracker = PromptTracker(post.graph, post.prompt_id)
    tracker.apply_history(HistoryEntry.from_json(post.prompt_id, post.history))
    assert (tracker.failure is None) == (tracker.state.status == "done")


@pytest.mark.parametrize("post", ACCEPTED, ids=[f"{post.name}: {post.note}" for post in ACCEPTED])
def test_failures_are_sentences_without_server_secrets(post: RecordedPost) -> None:
    tracker = PromptTracker(post.graph, post.prompt_id)
    for tracker, _ in replay(post):  # noqa: B007
        pass
    if tracker.failure:
        text = str(tracker.failure)
        assert text.endswith(".") and "\n" not in text and len(text) < 700
        assert not any(secret in text for secret in SERVER_SECRETS)
        assert isinstance(tracker.failure, ExecutionFailed | JobInterrupted)


def test_a_first_run_tells_nodes_steps_previews_and_times() -> None:
    post = next(post for post in ACCEPTED if post.name == "v0.33.0_a_txt2img_first")
    states = [state for _, state in replay(post)]
    last = states[-1]
    assert {state.node for state in states if state.node_id} == {
        "Load Checkpoint",
        "Empty Latent",
        "Positive",
        "Negative",
        "KSampler",
        "VAE Decode",
        "Save Image",
    }
    assert [state.step for state in states if state.node_id == "3" and state.steps][-1] == 8
    assert last.preview_count == 8 and last.preview and last.preview.mime == "image/jpeg"
    assert set(last.node_seconds) == set(post.graph)
    assert last.outputs[0].kind == "image"


def test_cached_nodes_do_not_count() -> None:
    post = next(post for post in ACCEPTED if post.name == "v0.33.0_c_txt2img_new_seed")
    first = next(state for _, state in replay(post) if state.step == 4)
    assert 0.3 < first.progress < 0.5


def test_an_expanded_node_keeps_the_title_of_its_parent() -> None:
    post = next(post for post in ACCEPTED if post.note == "node expansion (subgraph)")
    states = [state for _, state in replay(post)]
    assert {state.node_id for state in states} <= {None, "1", "2", "3"}
    assert any(state.node_id == "2" and state.steps == 3 for state in states)


def test_a_blocked_node_is_a_warning() -> None:
    post = next(post for post in ACCEPTED if post.note == "ExecutionBlocker with message")
    tracker, _ = list(replay(post))[-1]
    assert tracker.failure is None
    assert tracker.state.warnings == ("SaveImage (node 3) was skipped: blocked!",)


def test_socket_images_are_outputs() -> None:
    post = next(post for post in ACCEPTED if post.note == "SaveImageWebsocket")
    tracker, state = list(replay(post))[-1]
    assert [output.read()[:4] for output in state.outputs] == [b"\x89PNG"] * 3
    assert state.preview_count == 0 and tracker.complete


def test_every_version_was_replayed() -> None:
    assert {post.name.split("_")[0] for post in FINISHED} == {"v0.33.0", "v0.3.64"}
