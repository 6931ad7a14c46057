"""How much may be uploaded in an hour, by one person and by all of them together.

The numbers stand here, and in the README's table of settings. Files from the web
(`service.web_file`) have a quota of their own with the same numbers, of which all links together
are one person.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import LimitReached

HOUR = 3600.0

FILES_PER_HOUR = 2000
"""Of one person; each picture that is painted on comes as three files."""

BYTES_PER_HOUR = 4_000_000_000
"""Of one person: forty uploads of the largest size that is allowed at first."""

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
    """Counts files and bytes of people and of everybody. Thread-safe."""

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
        """People of whom something is known."""
        return len(self._people)

    def take(self, person: str, files: int, size: int) -> None:
        """Count files and bytes of a person, whatever text stands for the person.

        Raises LimitReached, and counts nothing, where it is too much.
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
            # The one who took something last longest ago has the least to be remembered for.
            oldest = next(iter(self._people))
            del self._people[oldest]
        account = self._people.pop(person, QuotaUsage())
        self._people[person] = account
        self._settle(account, 1)
        return account

    def _settle(self, account: QuotaUsage, people: int) -> None:
        """Refill by the time that has passed."""
        now = self._clock.monotonic()
        share = people * (now - account.at) / HOUR
        files = account.files - share * self._files
        size = account.size - share * self._size
        account.files = max(0.0, files)
        account.size = max(0.0, size)
        account.at = now

    def _check(self, account: QuotaUsage, files: int, size: int, people: int, text: str) -> None:
        files_over = (account.files + files) / (people * self._files)
        size_over = (account.size + size) / (people * self._size)
        over = max(files_over, size_over)
        if over > 1:
            seconds = min(1.0, over - 1) * HOUR
            minutes = max(1, round(seconds / 60))
            raise LimitReached(text.format(minutes=minutes))
