"""A job that changes, and even ends, while a sweep begins to follow it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Job, Order
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.job_observer import JobObserver


class HastyJob(Job):
    """Another thread changes it as soon as somebody listens."""

    change: dict[str, Any]
    failure: Exception | None = None

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        end = super().listen(listener)
        changing = threading.Thread(target=self._change)
        changing.start()
        changing.join()
        return end

    def _change(self) -> None:
        try:
            self.update(**self.change)
        except Exception as error:
            self.failure = error


@pytest.mark.parametrize("change", [{"ahead": 1}, {"phase": "done"}])
def test_a_change_in_the_instant_of_following_is_heard_and_the_end_once(
    change: dict[str, Any],
) -> None:
    ends: list[Index] = []
    observer = JobObserver(lambda index, job: ends.append(index) if job.snapshot.is_over else None)
    job = HastyJob(Order("preset", "Preset", Prompt({})))
    job.change = change
    observer.observe((3,), job)
    assert job.failure is None
    assert ends == ([(3,)] if "phase" in change else [])
    job.update(phase="done")
    assert ends == [(3,)]
    assert not job.is_watched and (3,) not in observer
