"""The Servers page without a browser: who may see it, what it says, and what its buttons do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import SettingsError
from comfygradio.jobs.backend import BackendStatus
from comfygradio.jobs.job import Job, JobSnapshot
from comfygradio.service.service import Service
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.app import App
from comfygradio.ui.identity.page_session import IDLE_SECONDS
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import OperatorAccess, find_operators
from comfygradio.ui.job.job_text import describe_job, describe_time_left
from comfygradio.ui.serve import build, launch
from comfygradio.ui.status.status_api import StatusApi
from comfygradio.ui.status.status_text import describe_server, describe_waiting
from tests.clocks import ManualClock
from tests.jobs.lines import draw, free_port, is_over, is_running, wait
from tests.ui.people import find_function
from tests.ui.people import make_request as request
from tests.ui.running import stop_all

OPERATORS = OperatorAccess(None)
TOKEN = OPERATORS.issue(find_person(request()))


@pytest.fixture
def service(demo: DemoServer, tmp_path: Path) -> Iterator[Service]:
    """Open a service on the demo server, with its queue started."""
    service = Service(ComfyClient(demo.url), [], tmp_path / "outputs")
    assert service.connect()
    yield service
    stop_all(service)
    service.close()


def call(status: StatusApi, *data: Any) -> Any:
    """Call the function of a button, or with the token alone that of the view."""
    name = "act" if len(data) > 1 else "look"
    return ask(status, name, list(data))


def ask(status: StatusApi, name: str, data: Any, asked: gr.Request | None = None) -> Any:
    """Call a function as the page's script does."""
    function = find_function(status.list_functions(), name)
    return asyncio.run(function(data, asked or request()))


def is_posted(snapshot: JobSnapshot) -> bool:
    """Return whether a job waits on its server."""
    return snapshot.state is not None and snapshot.state.status == "queued"


@pytest.mark.parametrize(
    ("settings", "users"),
    [
        (Settings(), "none"),
        (Settings(local_operator=True), "all"),
        (Settings(local_operator=True, host="::1"), "all"),
        (Settings(local_operator=True, host="localhost"), "all"),
        (Settings(host="0.0.0.0"), "none"),
        (Settings(host="192.168.1.5"), "none"),
        (Settings(root_path="/forms"), "none"),
    ],
)
def test_without_a_login_only_a_page_of_this_machine_has_operators(
    settings: Settings, users: str
) -> None:
    operators = find_operators(settings)
    assert (
        operators is None if users == "none" else operators is not None and operators.users is None
    )


@pytest.mark.parametrize(
    "settings",
    [
        Settings(local_operator=True, host="0.0.0.0"),
        Settings(local_operator=True, host="192.168.1.5"),
        Settings(local_operator=True, root_path="/forms"),
    ],
)
def test_a_page_that_leaves_this_machine_has_none_without_a_login(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="--local-operator is for a page that does not leave"):
        find_operators(settings)


def test_with_a_login_only_those_who_are_named(tmp_path: Path) -> None:
    auth = tmp_path / "users"
    auth.write_text("ann:a\nben:b\n")
    assert find_operators(Settings(auth=auth)) is None
    operators = find_operators(Settings(auth=auth, host="0.0.0.0", operators=("ann",)))
    assert operators and operators.admit(find_person(request(user="ann")))
    assert not operators.admit(find_person(request(user="ben")))
    assert not operators.admit(find_person(request()))
    with pytest.raises(SettingsError, match=r"--operator: the --auth file has no user carl\."):
        find_operators(Settings(auth=auth, operators=("ann", "carl")))
    with pytest.raises(SettingsError, match="add --auth"):
        find_operators(Settings(operators=("ann",)))
    with pytest.raises(SettingsError, match="name users with --operator"):
        find_operators(Settings(auth=auth, local_operator=True))


