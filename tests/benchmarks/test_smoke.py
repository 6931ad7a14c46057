"""The pure parts of the benchmarks; the figures themselves are never asserted."""

from __future__ import annotations

import io
import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.binding.preset import load_preset
from tests.benchmarks.callers import read_result
from tests.benchmarks.engine import take_medians
from tests.benchmarks.figures import Goal, describe_spread, format_table, percentile, write_json
from tests.benchmarks.lab_server import SentFrame, read_log
from tests.benchmarks.page import Shown
from tests.benchmarks.png import encode_plain, pack_text
from tests.benchmarks.presets import write_color_preset, write_lab_presets
from tests.benchmarks.preview import describe_frames
from tests.benchmarks.proxy import Bandwidth, ThrottledProxy

SIZE = 20_000


def test_percentiles_are_interpolated() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile([7.0], 95) == 7.0
    assert math.isnan(percentile([], 50))
    assert describe_spread([1, 2, 3]).largest == 3


def test_the_rounds_of_a_benchmark_give_medians() -> None:
    assert take_medians([{"s": 1.0, "MB": 9.0}, {"s": 3.0, "MB": 7.0}, {"s": 2.0, "MB": 8.0}]) == {
        "s": 2.0,
        "MB": 8.0,
    }


def test_a_missing_figure_meets_no_goal() -> None:
    assert Goal("latency", 30.0, 30.0, "ms").met
    assert not Goal("latency", math.nan, 30.0, "ms").met


def test_tables_and_json_keep_missing_figures_apart(tmp_path: Path) -> None:
    rows = [{"line": "free", "ms": 12.3456}, {"line": "slow", "ms": math.nan}]
    assert format_table(rows).split("\n") == ["line     ms", "free  12.35", "slow      -"]
    write_json(tmp_path / "report", {"rows": rows})
    assert json.loads((tmp_path / "report").read_text())["rows"][1]["ms"] is None


def test_pictures_of_an_attack_are_small_and_can_be_read() -> None:
    content = encode_plain(2000, 1000, 4, [b"name\0\0" + pack_text(100_000)])
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.size, picture.mode) == ((2000, 1000), "RGBA")
        picture.load()
        assert picture.getpixel((0, 0)) == (255, 255, 255, 255)
        assert picture.getpixel((1999, 999)) == (0, 0, 0, 0)
        assert len(picture.info["name"]) == 100_000
    assert len(content) < 20_000


def test_frames_are_matched_by_their_bytes() -> None:
    sent = [
        SentFrame(at, digest, 66_000, number, "p")
        for number, (at, digest) in enumerate([(1.0, "a"), (1.1, "b")], 1)
    ]
    figures = describe_frames(sent, [Shown(1.02, "a"), Shown(1.14, "b"), Shown(1.2, "other")], 1.3)
    assert (figures["shown"], figures["unknown"]) == (2, 1)
    assert figures["p50 ms"] == pytest.approx(30)
    assert figures["final ms"] == pytest.approx(200)


def test_a_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    log, frame = tmp_path / "log", SentFrame(1.5, "a", 10, 1, "p")
    log.write_text(json.dumps(vars(frame)) + '\n{"at": 1.')
    assert read_log(log) == [frame]
    assert read_log(tmp_path / "absent") == []


def test_the_presets_are_whole(tmp_path: Path) -> None:
    write_lab_presets(tmp_path)
    assert load_preset(write_color_preset(tmp_path)).name == "color"
    assert sorted(path.name for path in tmp_path.glob("*.yaml")) == [
        "color.yaml",
        "frames.yaml",
        "picture.yaml",
    ]


def test_the_result_is_found_among_events() -> None:
    assert read_result(
        iter(["event: generating", "data: [1]", "", "event: complete", "data: [2]"])
    ) == [2]
    with pytest.raises(RuntimeError, match="failed"):
        read_result(iter(["event: error", "data: null"]))
    with pytest.raises(RuntimeError, match="broke off"):
        read_result(iter([]))


def test_a_bandwidth_is_kept_however_late_a_transfer_is_woken() -> None:
    now = 0.0
    bandwidth = Bandwidth(8000, lambda: now)
    for _ in range(100):
        now += bandwidth.reserve(10) + 0.001
    assert now == pytest.approx(1.0, rel=0.01)
    assert Bandwidth(0).reserve(SIZE) == 0.0


def test_the_proxy_lets_bytes_through_unchanged_and_slowly() -> None:
    data = bytes(index % 251 for index in range(SIZE))
    with serve_bytes(data) as url, ThrottledProxy(url, 8 * SIZE / 0.2) as line:
        started = time.monotonic()
        assert fetch(line.url) == data
        assert 0.15 < time.monotonic() - started < 5
        line.set_speed(0)
        assert fetch(line.url) == data


@contextmanager
def serve_bytes(data: bytes) -> Iterator[str]:
    """A server that sends these bytes to everybody and hangs up."""

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.sendall(data)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def fetch(url: str) -> bytes:
    """Everything that comes from there."""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as peer:
        return b"".join(iter(lambda: peer.recv(65536), b""))
