"""The clock that tests move by hand wakes whom it has to, and nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tests.clocks import HANG_SECONDS, ManualClock


def start(task: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run a task on a thread; its result comes into the list."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(task()), daemon=True)
    thread.start()
    return thread, results


def test_a_sleep_lasts_as_long_as_it_should() -> None:
    clock = ManualClock(0.0)
    thread, results = start(lambda: clock.sleep(5))
    clock.await_waiters()
    clock.advance(4.9)
    clock.await_waiters()
    assert thread.is_alive()
    clock.advance(0.1)
    thread.join(HANG_SECONDS)
    assert results == [None]


def test_a_condition_is_waited_for_until_it_is_notified_or_time_is_up() -> None:
    clock, condition = ManualClock(), threading.Condition()

    def wait() -> bool:
        with condition:
            return clock.wait(condition, 3)

    thread, results = start(wait)
    clock.await_waiters()
    with condition:
        condition.notify_all()
    thread.join(HANG_SECONDS)
    late, later = start(wait)
    clock.await_waiters()
    clock.advance(3)
    late.join(HANG_SECONDS)
    assert (results, later) == ([True], [False])


def test_an_event_ends_a_wait() -> None:
    clock, event = ManualClock(), threading.Event()
    thread, results = start(lambda: clock.wait_event(event, 3))
    clock.await_waiters()
    event.set()
    thread.join(HANG_SECONDS)
    assert results == [True]
    other = threading.Event()
    late, later = start(lambda: clock.wait_event(other, 3))
    clock.await_waiters()
    clock.advance(3)
    late.join(HANG_SECONDS)
    assert later == [False]


def test_a_coroutine_waits_on_it_too() -> None:
    clock = ManualClock()

    async def wait() -> tuple[bool, bool]:
        event, never = asyncio.Event(), asyncio.Event()
        asyncio.get_running_loop().call_soon(event.set)
        seen = await clock.wait_async(event, 3)
        loop = asyncio.get_running_loop()
        late = asyncio.ensure_future(clock.wait_async(never, 3))
        await asyncio.sleep(0)
        await loop.run_in_executor(None, clock.await_waiters)
        clock.advance(3)
        return seen, await late

    assert asyncio.run(wait()) == (True, False)
