"""What people do with a result on the job view: another one like it, a favourite, an input."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoServer
from comfygradio.errors import JobStoreError, PresetError, ValuesRefused
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.form_update import make_picture_reader
from comfygradio.ui.identity.person import NOBODY, Person
from comfygradio.ui.job.job_feed import ShownState
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.job.job_view import UNKNOWN, JobView, describe_jobs
from tests.jobs.lines import is_over, wait

ADA, BOB = Person(login="ada"), Person(login="bob")


@pytest.fixture(scope="module")
def service(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the shipped presets."""
    outputs = tmp_path_factory.mktemp("outputs")
    with ComfyClient(demo.url) as client:
        service = Service(client, [shipped_presets()], outputs)
        assert service.connect()
        yield service
        service.close()


@pytest.fixture
def view(service: Service) -> JobView:
    return JobView(service, JobStreams(4, service.queue.outputs))


def make(service: Service, name: str = "text_to_image", **values: Any) -> Job:
    """Make a picture of Ada's."""
    job = service.submit(
        name, {"steps": 2, **values} if name == "text_to_image" else values, "user:ada"
    )
    assert wait(job, is_over).phase == "done"
    return job


def test_another_one_has_the_same_values_and_a_new_seed(service: Service) -> None:
    first = make(service, steps=2, prompt="a {red|blue} fox", size="512x768", seed="7")
    second = service.submit_similar(first.order, "user:ada")
    assert wait(second, is_over).phase == "done"
    (seed,) = first.order.seeds
    assert first.order.values[seed] == 7 and second.order.values[seed] != 7
    for name in ("prompt", "size", "steps"):
        assert second.order.values[name] == first.order.values[name], name
    assert second.owner == "user:ada"


def test_another_one_uses_the_same_files_while_they_are_there(
    service: Service, tmp_path: Path
) -> None:
    picture = tmp_path / "small.png"
    Image.new("RGB", (16, 8), "red").save(picture)
    first = make(service, "upscale", image=picture)
    second = service.submit_similar(first.order, "user:ada")
    assert wait(second, is_over).phase == "done"
    paths = [upload.path for upload in second.order.prompt.uploads]
    assert paths == [upload.path for upload in first.order.prompt.uploads] != []
    for path in paths:
        path.unlink()
    with pytest.raises(ValuesRefused, match="no longer here; please add it again"):
        service.submit_similar(first.order, "user:ada")


def test_why_there_is_no_other_one_is_a_notice(service: Service, view: JobView) -> None:
    job = make(service)

    async def vary(token: object) -> dict[str, Any]:
        event = gr.EventData(None, {"token": token})
        return await anext(view.vary(gr.Request(), event, None))

    # Nobody has logged in, and the job is Ada's.
    for token in (job.token, "guessed", None, ["x"]):
        assert asyncio.run(vary(token)) == {"notice": UNKNOWN}


def test_a_favourite_is_marked_by_its_person_alone(service: Service, view: JobView) -> None:
    job = make(service)
    for token, person in ((job.token, BOB), (job.token, NOBODY), ("guessed", ADA), (None, ADA)):
        with pytest.raises(JobStoreError, match="not here any more"):
            view.mark_favourite(token, True, person)
    assert not describe_jobs(service, [job], job.token, ShownState())["favourite"]
    assert view.mark_favourite(job.token, True, ADA)
    assert describe_jobs(service, [job], job.token, ShownState())["favourite"]
    assert not view.mark_favourite(job.token, False, ADA)
    assert not describe_jobs(service, [job], job.token, ShownState())["favourite"]


def test_a_picture_goes_into_a_form_of_its_person_alone(service: Service) -> None:
    job, read = make(service), make_picture_reader(service)
    target = {"preset": "upscale", "field": "image"}

    def ask(person: Person = ADA, **more: Any) -> tuple[str, dict[str, Any], list[str]]:
        return read(gr.EventData(None, {"token": job.token, "index": 0, **target, **more}), person)

    preset, values, notes = ask()
    assert (preset, list(values), notes) == ("upscale", ["image"], [])
    (made,) = job.snapshot.results
    assert made.path is not None
    assert Path(values["image"]).read_bytes() == made.path.read_bytes()
    with pytest.raises(JobStoreError, match="not here any more"):
        ask(BOB)
    with pytest.raises(JobStoreError, match="no longer here"):
        ask(index=1)
    with pytest.raises(PresetError, match="takes no picture"):
        ask(field="model")
