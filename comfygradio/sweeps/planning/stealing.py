"""Stealing: where a row of points is cut so that two servers end it together."""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.sweeps.planning.carry import Keeper

GAIN = 0.98
"""A server takes over points only where both are done in less than this part of the time."""


@dataclass(frozen=True)
class Load:
    """What a server has before it: the points of its keeper, and `busy` seconds of what it has
    taken already.

    `pace` is how long it takes for what should take a second; `is_absent` one that has taken
    nothing.
    """

    keeper: Keeper
    busy: float
    pace: float = 1.0
    is_absent: bool = False

    @property
    def end(self) -> float:
        """Seconds until everything is done."""
        ahead = sum(self.keeper.estimate())
        return (self.busy + ahead) * self.pace


def find_cut(owner: Load, thief: Load) -> int:
    """From which place on the owner's points go to another server; past the end where nothing is
    gained by that.

    The other server may have to make again what the owner has; that is counted, so that it takes
    fewer, or none.
    """
    mine = owner.keeper.estimate()
    theirs = thief.keeper.estimate_ends(owner.keeper.ahead)
    best = (owner.busy + sum(mine)) * owner.pace * GAIN
    place = len(mine)
    before = owner.busy
    for start, seconds in enumerate(mine):
        owner_end = before * owner.pace
        thief_end = (thief.busy + theirs[start]) * thief.pace
        end = max(owner_end, thief_end)
        if end < best:
            best = end
            place = start
        before += seconds
    return place
