from __future__ import annotations

import pytest

from comfygradio.comfy.address import parse_url
from comfygradio.comfy.client import ComfyClient
from comfygradio.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "base", "socket"),
    [
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188", "ws://127.0.0.1:8188/ws?clientId=c"),
        ("127.0.0.1:8188", "http://127.0.0.1:8188", "ws://127.0.0.1:8188/ws?clientId=c"),
        ("gpu", "http://gpu", "ws://gpu/ws?clientId=c"),
        (" https://Host/comfy/ ", "https://host/comfy", "wss://host/comfy/ws?clientId=c"),
        ("https://httphost/http/", "https://httphost/http", "wss://httphost/http/ws?clientId=c"),
        ("ws://h:1/", "http://h:1", "ws://h:1/ws?clientId=c"),
        ("wss://h", "https://h", "wss://h/ws?clientId=c"),
        ("http://[::1]:8188/", "http://[::1]:8188", "ws://[::1]:8188/ws?clientId=c"),
        ("http://u:p%40ss@h", "http://h", "ws://h/ws?clientId=c"),
        ("https://h/?token=a%20b&x=", "https://h", "wss://h/ws?token=a+b&x=&clientId=c"),
        ("http://h/#part", "http://h", "ws://h/ws?clientId=c"),
    ],
)
def test_urls(url: str, base: str, socket: str) -> None:
    address = parse_url(url)
    assert (address.base, address.socket_url("/ws", "c")) == (base, socket)


def test_credentials() -> None:
    assert parse_url("http://u:p%40ss@h").authorization == "Basic dTpwQHNz"
    assert parse_url("http://u@h").authorization == "Basic dTo="
    assert parse_url("http://h/?token=t").params == {"token": "t"}


@pytest.mark.parametrize(
    "url", ["", "http://", "ftp://h", "http://h:x", "http://h:99999", "http://a b", "http://[::1"]
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(SettingsError, match="The ComfyUI address"):
        parse_url(url)


@pytest.mark.parametrize(
    "url", ["http://user:hidden@h:x", "ftp://user:hidden@h", "http://hidden hidden@h"]
)
def test_errors_show_no_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_url(url)
    assert "hidden" not in str(caught.value)


def test_nothing_shows_a_secret() -> None:
    client = ComfyClient(
        "https://user:hidden@h/?token=hidden", headers={"Authorization": "Bearer hidden"}
    )
    shown = (
        f"{client!r} {client.url} {client.access!r} {client.access.address!r} "
        f"{client.access.address}"
    )
    assert "hidden" not in shown and "user" not in shown


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("localhost", True),
        ("http://127.1.2.3", True),
        ("http://[::1]", True),
        ("h", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    assert parse_url(url).loopback is loopback
