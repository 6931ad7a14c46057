"""The History page without a browser: whose jobs it shows, what a search finds, and what goes back
into a form.
"""

from __future__ import annotations

import io
import json
import secrets
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt
from comfygradio.demo import DemoServer
from comfygradio.errors import JobStoreError, PresetError
from comfygradio.forms.fill import FROM_FORM
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.job_store import JobRecord
from comfygradio.jobs.job_trash import TRASH_SECONDS
from comfygradio.jobs.results import Result, ResultSource
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.ui.form.endpoint import describe_info
from comfygradio.ui.form.reuse import list_targets
from comfygradio.ui.history.history_api import NOT_IN_TRASH, RECENT_JOBS, UNKNOWN, HistoryApi
from comfygradio.ui.history.zip_route import list_entries, stream_zip
from comfygradio.ui.identity.page_session import MAX_PAGES, PageSessions
from tests.jobs.lines import is_over, wait
from tests.jobs.records import make_record
from tests.ui.running import RunningApp, run_app

ADA, BOB = "user:ada", "user:bob"
BIG_SEED = 2**64 - 3


@pytest.fixture(scope="module")
def client(demo: DemoServer) -> Iterator[ComfyClient]:
    client = ComfyClient(demo.url)
    yield client
    client.close()


@pytest.fixture
def service(client: ComfyClient, tmp_path: Path) -> Iterator[Service]:
    """Make a service with the shipped presets."""
    service = Service(client, [shipped_presets()], tmp_path / "outputs")
    assert service.connect()
    yield service
    service.queue.close()
    service.store.close()


@pytest.fixture
def page_sessions() -> PageSessions:
    return PageSessions()


@pytest.fixture
def history(service: Service, page_sessions: PageSessions) -> HistoryApi:
    return HistoryApi(service, page_sessions)


def put(service: Service, owner: str = ADA, **fields: Any) -> JobRecord:
    """Put a finished job of somebody into the job store."""
    record = make_record(owner, **{"phase": "done", **fields})
    service.store.add(record)
    return record


def paint(service: Service, name: str = "made.png") -> Result:
    """Save a picture in the outputs folder; return it as a result."""
    path = service.queue.outputs / secrets.token_hex(4) / name
    path.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(path)
    return Result("image", path, path, width=8, height=8)


def make_event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def list_found(history: HistoryApi, owner: str = ADA, **asked: Any) -> list[str]:
    return [job["token"] for job in history.search(owner, asked)["jobs"]]


def test_a_secret_names_its_person_and_nothing_else_does(page_sessions: PageSessions) -> None:
    ada, bob = page_sessions.open(ADA), page_sessions.open(BOB)
    assert (page_sessions.find_owner(ada), page_sessions.find_owner(bob)) == (ADA, BOB)
    assert [page_sessions.find_owner(wrong) for wrong in (ada[:-1], "", None, 7, [ada], ADA)] == [
        None
    ] * 6


def test_old_pages_are_forgotten_and_used_ones_are_kept(page_sessions: PageSessions) -> None:
    used, unused = page_sessions.open(ADA), page_sessions.open(ADA)
    for number in range(MAX_PAGES):
        page_sessions.find_owner(used)
        page_sessions.open(f"user:{number}")
    assert page_sessions.find_owner(used) == ADA and page_sessions.find_owner(unused) is None


def test_nobody_reaches_a_job_of_somebody_else(
    history: HistoryApi, service: Service, page_sessions: PageSessions
) -> None:
    record = put(service, BOB, results=(paint(service),))
    ways = (history.open, history.favourite, history.stop, history.again, history.workflow)
    for asked in ({"token": record.token, "on": True}, {"token": record.id}, {"token": None}):
        for way in ways:
            with pytest.raises(JobStoreError, match="not in your history"):
                way(ADA, asked)
    assert history.delete(ADA, {"tokens": [record.token]}) == {"deleted": [], "error": UNKNOWN}
    assert history.look(ADA, {"tokens": [record.token]}) == {"jobs": []}
    assert list_found(history) == [] and list_found(history, BOB) == [record.token]
    event = make_event(
        access=page_sessions.open(ADA), token=record.token, preset="upscale", field="image", index=0
    )
    for read in (history.read_settings, history.read_picture):
        with pytest.raises(JobStoreError, match="not in your history"):
            read(event)
        with pytest.raises(JobStoreError, match="expired"):
            read(make_event(access="guessed", token=record.token))
    kept = service.store.get(record.id)
    assert kept is not None and not kept.favourite
    assert record.results[0].path is not None and record.results[0].path.is_file()


