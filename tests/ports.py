"""Ports for what the tests start."""

from __future__ import annotations

import random
import socket

FIRST = 10_000
LAST = 30_000
"""Below the ports that systems lend to connections (from 32,768 on Linux, 49,152 elsewhere): one of
those may be lent to somebody between our look and the start of whatever shall listen there.
"""


def free_port() -> int:
    """A port of this machine that nothing listens on, and that nobody is likely to take."""
    chance = random.SystemRandom()  # so that no two workers draw the same ones
    while True:
        port = chance.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
