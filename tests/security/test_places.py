"""No answer to a page says where on its host anything lies."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_search import Query
from comfygradio.service.service import Service
from comfygradio.ui.app import App
from tests.engine.cluster import await_that
from tests.jobs.lines import is_over, wait
from tests.security.callable_endpoint import AppClient, make_file
from tests.security.raw_request import TIMEOUT_SECONDS, run_settings

pytestmark = pytest.mark.app

Json = dict[str, Any]

JOB = "gradio_api/comfygradio/job/"


class Listener:
    """A browser that keeps all that it is told, by address."""

    def __init__(self) -> None:
        self.heard: dict[str, str] = {}
        self.client = httpx.Client(timeout=TIMEOUT_SECONDS, event_hooks={"response": [self._hear]})

    def _hear(self, answer: httpx.Response) -> None:
        text = answer.read().decode("utf-8", "replace")
        asked = answer.request.read().decode("utf-8", "replace")[:300]
        self.heard[f"{answer.request.url} {asked}"] = f"{answer.headers}\n{text}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    with listener.client:
        yield listener


def list_places(outputs: Path) -> list[str]:
    """Folders of the host that nobody else need know."""
    uploads = os.environ["GRADIO_TEMP_DIR"]
    code = Path(__file__).parent.parent.parent
    places = [Path.cwd(), outputs, Path(tempfile.gettempdir()), Path(uploads), Path.home(), code]
    return [str(place.resolve()) for place in [*places, Path(sys.prefix)]]


class Visitor:
    """Somebody who uses every part of the page, and looks at what came of it."""

    def __init__(self, app_client: AppClient, app: App) -> None:
        self._app_client = app_client
        self._app = app
        self._person = secrets.token_hex(16)
        self._endpoints = app_client.list_endpoints()

    def read_page(self) -> None:
        """What a browser asks for before anything is done."""
        for path in ("", "config", "gradio_api/info", "gradio_api/app_id", "theme.css", "nowhere"):
            self._app_client.client.get(f"{self._app_client.url}{path}")

    def make_picture(self, name: str, **given: Any) -> Json:
        """Press Generate on a form; how the job is when it is over."""
        service = self._app.service
        form = service.forms[name]
        values = {field.name: field.default for field in form.fields.values()} | given
        names = [one.name for one in self._endpoints if one.name.startswith("generate")]
        endpoint = self._app_client.find_event(names[list(service.forms).index(name)])
        begun = self._app_client.call(endpoint, [self._person, "×1", *values.values()], {})
        assert not begun.json()["data"][1].get("lines"), begun.text
        digest = hashlib.sha256(self._person.encode()).hexdigest()
        token = service.store.search(f"anon:{digest[:32]}", Query()).records[0].token
        wait(find_job(service, token), is_over)
        self._app_client.call(self._app_client.find_event("attach"), [""], {"token": token})
        told: Json = self._app_client.client.get(f"{self._app_client.url}{JOB}{token}").json()
        assert told["phase"] == "done" and told["results"]
        return told

    def look_back(self, token: str) -> None:
        """Open the history, and one job of it."""
        assert self._ask("favourite", "search", {})["jobs"]
        for name in ("open", "look", "workflow"):
            told = self._ask("favourite", name, {"token": token, "tokens": [token]})
            assert not told.get("error"), told

    def make_sweep(self) -> Json:
        """Plan a sweep, run it, and look at it; the sweep as its page gets it."""
        axes = [[{"field": "seed", "text": "1-2"}]]
        draft = {"preset": "text_to_image", "values": {}, "axes": axes}
        self._ask("study", "prepare", draft)
        planned = self._ask("study", "study", {"definition": draft})
        assert planned["ready"], planned
        asked = {"definition": draft, "planned": planned["token"]}
        token = self._ask("study", "start", asked)["token"]
        sweep = self._app.service.sweeps.find(token)
        assert sweep is not None
        await_that(lambda: sweep.counts.done == 2)
        for name in ("list_all", "glance", "settings", "change"):
            self._ask("study", name, {"token": token, "cell": 0})
        return self._ask("study", "open", {"token": token})

    def _ask(self, room: str, name: str, asked: Json) -> Json:
        """Call a function of the component that has the function `room`, as this person."""
        component = next(one.component for one in self._endpoints if one.name == room)
        endpoint = next(d for d in self._endpoints if d.name == name and d.component == component)
        entered = self._app_client.call(
            self._app_client.find_event("enter"), [], {"person": self._person}
        )
        access = entered.json()["data"][0]["access"]
        told: Json = self._app_client.call(endpoint, [access, asked]).json()
        return told


def find_job(service: Service, token: str) -> Job:
    """The job with this token."""
    job = service.queue.find(token)
    assert job is not None
    return job


def test_no_answer_says_where_on_the_host_anything_lies(
    demo: DemoServer, listener: Listener, tmp_path: Path
) -> None:
    with run_settings(demo.url, tmp_path / "outputs") as running:
        app_client = AppClient(running.url, listener.client)
        visitor = Visitor(app_client, running.app)
        visitor.read_page()
        picture = visitor.make_picture("text_to_image")
        visitor.look_back(picture["token"])
        sweep = visitor.make_sweep()
        found = {
            (address, place)
            for address, text in listener.heard.items()
            for place in list_places(running.app.service.queue.outputs)
            if place in text or quote(place) in text
        }
        assert len(listener.heard) > 20 and not found
        (result,) = sweep["cells"][0]["r"]
        for link in (picture["results"][0]["url"], sweep["root"] + result["u"]):
            answer = app_client.client.get(f"{app_client.url}{link}")
            assert answer.status_code == 200 and answer.content.startswith(b"\x89PNG")


def test_what_a_person_uploaded_is_told_without_its_place(
    demo: DemoServer, listener: Listener, tmp_path: Path
) -> None:
    """But for the answer to the upload itself, by which Gradio's page names the file again."""
    with run_settings(demo.url, tmp_path / "outputs") as running:
        app_client = AppClient(running.url, listener.client)
        visitor = Visitor(app_client, running.app)
        encoded = BytesIO()
        Image.new("RGB", (64, 64), "red").save(encoded, "PNG")
        file = make_file(app_client.upload("cat.png", encoded.getvalue()))
        listener.heard.clear()
        picture = visitor.make_picture("image_to_image", image=file)
        visitor.look_back(picture["token"])
        places = list_places(running.app.service.queue.outputs)
        answers = [text.partition("\n")[2] for text in listener.heard.values()]
        assert answers and not [one for one in answers if any(place in one for place in places)]
