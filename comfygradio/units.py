"""Units of the limits that people set and read."""

from __future__ import annotations

MEGABYTE = 1_000_000
"""Bytes of a megabyte, in every limit and in every sentence about one: if two places counted
differently, one would take a file that the other refuses.
"""
