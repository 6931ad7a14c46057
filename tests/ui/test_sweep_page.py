"""The page of sweeps without a browser: drafts and their problems, whose sweeps it shows, and what
has changed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import ComfyGradioError, JobStoreError
from comfygradio.service.service import Service
from comfygradio.settings import shipped_presets
from comfygradio.sweeps.axes.axis_parser import format_unquoted
from comfygradio.ui.form.sheet_import import load_dropped_sheet
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.job.thumbnails import THUMB_PIXELS, Thumbnails, make_thumbnail
from comfygradio.ui.sweep.axis_choices import list_choices, write_all_choices
from comfygradio.ui.sweep.sweep_api import UNKNOWN, SweepApi
from comfygradio.ui.sweep.sweep_text import find_cell_number, find_index
from tests.ui.running import RunningApp, run_app

ADA, BOB, GUEST = "user:ada", "user:bob", "anon:0a1b2c"
COMMA = "one, two.safetensors"

PAGES = 3
"""How many parts that are no form enter by themselves; they come first."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def quick() -> Iterator[DemoServer]:
    """Start a demo server that never waits, with a checkpoint whose name contains a comma."""
    names = (COMMA, "dream-sd15.safetensors", "photo-xl.safetensors")
    with DemoServer(DemoOptions(step_seconds=0.0, checkpoints=names)) as server:
        yield server


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the shipped presets, one of them with suggested axes."""
    folder = tmp_path_factory.mktemp("sweeps") / "presets"
    shutil.copytree(shipped_presets(), folder)
    file = folder / "text_to_image.yaml"
    file.write_text(
        file.read_text(encoding="utf-8") + 'sweep:\n  cfg: "1-7 (+3)"\n', encoding="utf-8"
    )
    return folder


@pytest.fixture
def service(quick: DemoServer, presets: Path, tmp_path: Path) -> Iterator[Service]:
    client = ComfyClient(quick.url)
    service = Service(client, [presets], tmp_path / "outputs")
    assert service.connect()
    yield service
    service.close()
    client.close()


@pytest.fixture
def page_sessions() -> PageSessions:
    return PageSessions()


@pytest.fixture
def api(service: Service, page_sessions: PageSessions) -> SweepApi:
    return SweepApi(service, page_sessions)


def draft(*axes: Mapping[str, str], preset: str = "text_to_image", **values: Any) -> Json:
    """Make a draft as the editor sends it."""
    told = [[{"field": name, "text": text} for name, text in axis.items()] for axis in axes]
    return {"definition": {"preset": preset, "values": {"prompt": "a fox", **values}, "axes": told}}


def begin(api: SweepApi, *axes: Mapping[str, str], owner: str = ADA, **values: Any) -> str:
    answer = api.start(owner, draft(*axes, **values))
    return str(answer["token"])


def wait(api: SweepApi, token: str, until: Callable[[Json], bool], owner: str = ADA) -> Json:
    """Poll the page of a sweep until it is as asked for."""
    end = time.monotonic() + 30
    while not until(told := api.open(owner, {"token": token})):
        assert time.monotonic() < end, told["line"]
        time.sleep(0.02)
    return told


def is_done(told: Json) -> bool:
    return bool(told["phase"] == "done")


def test_the_editor_learns_the_fields_and_what_the_preset_suggests(api: SweepApi) -> None:
    told = api.prepare(ADA, {"preset": "text_to_image", "values": {"prompt": "a fox", "steps": 12}})
    fields = {field["name"]: field for field in told["fields"]}
    assert told["suggested"] == [{"field": "cfg", "text": "1-7 (+3)"}]
    assert fields["steps"]["now"] == "12" and "1-10" in fields["steps"]["help"]
    assert fields["checkpoint"]["choices"] == 3 and fields["prompt"]["takes"] == "lines"
    assert {row["name"]: row["text"] for row in told["base"]}["prompt"] == "a fox"


def test_a_draft_is_read_out_and_counted(api: SweepApi) -> None:
    told = api.replan(ADA, draft({"cfg": "1-7 (+3)"}, {"steps": "4, 8", "sampler": "euler, ddim"}))
    assert told["ready"] and told["count"] == "6 pictures"
    assert (
        told["axes"][0][0]["read"] == "3 values: 1, 4, 7"
        and told["axes"][1][0]["read"] == "2 values"
    )
    assert json.loads(json.dumps(told)) == told


def test_errors_stand_beside_their_field(api: SweepApi) -> None:
    def find_errors(*axes: Mapping[str, str]) -> list[list[str]]:
        told = api.replan(ADA, draft(*axes))
        assert "ready" not in told and not told.get("error")
        return [[one.get("error", "") for one in axis] for axis in told["axes"]]

    (first,), (second,) = find_errors({"steps": "4, x"}, {"cfg": "1, 2"})
    assert "Value 2" in first and "x" in first and second == ""
    ((one, other),) = find_errors({"steps": "4, 8", "cfg": "1, 2, 3"})
    assert (
        one == ""
        and "“Steps” has 2 values and “How closely to follow the words” has 3 values" in other
    )
    (first,), (second,) = find_errors({"steps": "4, 8"}, {"steps": "10"})
    assert "two axes" in (first + second).lower()
    assert find_errors({"prompt": "S/R: dog, cat"})[0][0] != ""
    assert find_errors({"steps": ""}) == [[""]] and find_errors({"": "4"}) == [[""]]


def test_what_the_form_refuses_is_said_with_its_label(api: SweepApi) -> None:
    told = api.replan(ADA, draft({"cfg": "1, 2"}, steps=5000))
    assert told["error"].startswith("Steps: ") and not told.get("ready")
    assert api.replan(ADA, draft({"steps": "4, 8"}, steps=5000))["ready"]


def test_odd_drafts_do_not_fail(api: SweepApi) -> None:
    odd: list[Any] = [
        None,
        [],
        "x",
        [[None]],
        [[{"field": 7}]],
        [[{"field": "steps", "text": [1]}]],
        [{"steps": "1"}],
    ]
    for axes in odd:
        told = api.replan(
            ADA, {"definition": {"preset": "text_to_image", "values": [], "axes": axes}}
        )
        assert not told.get("ready")
    for asked in ({}, {"definition": 3}, {"definition": {"preset": "gone"}}):
        with pytest.raises(ComfyGradioError):
            api.replan(ADA, asked)


def test_files_on_an_axis_have_to_be_uploads(api: SweepApi, tmp_path: Path) -> None:
    upload = Path(get_upload_folder()) / secrets.token_hex(8) / "cat.png"
    upload.parent.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(upload)
    shutil.copyfile(upload, tmp_path / "dog.png")

    def study(*paths: Path) -> Json:
        entry = {"field": "image", "files": [{"path": str(path)} for path in paths]}
        return api.replan(
            ADA, {"definition": {"preset": "image_to_image", "values": {}, "axes": [[entry]]}}
        )

    told = study(upload, tmp_path / "dog.png", Path("/etc/passwd"))
    assert told["count"] == "1 picture"
    assert not study(tmp_path / "dog.png").get("ready")


def test_ticked_choices_are_written_as_they_read(service: Service, api: SweepApi) -> None:
    form = service.forms["text_to_image"]
    assert format_unquoted(form, "sampler", ["euler", "ddim"]) == ["euler", "ddim"]
    assert COMMA in "".join(format_unquoted(form, "checkpoint", [COMMA, "photo-xl.safetensors"]))
    for name in ("checkpoint", "sampler", "size"):
        text, count = write_all_choices(form, name), len(form.fields[name].choices or ())
        told = api.replan(ADA, draft({name: text}))["axes"][0][0]
        assert told["count"] == count
        listed = list_choices(form, name, "")
        assert {choice["text"] for choice in listed["found"]} <= set(told["texts"]) or count > 12
    assert (
        api.choices(ADA, {"preset": "text_to_image", "field": "checkpoint", "query": "photo"})[
            "count"
        ]
        == 1
    )
    with pytest.raises(ComfyGradioError, match="no list"):
        api.choices(ADA, {"preset": "text_to_image", "field": "steps"})


def test_what_was_planned_is_what_starts_and_only_for_its_owner(
    api: SweepApi, service: Service
) -> None:
    planned = api.replan(ADA, draft({"seed": "random x3"}))["token"]
    sweep = service.sweeps.find(planned)
    assert sweep is not None and sweep.phase == "planned"
    theirs = api.start(BOB, {**draft({"steps": "2"}), "planned": planned})["token"]
    assert theirs != planned and sweep.phase == "planned"
    api.replan(BOB, {**draft({"steps": "2"}), "planned": planned})
    assert api.start(ADA, {**draft({"steps": "2"}), "planned": planned}) == {"token": planned}
    assert wait(api, planned, is_done)["total"] == 3
    first = api.replan(ADA, {**draft({"steps": "2"}), "planned": planned})["token"]
    api.replan(ADA, {**draft({"steps": "2, 3"}), "planned": first})
    assert service.sweeps.find(first) is None and service.sweeps.find(planned) is sweep


def test_news_are_what_changed_and_come_to_the_same(api: SweepApi) -> None:
    token = begin(api, {"steps": "2, 3"}, {"cfg": "1, 2, 3"})
    told = api.open(ADA, {"token": token})
    cells, version, told_of = list(told["cells"]), told["version"], 0
    while told["phase"] != "done":
        told = api.get_changes(ADA, {"token": token, "since": version})
        version, told_of = told["version"], told_of + len(told["cells"])
        for place, cell in told["cells"]:
            cells[place] = cell
        time.sleep(0.01)
    final = api.open(ADA, {"token": token})
    assert cells == final["cells"] and len(cells) == 6 and told_of >= 6
    assert api.get_changes(ADA, {"token": token, "since": version})["cells"] == []
    assert json.loads(json.dumps(final)) == final
    for since in ("", None, "other.3", f"{api.run_id}.x", f"{api.run_id}.-1", 7):
        assert api.get_changes(ADA, {"token": token, "since": since})["cells"] is None


def test_nobody_reaches_a_sweep_of_somebody_else(
    api: SweepApi, page_sessions: PageSessions
) -> None:
    token = begin(api, {"steps": "2, 3"})
    wait(api, token, is_done)
    one = (api.open, api.get_changes, api.get_card, api.settings, api.edit)
    more = (api.pause, api.resume, api.stop, api.retry, api.rate, api.delete)
    for asked in (
        {"token": token, "cell": 0, "rating": 5},
        {"token": "guess"},
        {"token": None},
        {"token": [token]},
    ):
        for way in (*one, *more):
            with pytest.raises(JobStoreError, match=re.escape(UNKNOWN)):
                way(BOB, asked)
    assert api.list_all(BOB, {})["sweeps"] == []
    assert [sweep["token"] for sweep in api.list_all(ADA, {})["sweeps"]] == [token]
    event = {"access": page_sessions.open(BOB), "token": token, "cell": 0}
    for wrong in (event, {**event, "access": "guess"}):
        with pytest.raises(JobStoreError):
            api.read_values(gr.EventData(None, wrong))
    assert "k" not in api.open(ADA, {"token": token})["cells"][0]


def test_cells_are_rated_and_their_values_go_back_into_the_form(
    api: SweepApi, page_sessions: PageSessions
) -> None:
    seed = str(2**64 - 7)
    token = begin(api, {"steps": "2, 3"}, {"cfg": "1, 2.5"}, seed=seed)
    wait(api, token, is_done)
    news = api.rate(ADA, {"token": token, "cell": 3, "rating": 4, "since": f"{api.run_id}.0"})
    assert [cell["k"] for place, cell in news["cells"] if place == 3] == [4]
    for wrong in ({"cell": 4}, {"cell": -1}, {"cell": True}, {"cell": "0"}, {}):
        with pytest.raises(JobStoreError, match="no such place"):
            api.rate(ADA, {"token": token, "rating": 1, **wrong})
    for rating in (6, -2, "5", True, None):
        api.rate(ADA, {"token": token, "cell": 3, "rating": rating})
    assert api.open(ADA, {"token": token})["cells"][3]["k"] == 4
    event = gr.EventData(None, {"access": page_sessions.open(ADA), "token": token, "cell": 3})
    preset, values, notes = api.read_values(event)
    assert (preset, values["steps"], values["cfg"], values["seed"], notes) == (
        "text_to_image",
        3,
        2.5,
        seed,
        [],
    )
    shown = {
        row["label"]: row["text"]
        for row in api.settings(ADA, {"token": token, "cell": 3})["values"]
    }
    assert shown["Seed"] == seed and shown["Steps"] == "3"


def test_a_sweep_is_paused_goes_on_and_is_stopped(api: SweepApi) -> None:
    token = begin(api, {"seed": "1-40"})
    assert api.pause(ADA, {"token": token})["phase"] == "paused"
    told = wait(api, token, lambda told: not told["counts"]["running"])
    assert told["counts"]["waiting"] > 0 and told["rest"] == ""
    assert api.resume(ADA, {"token": token})["phase"] == "running"
    told = api.stop(ADA, {"token": token})
    assert told["phase"] == "stopped" and "stopped" in told["line"]
    wait(api, token, lambda told: not told["counts"]["running"])
    api.delete(ADA, {"token": token})
    with pytest.raises(JobStoreError):
        api.open(ADA, {"token": token})


def test_a_sweep_comes_back_into_the_editor(api: SweepApi, service: Service) -> None:
    axes = ({"prompt": '"a, b", "c ""d"""'}, {"steps": "2-3", "cfg": "1, 2"})
    token = begin(api, *axes, seed="5")
    wait(api, token, is_done)
    again = api.edit(ADA, {"token": token})["compose"]
    told = api.replan(ADA, {"definition": again})
    assert again["preset"] == "text_to_image" and again["values"]["seed"] == "5"
    assert told["ready"] and told["count"].startswith("4 pictures")
    planned = service.sweeps.find(told["token"])
    assert planned is not None and planned.counts.done == 4


