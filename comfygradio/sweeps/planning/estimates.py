"""Estimates: seconds that rows of points take for a server that has some results already.

With carry-along they suppose that there is room for everything that is needed again.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.workload import Results, Workload


def estimate(workload: Workload, order: Sequence[Index], kept: Results, carry: bool) -> list[float]:
    """Seconds that each point takes for a server that has `kept`."""
    seconds, needed = workload.seconds, workload.needed
    have: Set[int] = kept
    everything = set(kept)
    found: list[float] = []
    for index in order:
        now = needed(index)
        found.append(sum([seconds[result] for result in now if result not in have]))
        have = now
        if carry:
            everything |= now
            have = everything
    return found


def estimate_ends(
    workload: Workload, order: Sequence[Index], kept: Results, carry: bool
) -> list[float]:
    """For each point, the seconds that a server that has `kept` takes for it and everything after
    it.
    """
    seconds, needed = workload.seconds, workload.needed
    found: list[float] = []
    total, everything, after = 0.0, set(kept), frozenset[int]()
    for index in reversed(order):
        now = needed(index)
        if carry:
            total += sum([seconds[result] for result in now if result not in everything])
            everything |= now
            found.append(total)
        else:
            total += workload.count(after - now)
            found.append(total + workload.count(now - kept))
            after = now
    return found[::-1]
