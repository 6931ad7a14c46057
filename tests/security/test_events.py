"""Every function of the page with odd payloads: a share of `python -m tests.fuzz.events`."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx
import pytest

from comfygradio.demo import DemoServer
from tests.fuzz.events import find_fault, fuzz, list_payloads
from tests.security.doors import House
from tests.ui.running import run_app

pytestmark = pytest.mark.app

SHARE = 23
"""Of so many payloads one is sent; no divisor of their number, so that doors get different ones."""


def test_there_are_forty_odd_payloads() -> None:
    names = [name for name, _ in list_payloads(("a", "b"), 1000)]
    assert len(names) >= 40 and len(set(names)) == len(names) and len(names) % SHARE


@pytest.mark.app
def test_odd_payloads_get_sentences_and_nothing_else(
    demo: DemoServer, client: httpx.Client, tmp_path: Path
) -> None:
    """How long an answer takes is left to the program itself: here others work beside it."""
    secret = secrets.token_hex(16)
    key = tmp_path / "key.txt"
    key.write_text(secret)
    paths = (str(key), "/etc/passwd", "../../etc/passwd", ".git/config")
    with run_app(demo.url, tmp_path / "outputs", author=True) as running:
        report = fuzz(House(running.url, client), paths, secret, 20_000, SHARE)
    assert report.calls > 150
    faults = [fault for fault in report.faults if not fault.endswith(" s")]
    assert not faults, "\n".join(faults)


def test_faults_are_seen() -> None:
    secret = "5" * 32
    for text, status in (
        ("Traceback (most recent call last)", 200),
        (f"anna:{secret}", 200),
        ("root:x:0:0", 200),
        ('{"error":null}', 500),
        ("Internal Server Error", 500),
    ):
        assert find_fault(httpx.Response(status, text=text), secret)
    assert not find_fault(httpx.Response(500, json={"error": "Please add a picture."}), secret)
    assert not find_fault(httpx.Response(200, json={"data": [1]}), secret)