def test_places_count_on_as_typed() -> None:
    sizes = (2, 3, 4)
    indexes = [(a, b, c) for a in range(2) for b in range(3) for c in range(4)]
    assert [find_cell_number(index, sizes) for index in indexes] == list(range(24))
    assert [find_index(place, sizes) for place in range(24)] == indexes and find_index(
        24, sizes
    ) is None


def test_thumbnails_are_small_and_kept(tmp_path: Path) -> None:
    big, small, moving = tmp_path / "big.png", tmp_path / "small.png", tmp_path / "moving.webp"
    noise = Image.effect_noise((900, 600), 80)
    noise.save(big)
    Image.new("RGB", (40, 40)).save(small)
    noise.save(moving, save_all=True, append_images=[noise.rotate(90)], duration=100)
    thumbs = Thumbnails(limit_bytes=200_000)
    made = thumbs.get(big)
    assert made is not None and Image.open(io.BytesIO(made)).size == (
        THUMB_PIXELS,
        THUMB_PIXELS * 2 // 3,
    )
    assert thumbs.get(small) is None and make_thumbnail(moving) is None
    big.unlink()
    assert thumbs.get(big) == made
    other = Thumbnails(limit_bytes=10)
    with pytest.raises(OSError):
        other.get(big)


@pytest.mark.app
def test_pictures_of_a_sweep_are_sent_to_those_who_know_its_secret(app: RunningApp) -> None:
    api = SweepApi(app.app.service, app.app.page_sessions)
    token = begin(api, {"steps": "2"}, owner=GUEST)
    told = wait(api, token, is_done, owner=GUEST)
    address = f"{app.url}{told['thumbs']['address']}{told['cells'][0]['r'][0]['m']}"
    answer = httpx.get(address)
    assert answer.status_code == 200 and answer.headers["content-type"] in (
        "image/webp",
        "image/png",
    )
    assert "immutable" in answer.headers["cache-control"]
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 512
    for wrong in (
        address.replace(token, "guess"),
        address.replace("/0/0/", "/1/0/"),
        address.replace("/0/0/", "/0/9/"),
    ):
        assert httpx.get(wrong).status_code == 404
    theirs = begin(api, {"steps": "2"})
    wait(api, theirs, is_done)
    assert (
        httpx.get(address.replace(token, theirs)).status_code == 404
    )  # a login's, and I have none
    full = f"{app.url}{told['root']}{told['cells'][0]['r'][0]['u']}"
    assert Image.open(io.BytesIO(httpx.get(full).content)).size == (512, 512)


