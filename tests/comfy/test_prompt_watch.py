"""What becomes of everybody's prompts, told from one look at queue and history after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.http_responses import HistoryEntry, Queue
from comfygradio.comfy.prompt_monitor import PromptChange, PromptMonitor, poll_prompts

from .conftest import Connect, Serve, wait_until
from .gate import Gate
from .graphs import make_text_to_image_graph

CHECKPOINT = "photo-xl.safetensors"


def make_queue(running: str = "", pending: str = "") -> Queue:
    """A queue of prompts that are called by one letter."""

    def list_items(ids: str) -> list[Any]:
        return [[number, name, {}, {}, []] for number, name in enumerate(ids)]

    return Queue.from_json(
        {"queue_running": list_items(running), "queue_pending": list_items(pending)}
    )


def make_history(ids: Iterable[str]) -> dict[str, HistoryEntry]:
    status = {"status_str": "success", "messages": []}
    return {name: HistoryEntry.from_json(name, {"outputs": {}, "status": status}) for name in ids}


def look(
    watch: PromptMonitor, running: str = "", pending: str = "", history: str = ""
) -> list[str]:
    """What is told of one look, as words."""
    changes = watch.update(make_queue(running, pending), make_history(history))
    return [f"{change.kind} {change.prompt_id}" for change in changes]


def test_a_prompt_is_told_of_at_each_step_once() -> None:
    watch = PromptMonitor()
    assert look(watch) == []
    assert look(watch, pending="a") == ["queued a"]
    assert look(watch, pending="a") == []
    assert look(watch, running="a", pending="b") == ["started a", "queued b"]
    assert look(watch, running="b", history="a") == ["ended a", "started b"]
    assert look(watch, history="ab") == ["ended b"]
    assert look(watch, history="ab") == []


def test_the_first_look_tells_what_is_there_and_not_what_was() -> None:
    watch = PromptMonitor()
    changes = watch.update(make_queue("a", "bc"), make_history("xyz"))
    assert changes == [
        PromptChange("started", "a", "queue"),
        PromptChange("queued", "b", "queue", 1),
        PromptChange("queued", "c", "queue", 2),
    ]


def test_a_prompt_that_came_and_went_between_two_looks_is_told_of() -> None:
    watch = PromptMonitor()
    look(watch, history="xy")
    assert look(watch, history="xyab") == ["ended a", "ended b"]


def test_a_prompt_that_ended_between_queue_and_history_is_over() -> None:
    watch = PromptMonitor()
    look(watch)
    assert look(watch, running="a", history="a") == ["ended a"]
    assert look(watch, history="a") == []


def test_old_prompts_that_come_into_sight_are_old() -> None:
    """The history is asked for its newest ones: where some are deleted, older ones move up."""
    watch = PromptMonitor()
    look(watch, running="a", history="wxyz")
    assert look(watch, running="a", history="uvwx") == []
    assert look(watch, history="tuvwxa") == ["ended a"]


def test_a_prompt_that_is_nowhere_twice_is_gone() -> None:
    watch = PromptMonitor()
    look(watch, running="a", pending="bc")
    assert look(watch, running="a", pending="c") == []
    assert look(watch, running="a", pending="c") == ["gone b"]
    assert look(watch, running="a") == []
    assert look(watch, running="a", history="c") == ["ended c"]
    assert look(watch, running="a", history="c") == []


def test_prompts_that_are_out_of_sight_are_asked_for() -> None:
    watch = PromptMonitor()
    look(watch, running="a", pending="bc")
    assert watch.list_missing(make_queue("b"), make_history("x")) == ["a", "c"]


def tell(client: ComfyClient, watch: PromptMonitor) -> list[tuple[str, str]]:
    return [(change.kind, change.prompt_id) for change in poll_prompts(client, watch)]


def test_a_real_queue_is_told_of(serve: Serve, connect: Connect, gate: Gate) -> None:
    client, watch = connect(serve(lab_nodes=True).url), PromptMonitor()
    assert poll_prompts(client, watch) == []
    gate.hold()
    first, second, third = (
        client.queue_prompt(make_text_to_image_graph(CHECKPOINT, steps=500)).prompt_id
        for _ in range(3)
    )
    gate.await_held()
    assert tell(client, watch) == [("started", first), ("queued", second), ("queued", third)]
    client.delete_from_queue(second)
    client.interrupt(first)
    wait_until(lambda: client.history(first) is not None)
    (stopped, *more) = poll_prompts(client, watch)
    assert (stopped.kind, stopped.prompt_id, stopped.source) == ("stopped", first, "history")
    assert stopped.text.startswith("The job was stopped")
    wait_until(lambda: client.queue().is_running(third))
    told = [*((change.kind, change.prompt_id) for change in more), *tell(client, watch)]
    assert sorted([*told, *tell(client, watch)]) == [("gone", second), ("started", third)]
    client.interrupt(third)
    gate.release()


def test_a_failure_is_told_with_its_reason(serve: Serve, connect: Connect) -> None:
    client, watch = connect(serve(lab_nodes=True).url), PromptMonitor()
    poll_prompts(client, watch)
    graph = {"1": {"class_type": "LabRaise", "inputs": {"message": "no luck"}}}
    prompt_id = client.queue_prompt(graph).prompt_id
    wait_until(lambda: client.history(prompt_id) is not None)
    assert poll_prompts(client, watch) == [
        PromptChange("failed", prompt_id, "history", text="LabRaise (node 1) failed: no luck.")
    ]
