"""The limits of whoever runs the app hold at every endpoint: the page, the endpoints of presets and
those of sweeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from comfygradio.demo import DemoServer
from tests.security.attack_browser import browse, run
from tests.security.callable_endpoint import AppClient
from tests.security.raw_request import run_settings
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app

LIMITS: dict[str, Any] = {"max_steps": 8, "max_megapixels": 0.3, "max_sweep_points": 3}

TOO_MUCH = [
    ({"steps": 9}, "9 steps are too many; at most 8 are allowed"),
    ({"size": "1024x1024"}, "is too large; at most 0.3 megapixels are allowed"),
]
"""Values that ask for too much, and what is said of them."""


@pytest.fixture(scope="module")
def limited(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with narrow limits."""
    with run_settings(demo.url, tmp_path_factory.mktemp("limited"), **LIMITS) as running:
        yield running


@pytest.fixture
def browser(limited: RunningApp) -> Iterator[httpx.Client]:
    """Somebody who calls what they like."""
    with browse(limited) as opened:
        yield opened


def list_values(app: RunningApp, values: dict[str, Any]) -> list[Any]:
    """The values of the form, within the limits but for these."""
    fields = app.app.service.forms["text_to_image"].fields
    modest = {"steps": 2, "size": "512x512"}
    return [{name: one.default, **modest, **values}[name] for name, one in fields.items()]


def call_sweep(app: RunningApp, browser: httpx.Client, axes: Any, values: Any) -> str:
    """What `/text_to_image_sweep` says no with."""
    answer = run(app, browser, "text_to_image_sweep", axes, values, True)
    return str(answer.json()["error"])


@pytest.mark.app
@pytest.mark.parametrize(("values", "said"), TOO_MUCH)
def test_nobody_draws_more_than_is_allowed(
    limited: RunningApp, browser: httpx.Client, values: dict[str, Any], said: str
) -> None:
    given = list_values(limited, values)
    _, problem = run(limited, browser, "generate", "", "×1", *given).json()["data"]
    assert said in problem["lines"][0]
    assert said in run(limited, browser, "text_to_image", *given).json()["error"]
    axes = {name: [value] for name, value in values.items()}
    modest = {"steps": 2, "size": "512x512"}
    assert said in call_sweep(limited, browser, axes, modest)
    assert said in call_sweep(limited, browser, {"cfg": "1-2"}, {**modest, **values})
    assert not list(limited.app.settings.outputs.rglob("*.png"))


@pytest.mark.app
def test_nobody_begins_a_larger_sweep_than_is_allowed(
    limited: RunningApp, browser: httpx.Client
) -> None:
    values = {"steps": 2, "size": "512x512"}
    said = call_sweep(limited, browser, {"cfg": "1-4"}, values)
    assert "These are 4 points; at most 3 are allowed here." in said
    said = call_sweep(limited, browser, [{"cfg": "1-2"}, {"steps": "1-2"}], {"size": "512x512"})
    assert "These are 4 points; at most 3 are allowed here." in said
    app_client = AppClient(limited.url, browser)
    axes = [[{"field": "cfg", "text": "1-4"}]]
    definition = {"preset": "text_to_image", "values": values, "axes": axes}
    for name in ("study", "start"):
        endpoint = next(one for one in app_client.list_endpoints() if one.name == name)
        answer = app_client.call(endpoint, [app_client.open_history(), {"definition": definition}])
        assert "at most 3 are allowed here" in answer.json()["error"], name
