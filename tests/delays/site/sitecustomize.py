"""Python imports a module of this name when it starts; here it begins to delay things."""

from __future__ import annotations

import functools
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SHARE = 0.03
"""How many of the calls are delayed."""

LONGEST_SECONDS = 0.06

CALLS = (
    (threading.Thread, ("run",)),
    (threading.Event, ("set", "wait")),
    (threading.Condition, ("notify", "wait")),
    (socket.socket, ("accept", "close", "connect", "sendall", "recv_into")),
)


def install() -> None:
    """Delay some of these calls, if TEST_DELAYS has a seed; and let threads take turns oddly."""
    seed = os.environ.get("TEST_DELAYS")
    if not seed or getattr(threading, "_is_delayed", False):
        return
    chance = random.Random(f"{seed}-{os.getpid()}")
    sys.setswitchinterval(chance.choice((0.0005, 0.005, 0.02)))
    for owner, names in CALLS:
        for name in names:
            _delay(owner, name, chance)
    vars(threading)["_is_delayed"] = True


def _delay(owner: type, name: str, chance: random.Random) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(original)
    def late(*args: Any, **kwargs: Any) -> Any:
        if chance.random() < SHARE and not _is_on_event_loop():
            time.sleep(chance.random() * LONGEST_SECONDS)
        return original(*args, **kwargs)

    setattr(owner, name, late)


def _is_on_event_loop() -> bool:
    """Whether this thread runs coroutines now: a sleep would delay all of them together."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    return running is not None and running() is not None


install()
