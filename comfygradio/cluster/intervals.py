"""Timeouts and pauses of the parts of a cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Intervals:
    """Every interval of a cluster, in seconds. Tests pass in shorter ones."""

    look: float = 1.0
    """Between two requests of an app to the scheduler. A request waits at most as long for the
    first reports of new workers.
    """

    silent: float = 10.0
    """A worker that has not reported for so long gets no jobs."""

    forget: float = 60.0
    """A backend that vanished is shown for so long, and its jobs wait for it."""

    connect: float = 4.0
    """How long a machine may take to accept a connection."""

    patience: float = 4.0
    """After so long without an answer, a call pings the worker; its ComfyUI may take longer."""

    closing: float = 1.0
    """Calls that are cut short by closing the connection may take so long to end."""

    health: float = 1.0
    """Between two checks of a worker that its ComfyUI answers."""

    again: float = 1.0
    """Between two attempts of a worker to reach the scheduler."""

    leave: float = 2.5
    """Between announcing that a backend leaves and its end, so that every app has heard of it."""

    period: float = 0.1
    """Between two states that are sent, unless something begins or ends."""

    ask: float = 2.0
    """A request for the state of a run waits for a new one for so long."""

    cancel: float = 5.0
    """How long cancelling a prompt on the server may take."""

    lease: float = 15.0
    """A run that nobody has asked about for so long is ended without cancelling its prompt: its app
    is gone, or will begin it again.
    """

    kept: float = 600.0
    """A file on a worker that nobody has used for so long is deleted."""


DEFAULT_INTERVALS = Intervals()
"""The default of everything that takes intervals; they are values, not state."""