@pytest.mark.parametrize(
    ("asked", "admitted"),
    [
        (request(), True),
        (request("localhost:7860"), True),
        (request("[::1]:7860", "::1"), True),
        (request(client="192.168.1.9"), False),
        (request(x_forwarded_for="192.168.1.9"), False),
        (request(forwarded="for=192.168.1.9"), False),
        (request(via="1.1 proxy"), False),
        (request(x_forwarded_proto="http"), False),
        (request(x_forwarded_anything=""), False),
        (request(x_real_ip="127.0.0.1"), False),
        (request("evil.example:7860"), False),
        (request(""), False),
    ],
)
def test_a_page_of_this_machine_is_not_one_behind_a_proxy(
    asked: gr.Request, admitted: bool
) -> None:
    assert OPERATORS.admit(find_person(asked)) == admitted


def test_the_token_goes_to_operators_alone(service: Service) -> None:
    status = StatusApi(service, OPERATORS)
    token = status.issue_token(request())["token"]
    assert OPERATORS.recognise(token, find_person(request()))
    assert status.issue_token(request("evil.example")) == {}
    assert token not in repr(OPERATORS) and status.issue_token(request())["token"] != token
    assert not OperatorAccess(None).recognise(token, find_person(request()))


def test_a_token_is_of_use_in_its_own_session_alone() -> None:
    operators = OperatorAccess(frozenset({"ann"}))
    mine, later = find_person(request(user="ann/1")), find_person(request(user="ann/2"))
    token = operators.issue(mine)
    assert operators.recognise(token, mine) and not operators.recognise(token, later)
    assert not operators.recognise(token, find_person(request(user="ben/1")))
    assert not operators.recognise(token, find_person(request()))


def test_a_token_ends() -> None:
    clock = ManualClock()
    operators, person = OperatorAccess(None, clock), find_person(request())
    token = operators.issue(person)
    for _ in range(3):
        clock.advance(IDLE_SECONDS - 1)
        assert operators.recognise(token, person)
    clock.advance(IDLE_SECONDS + 1)
    assert not operators.recognise(token, person)


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, [None], [""], ["ü\ud800"], [[TOKEN]], [1, "free", "x"]]
)
def test_every_function_needs_the_token(service: Service, data: Any) -> None:
    status = StatusApi(service, OPERATORS)
    assert ask(status, "look", data) == {"denied": True}
    assert ask(status, "act", data) == {"denied": True}


@pytest.mark.parametrize(
    "asked", [request(x_forwarded_for="127.0.0.1"), request(client="10.0.0.9")]
)
def test_the_token_alone_is_not_enough(service: Service, asked: gr.Request) -> None:
    status = StatusApi(service, OPERATORS)
    assert ask(status, "look", [TOKEN], asked) == {"denied": True}
    assert ask(status, "act", [TOKEN, "stop", ""], asked) == {"denied": True}


def test_a_look_tells_servers_and_who_waits_but_no_ids(service: Service, demo: DemoServer) -> None:
    people = ["user:ann", "user:ann", "user:ann", "anon:0a1b2c", "api", "local"]
    jobs = [service.queue.submit(draw(number, 60), who) for number, who in enumerate(people)]
    wait(jobs[0], is_running)
    wait(jobs[1], is_posted)
    told = call(StatusApi(service, OPERATORS), TOKEN)
    assert "0a1b2c" not in json.dumps(told) and not any(
        job.token in json.dumps(told) for job in jobs
    )
    (server,) = told["servers"]
    assert (server["url"], server["up"], server["trouble"]) == (demo.url, True, "")
    assert (server["ours"], server["remaining"]) == (2, 2) and server["version"]
    (device,) = server["devices"]
    assert 0 <= device["used"] <= device["total"]
    assert sum(one["count"] for one in told["waiting"]) == 4
    assert {"Programs", "Commands", "ann"} <= {one["who"] for one in told["waiting"]}
    assert service.queue.stop_waiting() == 4


