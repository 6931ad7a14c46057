"""The tests of `apart.py`, in a network of their own."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.cli.shell import ROOT
from tests.engine.certificates import needs_openssl
from tests.engine.network import APART, find_obstacle

pytestmark = pytest.mark.process

NAMES = (
    "test_a_machine_that_is_cut_off_goes_on_with_its_jobs_when_it_is_back",
    "test_others_take_over_from_a_machine_that_stays_away",
)


@pytest.fixture(scope="module")
def told() -> str:
    """What pytest said of both tests, which share their machines."""
    if obstacle := find_obstacle():
        pytest.skip(obstacle)
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *(f"tests/engine/apart.py::{name}" for name in NAMES),
    ]
    command = f"ip link set lo up && exec {shlex.join(tests)}"
    ran = subprocess.run([*APART, "sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    return ran.stdout + ran.stderr


@needs_openssl
@pytest.mark.parametrize("name", NAMES)
def test_machines_that_are_apart(name: str, told: str) -> None:
    assert f"::{name} PASSED" in told, told
