"""The servers of the tests of jobs."""

from __future__ import annotations

from tests.jobs.shelf import shelf

__all__ = ["shelf"]
