"""Sizes of files on the web: asked for once, and never waited for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable

from comfygradio.model_files.file_sizes import (
    KNOWN_SECONDS,
    UNKNOWN_SECONDS,
    FileSizes,
    describe_size,
)
from comfygradio.net.external_client import ExternalClient
from tests.clocks import HANG_SECONDS, ManualClock
from tests.net.hosts import Names, Say, run_host

URL = "http://models.test:{port}/a"


def tell(size: int) -> Callable[[Say], None]:
    return lambda say: say(f"HTTP/1.1 200 X\r\nContent-Length: {size}\r\n\r\n".encode())


def open_sizes(clock: ManualClock, **more: int) -> FileSizes:
    names = Names(models_test=[["127.0.0.1"]])
    # Certificates of authorities take seconds to load, and nothing here is secured.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return FileSizes(ExternalClient(names.guard(), tls=tls), clock, **more)


def test_a_size_is_asked_for_once_in_a_day() -> None:
    clock = ManualClock()
    sizes = open_sizes(clock)
    with run_host(tell(7)) as host:
        url = URL.format(port=host.port)
        assert sizes.get(url) is None
        for _ in range(3):
            assert sizes.request(url).result(HANG_SECONDS) == 7
        assert sizes.get(url) == 7 and len(host.heads) == 1
        clock.advance(KNOWN_SECONDS + 1)
        assert sizes.get(url) is None
        assert sizes.request(url).result(HANG_SECONDS) == 7 and len(host.heads) == 2
    sizes.close()


def test_a_server_that_does_not_tell_is_left_alone_for_a_while() -> None:
    clock = ManualClock()
    sizes = open_sizes(clock)
    with run_host(lambda say: say(b"nonsense\r\n\r\n")) as host:
        url = URL.format(port=host.port)
        for _ in range(2):
            assert sizes.request(url).result(HANG_SECONDS) is None
        assert len(host.heads) == 1
        clock.advance(UNKNOWN_SECONDS + 1)
        assert sizes.request(url).result(HANG_SECONDS) is None and len(host.heads) == 2
    sizes.close()


def test_what_is_refused_has_no_size() -> None:
    sizes = FileSizes(clock=ManualClock())
    for url in ("http://127.0.0.1:9/a", "file:///etc/passwd", "http://[::1]/", "nonsense"):
        assert sizes.request(url).result(HANG_SECONDS) is None
    sizes.close()


def test_two_who_ask_at_once_wait_for_one_answer() -> None:
    sizes = open_sizes(ManualClock())
    may_answer = threading.Event()

    def talk(say: Say) -> None:
        may_answer.wait(HANG_SECONDS)
        tell(7)(say)

    with run_host(talk) as host:
        url = URL.format(port=host.port)
        both = [sizes.request(url), sizes.request(url)]
        assert sizes.get(url) is None
        may_answer.set()
        assert [one.result(HANG_SECONDS) for one in both] == [7, 7]
        assert len(host.heads) == 1
    sizes.close()


def test_not_everything_is_kept() -> None:
    steps = iter(range(1, 100))
    sizes = open_sizes(ManualClock(), max_kept=2)
    with run_host(lambda say: tell(next(steps))(say)) as host:
        urls = [URL.format(port=host.port) + name for name in "abca"]
        assert [sizes.request(url).result(HANG_SECONDS) for url in urls] == [1, 2, 3, 4]
    sizes.close()


def test_sizes_are_said_in_words() -> None:
    sizes = (0, 999, 1000, 335_304_388, 999_499_999, 999_500_000, 6_938_078_334, 23_802_932_552)
    assert [describe_size(size) for size in sizes] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "335 MB",
        "999 MB",
        "1.0 GB",
        "6.9 GB",
        "23.8 GB",
    ]
