"""Findings: what was read out of people's files, kept here until they say what of it they want.

It stays on the server, addressed by a secret, so that what goes into a form is what was read and
checked, and not what a browser sends back.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_KEPT = 1000
"""Only the newest are kept; after that the file has to be added again."""


@dataclass(frozen=True)
class RestoredValues:
    """The values that a file has for a form, field → what its component shall hold."""

    preset: str
    values: Mapping[str, Any]


class RestoredValuesCache:
    """The newest findings, in memory. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, RestoredValues] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, finding: RestoredValues) -> str:
        """The secret by which a finding is found again."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._kept[secret] = finding
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return secret

    def find(self, secret: Any) -> RestoredValues | None:
        """The finding with this secret, or None."""
        if not isinstance(secret, str):
            return None
        with self._lock:
            return self._kept.get(secret)
