"""What the tests of a cluster share with those of the command line."""

from __future__ import annotations

from tests.cli.conftest import shell

__all__ = ["shell"]
