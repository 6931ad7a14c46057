"""What came out of calls with odd payloads: faults, statuses, and the slowest answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from comfygradio.ui.file_leak_guard import BROKEN

SLOW_SECONDS = 1.0
"""An answer that takes longer is reported; on a busy machine look at the baseline beside it."""


@dataclass
class Report:
    """What came out; `secret` stands in a file of the host that nobody may read."""

    secret: str
    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    baseline: float = 0.0

    def add(self, key: str, status: int, text: str, seconds: float | None) -> None:
        """Count one answer, and what is wrong with it; no seconds where the call may be held."""
        self.calls += 1
        self.statuses[status] += 1
        if fault := find_fault(status, text, self.secret):
            self.faults.append(f"{key}: {fault}")
        if seconds is None:
            return
        self.slowest.append((seconds, key))
        if seconds > SLOW_SECONDS:
            self.faults.append(f"{key}: {seconds:.2f} s")

    def __str__(self) -> str:
        slow = "\n".join(
            f"{seconds:8.3f} s  {name}" for seconds, name in sorted(self.slowest, reverse=True)[:5]
        )
        told = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        head = f"{self.calls} calls; {told}\nbaseline   {self.baseline:8.3f} s\n{slow}"
        return "\n".join([head, f"{len(self.faults)} faults", *self.faults[:50]])


def find_fault(status: int, text: str, secret: str) -> str:
    """What is wrong with an answer, "" where nothing is."""
    if "Traceback" in text or '.py", line' in text:
        return "a traceback"
    if secret in text or "root:x:0" in text:
        return "a file of the host"
    if BROKEN in text:
        return "an error that nobody expected"
    if status >= 500:
        return f"status {status}: {text[:100]}"
    return ""
