"""Sweeps that run: a small preset, a queue on demo servers, and waiting without sleeping."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_preset
from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.demo import DemoServer
from comfygradio.errors import PresetError
from comfygradio.forms.form import Form
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.limits import Limits, find_exceeded
from comfygradio.sweeps.sweep import Sweep
from comfygradio.sweeps.sweep_registry import SweepRegistry
from tests.clocks import HANG_SECONDS
from tests.jobs.lines import open_queue

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 32, "height": 16, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "LabSleep", "inputs": {"seconds": 0.0, "value": ["1", 0]}},
    "3": {"class_type": "LabRaise", "inputs": {"message": "kaputt", "value": ["2", 0]}},
    "4": {
        "class_type": "SaveImage",
        "inputs": {"filename_prefix": "%date:yyyy%/x", "images": ["3", 0]},
    },
}

PRESET = """
title: Tiny
workflow: tiny.json
fields:
  color: {slot: 1.color, widget: number}
  width: {slot: 1.width}
  seconds: {slot: 2.seconds, max: 30}
  broken: {bypass: "3", widget: checkbox, default: false}
"""


def write_preset(folder: Path, text: str = PRESET, graph: Mapping[str, Any] = GRAPH) -> Preset:
    """A preset for small pictures of one colour after a pause, that fail where `broken` is on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.json").write_text(json.dumps(graph))
    path = folder / "tiny.yaml"
    path.write_text(text)
    return load_preset(path)


def bind(preset: Preset, queue: JobQueue) -> Form:
    """Its form on all servers of a queue."""
    known = ObjectInfo({})
    for backend in queue.backends:
        known = known.merge(backend.refresh(preset.class_types))
    return preset.bind(known)


@contextmanager
def open_sweeps(
    outputs: Path,
    *servers: DemoServer,
    limits: Limits | None = None,
    preset: Preset | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[tuple[SweepRegistry, JobQueue]]:
    """Sweeps of the small preset on these servers, taken up where they were left; closed at the
    end.
    """
    with open_queue(outputs, *servers, limits=limits, clock=clock) as queue:
        form = bind(preset or write_preset(outputs.parent / "presets"), queue)
        yield take_up(queue, form, limits), queue


def take_up(queue: JobQueue, form: Form, limits: Limits | None = None) -> SweepRegistry:
    """The sweeps of a queue, those that ran gone on with; there is one preset."""

    def find_form(name: str) -> Form:
        if name != form.name:
            raise PresetError(f"There is no preset {name}.")
        return form

    def refuse(form: Form, graph: Mapping[str, Any]) -> None:
        for excess in find_exceeded(graph, limits or Limits(), form.object_info):
            raise PresetError(excess.sentence)

    sweeps = SweepRegistry(queue, find_form, refuse)
    sweeps.resume()
    return sweeps


def define(seconds: float = 0.0, **axes: Any) -> dict[str, Any]:
    """A definition over the small preset."""
    return {"preset": "tiny", "values": {"seconds": seconds}, "axes": axes}


def await_sweep(
    sweep: Sweep, until: Callable[[Sweep], object], seconds: float = HANG_SECONDS
) -> None:
    """Wait until a sweep is so; listens instead of polling."""
    changed = threading.Event()
    unlisten = sweep.listen(changed.set)
    try:
        while not until(sweep):
            assert changed.wait(seconds), (
                f"nothing happened any more: {sweep.phase} {sweep.counts} {sweep.reason}"
            )
            changed.clear()
    finally:
        unlisten()


def end(sweep: Sweep) -> str:
    """Wait until a sweep is over: its phase."""
    await_sweep(sweep, lambda sweep: not sweep.is_active)
    return sweep.phase


def read_colors(sweep: Sweep) -> list[tuple[int, int, int]]:
    """The colour of each cell's picture, in the order as typed."""
    from PIL import Image

    found = []
    for cell in sweep.cells.values():
        (result,) = cell.results
        assert result.path
        with Image.open(result.path) as picture:
            pixel = picture.convert("RGB").getpixel((0, 0))
            assert isinstance(pixel, tuple)
            found.append((int(pixel[0]), int(pixel[1]), int(pixel[2])))
    return found