def test_what_was_made_last_is_over_and_of_its_person(
    history: HistoryApi, service: Service
) -> None:
    old = put(service, created=1.0, results=(paint(service),))
    new = put(service, created=2.0, phase="stopped", results=(paint(service),))
    put(service, created=3.0, phase="waiting")
    put(service, BOB, created=4.0, results=(paint(service),))
    found = history.recent(ADA, {})["jobs"]
    assert [job["token"] for job in found] == [new.token, old.token]
    assert all(job["results"][0]["url"] for job in found)
    for number in range(RECENT_JOBS + 1):
        put(service, created=10.0 + number)
    assert len(history.recent(ADA, {"limit": 500})["jobs"]) == RECENT_JOBS


def test_searching_narrows_and_odd_questions_do_not_fail(
    history: HistoryApi, service: Service
) -> None:
    fox = put(service, values={"prompt": "a red fox", "seed": BIG_SEED}, favourite=True)
    owl = put(service, values={"prompt": "an owl", "seed": BIG_SEED + 1})
    assert list_found(history) == [owl.token, fox.token]
    assert list_found(history, text="FOX") == [fox.token]
    assert list_found(history, favourites=True) == [fox.token]
    assert list_found(history, values={"seed": str(BIG_SEED + 1)}) == [owl.token]
    assert list_found(history, preset="upscale") == []
    odd: dict[str, Any] = {
        "text": None,
        "values": [1],
        "before": "x",
        "favourites": "yes",
        "preset": None,
    }
    assert list_found(history, **odd) == [owl.token, fox.token]
    assert list_found(history, values={"seed": "{broken"}) == [owl.token, fox.token]


def test_pages_follow_each_other_without_a_gap(history: HistoryApi, service: Service) -> None:
    records = [put(service) for _ in range(95)]
    found, before = list[str](), None
    while True:
        page = history.search(ADA, {"before": before})
        found += [job["token"] for job in page["jobs"]]
        if (before := page["next"]) is None:
            break
    assert found == [record.token for record in reversed(records)]


def test_a_job_is_told_with_its_values_and_large_seeds_stay_exact(
    history: HistoryApi, service: Service
) -> None:
    values = {"prompt": "a red fox", "seed": BIG_SEED, "size": "512x768", "gone_field": 3}
    order = Order("text_to_image", "Text to image", Prompt({}), values, ("seed",))
    partial = replace(paint(service), partial=True)
    record = put(service, order=order, phase="stopped", results=(partial,))
    told = json.loads(json.dumps(history.open(ADA, {"token": record.token})))
    shown = {value["label"]: value["text"] for value in told["values"]}
    assert (
        shown["Seed"] == str(BIG_SEED)
        and shown["Gone field"] == "3"
        and shown["Picture size"] == "512 × 768"
    )
    assert told["canUse"] and told["text"] == "a red fox" and told["results"][0]["partial"]
    assert history.workflow(ADA, {"token": put(service).token})["text"].count(str(2**64 - 1)) == 1


def test_a_text_in_which_words_were_drawn_is_told_as_posted_too(
    history: HistoryApi, service: Service
) -> None:
    values = {"prompt": "a {red|red} fox", "negative_prompt": "blurry", FROM_FORM: True}
    record = put(service, order=service.make_order("text_to_image", values))
    told = history.open(ADA, {"token": record.token})["values"]
    shown = [(value["name"], value["text"]) for value in told]
    assert shown[:2] == [("prompt", "a {red|red} fox"), ("prompt.posted", "a red fox")]
    assert [name for name, _ in shown if name.endswith(".posted")] == ["prompt.posted"]


def test_names_of_no_wildcard_are_told_with_the_jobs(service: Service) -> None:
    submitted = service.submit_several("text_to_image", {"prompt": "a __nope__ fox"}, 2, ADA, "")
    assert len(submitted.notes) == 1 and "__nope__" in submitted.notes[0]
    assert "__nope__" in describe_info(submitted.jobs[0], submitted.jobs[0].snapshot)["warnings"][0]
    for job in submitted.jobs:
        service.queue.stop(job.token)


