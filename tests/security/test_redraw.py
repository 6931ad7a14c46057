"""A page that is drawn anew is served as the first one was, also to those who are not logged in."""

from __future__ import annotations

import re
from contextvars import copy_context
from typing import Any

import pytest
from gradio.context import LocalContext

from comfygradio.ui.launch_options import LAUNCH_ATTRIBUTES
from tests.security.raw_request import fetch_config, get
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app


def read_door(app: RunningApp) -> list[tuple[int, str]]:
    """What somebody sees who is not logged in."""
    answers = [get(f"{app.url}{path}") for path in ("", "config", "gradio_api/info")]
    return [
        (answer.status_code, re.sub(r'nonce="[\w-]+"', "nonce", answer.text)) for answer in answers
    ]


def test_a_redraw_changes_nothing_but_the_forms(closed_app: RunningApp) -> None:
    config, door = fetch_config(closed_app.url), read_door(closed_app)
    assert [status for status, _ in door] == [200, 401, 401]
    for _ in range(2):
        closed_app.app.rebuild()
        assert fetch_config(closed_app.url) == config
        assert read_door(closed_app) == door


def test_an_event_of_the_page_may_draw_it_anew(closed_app: RunningApp) -> None:
    """*New models? Look again* does. There, Gradio takes a new component for an update of one."""
    served = closed_app.app.blocks

    def redraw() -> None:
        LocalContext.in_event_listener.set(True)
        closed_app.app.rebuild()

    copy_context().run(redraw)
    assert closed_app.app.blocks is not served


def test_what_launch_sets_is_carried_over(closed_app: RunningApp) -> None:
    served = closed_app.app.blocks
    before = {name: getattr(served, name) for name in LAUNCH_ATTRIBUTES}
    closed_app.app.rebuild()
    assert closed_app.app.blocks is not served
    assert {name: getattr(closed_app.app.blocks, name) for name in LAUNCH_ATTRIBUTES} == before


def test_nothing_that_launch_sets_is_forgotten(closed_app: RunningApp) -> None:
    """A new Gradio may set more: then it has to be looked at."""
    closed_app.app.rebuild()
    first = closed_app.app.blocks.server_app.blocks
    served = vars(closed_app.app.blocks)
    own = {"node_is_proxy", "ssr_degraded"}  # of Gradio's other server, which is off
    launched = vars(launch_bare())
    missing = launched.keys() - served.keys()
    assert first is closed_app.app.blocks
    assert {name.lstrip("_") for name in missing} <= own | {"share_server_address"} | SHARING


SHARING = {"share_server_protocol", "share_server_tls_certificate", "share_token", "share_url"}
"""Of Gradio's tunnel to the network, which is never asked for."""


def launch_bare() -> Any:
    """Blocks that Gradio itself launched."""
    import gradio as gr

    with gr.Blocks() as blocks:
        gr.Markdown("x")
    blocks.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, _frontend=False)
    blocks.close(verbose=False)
    return blocks
