"""Results of which the server has only some files, or tells one name for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import NotFound, ServerError, ServerUnreachable
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.naming import ResultPlace
from comfygradio.jobs.results import Result, collect_again, collect_results, describe_missing
from tests.faults.scenario import open_queue
from tests.jobs.lines import is_over, wait


class Shelf:
    """A server that has files of these names, and raises for others and for broken ones."""

    def __init__(self, *names: str) -> None:
        self.files = {name: encode(index) for index, name in enumerate(names)}
        self.broken: dict[str, ServerError] = {}

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """The bytes of a file."""
        if filename in self.broken:
            raise self.broken[filename]
        if filename not in self.files:
            raise NotFound("The server has no such file.")
        return self.files[filename]

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """Write a file."""
        data = self.view(filename)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
        return Path(path)


def encode(level: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (4, 4), level).save(buffer, "PNG")
    return buffer.getvalue()


def collect(folder: Path, shelf: Shelf, *names: str) -> tuple[Result, ...]:
    outputs = tuple(Output("9", "image", name, "sub", source=shelf) for name in names)
    return collect_results(ResultPlace(folder), PromptProgress("id", "done", outputs=outputs))


def list_names(results: tuple[Result, ...]) -> list[str]:
    """The names of what is here; of what is not, what the problem begins with and a question
    mark.
    """
    return [
        result.path.name if result.path else f"{result.problem.split(' was made')[0]}?"
        for result in results
    ]


def test_every_file_of_a_sequence_is_a_result(tmp_path: Path) -> None:
    shelf = Shelf("walk_01.png", "walk_02.png", "walk_03.png", "still.png")
    results = collect(tmp_path, shelf, "walk_%02d.png", "still.png")
    assert list_names(results) == ["walk_01.png", "walk_02.png", "walk_03.png", "still.png"]
    assert all(result.kind == "image" and result.width == 4 for result in results)
    assert results[1].source and results[1].source.filename == "walk_02.png"
    assert describe_missing(results) == ""


def test_a_file_that_is_called_like_a_sequence_is_one_file(tmp_path: Path) -> None:
    shelf = Shelf("100%d.png", "1001.png")
    assert list_names(collect(tmp_path, shelf, "100%d.png")) == ["100%d.png".replace("%", "_")]


def test_a_hole_in_a_sequence_is_told_and_can_be_filled(tmp_path: Path) -> None:
    shelf = Shelf("a.0000.png", "a.0001.png", "a.0003.png")
    results = collect(tmp_path, shelf, "a.####.png")
    assert list_names(results) == ["a.0000.png", "a.0001.png", "a.0002.png?", "a.0003.png"]
    assert describe_missing(results).startswith("a.0002.png was made, but could not be fetched: ")
    shelf.files["a.0002.png"] = encode(9)
    again = collect_again(results, shelf, ResultPlace(tmp_path))
    assert list_names(again) == ["a.0000.png", "a.0001.png", "a.0002.png", "a.0003.png"]


def test_a_sequence_that_breaks_off_goes_on_later_where_it_was(tmp_path: Path) -> None:
    shelf = Shelf(*(f"f_{number:03}.png" for number in range(1, 7)), "b.png")
    shelf.broken["f_003.png"] = ServerUnreachable("ComfyUI does not answer.")
    results = collect(tmp_path, shelf, "f_%03d.png", "b.png")
    assert list_names(results) == ["f_001.png", "f_002.png", "f_003.png?", "b.png?"]
    assert describe_missing(results) == "" and results[2].can_be_collected
    shelf.broken.clear()
    again = collect_again(results, shelf, ResultPlace(tmp_path))
    assert list_names(again) == [*(f"f_{number:03}.png" for number in range(1, 7)), "b.png"]
    assert len(list(tmp_path.iterdir())) == 7


def test_a_sequence_without_a_file_is_one_problem(tmp_path: Path) -> None:
    results = collect(tmp_path, Shelf("there.png"), "x_%03d.png", "there.png", "x.png")
    assert list_names(results) == ["x_%03d.png?", "there.png", "x.png?"]
    assert describe_missing(results).endswith(" 1 more are missing.")
    assert describe_missing(results[:1]) == ""


OPTIONS: dict[str, dict[str, Any]] = {
    "one of three": {"lose_named": ("*_00002_.png",)},
    "one of a sequence": {"sequence_names": True, "lose_named": ("*.002.png",)},
}


@contextmanager
def open_lossy_queue(outputs: Path, **options: Any) -> Iterator[JobQueue]:
    with (
        DemoServer(DemoOptions(**options)) as server,
        open_queue(outputs, server.url) as queue,
    ):
        yield queue


def order_three() -> Order:
    graph: dict[str, Any] = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 32, "height": 16, "batch_size": 3, "color": 7},
        },
        "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
    }
    return Order("tiny", "Tiny", Prompt(graph))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_job_keeps_what_is_there_and_says_what_is_not(name: str, tmp_path: Path) -> None:
    with open_lossy_queue(tmp_path, **OPTIONS[name]) as queue:
        job = queue.submit(order_three())
        end = wait(job, is_over)
        assert end.phase == "done"
        assert [bool(result.path) for result in end.results] == [True, False, True]
        assert "002" in end.error and "was made, but could not be fetched" in end.error
        record = queue.store.get(job.id)
        assert record and (record.phase, record.results) == ("done", end.results)


def test_a_sequence_is_all_there(tmp_path: Path) -> None:
    with open_lossy_queue(tmp_path, sequence_names=True) as queue:
        end = wait(queue.submit(order_three()), is_over)
        assert (end.phase, end.error) == ("done", "")
        paths = [result.path for result in end.results if result.path]
        assert len(paths) == 3 and len({path.name for path in paths}) == 3


def test_a_job_of_which_nothing_is_there_has_failed(tmp_path: Path) -> None:
    with open_lossy_queue(tmp_path, sequence_names=True, lose_named=("*.png",)) as queue:
        end = wait(queue.submit(order_three()), is_over)
        assert end.phase == "failed" and "could not be fetched" in end.error
