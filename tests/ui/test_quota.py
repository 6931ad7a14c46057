"""Upload quotas."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from gradio.utils import get_upload_folder
from starlette.formparsers import MultiPartException

from comfygradio.demo import DemoServer
from comfygradio.errors import LimitReached
from comfygradio.service.upload_quota import MAX_TRACKED, TOTAL_FACTOR, Quota
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.identity.network_address import find_network
from comfygradio.ui.middleware.upload_quota import Upload, find_boundary
from comfygradio.ui.serve import build, launch
from tests.clocks import ManualClock
from tests.ui.running import free_port

pytestmark = pytest.mark.app


def test_what_was_taken_comes_back_within_an_hour() -> None:
    clock = ManualClock()
    quota = Quota(10, 1000, clock)
    quota.take("ada", 10, 0)
    with pytest.raises(LimitReached, match="try again in 6 minutes"):
        quota.take("ada", 1, 0)
    clock.advance(360)
    quota.take("ada", 1, 0)
    with pytest.raises(LimitReached):
        quota.take("ada", 1, 0)
    clock.advance(3600)
    quota.take("ada", 0, 1000)
    with pytest.raises(LimitReached):
        quota.take("ada", 0, 1)


def test_others_go_on_until_all_of_them_are_too_many() -> None:
    quota = Quota(10, 1000, ManualClock())
    for person in range(TOTAL_FACTOR):
        quota.take(str(person), 10, 0)
        with pytest.raises(LimitReached, match="You have"):
            quota.take(str(person), 1, 0)
    with pytest.raises(LimitReached, match="So much"):
        quota.take("one more", 1, 0)


def test_many_names_take_no_more_memory_and_free_nobody_who_goes_on() -> None:
    quota = Quota(10, 10**9, ManualClock())
    quota.take("ada", 10, 0)
    for number in range(2 * MAX_TRACKED):
        quota.take(str(number), 0, 1)
        if number % 1000 == 0:
            with pytest.raises(LimitReached):
                quota.take("ada", 1, 0)
    assert len(quota) <= MAX_TRACKED


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_household_is_one_address(host: str, name: str) -> None:
    assert find_network({"type": "http", "client": (host, 1)}) == name


def test_the_boundary_is_found_as_the_parser_finds_it() -> None:
    for text in ("boundary=ab", 'Boundary="ab"', "boundary=ab; x=y"):
        head = [(b"content-type", f"multipart/form-data; {text}".encode())]
        assert find_boundary({"type": "http", "headers": head}) == b"--ab"


def test_an_upload_that_is_cut_off_ends_in_the_way_that_gradio_cleans_up_after() -> None:
    upload = Upload(Quota(), "ada", b"--ab")
    upload.count({"type": "http.request", "body": b"--ab"})
    with pytest.raises(MultiPartException):
        upload.count({"type": "http.disconnect"})


@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_files_are_counted_wherever_the_parts_are_cut(step: int) -> None:
    quota = Quota(10, 10**6, ManualClock())
    upload = Upload(quota, "ada", b"--ab")
    body = b"--ab\r\n-a\r\n" * 4 + b"--ab--"
    for start in range(0, len(body), step):
        upload.count({"type": "http.request", "body": body[start : start + step]})
    quota.take("ada", 6, 0)
    with pytest.raises(LimitReached):
        quota.take("ada", 1, 0)


def count_files() -> int:
    """Count the files in Gradio's folder for uploads."""
    return sum(path.is_file() for path in Path(get_upload_folder()).rglob("*"))


@pytest.mark.app
def test_the_upload_route_counts_while_it_reads(demo: DemoServer, tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(
        server=demo.url, presets=(shipped_presets(),), outputs=tmp_path / "outputs", port=port
    )
    app = build(settings)
    app.service.upload_quota = Quota(6, 1_000_000)
    try:
        url = f"{launch(app, block=False)}gradio_api/upload"

        def send(*sizes: int) -> httpx.Response:
            return httpx.post(
                url, files=[("files", (f"{n}.bin", b"x" * n)) for n in sizes], timeout=60
            )

        before = count_files()
        assert send(5).status_code == 200
        assert len(send(10, 20, 30).json()) == 3
        many = send(1, 2, 3)
        assert many.status_code == 429 and "You have uploaded as much" in many.text
        large = send(2_000_000)
        assert large.status_code == 429 and "Traceback" not in large.text
        assert count_files() - before == 4, "what was refused is deleted"
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200
    finally:
        app.close()
        app.blocks.close(verbose=False)
