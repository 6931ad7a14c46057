"""Models that a form lacks: who is told what, and that no page waits for a foreign server."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.context import Context

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoServer
from comfygradio.model_files.file_sizes import FileSizes
from comfygradio.net.external_client import ExternalClient
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.form_tools import FormTools
from comfygradio.ui.form.lacking_models import LackingModels, name_lacking_models
from comfygradio.ui.form.maintainer_notes import MaintainerNotes
from comfygradio.ui.form.panel import build_panel
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess
from comfygradio.ui.page import build_page
from tests.clocks import HANG_SECONDS
from tests.net.hosts import Names, Say, run_host
from tests.ui.people import make_request as request

ODD = "<b>${1}{{x}}'$(id).safetensors"

PRESET = """\
title: Mine
workflow: mine.json
{fields}
models:
  - {{name: "{name}", folder: checkpoints, url: "{url}"}}
  - {{name: watercolor.safetensors, folder: loras, url: https://models.test/there}}
"""

ANN = OperatorAccess(frozenset({"ann"}))
BEN = AuthorAccess(frozenset({"ben"}))


def write(folder: Path, url: str = "https://models.test/a", fields: str = "") -> None:
    """Write a preset whose checkpoint the demo server does not have."""
    source = (shipped_presets() / "text_to_image.json").read_text(encoding="utf-8")
    workflow = source.replace("v1-5-pruned-emaonly.safetensors", ODD)
    (folder / "mine.json").write_text(workflow, encoding="utf-8")
    text = PRESET.format(name=ODD, url=url, fields=fields)
    (folder / "mine.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def service(demo: DemoServer, tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "presets"
    folder.mkdir()
    write(folder)
    service = Service(ComfyClient(demo.url), [folder], tmp_path / "outputs")
    assert service.connect()
    yield service
    service.close()


def draw(service: Service, **readers: Any) -> tuple[LackingModels, str]:
    """The places of the one form, and all the HTML that everybody gets."""
    lacking_models = LackingModels(service, **readers)
    with gr.Blocks() as blocks:
        tools = FormTools(service, PageSessions())
        build_panel(service.forms["mine"], service, True, lacking_models, tools, MaintainerNotes())
    shown = [str(getattr(block, "value", "")) for block in blocks.blocks.values()]
    templates = [str(getattr(block, "html_template", "")) for block in blocks.blocks.values()]
    return lacking_models, "\n".join([*shown, *templates])


def allow(service: Service) -> None:
    """Let the service ask a host on this machine for sizes."""
    names = Names(models_test=[["127.0.0.1"]])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    service.model_sizes.close()
    service.model_sizes = FileSizes(ExternalClient(names.guard(), tls=tls), service.clock)


def is_skipped(value: Any) -> bool:
    return bool(value == gr.skip())


def test_operators_and_authors_are_told_how_to_get_it(service: Service) -> None:
    lacking_models, _ = draw(service, operators=ANN, authors=BEN)
    for user in ("ann", "ben"):
        told = lacking_models.tell(request(user=user))
        (model,) = told["models"]
        assert (model["name"], model["folder"]) == (ODD, "checkpoints")
        assert (model["url"], model["size"]) == ("https://models.test/a", "")
        assert model["command"].startswith("mkdir -p models/checkpoints && curl --fail --location")
        assert told["commands"] == model["command"]


def test_others_see_the_name_alone(service: Service) -> None:
    lacking_models, shown = draw(service, operators=ANN, authors=BEN)
    for user in ("", "eve"):
        assert is_skipped(lacking_models.tell(request(user=user)))
        assert is_skipped(asyncio.run(lacking_models.tell_sizes(request(user=user))))
    assert "Mine cannot be used yet." in shown
    assert "&lt;b&gt;${1}{{x}}&#x27;$(id).safetensors" in shown and ODD not in shown
    assert "curl" not in shown and "models.test" not in shown


def test_the_sentence_names_what_no_problem_is_about(service: Service) -> None:
    """A name may be a part of another, and files of one name may be in several folders."""
    (checkpoint,) = service.forms["mine"].lacking_models
    part = checkpoint.model_copy(update={"name": ODD[1:]})
    lora = checkpoint.model_copy(update={"folder": "loras"})
    form = replace(service.forms["mine"], lacking_models=(checkpoint, part, lora))
    paths = f"checkpoints/{ODD[1:]}, loras/{ODD}"
    assert name_lacking_models(form) == [f"This ComfyUI does not have {paths}."]


@pytest.mark.parametrize(
    ("folder", "value", "model"),
    [
        ("text_encoders", "XL\\a.pt", {"folder": "clip", "name": "xl/a.pt"}),
        ("checkpoints", "xl/a.pt", {"folder": "checkpoints/xl", "name": "a.pt"}),
        # A server lists all files below a folder as one, and each may have its own order there.
        ("checkpoints", "SD15\\a.pt", {"folder": "checkpoints", "name": "a.pt"}),
        # Of the inputs of many node packs nobody knows what folder they list.
        ("", "a.pt", {"folder": "loras", "name": "a.pt"}),
    ],
)
def test_a_problem_may_spell_the_place_of_a_model_differently(
    service: Service, folder: str, value: str, model: dict[str, str]
) -> None:
    form = service.forms["mine"]
    problem = replace(form.problems[0], folder=folder, value=value)
    lacking_models = (form.lacking_models[0].model_copy(update=model),)
    form = replace(form, problems=(problem,), lacking_models=lacking_models)
    assert name_lacking_models(form) == []


def test_without_operators_and_authors_there_is_no_place_for_it(service: Service) -> None:
    lacking_models, shown = draw(service)
    assert "cg-lacking" not in shown and "cannot be used yet" in shown
    assert is_skipped(lacking_models.tell(request())) or lacking_models.tell(request()) == []


def test_an_open_form_tells_it_too(service: Service) -> None:
    """Its field starts with another checkpoint."""
    write(service.folders[0], fields="fields: {model: {slot: 4.ckpt_name}}")
    service.reload()
    assert service.forms["mine"].problems == ()
    lacking_models, _ = draw(service, operators=ANN)
    assert len(lacking_models.tell(request(user="ann"))["models"]) == 1


def test_the_size_comes_later_and_stays(service: Service) -> None:
    may_answer = threading.Event()

    def talk(say: Say) -> None:
        may_answer.wait(HANG_SECONDS)
        say(b"HTTP/1.1 200 X\r\nContent-Length: 6938078334\r\n\r\n")

    with run_host(talk) as host:
        write(service.folders[0], f"http://models.test:{host.port}/a")
        service.reload()
        allow(service)
        lacking_models, _ = draw(service, operators=ANN)
        # Nobody has been asked so far, and this answers at once.
        assert lacking_models.tell(request(user="ann"))["models"][0]["size"] == ""
        assert host.heads == []
        may_answer.set()
        later = asyncio.run(lacking_models.tell_sizes(request(user="ann")))
        assert later["models"][0]["size"] == "6.9 GB"
        assert lacking_models.tell(request(user="ann"))["models"][0]["size"] == "6.9 GB"
        assert is_skipped(asyncio.run(lacking_models.tell_sizes(request(user="ann"))))
        assert [head.split(b" ")[0] for head in host.heads] == [b"HEAD"]


def test_a_private_address_is_not_asked(service: Service) -> None:
    with run_host(lambda say: say(b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\n")) as host:
        write(service.folders[0], f"http://127.0.0.1:{host.port}/a")
        service.reload()
        lacking_models, _ = draw(service, operators=ANN)
        told = asyncio.run(lacking_models.tell_sizes(request(user="ann")))
        assert told["models"][0]["size"] == "" and host.heads == []


def test_the_whole_page_has_its_events_last(service: Service) -> None:
    """A page that was loaded before calls functions by their numbers."""
    with_models = build_page(service, operators=ANN)
    without = build_page(service)
    names = [function.name for function in with_models.fns.values()]
    assert names[-2:] == ["tell", "tell_sizes"]
    assert not {"tell", "tell_sizes"}.intersection(one.name for one in without.fns.values())


def test_two_threads_draw_two_whole_pages(service: Service) -> None:
    """An app that is closed while its watcher draws, and another one that is built."""
    expected = len(build_page(service).blocks)
    barrier = threading.Barrier(2)
    drawn: list[int] = []

    def draw_page() -> None:
        barrier.wait(HANG_SECONDS)
        drawn.append(len(build_page(service).blocks))

    threads = [threading.Thread(target=draw_page) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    assert drawn == [expected, expected]
    assert Context.root_block is None
    assert Context.block is None
