"""What the scripts of the further pages call: who is answered, with what, and by which names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.errors import JobStoreError, PresetError
from comfygradio.service.service import Service
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.page_function import (
    make_author_function,
    make_enter_function,
    make_operator_function,
    make_owner_function,
    make_party_function,
)
from comfygradio.ui.identity.page_session import EXPIRED, PageSessions
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess
from comfygradio.ui.status.status_api import StatusApi
from comfygradio.ui.sweep.sweep_api import SweepApi
from tests.ports import free_port
from tests.ui.people import make_request

ADA = "user:ada"
BROWSER = "0a" * 16
"""The id that a browser keeps for its person."""

Json = dict[str, Any]


@pytest.fixture
def page_sessions() -> PageSessions:
    return PageSessions()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Make a service whose server is away."""
    client = ComfyClient(f"http://127.0.0.1:{free_port()}")
    return Service(client, [], tmp_path / "outputs")


def echo(owner: str, asked: Mapping[str, Any]) -> Json:
    return {"owner": owner, "asked": dict(asked)}


def refuse(owner: str, asked: Mapping[str, Any]) -> Json:
    raise JobStoreError("There is no such job.")


def test_a_page_that_enters_gets_a_secret_of_its_person(page_sessions: PageSessions) -> None:
    enter = make_enter_function(page_sessions)
    request = make_request(user="ada/1")
    answer = enter(request, gr.EventData(None, {"person": BROWSER}))
    assert page_sessions.find_owner(answer["access"], "1") == ADA
    assert page_sessions.find_owner(answer["access"], "2") is None


@pytest.mark.parametrize("data", [{"person": BROWSER}, {"person": 7}, {}])
def test_without_a_login_the_browser_is_the_person(page_sessions: PageSessions, data: Json) -> None:
    enter = make_enter_function(page_sessions)
    request = make_request()
    request.session_hash = "a-tab"
    answer = enter(request, gr.EventData(None, data))
    owner = page_sessions.find_owner(answer["access"])
    assert owner == find_owner(request, data.get("person"))
    assert owner is not None and owner.startswith("anon:")


def test_a_page_is_answered_for_the_owner_of_its_secret(page_sessions: PageSessions) -> None:
    access = page_sessions.open(ADA)
    call = make_owner_function(echo, page_sessions)
    assert call([access, {"token": "x"}], make_request()) == {"owner": ADA, "asked": {"token": "x"}}
    assert call([access, "odd"], make_request()) == {"owner": ADA, "asked": {}}


@pytest.mark.parametrize("data", [None, [], "xy", {}, ["guessed", {}], [None, {}], ["one"]])
def test_a_page_without_a_secret_has_to_enter_again(page_sessions: PageSessions, data: Any) -> None:
    call = make_owner_function(echo, page_sessions)
    assert call(data, make_request()) == {"left": True}


def test_a_secret_is_of_use_in_its_own_login_session_alone(page_sessions: PageSessions) -> None:
    access = page_sessions.open(ADA, "1")
    call = make_owner_function(echo, page_sessions)
    assert call([access, {}], make_request(user="ada/1"))["owner"] == ADA
    assert call([access, {}], make_request(user="ada/2")) == {"left": True}
    assert call([access, {}], make_request()) == {"left": True}


def test_our_own_errors_are_told(page_sessions: PageSessions) -> None:
    access = page_sessions.open(ADA)
    call = make_owner_function(refuse, page_sessions)
    assert call([access, {}], make_request()) == {"error": "There is no such job."}


def test_what_starts_work_learns_whose_turn_it_takes(page_sessions: PageSessions) -> None:
    def start(owner: str, asked: Mapping[str, Any], party: str) -> Json:
        return {"owner": owner, "party": party}

    guest, ada = page_sessions.open("anon:0a"), page_sessions.open(ADA, "1")
    call = make_party_function(start, page_sessions)
    assert call([guest, {}], make_request(client="10.0.0.9")) == {
        "owner": "anon:0a",
        "party": "net:10.0.0.9",
    }
    assert call([ada, {}], make_request(user="ada/1")) == {"owner": ADA, "party": ADA}
    assert call(["guessed", {}], make_request()) == {"left": True}


def test_a_script_calls_by_the_name_of_the_method_or_by_another(
    page_sessions: PageSessions,
) -> None:
    assert make_owner_function(echo, page_sessions).__name__ == "echo"
    assert make_owner_function(echo, page_sessions, "glance").__name__ == "glance"


def test_an_operators_page_sends_its_token_and_texts() -> None:
    async def look() -> Json:
        return {"seen": True}

    async def act(verb: str = "", url: str = "") -> Json:
        return {"verb": verb, "url": url}

    operators = OperatorAccess(None)
    request = make_request()
    token = operators.issue(find_person(request))
    seen = make_operator_function(look, operators)
    done = make_operator_function(act, operators)
    assert asyncio.run(seen([token], request)) == {"seen": True}
    assert asyncio.run(seen([token, "more"], request)) == {"seen": True}
    assert asyncio.run(done([token, "free"], request)) == {"verb": "free", "url": ""}
    sent = [token, None, 7, "more"]
    assert asyncio.run(done(sent, request)) == {"verb": "None", "url": "7"}
    for data in (None, [], "x", [""], [None], ["guessed", "free"]):
        assert asyncio.run(done(data, request)) == {"denied": True}
    elsewhere = make_request(client="10.0.0.9")
    assert asyncio.run(done([token, "free"], elsewhere)) == {"denied": True}


def test_an_operator_is_told_our_own_errors() -> None:
    async def act(verb: str = "") -> Json:
        raise PresetError("That went wrong.")

    operators = OperatorAccess(None)
    token = operators.issue(find_person(make_request()))
    call = make_operator_function(act, operators)
    assert asyncio.run(call([token], make_request())) == {"error": "That went wrong."}


def test_only_authors_are_answered() -> None:
    def join(first: str, second: str) -> str:
        return first + second

    authors = AuthorAccess(frozenset({"ada"}))
    call = make_author_function(join, authors)
    assert call.__name__ == "join"
    assert call(make_request(user="ada"), "a", "b") == "ab"
    with pytest.raises(gr.Error, match="Only those whom the settings"):
        call(make_request(user="ben"), "a", "b")


def test_an_event_of_a_page_that_has_expired_says_so(page_sessions: PageSessions) -> None:
    access = page_sessions.open(ADA, "1")
    assert page_sessions.require_owner(access, "1") == ADA
    for secret, session in ((access, "2"), (access, ""), ("guessed", "1"), (None, "1")):
        with pytest.raises(JobStoreError) as caught:
            page_sessions.require_owner(secret, session)
        assert str(caught.value) == EXPIRED


def test_the_names_that_scripts_call_stay(service: Service, page_sessions: PageSessions) -> None:
    """Open pages go on calling them after the app was started again."""
    history = HistoryApi(service, page_sessions)
    sweep = SweepApi(service, page_sessions)
    status = StatusApi(service, OperatorAccess(None))
    found = []
    for api in (history, sweep, status):
        found.append([function.__name__ for function in api.list_functions()])
    history_names = "search open look favourite delete restore delete_for_good stop again workflow"
    sweep_names = (
        "prepare choices list_all open settings pause resume stop retry rate delete "
        "glance news change study start"
    )
    assert found == [history_names.split(), sweep_names.split(), ["look", "act"]]
    service.close()
