"""Who may make presets: asked at every function of the page, whoever draws it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import LOCAL_ONLY, REFUSED, find_authors
from tests.security.attack_browser import (
    browse,
    find_function,
    log_in,
    write_users,
)
from tests.ui.people import make_request
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

FUNCTIONS = ("read", "edit", "write", "save")


def write_presets(folder: Path) -> Path:
    """A folder of presets that can be written to, with one preset."""
    folder.mkdir()
    for suffix in ("yaml", "json"):
        name = f"text_to_image.{suffix}"
        (folder / name).write_bytes((shipped_presets() / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A demo server without delays."""
    with DemoServer(DemoOptions(step_seconds=0)) as server:
        yield server


@pytest.fixture(scope="module")
def members(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login: ann is an operator, carl an author, ben neither."""
    folder = tmp_path_factory.mktemp("authors")
    users = write_users(folder / "users", "ann", "ben", "carl")
    settings: dict[str, Any] = {"author": True, "authors": ("carl",), "operators": ("ann",)}
    presets = write_presets(folder / "presets")
    with run_app(demo.url, folder / "outputs", presets, auth=users, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def local(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app without a login, behind a proxy that nobody told it of."""
    folder = tmp_path_factory.mktemp("local")
    presets = write_presets(folder / "presets")
    with run_app(demo.url, folder / "outputs", presets, author=True) as running:
        yield running


def make_desk() -> dict[str, Any]:
    """What the page sends for a preset that is edited by hand."""
    graph = json.loads((shipped_presets() / "text_to_image.json").read_text())
    source = {"workflow": graph, "outputs": [], "examples": [], "fields": []}
    return {
        "name": "text_to_image",
        "title": "Stolen",
        "description": "",
        "icon": "",
        "notes": [],
        "rows": [],
        "byHand": True,
        "source": json.dumps(source),
    }


def call_author(app: RunningApp, browser: httpx.Client, name: str) -> httpx.Response:
    """Call a function of the author's page as its script does, with what could do harm."""
    text = "title: Stolen\nworkflow: text_to_image.json\nfields: {seed: {slot: 3.seed}}\n"
    given = {
        "read": [None],
        "edit": [make_desk()],
        "write": [text, make_desk()],
        "save": [text, make_desk()],
    }
    body = {
        "fn_index": find_function(app, name),
        "data": given[name],
        "session_hash": "x",
        "event_data": {"overwrite": True},
        "trigger_id": app.app.blocks.fns[find_function(app, name)].targets[0][0],
    }
    return browser.post("gradio_api/run/predict", json=body)


def read_title(app: RunningApp) -> str:
    """The first line of the preset that the attack overwrites."""
    file = app.app.settings.presets[0] / "text_to_image.yaml"
    return file.read_text(encoding="utf-8").splitlines()[0]


def is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and "error" in answer.json()


@pytest.mark.app
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_user_who_is_no_author_calls_nothing(members: RunningApp, name: str) -> None:
    """M4. Every visitor could overwrite presets."""
    before = read_title(members)
    answer = call_author(members, log_in(members, "ben"), name)
    assert is_refused(answer) and REFUSED in answer.text
    assert read_title(members) == before


@pytest.mark.app
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "192.168.1.9"},
        {"x-forwarded-proto": "https"},
        {"forwarded": "for=192.168.1.9"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "192.168.1.9"},
    ],
)
def test_without_a_login_nobody_behind_a_proxy_calls_anything(
    local: RunningApp, name: str, headers: dict[str, str]
) -> None:
    browser = browse(local)
    browser.headers.update({**headers, "host": "localhost"})
    before = read_title(local)
    answer = call_author(local, browser, name)
    assert is_refused(answer) and LOCAL_ONLY in answer.text
    assert read_title(local) == before


@pytest.mark.app
@pytest.mark.parametrize("name", FUNCTIONS)
def test_authors_and_operators_may(members: RunningApp, name: str) -> None:
    for user in ("ann", "carl"):
        answer = call_author(members, log_in(members, user), name)
        assert answer.status_code == 200, answer.text
    if name == "save":
        assert read_title(members) == "title: Stolen"


@pytest.mark.app
def test_whoever_sits_at_this_machine_may(local: RunningApp) -> None:
    assert call_author(local, browse(local), "save").status_code == 200
    assert read_title(local) == "title: Stolen"


@pytest.mark.app
def test_the_way_to_the_page_shows_for_authors_alone(members: RunningApp) -> None:
    told = {}
    for user in ("ann", "ben", "carl"):
        body = {
            "fn_index": find_function(members, "describe_access"),
            "data": [],
            "session_hash": "x",
        }
        answer = log_in(members, user).post("gradio_api/run/predict", json=body)
        told[user] = answer.json()["data"][0]
    assert told == {"ann": {"author": True}, "ben": {"author": False}, "carl": {"author": True}}
    config = log_in(members, "ben").get("config").text
    assert 'data-page=\\"new\\" href=\\"?new=1\\" hidden' in config


def make_users(tmp_path: Path) -> Path:
    return write_users(tmp_path / "users", "ann", "ben")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"author": True, "host": "0.0.0.0"}, "--author lets everybody who reaches this page"),
        ({"author": True, "host": "192.168.1.5"}, "--author lets everybody who reaches this page"),
        ({"author": True, "root_path": "/forms"}, "--author lets everybody who reaches this page"),
        ({"authors": ("ann",)}, "--authors names a user of the --auth file; add --auth"),
    ],
)
def test_without_a_login_it_is_refused_off_this_machine(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        find_authors(replace(Settings(), **changes))


def test_with_a_login_it_is_for_operators_and_those_who_are_named(tmp_path: Path) -> None:
    settings = Settings(auth=make_users(tmp_path), host="0.0.0.0")
    assert find_authors(settings) is None
    with pytest.raises(SettingsError, match="is for operators, and there is none"):
        find_authors(replace(settings, author=True))
    with pytest.raises(SettingsError, match=r"--authors: the --auth file has no user carl\."):
        find_authors(replace(settings, authors=("carl",)))
    ann, ben = (find_person(make_request(user=name)) for name in ("ann", "ben"))
    for changes, allowed in (
        ({"author": True, "operators": ("ann",)}, [True, False]),
        ({"authors": ("ben",)}, [False, True]),
        ({"authors": ("ben",), "operators": ("ann",)}, [False, True]),
        ({"author": True, "authors": ("ben",), "operators": ("ann",)}, [True, True]),
    ):
        authors = find_authors(replace(settings, **changes))
        assert authors and [authors.admit(ann), authors.admit(ben)] == allowed, changes
        assert not authors.admit(find_person(make_request()))
