"""Runs on a worker: it follows a prompt, and apps ask it for the newest state."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.codec import DETACH, HAND_BACK, News
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.errors import ComfyGradioError, Detach, ServerUnreachable

HANDED_BACK = (
    "The worker beside this ComfyUI was stopped; the job goes on elsewhere, or here when it "
    "is back."
)

DETACHED = "The worker beside this ComfyUI has let go of the job; it is taken up again."

log = logging.getLogger(__name__)


class FollowedRun:
    """One prompt that is being run.

    Thread-safe. `states` are those of `ComfyClient.run`; `clean_up` is called at the end.
    """

    def __init__(
        self,
        states: Generator[PromptProgress, None, None],
        clean_up: Callable[[], None],
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._intervals = intervals
        self._clock = clock
        self._states = states
        self._clean_up = clean_up
        self._changed = threading.Condition()
        self._newest: PromptProgress | None = None
        self._version = 0
        self._reported: tuple[float, str] = (clock.monotonic(), "uploading")
        """When a state was reported last, and its status."""
        self._failure: ComfyGradioError | None = None
        self._wish = ""
        """How the run is to end, if somebody ends it."""
        self.is_over = False
        self.asked_at = clock.monotonic()
        """When an app asked about the run last."""
        thread = threading.Thread(target=self._follow, name="comfygradio-run", daemon=True)
        thread.start()

    def tell(self, seen: int, previews: int) -> News:
        """Wait for a state newer than version `seen`, at most for the interval `ask`.

        The preview is left out if `previews` have been seen.
        """
        deadline = self._clock.monotonic() + self._intervals.ask
        with self._changed:
            while True:
                pause = self._find_pause(seen, deadline)
                if pause <= 0:
                    break
                self._clock.wait(self._changed, pause)
            self.asked_at = self._clock.monotonic()
            state = self._newest
            status = ""
            if state is not None:
                status = state.status
                if state.preview_count == previews:
                    state = replace(state, preview=None)
            self._reported = (self.asked_at, status)
            return News(self._version, state, self.is_over, self._failure)

    def end(self, wish: str, seconds: float | None = None) -> None:
        """Cancel the prompt (`CANCEL`), stop following it (`DETACH`), or cancel it and report that
        it has to run elsewhere (`HAND_BACK`).

        Waits until that is done. Raises ServerUnreachable after `seconds`, by default the interval
        `cancel`.
        """
        if seconds is None:
            seconds = self._intervals.cancel
        deadline = self._clock.monotonic() + seconds
        with self._changed:
            # The first wish counts.
            if not self._wish:
                self._wish = wish
            while not self.is_over:
                seconds_left = deadline - self._clock.monotonic()
                if seconds_left <= 0:
                    raise ServerUnreachable(
                        "ComfyUI did not answer when the job was to be stopped."
                    )
                self._clock.wait(self._changed, seconds_left)

    def _find_pause(self, seen: int, deadline: float) -> float:
        """Seconds for which there is nothing to tell yet."""
        now = self._clock.monotonic()
        if self.is_over or now >= deadline:
            return 0.0
        newest = self._newest
        if newest is None or self._version <= seen:
            return deadline - now
        if newest.status == "done":
            # The last state is reported together with the end, which follows at once.
            return deadline - now
        # A new status is told at once, anything else only once in a `period`.
        reported_at, status = self._reported
        if newest.status != status:
            return 0.0
        next_at = reported_at + self._intervals.period
        return min(deadline, next_at) - now

    def _follow(self) -> None:
        try:
            with closing(self._states):
                self._take_states()
        except Detach:
            # An app that still asks must not take this end for that of the prompt.
            self._failure = ServerUnreachable(DETACHED)
        except ComfyGradioError as error:
            self._failure = error
        except Exception:
            log.exception("a run failed unexpectedly")
            self._failure = ServerUnreachable(
                "The worker beside this ComfyUI failed; its log has the details."
            )
        # The files are gone before anybody hears of the end.
        self._clean_up()
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _take_states(self) -> None:
        """Keep the newest state until the run ends, or somebody ends it."""
        for state in self._states:
            with self._changed:
                self._newest = state
                wish = self._wish
                self._version += 1
                self._changed.notify_all()
            if wish == DETACH:
                self._states.throw(Detach("The app that wanted this job is gone."))
            if wish == HAND_BACK:
                self._failure = ServerUnreachable(HANDED_BACK)
            # Leaving closes the generator, which cancels the prompt.
            if wish:
                return