def test_a_job_goes_back_into_its_form_with_its_files(
    history: HistoryApi, service: Service, page_sessions: PageSessions
) -> None:
    picture = paint(service, "cat.png").path
    job = service.submit(
        "image_to_image", {"image": picture, "prompt": "winter", "seed": BIG_SEED}, ADA
    )
    assert isinstance(job, Job)
    event = make_event(access=page_sessions.open(ADA), token=job.token)
    preset, values, notes = history.read_settings(event)
    assert (preset, values["prompt"], values["seed"], notes) == (
        "image_to_image",
        "winter",
        str(BIG_SEED),
        [],
    )
    assert Path(values["image"]).read_bytes() == Path(str(picture)).read_bytes()
    for upload in job.order.prompt.uploads:
        upload.path.unlink()
    _, values, notes = history.read_settings(event)
    assert "image" not in values and "add it again" in notes[0]
    service.forms = {}
    with pytest.raises(PresetError, match="cannot be used at the moment"):
        history.read_settings(event)


def test_a_picture_becomes_an_input(
    history: HistoryApi, service: Service, page_sessions: PageSessions
) -> None:
    result = paint(service)
    record = put(service, results=(Result("text", text="words"), result))
    asked = {"access": page_sessions.open(ADA), "token": record.token, "index": 0}
    targets = list_targets(service.forms)
    assert {target["preset"] for target in targets} == {"image_to_image", "inpaint", "upscale"}
    for target in targets:
        preset, values, _ = history.read_picture(make_event(**asked, **target))
        assert preset == target["preset"] and Image.open(values[target["field"]]).size == (8, 8)
    with pytest.raises(PresetError, match="takes no picture"):
        history.read_picture(make_event(**asked, preset="upscale", field="model"))
    for index in (5, -1, "0"):
        with pytest.raises(JobStoreError, match="no longer here"):
            history.read_picture(make_event(**{**asked, "index": index}, **targets[0]))


def test_deleting_for_good_takes_the_files_along_and_spares_what_still_runs(
    history: HistoryApi, service: Service
) -> None:
    over, runs = put(service, results=(paint(service),)), put(service, phase="running")
    answer = history.delete(ADA, {"tokens": [over.token, runs.token]})
    assert answer["deleted"] == [over.token] and "not over yet" in answer["error"]
    assert list_found(history) == [runs.token]
    path = over.results[0].path
    assert path is not None and path.exists()
    asked = {"tokens": [runs.token, over.token]}
    assert history.delete_for_good(ADA, asked) == {"deleted": [over.token], "error": NOT_IN_TRASH}
    assert not path.exists()
    assert list_found(history) == [runs.token] and list_found(history, deleted=True) == []


def test_what_was_deleted_is_found_in_the_trash_and_restored(
    history: HistoryApi, service: Service
) -> None:
    record = put(service, results=(paint(service),), favourite=True)
    assert not history.search(ADA, {})["hasDeleted"]
    history.delete(ADA, {"tokens": [record.token]})
    page = history.search(ADA, {"deleted": True})
    assert page["hasDeleted"] and [job["token"] for job in page["jobs"]] == [record.token]
    assert TRASH_SECONDS - 60 < page["jobs"][0]["secondsLeft"] <= TRASH_SECONDS
    assert list_found(history) == [] and history.recent(ADA, {})["jobs"] == []
    for way in (history.open, history.favourite, history.again, history.workflow):
        with pytest.raises(JobStoreError, match="not in your history"):
            way(ADA, {"token": record.token})
    asked = {"tokens": [record.token]}
    assert history.restore(ADA, asked) == {"restored": [record.token], "error": ""}
    assert history.restore(ADA, asked) == {"restored": [], "error": NOT_IN_TRASH}
    assert service.store.find(record.token) == record
    assert not history.search(ADA, {})["hasDeleted"]


