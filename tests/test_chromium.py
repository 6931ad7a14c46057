"""Which browser the browser tests and the benchmarks drive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.page import open_browser
from tests.chromium import NAMES, find_chromium


def install(folder: Path, *names: str) -> None:
    """Programs of these names that do nothing."""
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    return tmp_path / "programs"


@pytest.mark.parametrize("name", ["chromium-headless-shell", "chromium", "google-chrome"])
def test_any_one_of_them_will_do(programs: Path, name: str) -> None:
    install(programs, name)
    assert find_chromium() == str(programs / name)


def test_the_one_without_windows_goes_first(programs: Path) -> None:
    install(programs, *NAMES)
    assert find_chromium() == str(programs / "chromium-headless-shell")


def test_the_one_that_is_named_counts(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, *NAMES)
    monkeypatch.setenv("CHROMIUM", "/opt/mine/chrome")
    assert find_chromium() == "/opt/mine/chrome"


def test_a_benchmark_without_a_browser_says_what_to_install(programs: Path) -> None:
    expected = pytest.raises(SystemExit, match="install chromium-headless-shell or chromium")
    with expected, open_browser():
        pass
