"""The place in the queue, as far as a message tells it."""

from __future__ import annotations

from comfygradio.comfy.http_responses import QueuedPrompt
from comfygradio.comfy.messages import Status
from comfygradio.comfy.tracker import PromptTracker

from .graphs import make_text_to_image_graph


def track() -> PromptTracker:
    tracker = PromptTracker(make_text_to_image_graph("x", steps=10), "ours")
    tracker.accept(QueuedPrompt("ours", 0))
    return tracker


def test_the_only_prompt_is_ours() -> None:
    tracker = track()
    assert tracker.apply(Status(1), 0.0)
    assert tracker.state.queue_position == 0


def test_with_other_prompts_a_message_does_not_tell_the_place() -> None:
    """Two prompts may be those of before ours came: there would be two before us, not one."""
    tracker = track()
    assert not tracker.apply(Status(2), 0.0)
    assert tracker.state.queue_position is None


def test_a_greeting_tells_no_place() -> None:
    tracker = track()
    assert not tracker.apply(Status(1, "a"), 0.0)
    assert tracker.state.queue_position is None
