"""What the attacks have in common: browsers that come from anywhere, and calls as pages make
them.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import httpx

from comfygradio.ui.identity.password_hash import ScryptCost, hash_password
from tests.ui.running import RunningApp

CHEAP_COST = ScryptCost(ln=4, r=1, p=1)
"""Enough where it is not about the cost."""

PROXY = ("127.0.0.1",)
"""With this setting tests come from any address: the proxy is the test."""


def write_users(file: Path, *names: str) -> Path:
    """An --auth file; the password of `ann` is `ann-pw`."""
    lines = [f"{name}:{hash_password(f'{name}-pw', CHEAP_COST)}\n" for name in names]
    file.write_text("".join(lines), encoding="utf-8")
    return file


def browse(app: RunningApp, address: str = "") -> httpx.Client:
    """A browser at this address, as the proxy tells it; its login page speaks JSON to it."""
    headers = {"x-forwarded-for": address} if address else {}
    return httpx.Client(base_url=app.url, headers=headers, timeout=60)


def log_in(app: RunningApp, name: str, address: str = "") -> httpx.Client:
    """The browser of a user."""
    browser = browse(app, address)
    answer = browser.post("login", data={"username": name, "password": f"{name}-pw"})
    assert answer.json() == {"success": True}, answer.text
    return browser


def name_address() -> str:
    """An address that no other test came from."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


def find_function(app: RunningApp, name: str) -> int:
    """The number of a function of the page."""
    return next(number for number, one in app.app.blocks.fns.items() if one.name == name)


def run(app: RunningApp, browser: httpx.Client, name: str, *data: Any, **event: Any) -> Any:
    """Run a function of the page as its script does; `event` is what the event tells."""
    number = find_function(app, name)
    targets = app.app.blocks.fns[number].targets
    body = {
        "fn_index": number,
        "data": list(data),
        "session_hash": secrets.token_hex(8),
        "event_data": event or None,
        "trigger_id": targets[0][0] if targets else None,
    }
    return browser.post("gradio_api/run/predict", json=body)


def generate(app: RunningApp, browser: httpx.Client, person: str) -> str:
    """Press Generate as the browser with this id; what was refused, "" for a job that began."""
    form = app.app.service.forms["text_to_image"]
    values = {name: field.default for name, field in form.fields.items()} | {"steps": 20}
    answer = run(app, browser, "generate", person, "×1", *values.values())
    assert answer.status_code == 200, answer.text
    _, problem = answer.json()["data"]
    lines = problem.get("lines")
    return str(lines[0]) if lines else ""
