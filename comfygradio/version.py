"""The version of this code."""

from __future__ import annotations

VERSION = "0.12.0"
"""As in pyproject.toml; a test compares them. To ask for the version of the installed package would
read the lists and the whole description of what is installed, which takes a short command longer
than its own work.
"""
