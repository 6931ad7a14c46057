"""The servers of the tests of sweeps."""

from __future__ import annotations

from tests.jobs.shelf import shelf

__all__ = ["shelf"]
