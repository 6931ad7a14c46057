"""Attacks on the one way to ask foreign addresses, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import threading
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from comfygradio.errors import ExternalError, ExternalRefused, ExternalUnreachable
from comfygradio.net.address_guard import AddressGuard
from comfygradio.net.external_client import ExternalClient, FetchedResponse, FetchLimits
from tests.clocks import ManualClock
from tests.engine.certificates import needs_openssl
from tests.net.hosts import LOOPBACK, Names, Say, answer, lead, run_host

pytestmark = pytest.mark.deep

PNG = ("image/png",)
NAMES = {"pictures_test": [["127.0.0.1"]]}
URL = "http://pictures.test:{port}/a/cat.png"


def fetch(
    talk: Callable[[Say], None],
    url: str = URL,
    names: Names | None = None,
    patience: FetchLimits | None = None,
) -> FetchedResponse:
    """What a client gets out of a host that talks like this."""
    client = ExternalClient((names or Names(**NAMES)).guard(), patience)
    with run_host(talk) as host:
        return asyncio.run(client.fetch(url.format(port=host.port), PNG))


def test_a_file_is_fetched_by_its_name_with_nothing_of_ours() -> None:
    client = ExternalClient(Names(**NAMES).guard())
    with run_host(answer(b"picture", "image/PNG; x=1", more="Set-Cookie: a=b\r\n")) as host:
        for _ in range(2):
            got = asyncio.run(client.fetch(URL.format(port=host.port) + "?size=1#top", PNG))
            assert got == FetchedResponse(200, "image/png", 7, b"picture")
    for head in host.heads:
        lines = head.decode().split("\r\n")
        assert lines[0] == "GET /a/cat.png?size=1 HTTP/1.1"
        assert f"Host: pictures.test:{host.port}" in lines
        assert not any(line.lower().startswith(("cookie", "authorization")) for line in lines)


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up itself, past the check."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    assert fetch(answer()).content == b"picture"


def test_a_name_that_changes_between_check_and_connection_gains_nothing() -> None:
    """The first answer passes the check, the second one is where the attacker wants to get."""
    names = Names(pictures_test=[["127.0.0.1"], ["127.0.0.2"]])
    with run_host(answer(b"secret"), "127.0.0.2") as inner:
        client = ExternalClient(names.guard())
        with pytest.raises(ExternalError):
            asyncio.run(client.fetch(URL.format(port=inner.port), PNG))
    assert names.asked == ["pictures.test"]
    assert inner.heads == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/",
        "http://inner.test:{port}/",
        "//inner.test:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
    ],
)
def test_a_redirect_to_this_machine_is_not_followed(target: str) -> None:
    loopback = {host: [[host]] for host in ("127.0.0.2", "::1", "::ffff:127.0.0.2")}
    names = Names(**{**NAMES, "inner_test": [["127.0.0.2"]]}, **loopback)
    with (
        run_host(answer(b"secret"), "127.0.0.2") as inner,
        pytest.raises(ExternalRefused, match="not on the open internet"),
    ):
        fetch(lead(target.format(port=inner.port)), names=names)
    assert inner.heads == []


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://pictures.test/", "gopher://x/", "http://u:p@x/"],
)
def test_a_redirect_to_another_scheme_is_not_followed(target: str) -> None:
    with pytest.raises(ExternalRefused, match=r"not an address|password"):
        fetch(lead(target))


def test_redirects_are_followed_so_often_and_no_further() -> None:
    steps = iter(range(100))

    def talk(say: Say) -> None:
        step = next(steps)
        (answer() if step == 5 else lead("next"))(say)

    assert fetch(talk).content == b"picture"
    with pytest.raises(ExternalRefused, match="on and on"):
        fetch(talk)


class Everywhere(Names):
    """A name server that leads every name to this machine."""

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return ["127.0.0.1"]


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "data:image/png;base64,AA", "ftp://pictures.test/a.png"),
        *("/etc/passwd", "pictures.test/a.png", "", "http://", "http:///a", "http://[::1"),
        *("http://user:word@pictures.test/", "http://pictures.test@127.0.0.1/", "http://x:0/"),
        *("http://pictures.test:99999/", "http://pictures.test:a/", "http://a\nb/", "\0"),
        "http://pictures.test/" + "a" * 3000,
    ],
)
def test_what_is_no_address_of_a_file_is_refused_before_anybody_is_asked(url: str) -> None:
    names = Everywhere()
    with pytest.raises(ExternalRefused) as refused:
        asyncio.run(ExternalClient(names.guard()).fetch(url, PNG))
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)
    assert names.asked == []


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://0:{port}/"),
        *("http://0x7f.1:{port}/", "http://2130706433:{port}/", "http://１２７.0.0.1:{port}/"),
        *("http://localhost:{port}/", "http://169.254.169.254/latest/meta-data/"),
        "http://[fe80::1%25lo]:{port}/",
    ],
)
def test_this_machine_is_not_asked_whatever_it_is_called(url: str) -> None:
    said = r"not on the open internet|not an address|no server fe80"
    with run_host(answer(b"secret")) as inner, pytest.raises(ExternalError, match=said):
        asyncio.run(ExternalClient().fetch(url.format(port=inner.port), PNG))
    assert inner.heads == []


def test_an_announced_size_and_one_that_is_not_are_both_limited() -> None:
    patience = FetchLimits(size=1000)
    assert fetch(answer(b"x" * 1000), patience=patience).size == 1000
    with pytest.raises(ExternalRefused, match="too large"):
        fetch(answer(b"x" * 1001), patience=patience)
    sent = 0

    def talk_on(say: Say) -> None:
        nonlocal sent
        say(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n\r\n")
        while True:
            say(b"x" * 100)
            sent += 100

    with pytest.raises(ExternalRefused, match="too large"):
        fetch(talk_on, patience=patience)
    with pytest.raises(ExternalRefused, match="too large"):
        fetch(
            lambda say: say(
                b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"fff\r\n"
                + b"x" * 4095
            ),
            patience=patience,
        )


def test_a_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    for packing in ("gzip", "br", "gzip, gzip", "GZIP", "x"):
        with pytest.raises(ExternalRefused, match="packed"):
            fetch(answer(bomb, more=f"Content-Encoding: {packing}\r\n"))


def test_the_whole_has_a_deadline_head_and_redirects_included() -> None:
    """Each of these would go on for ever, and each single wait is short."""
    over = threading.Event()

    def drip_head(say: Say) -> None:
        say(b"HTTP/1.1 200 X\r\n")
        while not over.wait(0.05):
            say(b"X-More: x\r\n")

    def drip_body(say: Say) -> None:
        say(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n\r\n")
        while not over.wait(0.05):
            say(b"x")

    for talk in (drip_head, drip_body):
        with pytest.raises(ExternalUnreachable, match="longer than"):
            fetch(talk, patience=FetchLimits(seconds=0.5, grace_seconds=60))
    over.set()


def test_a_name_server_that_never_answers_has_the_same_deadline() -> None:
    asked = threading.Event()

    def look_up(host: str, port: int) -> list[str]:
        asked.wait(60)
        return ["127.0.0.1"]

    client = ExternalClient(AddressGuard(look_up), FetchLimits(seconds=0.2))
    with pytest.raises(ExternalUnreachable, match="longer"):
        asyncio.run(client.fetch("http://slow.test/", PNG))
    asked.set()


def test_a_slow_answer_is_given_up_before_the_deadline() -> None:
    """By a clock that the host moves: ten seconds for each byte."""
    clock = ManualClock()

    def talk(say: Say) -> None:
        say(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n\r\n")
        while True:
            clock.advance(10)
            say(b"x")

    client = ExternalClient(Names(**NAMES).guard(), FetchLimits(seconds=600), clock)
    with run_host(talk) as host, pytest.raises(ExternalUnreachable, match="too slowly"):
        asyncio.run(client.fetch(URL.format(port=host.port), PNG))


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "", "image/png, text/html"])
def test_only_the_types_that_were_named_are_taken(kind: str) -> None:
    with pytest.raises(ExternalRefused, match="not taken"):
        fetch(answer(b"<script>", kind))


@pytest.mark.parametrize(
    "talk",
    [
        answer(more="X: " + "x" * 1_000_000 + "\r\n"),
        answer(more="X: x\r\n" * 100_000),
        lambda say: say(b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nx"),
        lambda say: say(b"<html>"),
        lambda say: None,
        answer(status=404),
        answer(status=500),
        answer(status=304),
    ],
)
def test_what_is_no_whole_answer_is_said_in_a_sentence(talk: Callable[[Say], None]) -> None:
    with pytest.raises(ExternalUnreachable) as failed:
        fetch(talk)
    assert "pictures.test" in str(failed.value)


def test_a_file_gets_the_bytes_as_they_come(tmp_path: Path) -> None:
    client = ExternalClient(Names(**NAMES).guard())
    with run_host(answer(b"x" * 300_000)) as host, (tmp_path / "cat").open("wb") as file:
        got = asyncio.run(client.download(URL.format(port=host.port), PNG, file))
    assert got == FetchedResponse(200, "image/png", 300_000)
    assert (tmp_path / "cat").stat().st_size == 300_000


def test_a_post_carries_its_body_and_follows_nobody() -> None:
    client = ExternalClient(Names(**NAMES).guard())
    with run_host(answer(b"{}", "application/json", 201)) as host:
        url = URL.format(port=host.port)
        got = asyncio.run(client.post(url, b'{"job": 1}', "application/json"))
    assert got == FetchedResponse(201, "application/json", 2, b"{}")
    assert host.bodies == [b'{"job": 1}']
    assert b"content-type: application/json" in host.heads[0].lower()
    with run_host(lead("http://127.0.0.1/")) as host, pytest.raises(ExternalError, match="on"):
        asyncio.run(client.post(URL.format(port=host.port), b"x", "text/plain"))
    with pytest.raises(ExternalRefused):
        asyncio.run(ExternalClient().post("http://10.0.0.1/", b"x", "text/plain"))


def test_an_address_of_a_host_that_is_down_is_passed_over() -> None:
    """Two addresses of one name: at the first one nobody listens."""
    names = Names(pictures_test=[["127.0.0.3", "127.0.0.1"]])
    client = ExternalClient(names.guard(LOOPBACK, ip_address("127.0.0.3")))
    with run_host(answer()) as host:
        assert asyncio.run(client.fetch(URL.format(port=host.port), PNG)).size == 7


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a host that is `pictures.test` serves with, and what trusts it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", "/CN=x", "-addext", "subjectAltName=DNS:pictures.test", "-days", "2"]
    files = ["-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*new, *names, *files], check=True, capture_output=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    return served, ssl.create_default_context(cafile=str(certificate))


@needs_openssl
def test_tls_asks_for_the_name_and_checks_it(tmp_path: Path) -> None:
    """The connection goes to an address, the certificate belongs to the name."""
    served, trusting = make_certificate(tmp_path)
    names = Names(**NAMES, other_test=[["127.0.0.1"]])
    client = ExternalClient(names.guard(), tls=trusting)
    with run_host(answer(), tls=served) as host:
        got = asyncio.run(client.fetch(f"https://pictures.test:{host.port}/", PNG))
        assert got.content == b"picture"
        with pytest.raises(ExternalUnreachable, match="certificate"):
            asyncio.run(client.fetch(f"https://other.test:{host.port}/", PNG))
        with pytest.raises(ExternalUnreachable, match="certificate"):
            asyncio.run(
                ExternalClient(names.guard()).fetch(f"https://pictures.test:{host.port}/", PNG)
            )
    assert host.names == ["pictures.test", "other.test", "pictures.test"]
    with (
        run_host(lead("http://pictures.test/"), tls=served) as host,
        pytest.raises(ExternalRefused, match="without https"),
    ):
        asyncio.run(client.fetch(f"https://pictures.test:{host.port}/", PNG))
