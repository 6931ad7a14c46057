"""A short run of the fuzzer, the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.effort import scale

from .run import SHARES, Report, fuzz

COUNTS = {
    "preset": 250,
    "workflow": 300,
    "server": 150,
    "values": 500,
    "picture": 300,
    "settings": 120,
    "media": 60,
    "draft": 40,
    "conversion": 1000,
}
"""Target → how many inputs `.ci/run` tries."""


@pytest.mark.parametrize("name", SHARES)
def test_only_our_own_errors_come_out(tmp_path: Path, name: str) -> None:
    count = scale(COUNTS[name])
    report: Report = fuzz(tmp_path, 1, count, 600, [name])
    assert not report.crashes, report
    assert report.total == count
    assert report.refused[name] or name in ("server", "draft")
