"""Runs on the worker's side: a prompt is followed here, and whoever asks gets the newest state."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.codec import News
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.errors import ComfyGradioError, ServerUnreachable

HANDED_BACK = (
    "The worker beside this ComfyUI was stopped; the job goes on elsewhere, or here when it "
    "is back."
)

LET_GO = "The worker beside this ComfyUI has let go of the job; it is taken up again."

log = logging.getLogger(__name__)


class LetGo(ComfyGradioError):
    """Thrown into a run, it makes it let go of its prompt without cancelling it."""


class FollowedRun:
    """One prompt on its way.

    Thread-safe; `states` are those of `ComfyClient.run`, `clean_up` is called at the end.
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
        self._told: tuple[float, str] = (clock.monotonic(), "uploading")
        self._failure: ComfyGradioError | None = None
        self._wish = ""
        self.is_over = False
        self.asked_at = clock.monotonic()
        threading.Thread(target=self._follow, name="comfygradio-run", daemon=True).start()

    def tell(self, seen: int, previews: int) -> News:
        """The newest state after version `seen`, waited for; without its preview if `previews` have
        been seen.
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
            self._told = (self.asked_at, state.status if state else "")
            if state is not None and state.preview_count == previews:
                state = replace(state, preview=None)
            return News(self._version, state, self.is_over, self._failure)

    def end(self, wish: str, seconds: float | None = None) -> None:
        """Cancel the prompt, let go of it, or hand it back (which cancels it here, and says so);
        waits until that is done. Raises ServerUnreachable if that takes too long: longer than
        `seconds`, by default the interval `cancel`.
        """
        if seconds is None:
            seconds = self._intervals.cancel
        deadline = self._clock.monotonic() + seconds
        with self._changed:
            self._wish = self._wish or wish
            while not self.is_over:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    raise ServerUnreachable(
                        "ComfyUI did not answer when the job was to be stopped."
                    )
                self._clock.wait(self._changed, left)

    def _find_pause(self, seen: int, deadline: float) -> float:
        """Seconds for which there is nothing to tell yet; the last state is told together with the
        end, at once.
        """
        now = self._clock.monotonic()
        told_at, status = self._told
        if self.is_over or now >= deadline:
            return 0.0
        if self._version <= seen or self._newest is None or self._newest.status == "done":
            return deadline - now
        if self._newest.status != status:
            return 0.0
        next_at = told_at + self._intervals.period
        return min(deadline, next_at) - now

    def _follow(self) -> None:
        try:
            with closing(self._states):
                self._go_on()
        except LetGo:
            # Whoever asks still must not take this end for that of the prompt.
            self._failure = ServerUnreachable(LET_GO)
        except ComfyGradioError as error:
            self._failure = error
        except Exception:
            log.exception("a run failed unexpectedly")
            self._failure = ServerUnreachable(
                "The worker beside this ComfyUI failed; its log has the details."
            )
        self._clean_up()
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _go_on(self) -> None:
        for state in self._states:
            with self._changed:
                self._newest = state
                wish = self._wish
                self._version += 1
                self._changed.notify_all()
            if wish == "let go":
                self._states.throw(LetGo("The app that wanted this job is gone."))
            if wish == "hand back":
                self._failure = ServerUnreachable(HANDED_BACK)
            if wish:
                return
