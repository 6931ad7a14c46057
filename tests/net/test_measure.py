"""How large a file is, asked for by HEAD: the same guard, and no body."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable

import pytest

from comfygradio.errors import ExternalRefused, ExternalUnreachable
from comfygradio.net.external_client import ExternalClient, FetchLimits
from tests.clocks import HANG_SECONDS
from tests.net.hosts import Names, Say, answer, lead, run_host

NAMES = {"models_test": [["127.0.0.1"]]}
URL = "http://models.test:{port}/a.safetensors"


def measure(
    talk: Callable[[Say], None], names: Names | None = None, limits: FetchLimits | None = None
) -> tuple[int | None, list[bytes]]:
    """The size that a host tells, and the requests that it got."""
    # Certificates of authorities take seconds to load, and nothing here is secured.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = ExternalClient((names or Names(**NAMES)).guard(), limits, tls=tls)
    with run_host(talk) as host:
        return asyncio.run(client.measure(URL.format(port=host.port))), host.heads


def tell(*lines: str, status: int = 200) -> Callable[[Say], None]:
    """A head without a body."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", *lines, ""))
    return lambda say: say(head.encode())


def test_the_size_is_in_the_head() -> None:
    size, heads = measure(tell("Content-Length: 6938078334"))
    assert size == 6_938_078_334
    assert [head.split(b"\r\n")[0] for head in heads] == [b"HEAD /a.safetensors HTTP/1.1"]


@pytest.mark.parametrize("length", ["-1", "1e9", "x", "9" * 30, "٣"])
def test_a_length_that_is_no_number_is_none(length: str) -> None:
    assert measure(tell(f"X-Linked-Size: {length}", "Connection: close"))[0] is None


def test_no_length_is_none() -> None:
    assert measure(tell("Connection: close"))[0] is None


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 0",),
        # A page to log in is no model of its size.
        ("Content-Length: 45123", "Content-Type: text/HTML; charset=utf-8"),
    ],
)
def test_a_length_that_is_not_that_of_a_file_is_none(lines: tuple[str, ...]) -> None:
    assert measure(tell(*lines))[0] is None


def test_hugging_face_tells_the_size_with_the_redirect() -> None:
    size, heads = measure(tell("Location: /elsewhere", "X-Linked-Size: 12", status=302))
    assert (size, len(heads)) == (12, 1)


def test_redirects_are_followed() -> None:
    steps = iter([lead("/there"), answer(b"x" * 5)])
    assert measure(lambda say: next(steps)(say))[0] == 5


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "169.254.169.254", "[::1]"])
def test_a_redirect_to_a_private_address_is_not_followed(host: str) -> None:
    names = Names(
        **NAMES,
        localhost=[["127.0.0.3"]],
        **{name: [[name]] for name in ("127.0.0.2", "169.254.169.254", "::1")},
    )
    with pytest.raises(ExternalRefused, match="not on the open internet"):
        measure(lead(f"http://{host}/latest/meta-data"), names)


def test_a_private_address_is_not_asked() -> None:
    names = Names(models_test=[["10.0.0.1"]])
    with pytest.raises(ExternalRefused, match="not on the open internet"):
        measure(tell("Content-Length: 1"), names)


def test_a_failure_is_said() -> None:
    with pytest.raises(ExternalUnreachable, match="HTTP 404"):
        measure(tell("Content-Length: 9", status=404))


def test_a_silent_server_is_given_up() -> None:
    ended = threading.Event()

    def talk(say: Say) -> None:
        ended.wait(HANG_SECONDS)

    try:
        with pytest.raises(ExternalUnreachable):
            measure(talk, limits=FetchLimits(seconds=0.2))
    finally:
        ended.set()
