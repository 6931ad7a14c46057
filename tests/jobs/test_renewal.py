"""Results that a server tells from its cache, while their files are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfygradio.comfy.cache_control import (
    CACHE_BUSTER,
    bust_cache,
    find_stale,
    strip_cache_busters,
)
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.job import Order
from comfygradio.metadata.load import load_metadata
from tests.faults.scenario import open_queue
from tests.jobs.lines import draw, is_over, wait

VERSIONS = ["0.33.0", "0.3.64", "0.3.40", "2024-01"]


def draw_two(color: int) -> Order:
    """Two pictures by two nodes."""
    graph: dict[str, Any] = dict(draw(color).prompt.graph)
    graph["3"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    return Order("tiny", "Tiny", Prompt(graph))


@pytest.mark.deep
@pytest.mark.parametrize("version", VERSIONS)
def test_a_repeated_job_has_its_picture(version: str, tmp_path: Path) -> None:
    options = DemoOptions(version=version, tidy_outputs=True)
    with DemoServer(options) as server, open_queue(tmp_path, server.url) as queue:
        ends = [wait(queue.submit(draw(0x336699)), is_over) for _ in range(4)]
        assert server.executions["EmptyImage"] == 1
        graph = None
        for end in ends:
            assert (end.phase, end.error) == ("done", "")
            (result,) = end.results
            assert result.path and result.path.is_file() and not result.problem
            found = load_metadata(result.path)
            assert graph is None or found.prompt == graph
            graph = found.prompt
        assert CACHE_BUSTER not in str(graph)


def test_every_node_is_renewed_of_which_a_file_is_gone(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(tidy_outputs=True)) as server,
        open_queue(tmp_path, server.url) as queue,
    ):
        first, second = [wait(queue.submit(draw_two(0x112233)), is_over) for _ in range(2)]
        assert [len(end.results) for end in (first, second)] == [2, 2]
        assert all(result.path for end in (first, second) for result in end.results)
        assert server.executions["SaveImage"] == server.executions["PreviewImage"] == 2


def test_only_the_node_is_renewed_of_which_a_file_is_gone(tmp_path: Path) -> None:
    with DemoServer(DemoOptions()) as server, open_queue(tmp_path, server.url) as queue:
        wait(queue.submit(draw_two(0x445566)), is_over)
        assert server.folder
        for path in (server.folder / "output").rglob("*.png"):
            path.unlink()
        end = wait(queue.submit(draw_two(0x445566)), is_over)
        assert end.phase == "done" and all(result.path for result in end.results)
        assert (server.executions["SaveImage"], server.executions["PreviewImage"]) == (2, 1)


def test_a_file_that_is_gone_again_is_told(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(lose_outputs=True)) as server,
        open_queue(tmp_path, server.url) as queue,
    ):
        ends = [wait(queue.submit(draw(0x777777)), is_over) for _ in range(2)]
        assert [end.phase for end in ends] == ["failed", "failed"]
        assert "could not be fetched" in ends[1].error
        assert server.executions["SaveImage"] == 2


def test_a_fresh_result_that_is_gone_is_not_made_twice(tmp_path: Path) -> None:
    with (
        DemoServer(DemoOptions(lose_outputs=True)) as server,
        open_queue(tmp_path, server.url) as queue,
    ):
        assert wait(queue.submit(draw(0x888888)), is_over).phase == "failed"
        assert server.executions["SaveImage"] == 1


def test_a_client_tells_what_the_server_had_kept() -> None:
    graph = draw(0x999999).prompt.graph
    with DemoServer(DemoOptions()) as server, ComfyClient(server.url) as client:
        first, second = [list(client.run(graph))[-1] for _ in range(2)]
    assert (first.cached, set(second.cached)) == ((), {"1", "2"})


def test_what_was_missed_of_the_socket_is_known_from_the_history() -> None:
    graph = draw(0xAAAAAA).prompt.graph
    options = DemoOptions(lose_types=("execution_cached", "executed", "execution_success"))
    with DemoServer(options) as server, ComfyClient(server.url) as client:
        *_, last = [list(client.run(graph))[-1] for _ in range(2)]
    assert set(last.cached) == {"1", "2"}


def test_a_result_of_a_node_within_another_is_that_ones() -> None:
    kept = ["5", "7", "9:1"]
    assert find_stale(kept, ["5.0.2"]) == {"5"}
    assert find_stale(kept, ["9:1", "8", "8.0.1"]) == {"9:1"}
    assert find_stale([], ["5"]) == find_stale(kept, []) == frozenset()


def test_renewed_nodes_are_others_each_time_and_are_told_as_they_were() -> None:
    prompt = draw(1).prompt
    first, second = bust_cache(prompt, ["2"]), bust_cache(prompt, ["2"])
    assert first.graph["1"] == prompt.graph["1"]
    assert first.graph["2"] != second.graph["2"] != prompt.graph["2"]
    assert strip_cache_busters(first.graph) == prompt.graph
