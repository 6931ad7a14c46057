"""A call that is refused is no failure of the app: its status says so, and its sentence is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import (
    ComfyGradioError,
    JobStoreGone,
    LimitReached,
    NotAllowed,
    ServerUnreachable,
    ValuesRefused,
)
from comfygradio.ui.file_leak_guard import BROKEN, UNREADABLE, FileGuardedBlocks
from comfygradio.ui.middleware.gradio_error import GradioErrorGuard
from comfygradio.ui.middleware.guarded_app import GuardedApp
from comfygradio.ui.middleware.refusal_status import RefusalGuard
from tests.chromium import PATIENCE_MS
from tests.security.callable_endpoint import AppClient, make_file
from tests.security.raw_request import post, run_settings
from tests.ui.running import RunningApp, free_port

pytestmark = pytest.mark.app

ROUTES = ("run", "api")
"""Where Gradio takes calls that do not go through its queue."""

STATUSES = {
    ValuesRefused({"seed": "is no number"}): 400,
    LimitReached("You have 7 jobs waiting already."): 429,
    NotAllowed("Only authors may do this."): 403,
    ServerUnreachable("The server gave no answer."): 503,
    JobStoreGone("The outputs folder is gone."): 503,
}
"""What a function of the page tells → the status of its answer."""


def open_page() -> gr.Blocks:
    """A page with a function for each of our errors, one that refuses without any, and one that
    fails.
    """
    blocks: gr.Blocks
    with FileGuardedBlocks() as blocks:
        button, choice, text = gr.Button(), gr.Radio(["a", "b"]), gr.Textbox()

        def refuse(name: str) -> None:
            try:
                raise next(error for error in STATUSES if type(error).__name__ == name)
            except ComfyGradioError as error:
                raise gr.Error(str(error), print_exception=False) from error

        def forget() -> None:
            raise gr.Error("This is no longer here.", print_exception=False)

        def fail() -> None:
            raise KeyError("a mistake of ours")

        button.click(refuse, text, None, api_name="refuse", queue=False)
        button.click(forget, None, None, api_name="forget", queue=False)
        button.click(fail, None, None, api_name="fail", queue=False)
        button.click(lambda chosen: None, choice, None, api_name="choose", queue=False)
    return blocks


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The address of such a page inside the layers that settle the status of an answer."""
    blocks, guarded = open_page(), GuardedApp()
    guarded.outer_middleware = (GradioErrorGuard, RefusalGuard)
    _, url, _ = blocks.launch(
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,
        _frontend=False,  # otherwise Gradio gives up if drawing the page takes more than 3 s
        _app=guarded,
    )
    yield str(url)
    blocks.close(verbose=False)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("error", STATUSES, ids=lambda error: type(error).__name__)
def test_each_of_our_errors_has_its_status(page: str, error: ComfyGradioError, route: str) -> None:
    answer = post(f"{page}gradio_api/{route}/refuse", json={"data": [type(error).__name__]})
    assert answer.status_code == STATUSES[error]
    assert answer.json()["error"] == str(error)
    assert answer.json()["visible"] and answer.json()["title"] == "Error"


def test_a_refusal_without_an_error_of_ours_is_a_wrong_request(page: str) -> None:
    answer = post(f"{page}gradio_api/run/forget", json={"data": []})
    assert (answer.status_code, answer.json()["error"]) == (400, "This is no longer here.")


def test_what_gradio_itself_refuses_is_a_wrong_request(page: str) -> None:
    for wrong in ("c", 7, ["a"], {"a": 1}):
        answer = post(f"{page}gradio_api/run/choose", json={"data": [wrong]})
        assert answer.status_code == 400 and answer.json()["error"], wrong
    fine = post(f"{page}gradio_api/run/choose", json={"data": ["a"]})
    assert fine.status_code == 200


@pytest.mark.parametrize("route", ROUTES)
def test_a_failure_of_ours_stays_a_failure(
    page: str, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = post(f"{page}gradio_api/{route}/fail", json={"data": []})
    told, _, mark = answer.json()["error"].rpartition(" Look there for ")
    assert (answer.status_code, told) == (500, BROKEN)
    assert mark.rstrip(".") in caplog.text
    assert "a mistake of ours" not in answer.text


def test_every_function_tells_refusals_from_failures(app: RunningApp, client: httpx.Client) -> None:
    app_client = AppClient(app.url, client)
    asked = app_client.call(app_client.find_event("enter"), [], {"value": make_file("/etc/passwd")})
    assert (asked.status_code, asked.json()["error"]) == (400, UNREADABLE)
    for name in ("text_to_image", "upscale", "text_to_image_sweep"):
        endpoint = app_client.find_event(name)
        answer = app_client.call(endpoint, [{"no": "value"}] * endpoint.inputs)
        assert answer.status_code == 400 and answer.json()["error"], name


def test_a_limit_is_told_as_one(demo: DemoServer, outputs: Path, client: httpx.Client) -> None:
    with run_settings(demo.url, outputs, jobs_per_person=0) as running:
        app_client = AppClient(running.url, client)
        endpoint = app_client.find_event("text_to_image")
        answer = app_client.call(endpoint, [None] * endpoint.inputs)
    assert answer.status_code == 429 and "jobs waiting" in answer.json()["error"]


def test_programs_get_the_sentence_of_a_refusal(page: str, app: RunningApp) -> None:
    program = Client(page, verbose=False)
    with pytest.raises(AppError, match=r"^Only authors may do this\.$"):
        program.predict("NotAllowed", api_name="/refuse")
    with pytest.raises(AppError, match=r"^You have 7 jobs waiting already\.$"):
        program.predict("LimitReached", api_name="/refuse")
    with pytest.raises(AppError, match=r"^steps: -5 is not possible"):
        Client(app.url, verbose=False).predict("a boat", steps=-5, api_name="/text_to_image")


@pytest.mark.browser
def test_the_page_takes_a_refusal_for_an_error(browser: Browser, outputs: Path) -> None:
    with (
        DemoServer(DemoOptions(step_seconds=0)) as server,
        run_settings(server.url, outputs) as running,
    ):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(running.url)
        refresh = page.get_by_role("button", name="New models? Look again").first
        refresh.wait_for()
        server.kill()
        # The forms ask for what is kept of them, which the server has no part in.
        with page.expect_response(lambda answer: answer.status == 503) as called:
            refresh.click()
        assert "does not answer" in called.value.json()["error"]
        expect(page.get_by_text("Error", exact=True).first).to_be_visible()
        server.start()
        asked = json.loads(called.value.request.post_data or "")
        is_same = f'"fn_index":{asked["fn_index"]},'
        with page.expect_response(
            lambda answer: is_same in (answer.request.post_data or "")
        ) as called:
            refresh.click()
        assert called.value.status == 200
        expect(page.get_by_text("Error", exact=True)).to_have_count(0)
        page.close()
