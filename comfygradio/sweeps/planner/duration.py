"""Estimates: seconds that rows of points take for a backend that has some results already.

With carry-along they suppose that there is room for everything that is needed again.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.workload import Results, Workload


def estimate_points(
    workload: Workload, order: Sequence[Index], kept: Results, carry: bool
) -> list[float]:
    """Seconds that each point takes for a backend that has `kept`."""
    seconds = workload.seconds
    have: Set[int] = kept
    everything = set(kept)
    found: list[float] = []
    for index in order:
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in have]
        found.append(sum(missing))
        have = now
        if carry:
            everything |= now
            have = everything
    return found


def estimate_ends(
    workload: Workload, order: Sequence[Index], kept: Results, carry: bool
) -> list[float]:
    """For each point, the seconds that a backend that has `kept` takes for it and everything after
    it.
    """
    if carry:
        found = _add_up_carried(workload, order, kept)
    else:
        found = _add_up_plain(workload, order, kept)
    found.reverse()
    return found


def _add_up_carried(workload: Workload, order: Sequence[Index], kept: Results) -> list[float]:
    """The seconds from each point to the end, the last point first, where nothing is made twice."""
    seconds = workload.seconds
    found: list[float] = []
    everything = set(kept)
    total = 0.0
    for index in reversed(order):
        now = workload.needed(index)
        missing = [seconds[result] for result in now if result not in everything]
        total += sum(missing)
        everything |= now
        found.append(total)
    return found


def _add_up_plain(workload: Workload, order: Sequence[Index], kept: Results) -> list[float]:
    """The same where each point finds what the one before needed, and the first one `kept`."""
    found: list[float] = []
    after: Results = frozenset()
    total = 0.0
    for index in reversed(order):
        now = workload.needed(index)
        total += workload.sum_seconds(after - now)
        found.append(total + workload.sum_seconds(now - kept))
        after = now
    return found