@pytest.mark.app
def test_the_page_of_sweeps_keeps_its_functions_numbers(demo: DemoServer, tmp_path: Path) -> None:
    folder = tmp_path / "presets"
    shutil.copytree(shipped_presets(), folder)
    with run_app(demo.url, tmp_path / "outputs", folder) as running:
        before = [
            (number, fn.name) for number, fn in running.app.blocks.fns.items() if fn.name == "enter"
        ]
        (folder / "upscale.yaml").unlink()
        running.app.service.reload()
        blocks = running.app.blocks
        after = [(number, fn.name) for number, fn in blocks.fns.items() if fn.name == "enter"]
        assert running.app.revision >= 1 and before[:PAGES] == after[:PAGES]
        assert len(before) == PAGES + 4 and len(after) == PAGES + 3, "each form enters by itself"


def fetch(app: RunningApp, **fields: Any) -> httpx.Response:
    return httpx.post(f"{app.url}gradio_api/comfygradio/sweep", data=fields, timeout=30)


@pytest.mark.app
def test_downloads_follow_the_layout_and_are_for_their_owner(
    app: RunningApp, tmp_path: Path
) -> None:
    api = SweepApi(app.app.service, app.app.page_sessions)
    token = begin(api, {"seed": "7, 8"}, {"steps": "2, 3"}, {"cfg": "1, 2"}, prompt="a fox, ü")
    wait(api, token, is_done)
    mine, theirs = app.app.page_sessions.open(ADA), app.app.page_sessions.open(BOB)
    asked = {
        "access": mine,
        "token": token,
        "format": "png",
        "layout": json.dumps({"rows": [0, 1], "columns": [2]}),
    }
    answer = fetch(app, **asked)
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    whole = Image.open(io.BytesIO(answer.content)).size
    hidden = fetch(
        app,
        **{**asked, "layout": json.dumps({"rows": [0, 1], "columns": [2], "hidden": {"1": [0]}})},
    )
    assert Image.open(io.BytesIO(hidden.content)).size[1] < whole[1]
    paged = fetch(
        app, **{**asked, "layout": json.dumps({"rows": [1], "columns": [2], "pages": [0]})}
    )
    assert len(zipfile.ZipFile(io.BytesIO(paged.content)).namelist()) == 2
    assert fetch(app, **{**asked, "format": "webp", "layout": "{broken"}).status_code == 200
    rows = list(
        csv.reader(
            io.StringIO(fetch(app, **{**asked, "format": "csv"}).content.decode("utf-8-sig"))
        )
    )
    assert (
        len(rows) == 9
        and "a fox, ü" in rows[1]
        and str(app.app.service.queue.outputs) not in str(rows)
    )
    data = fetch(app, **{**asked, "format": "json"}).json()
    assert len(data["points"]) == 8 and data["comfygradio"]["sweep"]["preset"] == "text_to_image"
    page = fetch(app, **{**asked, "format": "html"})
    assert page.headers["content-type"].startswith("text/html") and b"<script" in page.content
    files = fetch(app, **{**asked, "format": "zip", "layout": json.dumps({"hidden": {"0": [0]}})})
    names = zipfile.ZipFile(io.BytesIO(files.content)).namelist()
    assert len(names) == len(set(names)) == 4 and all("Seed 8" in name for name in names)
    for wrong, status in (
        ({"access": "guess"}, 403),
        ({"access": theirs}, 404),
        ({"token": "x"}, 404),
        ({"format": "exe"}, 404),
    ):
        assert fetch(app, **{**asked, **wrong}).status_code == status
    assert fetch(app).status_code == 403


