"""What all tests have in common."""

from __future__ import annotations

import importlib
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import httpx._transports.default
import pytest
from hypothesis import HealthCheck, settings

from comfygradio.ui.gradio_import import StubFileSkipper
from tests.clocks import HANG_SECONDS
from tests.effort import scale

EXAMPLES = 100
"""What a property tries in `.ci/run` where it does not say otherwise; hypothesis's own default."""

SLOW = ("app", "browser", "process", "deep")
"""What a test needs that takes long; `-m "not slow"` leaves all of these out."""


def pytest_configure() -> None:
    """A busy machine is no failure: nothing that hypothesis tries is measured by the clock, and
    httpx, gradio_client's too, waits longer for an app than its five seconds.

    Gradio is imported as `comfygradio serve` does it, wherever a test imports it first. What pytest
    has compiled is kept, which a developer's environment may forbid.
    """
    sys.dont_write_bytecode = False
    sys.meta_path.insert(0, StubFileSkipper())
    for name in ("connect", "read", "write", "pool"):
        setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, name, HANG_SECONDS)
    httpx._transports.default.create_ssl_context = (  # type: ignore[attr-defined]
        create_ssl_context
    )
    settings.register_profile(
        "effort",
        max_examples=scale(EXAMPLES),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("effort")


def create_ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
    """What httpx calls for each of its clients, and for each call of `httpx.get`.

    Reading the certificates of the world takes ten times as long as a call to an app, so those that
    httpx uses by default are read once. Code of ours does not come by here.
    """
    if verify is True and cert is None:
        return read_default_certificates(trust_env)
    return httpx.create_ssl_context(verify, cert, trust_env)


@cache
def read_default_certificates(trust_env: bool) -> ssl.SSLContext:
    """The certificates that httpx trusts where it is told nothing."""
    return httpx.create_ssl_context(trust_env=trust_env)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import the tests, each worker beginning at another file.

    In a new clone every file has to be compiled with its assertions rewritten, seven seconds of the
    processor. In one order all workers would do it at the same time; so each reads most files as
    another worker has compiled them.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    files = list_test_files(session.config)
    number = int(worker["workerid"].removeprefix("gw")) % worker["workercount"]
    first = len(files) * number // worker["workercount"]
    for file in files[first:] + files[:first]:
        name = ".".join(file.relative_to(session.config.rootpath).with_suffix("").parts)
        # A file that cannot be imported or skips itself says so when it is collected.
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def list_test_files(config: pytest.Config) -> list[Path]:
    """The files with tests that pytest was asked for."""
    files = []
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        files += sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    return files


# First, since pytest's own filter by markers has the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs something slow, and begin with the files that take longest.

    With several workers no long file is then left over for the end.
    """
    for item in items:
        if any(item.get_closest_marker(name) for name in SLOW):
            item.add_marker("slow")
    items.sort(key=rank_file)


def rank_file(item: pytest.Item) -> int:
    """Where the file of a test stands in the order: what waits for processes first, pure ones last.

    A file is ranked as a whole, by the markers of its module.
    """
    module = item.getparent(pytest.Module)
    marked = {mark.name for mark in module.iter_markers()} if module else set()
    for rank, name in enumerate(("process", "browser", "app", "deep")):
        if name in marked:
            return rank
    return len(SLOW)


@pytest.fixture(scope="session", autouse=True)
def clean_up_after_killed_processes() -> Iterator[None]:
    """Whatever is put into the folder for temporary files, by other processes too, goes with the
    tests. What the first process has compiled of our modules is kept for the next ones, which a
    developer's environment may forbid.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setattr(tempfile, "tempdir", folder)
        yield