def test_nobody_reaches_what_somebody_else_deleted(history: HistoryApi, service: Service) -> None:
    record = put(service, BOB, results=(paint(service),))
    history.delete(BOB, {"tokens": [record.token]})
    asked: dict[str, Any] = {"tokens": [record.token, record.id, 7], "all": True}
    assert list_found(history, deleted=True) == []
    assert not history.search(ADA, {})["hasDeleted"]
    assert history.restore(ADA, asked) == {"restored": [], "error": NOT_IN_TRASH}
    assert history.delete_for_good(ADA, asked) == {"deleted": [], "error": NOT_IN_TRASH}
    assert history.delete_for_good(BOB, {"all": "yes"}) == {"deleted": [], "error": ""}
    assert list_found(history, BOB, deleted=True) == [record.token]
    assert history.delete_for_good(BOB, {"all": True}) == {"deleted": [], "error": ""}
    assert service.store.get(record.id) is None


def test_a_deleted_job_is_gone_from_memory_too(history: HistoryApi, service: Service) -> None:
    job = service.submit("text_to_image", {"steps": 1}, ADA)
    wait(job, is_over)
    assert history.delete(ADA, {"tokens": [job.token]}) == {"deleted": [job.token], "error": ""}
    assert service.queue.find(job.token) is None
    history.restore(ADA, {"tokens": [job.token]})
    found = service.queue.find(job.token)
    assert found is not None and found.snapshot.phase == "done"


def test_what_could_not_be_fetched_is_fetched_again(
    history: HistoryApi, service: Service, demo: DemoServer
) -> None:
    upload = {"image": ("made.png", io.BytesIO(paint_bytes()), "image/png")}
    stored = httpx.post(f"{demo.url}/upload/image", files=upload).json()
    problem = (
        "made.png was made, but could not be saved in the outputs folder: No space left on device."
    )
    missing = Result(
        "image", problem=problem, source=ResultSource("9", stored["name"], "", "input")
    )
    error = f"The result was made, but could not be fetched: {problem}"
    record = put(service, phase="failed", error=error, server=demo.url, results=(missing,))
    gone = replace(missing, source=ResultSource("9", "never.png", "", "input"))
    lost = put(service, phase="failed", error=error, server=demo.url, results=(gone,))
    told = history.again(ADA, {"token": record.token})
    assert (told["phase"], told["error"], told["refused"]) == ("done", "", "")
    kept = service.store.get(record.id)
    assert (
        kept is not None
        and kept.results[0].path is not None
        and kept.results[0].path.read_bytes() == paint_bytes()
    )
    told = history.again(ADA, {"token": lost.token})
    assert told["phase"] == "failed" and "could not be fetched" in told["refused"]
    elsewhere = put(
        service, phase="failed", error=error, server="http://127.0.0.1:9", results=(missing,)
    )
    with pytest.raises(JobStoreError, match="not among ours any more"):
        history.again(ADA, {"token": elsewhere.token})


def test_nothing_is_fetched_again_of_a_job_that_is_not_over(
    history: HistoryApi, service: Service, demo: DemoServer
) -> None:
    record = put(service, phase="running", server=demo.url)
    before = service.store.get(record.id)
    assert history.again(ADA, {"token": record.token})["refused"] == ""
    assert service.store.get(record.id) == before is not None


def paint_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "blue").save(buffer, "PNG")
    return buffer.getvalue()


def test_a_zip_holds_every_file_once_and_names_those_that_are_gone(service: Service) -> None:
    two = put(service, results=(paint(service), paint(service)), title="Sea/../side")
    same = replace(put(service, results=(paint(service),)), title=two.title, created=two.created)
    gone = put(service, results=(paint(service),), title="Gone", created=0.0)
    assert gone.results[0].path is not None
    gone.results[0].path.unlink()
    archive = zipfile.ZipFile(
        io.BytesIO(b"".join(stream_zip(list_entries([two, same, same, gone]))))
    )
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(names) == len({name.lower() for name in names}) == 5 and not any(
        "/" in name for name in names
    )
    assert b"Gone" in archive.read("Files that are gone.txt")


def test_a_zip_holds_texts_as_files(service: Service) -> None:
    told = put(
        service, results=(Result("text", text="a fox, süß"), paint(service)), title="Caption"
    )
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(list_entries([told])))))
    (text,) = [name for name in archive.namelist() if name.endswith(".txt")]
    assert archive.read(text).decode() == "a fox, süß" and len(archive.namelist()) == 2


