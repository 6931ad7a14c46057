"""What whoever runs the app knows stays with them: neither pages nor logs show it."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoOptions, DemoServer
from tests.security.attack_browser import log_in, run, write_users
from tests.security.raw_request import run_settings

pytestmark = pytest.mark.app

PATHS = (
    *("", "config", "gradio_api/info", "gradio_api/openapi.json", "gradio_api/startup-events"),
    *("gradio_api/comfygradio/revision", "gradio_api/comfygradio/job/x", "no-such-page", "login"),
)


@pytest.mark.app
def test_neither_pages_nor_logs_show_a_secret(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The token for ComfyUI, the --auth file, folders of this machine, and passwords."""
    caplog.set_level(logging.DEBUG)
    token, folder = secrets.token_hex(16), tmp_path / secrets.token_hex(8)
    key = secrets.token_hex(16)
    folder.mkdir()
    users = write_users(folder / "users", "ann")
    line = users.read_text(encoding="utf-8").strip()
    given = {"auth": users, "headers": {"Authorization": f"Bearer {token}"}, "operators": ("ann",)}
    given["api_key"] = key
    shown = []
    with (
        DemoServer(DemoOptions(step_seconds=0)) as demo,
        run_settings(demo.url, folder / "outputs", **given) as running,
    ):
        ann = log_in(running, "ann")
        session = next(iter(ann.cookies.values()))
        ann.post("login", data={"username": "ann", "password": "my-other-password"})
        for browser in (ann, httpx.Client(base_url=running.url, timeout=60)):
            shown += [browser.get(path).text for path in PATHS]
        demo.kill()
        form = running.app.service.forms["text_to_image"]
        values = [field.default for field in form.fields.values()]
        shown.append(run(running, ann, "generate", "", *values).text)
        running.app.service.reconnect()
        running.app.rebuild()
        shown += [ann.get(path).text for path in PATHS]
        assert (
            running.app.service.trouble and "ComfyUI cannot be used right now" in shown[-len(PATHS)]
        )
    told = capfd.readouterr()
    # The browsers of this test are httpx's too, and what they log is not the app's.
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    logged = "\n".join([*lines, told.out, told.err])
    assert len("".join(shown)) > 100_000
    for secret in (token, key, line.partition(":")[2], "ann-pw", "my-other-password"):
        assert not [text[:200] for text in shown if secret in text], secret
        assert secret not in logged
    assert session not in logged
    assert not [text[:200] for text in shown if folder.name in text]
