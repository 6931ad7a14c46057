"""Results carry the author's layout with the values that were used, and History gives it away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio import convert_workflow
from comfygradio.binding.ui_layout import MAX_MB
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import WrittenLayout
from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_layout import LAYOUT_NOT_WRITTEN, open_layout
from comfygradio.jobs.rows import make_job
from comfygradio.metadata.load import load_metadata
from comfygradio.metadata.restore import restore_values
from comfygradio.service.service import Service
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.history.written_layouts import MAX_KEPT
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.job.job_text import describe_job
from tests.jobs.lines import is_over, wait
from tests.ui_workflow import load_ui_workflow

PRESET = """title: Drawing
workflow: drawing.json
fields:
  prompt: {slot: 6.text}
  steps: {slot: 3.steps}
  seed: {slot: 3.seed}
  loras: {widget: loras, slots: {model: 3.model, clip: 6.clip}}
"""

VALUES = {"prompt": "a ship", "steps": 5, "seed": 7, "loras": []}


@pytest.fixture(scope="module")
def client(demo: DemoServer) -> Iterator[ComfyClient]:
    client = ComfyClient(demo.url)
    yield client
    client.close()


@pytest.fixture
def folder(client: ComfyClient, tmp_path: Path) -> Path:
    """Make a preset of a workflow in UI format, which lies beside it."""
    folder = tmp_path / "presets"
    folder.mkdir()
    data = load_ui_workflow()
    info = client.object_info().to_json()
    prompt = convert_workflow(data, info).prompt
    (folder / "drawing.yaml").write_text(PRESET, encoding="utf-8")
    (folder / "drawing.json").write_text(json.dumps(prompt), encoding="utf-8")
    (folder / "drawing.ui.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture
def service(client: ComfyClient, folder: Path, tmp_path: Path) -> Iterator[Service]:
    service = Service(client, [folder], tmp_path / "outputs")
    assert service.connect()
    yield service
    service.close()


def run(service: Service, **values: Any) -> Job:
    """Run a job to its end. The tests share a server, which repeats a picture, with all that it
    holds, for a prompt that it knows; so those that look for something else use other seeds.
    """
    job = service.submit("drawing", {**VALUES, **values})
    assert wait(job, is_over).phase == "done"
    return job


def find_picture(job: Job) -> Path:
    """Find the picture that a job made."""
    path = job.snapshot.results[0].path
    assert path is not None
    return path


def read_workflow(path: Path) -> dict[str, Any]:
    """Read the workflow in UI format that a picture holds."""
    with Image.open(path) as picture:
        workflow: dict[str, Any] = json.loads(picture.info["workflow"])
    return workflow


def find_node(workflow: dict[str, Any], node_id: int) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in workflow["nodes"] if node["id"] == node_id)
    return found


def download(service: Service, job: Job) -> dict[str, Any]:
    """Download the workflow of a job from History."""
    history = HistoryApi(service, PageSessions())
    return history.workflow("local", {"token": job.token})


def open_job(service: Service, job: Job) -> dict[str, Any]:
    """Open a job in History."""
    return HistoryApi(service, PageSessions()).open("local", {"token": job.token})


def test_a_picture_holds_the_layout_with_its_values(service: Service) -> None:
    job = run(service)
    workflow = read_workflow(find_picture(job))
    original = load_ui_workflow()
    assert find_node(workflow, 6)["widgets_values"] == ["a ship"]
    assert find_node(workflow, 3)["widgets_values"][2] == 5
    assert find_node(workflow, 3)["pos"] == find_node(original, 3)["pos"]
    posted = job.order.prompt.graph
    info = service.find_form("drawing").object_info.to_json()
    for node_id, node in convert_workflow(workflow, info).prompt.items():
        assert node["inputs"] == posted[node_id]["inputs"]


def test_loras_are_nodes_of_the_layout(service: Service) -> None:
    form = service.find_form("drawing")
    choices = form.fields["loras"].choices or ()
    rows = [{"name": choice.value, "strength": 0.5} for choice in choices[:2]]
    assert rows
    workflow = read_workflow(find_picture(run(service, loras=rows)))
    loaders = [node for node in workflow["nodes"] if node["type"] == "LoraLoader"]
    names = [node["widgets_values"][0] for node in loaders]
    assert names == [row["name"] for row in rows]


def test_a_picture_restores_its_form_as_before(service: Service) -> None:
    job = run(service)
    restored = restore_values(service.find_form("drawing"), load_metadata(find_picture(job)))
    assert {**restored.values, "loras": []} == VALUES
    assert {field.state for field in restored.fields} == {"exact"}


def test_history_gives_the_layout_and_says_so(service: Service) -> None:
    job = run(service)
    answer = download(service, job)
    assert answer["format"] == "ui"
    assert json.loads(answer["text"]) == read_workflow(find_picture(job))
    opened = open_job(service, job)
    assert opened["hasLayout"] and opened["layoutNotes"] == []


def test_the_page_and_history_tell_what_comfyui_itself_would_change(service: Service) -> None:
    job = run(service, seed=2**53 + 1)
    [note] = open_job(service, job)["layoutNotes"]
    assert "2^53" in note
    assert describe_job(job, job.snapshot, service.queue.outputs)["layoutNotes"] == [note]


def test_a_result_does_not_get_the_layout_that_its_preset_has_later(
    service: Service, folder: Path
) -> None:
    job = run(service, seed=10)
    path = folder / "drawing.ui.json"
    data = json.loads(path.read_text())
    data["nodes"][0]["pos"] = [5, 5]
    path.write_text(json.dumps(data), encoding="utf-8")
    service.reload()
    assert download(service, job)["format"] == "api"
    opened = open_job(service, job)
    [note] = opened["layoutNotes"]
    assert not opened["hasLayout"] and "API format" in note


def test_a_preset_without_a_layout_gives_the_prompt(service: Service, folder: Path) -> None:
    (folder / "drawing.ui.json").unlink()
    service.reload()
    job = run(service, seed=8)
    with Image.open(find_picture(job)) as picture:
        assert "workflow" not in picture.info
    answer = download(service, job)
    assert answer["format"] == "api"
    assert json.loads(answer["text"]) == job.order.prompt.graph
    opened = open_job(service, job)
    assert not opened["hasLayout"] and opened["layoutNotes"] == []


def test_a_layout_that_cannot_be_read_is_noted(service: Service, folder: Path) -> None:
    too_deep = load_ui_workflow()
    for _ in range(500):
        too_deep["extra"] = [too_deep.get("extra")]
    too_large = json.dumps({**load_ui_workflow(), "extra": "x" * MAX_MB * 10**6})
    for text in ("{", json.dumps(too_deep), too_large):
        (folder / "drawing.ui.json").write_text(text, encoding="utf-8")
        service.reload()
        form = service.find_form("drawing")
        assert not form.problems and form.layout is None
        [note] = [note for note in form.notes if "drawing.ui.json" in note]
        assert str(folder) not in note
    run(service, seed=9)


@dataclass
class CountedLayout:
    """A layout that counts how often it was written."""

    digest: str
    writes: int = 0

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        self.writes += 1
        return WrittenLayout({}, (f"Written {self.writes} times.",))


def test_a_layout_is_written_once_for_all_clicks(service: Service) -> None:
    jobs = [run(service, seed=seed) for seed in range(20, 20 + MAX_KEPT + 1)]
    form = service.find_form("drawing")
    assert form.layout is not None
    layout = CountedLayout(form.layout.digest)
    service.forms = {"drawing": replace(form, layout=layout)}
    history = HistoryApi(service, PageSessions())
    asked = {"token": jobs[0].token}
    for _ in range(2):
        assert history.open("local", asked)["layoutNotes"] == ["Written 1 times."]
        assert history.workflow("local", asked)["format"] == "ui"
    # Nodes of a server that was bound again.
    other = CountedLayout(layout.digest)
    service.forms = {"drawing": replace(form, layout=other)}
    assert history.open("local", asked)["hasLayout"]
    assert (layout.writes, other.writes) == (1, 1)
    # Only some are kept.
    for job in jobs:
        history.open("local", {"token": job.token})
    assert other.writes == len(jobs)
    history.open("local", asked)
    assert other.writes == len(jobs) + 1


class BrokenLayout:
    """A layout that nothing can be written into."""

    digest = "broken"

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        return None


def test_a_job_goes_well_and_says_that_its_layout_was_not_written(service: Service) -> None:
    order = service.make_order("drawing", {**VALUES, "seed": 11})
    order = replace(order, prompt=replace(order.prompt, layout=BrokenLayout()))
    job = service.queue.submit(order)
    assert wait(job, is_over).phase == "done"
    assert job.snapshot.layout_notes == (LAYOUT_NOT_WRITTEN,)
    with Image.open(find_picture(job)) as picture:
        assert "workflow" not in picture.info


def test_the_job_store_keeps_only_the_digest_of_the_layout(service: Service, folder: Path) -> None:
    job = run(service)
    with service.store.read() as connection:
        [text] = connection.execute("SELECT data FROM orders").fetchone()
    assert "widgets_values" not in text
    # A job that is read from there gets the layout of its preset, if it still is the same.
    record = service.store.find(job.token)
    assert record is not None
    resumed = make_job(record)
    layout = open_layout(resumed, service.find_layout)
    assert layout is not None
    written = layout.write(record.order.prompt.graph)
    assert written is not None
    assert written.workflow == read_workflow(find_picture(job))


def test_a_resumed_job_says_why_it_has_no_layout_when_it_is_written(
    service: Service, folder: Path
) -> None:
    record = service.store.find(run(service, seed=12).token)
    assert record is not None
    resumed = make_job(record)
    layout = open_layout(resumed, service.find_layout)
    assert layout is not None

    def write() -> str:
        """Write the layout, and return the one note that this leaves."""
        assert layout.write(record.order.prompt.graph) is None
        (note,) = resumed.snapshot.layout_notes
        return note

    # Its server may have the job already, with the layout.
    forms = service.forms
    service.forms = {}
    assert resumed.snapshot.layout_notes == ()
    assert "nodes of ComfyUI were not known" in write()
    service.forms = forms
    assert layout.write(record.order.prompt.graph) is not None
    assert resumed.snapshot.layout_notes == ()
    path = folder / "drawing.ui.json"
    path.write_text(json.dumps({**load_ui_workflow(), "extra": {}}), encoding="utf-8")
    service.reload()
    assert "author has changed or removed the layout" in write()
    path.unlink()
    service.reload()
    assert "author has changed or removed the layout" in write()
    (folder / "drawing.yaml").unlink()
    service.reload()
    assert "preset is gone" in write()