def test_a_server_that_does_not_answer_is_told_and_its_buttons_say_why(tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    service = Service(ComfyClient(dead), [], tmp_path / "outputs")
    status = StatusApi(service, OPERATORS)
    (server,) = call(status, TOKEN)["servers"]
    assert (
        not server["up"] and "does not answer" in server["trouble"] and server["remaining"] is None
    )
    assert "does not answer" in call(status, TOKEN, "free", dead)["error"]
    service.close()


def test_interrupt_stops_what_runs_and_the_next_one_goes_on(
    service: Service, demo: DemoServer
) -> None:
    jobs = [service.queue.submit(draw(number, 60)) for number in range(2)]
    wait(jobs[0], is_running)
    assert call(StatusApi(service, OPERATORS), TOKEN, "interrupt", demo.url) == {
        "done": "What was running is stopped."
    }
    end = wait(jobs[0], is_over)
    assert (end.phase, end.error) == ("stopped", "Somebody stopped this job on the server.")
    wait(jobs[1], is_running)


def test_clear_takes_everybodys_waiting_prompts_and_leaves_what_runs(
    service: Service, demo: DemoServer
) -> None:
    jobs = [service.queue.submit(draw(number, 60)) for number in range(2)]
    wait(jobs[0], is_running)
    wait(jobs[1], is_posted)
    direct = ComfyClient(demo.url)
    foreign = direct.queue_prompt(draw(9, 60).prompt.graph)
    assert "done" in call(StatusApi(service, OPERATORS), TOKEN, "clear", demo.url)
    assert wait(jobs[1], is_over).phase == "stopped"
    queue = direct.queue()
    assert not queue.pending and foreign.prompt_id not in [one.prompt_id for one in queue.running]
    assert is_running(jobs[0].snapshot)


def test_stop_all_ends_what_waits_here_and_nothing_else(service: Service) -> None:
    jobs = [service.queue.submit(draw(number, 60), f"user:{number}") for number in range(4)]
    wait(jobs[1], is_posted)
    status = StatusApi(service, OPERATORS)
    assert call(status, TOKEN, "stop", "") == {"done": "2 waiting jobs were stopped."}
    assert [job.snapshot.phase for job in jobs] == ["running", "running", "stopped", "stopped"]
    assert call(status, TOKEN, "stop", "") == {"done": "0 waiting jobs were stopped."}


@pytest.mark.parametrize(
    "data", [("free", "http://elsewhere"), ("explode", ""), ("stop", "x"), (None, None), ("free",)]
)
def test_nothing_else_can_be_asked_for(service: Service, data: tuple[Any, ...]) -> None:
    assert call(StatusApi(service, OPERATORS), TOKEN, *data) == {
        "error": "This server is not among ours any more; reload this page."
    }


def test_free_memory_reaches_the_server(service: Service, demo: DemoServer) -> None:
    assert "unloads" in call(StatusApi(service, OPERATORS), TOKEN, "free", demo.url)["done"]


@pytest.mark.parametrize(
    "stats",
    [
        {},
        {"system": None, "devices": None},
        {"devices": [None, {}, {"vram_total": 0, "vram_free": 0}]},
    ],
)
def test_what_a_server_does_not_tell_is_left_out(stats: Mapping[str, Any]) -> None:
    told = describe_server(BackendStatus("http://x", True, "", 0, 0, stats), [])
    assert told["devices"] == [] and told["version"] == ""


def test_people_have_names_that_stay_and_tell_nothing() -> None:
    told = describe_waiting({"anon:aa": 1, "user:ann": 3, "api:1": 1, "api:2": 4}, "salt")
    assert [one["count"] for one in told] == [5, 3, 1]
    assert told[0]["who"] == "Programs" and told[2]["who"].startswith("Guest ")
    assert describe_waiting({"anon:aa": 7}, "salt")[0]["who"] == told[2]["who"]
    assert describe_waiting({"anon:aa": 7}, "pepper")[0]["who"] != told[2]["who"]


def test_a_server_that_lacks_a_model_is_not_used_for_that_preset(tmp_path: Path) -> None:
    with DemoServer(DemoOptions(lab_nodes=True)) as one:
        service = Service(ComfyClient(one.url), [shipped_presets()], tmp_path / "outputs")
        assert service.connect()
        status = StatusApi(service, OPERATORS)
        assert call(status, TOKEN)["servers"][0]["lacks"] == []
        form = service.forms["upscale"]
        graph = form.workflow.to_json()
        key = next(key for key, node in graph.items() if node["class_type"] == "UpscaleModelLoader")
        graph[key]["inputs"]["model_name"] = "elsewhere.pth"
        elsewhere = replace(form, workflow=type(form.workflow).from_json(graph))
        service.forms = {"upscale": elsewhere}
        assert call(status, TOKEN)["servers"][0]["lacks"] == []  # people choose another one
        fixed = {name: field for name, field in form.fields.items() if name != "model"}
        service.forms = {"upscale": replace(elsewhere, fields=fixed)}
        assert call(status, TOKEN)["servers"][0]["lacks"] == [
            "Not used for Enlarge: it does not have elsewhere.pth."
        ]
        service.close()


def list_ids(app: App) -> set[str]:
    return {str(block.elem_id) for block in app.blocks.blocks.values()}


@pytest.mark.app
def test_nothing_is_built_where_nobody_may_see_it(demo: DemoServer, tmp_path: Path) -> None:
    own = {"cg-status", "cg-status-way"}
    users = tmp_path / "users"
    users.write_text("ann:a\nben:b\n")
    settings = Settings(server=demo.url, presets=(shipped_presets(),))
    for number, (changed, is_there) in enumerate(
        [
            (settings, False),
            (replace(settings, local_operator=True), True),
            (replace(settings, host="0.0.0.0"), False),
            (replace(settings, auth=users), False),
            (replace(settings, auth=users, operators=("ben",)), True),
        ]
    ):
        app = build(replace(changed, outputs=tmp_path / str(number)))
        assert own & list_ids(app) == (own if is_there else set())
        app.close()


@pytest.mark.app
def test_a_user_gets_no_token_and_an_operator_does(demo: DemoServer, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ann:a\nben:b\n")
    settings = Settings(
        server=demo.url,
        presets=(shipped_presets(),),
        outputs=tmp_path / "outputs",
        auth=users,
        operators=("ann",),
        port=free_port(),
    )
    app = build(settings)
    url = launch(app, block=False)
    try:
        number = next(key for key, fn in app.blocks.fns.items() if fn.name == "issue_token")
        body = {"fn_index": number, "data": [], "session_hash": "x"}
        assert httpx.post(f"{url}gradio_api/run/predict", json=body).status_code == 401
        told = {}
        for name, password in (("ann", "a"), ("ben", "b")):
            with httpx.Client() as browser:
                browser.post(
                    f"{url}login", data={"username": name, "password": password}
                ).raise_for_status()
                told[name] = browser.post(f"{url}gradio_api/run/predict", json=body).json()["data"][
                    0
                ]
        assert told["ben"] == {} and set(told["ann"]) == {"token"} and told["ann"]["token"]
    finally:
        app.close()
        app.blocks.close(verbose=False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "a few seconds left"),
        (5.4, "a few seconds left"),
        (5.5, "about 6 s left"),
        (12.4, "about 12 s left"),
        (33.0, "about 35 s left"),
        (57.4, "about 55 s left"),
        (58.0, "about 1 min left"),
        (200.0, "about 3 min left"),
        (4210.0, "about 1 h 10 min left"),
    ],
)
def test_what_is_left_is_told_calmly(seconds: float | None, text: str) -> None:
    assert describe_time_left(seconds) == text
    job = Job(draw(1))
    state = PromptProgress("x", "running", seconds_left=seconds)
    assert describe_job(job, JobSnapshot("running", state=state), Path())["left"] == text
    assert describe_job(job, JobSnapshot("done", state=state), Path())["left"] == ""