@pytest.mark.app
def test_a_contact_sheet_opens_the_editor_with_its_sweep(app: RunningApp) -> None:
    api, service = SweepApi(app.app.service, app.app.page_sessions), app.app.service
    token = begin(api, {"steps": "2-3"}, {"cfg": "1, 2"}, seed=str(2**64 - 3))
    wait(api, token, is_done)
    answer = fetch(
        app, access=app.app.page_sessions.open(ADA), token=token, format="png", layout="{}"
    )
    sheet = Path(get_upload_folder()) / secrets.token_hex(8) / "sheet.png"
    sheet.parent.mkdir(parents=True)
    sheet.write_bytes(answer.content)
    begun = load_dropped_sheet(service, {"path": str(sheet)})
    assert begun is not None and begun["compose"]["values"]["seed"] == str(2**64 - 3)
    told = api.replan(ADA, {"definition": begun["compose"]})
    assert told["ready"] and told["line"].startswith("All of them are there")
    Image.new("RGB", (9, 9)).save(sheet)
    assert (
        load_dropped_sheet(service, {"path": str(sheet)}) is None
        and load_dropped_sheet(service, {"path": "/etc/passwd"}) is None
    )


def test_the_history_can_leave_out_what_sweeps_made(
    api: SweepApi, service: Service, page_sessions: PageSessions
) -> None:
    history = HistoryApi(service, page_sessions)
    assert history.search(ADA, {})["sweeps"] is False
    wait(api, begin(api, {"steps": "1, 2"}), is_done)
    assert history.search(ADA, {})["sweeps"] is True and history.search(BOB, {})["sweeps"] is False
    assert (
        len(history.search(ADA, {})["jobs"]) == 2
        and history.search(ADA, {"singles": True})["jobs"] == []
    )
