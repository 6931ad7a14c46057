"""What the app keeps for each open page, and does not compute after each event."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from gradio_client import Client

from tests.ui.running import RunningApp

pytestmark = pytest.mark.app

ASKED: dict[str, Any] = {"prompt": "a lamp", "api_name": "/text_to_image"}


def test_a_session_keeps_no_settings_of_components_also_when_the_page_is_drawn_anew(
    app: RunningApp,
) -> None:
    holder: Any = app.app.blocks.app.state_holder
    assert make_picture(app)
    app.app.rebuild()
    assert make_picture(app)
    assert len(holder.session_data) >= 2
    assert [session.config_values for session in holder.session_data.values()] == [{}] * len(
        holder.session_data
    )


def test_no_statistics_are_made_of_events(app: RunningApp) -> None:
    assert make_picture(app)
    queue = app.app.blocks._queue
    assert queue.events_recorded > 0
    assert queue.cached_event_analytics_summary == {"functions": {}}


def test_a_session_keeps_no_components_that_an_event_left_as_they_were(
    app: RunningApp,
) -> None:
    blocks: Any = app.app.blocks
    function = next(one for one in blocks.fns.values() if one.name == "fill")
    body = {
        "fn_index": function._id,
        "data": ["as it was"] * len(function.inputs),
        "event_data": {"preset": "nothing of the kind"},
        "session_hash": "of-a-page",
    }
    answer = httpx.post(f"{app.url}gradio_api/run/predict", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert len(told) == len(function.outputs) > 30
    assert "error" in told[0]
    own = {one._id for one in function.inputs}
    for component, update in zip(function.outputs[1:], told[1:], strict=True):
        # Our own components would lose their properties without a value.
        unchanged = "as it was" if component._id in own else {"__type__": "update"}
        assert update == unchanged
    session = blocks.app.state_holder.session_data["of-a-page"]
    others = [one for one in function.outputs if session.blocks_config.blocks[one._id] is not one]
    assert others == []


def make_picture(app: RunningApp) -> Any:
    """Make a picture as a program in its own session; return the files."""
    client = Client(app.url, verbose=False)
    try:
        return client.submit(**ASKED).result(timeout=60)[0]
    finally:
        client.close()
