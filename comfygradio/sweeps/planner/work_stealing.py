"""Work stealing: splits a backend's remaining points so that two backends finish together."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.sweeps.planner.cache_pinning import BackendCache

MIN_GAIN = 0.98
"""A backend takes over points only where both are done in less than this part of the time."""


@dataclass(frozen=True)
class BackendLoad:
    """What a backend has before it: the points of its keeper, and `busy` seconds of what it has
    taken already.

    `pace` is how long it takes for what should take a second; `is_absent` one that has taken
    nothing.
    """

    cache: BackendCache
    busy: float
    pace: float = 1.0
    is_absent: bool = False

    @property
    def finish_seconds(self) -> float:
        """Seconds until everything is done."""
        ahead = sum(self.cache.estimate())
        return (self.busy + ahead) * self.pace


def find_split(victim: BackendLoad, thief: BackendLoad) -> int:
    """From which place on the owner's points go to another backend; past the end where nothing is
    gained by that.

    The other backend may have to make again what the owner has; that is counted, so that it takes
    fewer, or none.
    """
    mine = victim.cache.estimate()
    theirs = thief.cache.estimate_remaining(victim.cache.ahead)
    best = (victim.busy + sum(mine)) * victim.pace * MIN_GAIN
    place = len(mine)
    before = victim.busy
    for start, seconds in enumerate(mine):
        owner_end = before * victim.pace
        thief_end = (thief.busy + theirs[start]) * thief.pace
        end = max(owner_end, thief_end)
        if end < best:
            best = end
            place = start
        before += seconds
    return place
