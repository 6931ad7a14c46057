"""How long the parts of a cluster wait, and how often they look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Intervals:
    """Every interval of a cluster, in seconds. Tests pass in shorter ones."""

    look: float = 1.0
    """Between two looks of an app at the scheduler."""

    silent: float = 10.0
    """A worker whose heartbeats have not come for so long gets no jobs."""

    forget: float = 60.0
    """A backend that left without a word is shown for so long, and its jobs wait for it."""

    connect: float = 4.0
    """How long a machine may take to accept a connection."""

    patience: float = 4.0
    """After so long without an answer the worker is asked whether it is there; its ComfyUI may
    take longer.
    """

    closing: float = 1.0
    """Calls that the closing of a link cuts short may take so long to end."""

    health: float = 1.0
    """Between two looks of a worker at its ComfyUI."""

    again: float = 1.0
    """Between two attempts of a worker to reach the scheduler."""

    leave: float = 2.5
    """Between telling that a backend leaves and its end, so that every app has heard of it."""

    period: float = 0.1
    """States travel at most so often, unless something begins or ends; of several, the newest."""

    ask: float = 2.0
    """A question about a run waits for something new for so long."""

    cancel: float = 5.0
    """How long it may take to hand a cancel to the server."""

    lease: float = 15.0
    """A run that nobody has asked about for so long is let go: its app is gone, or comes again by
    itself.
    """

    kept: float = 600.0
    """A file on a worker that nobody has touched for so long was forgotten."""


DEFAULT_INTERVALS = Intervals()
"""The default of everything that takes intervals; they are values, not state."""