def log_in(app: RunningApp, name: str) -> httpx.Client:
    browser = httpx.Client(base_url=f"{app.url}gradio_api")
    assert (
        browser.post(
            f"{app.url}login", data={"username": name, "password": f"{name}-pw"}
        ).status_code
        == 200
    )
    return browser


def enter(app: RunningApp, browser: httpx.Client, person: str = "") -> str:
    """Enter the page with this browser; return its secret."""
    blocks = app.app.blocks
    number, function = next(
        (number, one) for number, one in blocks.fns.items() if one.name == "enter"
    )
    body = {
        "data": [],
        "fn_index": number,
        "session_hash": uuid.uuid4().hex,
        "event_data": {"person": person},
        "trigger_id": function.targets[0][0],
    }
    answer = browser.post("/run/predict", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"][0]["access"])


def call(app: RunningApp, browser: httpx.Client, name: str, *data: Any) -> httpx.Response:
    """Call a function of the page's script."""
    found = [
        one
        for one in app.app.blocks.blocks.values()
        if getattr(one, "elem_id", None) == "cg-history"
    ]
    body = {"data": list(data), "fn_name": name, "session_hash": "x", "component_id": found[0]._id}
    return browser.post("/component_server", json=body)


@pytest.mark.app
def test_logged_in_people_have_their_own_history(demo: DemoServer, tmp_path: Path) -> None:
    (tmp_path / "people").write_text("ada:ada-pw\nbob:bob-pw\n")
    with run_app(demo.url, tmp_path / "outputs", auth=tmp_path / "people") as app:
        record = put(app.app.service, results=(paint(app.app.service),))
        person = secrets.token_hex(16)
        ada, bob = log_in(app, "ada"), log_in(app, "bob")
        mine, theirs = enter(app, ada, person), enter(app, bob, person)
        found = call(app, ada, "search", mine, {}).json()
        assert [job["token"] for job in found["jobs"]] == [record.token]
        assert call(app, bob, "search", theirs, {}).json()["jobs"] == []
        assert call(app, bob, "open", theirs, {"token": record.token}).json() == {"error": UNKNOWN}
        assert (
            call(app, httpx.Client(base_url=f"{app.url}gradio_api"), "search", mine, {}).status_code
            == 401
        )


@pytest.mark.app
def test_browsers_have_their_own_history_and_guessing_does_not_help(app: RunningApp) -> None:
    service, browser = app.app.service, httpx.Client(base_url=f"{app.url}gradio_api")
    one, two = (enter(app, browser, secrets.token_hex(16)) for _ in range(2))
    owner = app.app.page_sessions.find_owner(one)
    assert (
        owner is not None
        and owner.startswith("anon:")
        and owner != app.app.page_sessions.find_owner(two)
    )
    record = put(service, owner, results=(paint(service),))
    assert len(call(app, browser, "search", one, {}).json()["jobs"]) == 1
    assert call(app, browser, "search", two, {}).json()["jobs"] == []
    odd: list[tuple[Any, ...]] = [("guess", {}), (None, {}), (), (one,)]
    for wrong in odd:
        assert call(app, browser, "search", *wrong).json() == {"left": True}
    zipped = browser.post("/comfygradio/history.zip", data={"access": one, "job": [record.token]})
    assert len(zipfile.ZipFile(io.BytesIO(zipped.content)).namelist()) == 1
    others = browser.post(
        "/comfygradio/history.zip", data={"access": two, "job": [record.token, record.id]}
    )
    assert zipfile.ZipFile(io.BytesIO(others.content)).namelist() == []
    refused = browser.post(
        "/comfygradio/history.zip", data={"access": "guess", "job": [record.token]}
    )
    assert refused.status_code == 403 and "reload" in refused.text


@pytest.mark.app
def test_the_job_store_itself_is_not_served(app: RunningApp) -> None:
    store = app.app.service.store.path
    assert store.is_file()
    for path in (
        store,
        store.with_name("lock"),
        Path(str(store).replace(".comfygradio", ".COMFYGRADIO")),
    ):
        assert httpx.get(f"{app.url}gradio_api/file={path}").status_code == 403
