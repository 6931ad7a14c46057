"""What all tests have in common."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """A busy machine is no failure: nothing that hypothesis tries is measured by the clock."""
    settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("calm")


@pytest.fixture(scope="session", autouse=True)
def clean_up_after_killed_processes() -> Iterator[None]:
    """Whatever is put into the folder for temporary files, by other processes too, goes with the
    tests.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield
