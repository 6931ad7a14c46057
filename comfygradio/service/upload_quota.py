"""Upload quotas: how much one person, and all of them together, may upload in an hour.

The numbers are set here, and listed in the table of settings in `cli/README.md`. Files from the
web (`service.web_file`) have their own quota with the same numbers; it counts all links as one
person.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import LimitReached

HOUR = 3600.0

FILES_PER_HOUR = 2000
"""For one person; a picture with a painted mask counts as three files."""

BYTES_PER_HOUR = 4_000_000_000
"""For one person: forty uploads of the largest size that the default settings allow."""

TOTAL_FACTOR = 10
"""The total quota as a multiple of one person's."""

MAX_TRACKED = 10_000
"""Most people tracked at once."""

TOO_MUCH = "You have uploaded as much as is allowed in an hour; try again in {minutes} minutes."
TOTAL_TOO_MUCH = "So much is being uploaded that no more is taken; try again in {minutes} minutes."


@dataclass
class QuotaUsage:
    """Usage that decays linearly to zero within an hour."""

    files: float = 0.0
    size: float = 0.0
    at: float = 0.0


class Quota:
    """Counts files and bytes, for each person and for everybody together. Thread-safe."""

    def __init__(
        self,
        files: int = FILES_PER_HOUR,
        size: int = BYTES_PER_HOUR,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._files = files
        self._size = size
        self._clock = clock
        self._people: dict[str, QuotaUsage] = {}
        self._all = QuotaUsage()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of people tracked."""
        return len(self._people)

    def take(self, person: str, files: int, size: int) -> None:
        """Count files and bytes for a person, who may be named by any text.

        Raises LimitReached, and counts nothing, if that is too much.
        """
        with self._lock:
            account = self._open(person)
            self._settle(self._all, TOTAL_FACTOR)
            self._check(account, files, size, 1, TOO_MUCH)
            self._check(self._all, files, size, TOTAL_FACTOR, TOTAL_TOO_MUCH)
            for one in (account, self._all):
                one.files += files
                one.size += size

    def _open(self, person: str) -> QuotaUsage:
        if person not in self._people and len(self._people) >= MAX_TRACKED:
            # Of the person whose last upload is the oldest, the most has decayed by now.
            oldest = next(iter(self._people))
            del self._people[oldest]
        # Popped and put back, so that the order of the mapping is that of the last uploads.
        account = self._people.pop(person, QuotaUsage())
        self._people[person] = account
        self._settle(account, 1)
        return account

    def _settle(self, account: QuotaUsage, factor: int) -> None:
        """Reduce the usage by what has decayed since it was last counted.

        The quota is `factor` times one person's.
        """
        now = self._clock.monotonic()
        elapsed = now - account.at
        share = factor * elapsed / HOUR
        files = account.files - share * self._files
        size = account.size - share * self._size
        account.files = max(0.0, files)
        account.size = max(0.0, size)
        account.at = now

    def _check(self, account: QuotaUsage, files: int, size: int, factor: int, text: str) -> None:
        """Raise LimitReached with this text if so much more would exceed the quota.

        The quota is `factor` times one person's.
        """
        max_files = factor * self._files
        max_size = factor * self._size
        files_share = (account.files + files) / max_files
        size_share = (account.size + size) / max_size
        share = max(files_share, size_share)
        if share <= 1:
            return
        # Usage decays at the rate of a whole quota an hour.
        seconds = min(1.0, share - 1) * HOUR
        minutes = max(1, round(seconds / 60))
        raise LimitReached(text.format(minutes=minutes))
