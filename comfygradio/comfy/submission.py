"""Submit a prompt to the server, or adopt the one that it already has."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import QueuedPrompt
from comfygradio.comfy.locate import PromptLocation, locate_prompt
from comfygradio.comfy.submit import open_socket, post_prompt, upload_files
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import AccessDenied, ServerUnreachable


@dataclass(frozen=True)
class AdoptedPrompt:
    """A prompt that the server already has, and where it is."""

    location: PromptLocation


class Submission:
    """One attempt to begin; `run` works on a thread of its own, the rest may be asked from any
    other.

    With `may_exist` the prompt is looked for first and posted only if it is certain that the server
    lacks it.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        prompt: Prompt,
        *,
        client_id: str,
        prompt_id: str,
        preview_method: str | None,
        may_exist: bool,
        patience: PollTimings,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.client_id = client_id
        self.socket: Socket | None = None
        self.posted_id: str | None = prompt_id if may_exist else None
        """The id under which the server may have the prompt; None if it cannot have it."""
        self.stop_requested = threading.Event()
        """Set to cancel the submission; nothing is posted afterwards."""
        self.finished = threading.Event()
        """Set by the run's thread once nothing will be posted any more."""
        self._endpoints = endpoints
        self._prompt = prompt
        self._prompt_id = prompt_id
        self._preview_method = preview_method
        self._may_exist = may_exist
        self._patience = patience
        self._clock = clock

    def run(self) -> QueuedPrompt | AdoptedPrompt | None:
        """Adopt, or upload, connect and post; None if stopped before.

        Raises PromptRejected and ServerError.
        """
        seen = self._look() if self._may_exist else PromptLocation()
        if seen.found:
            return self._adopt(seen)
        if self.stop_requested.is_set():
            return None
        graph = upload_files(self._endpoints, self._prompt)
        self.socket = open_socket(self._endpoints, self.client_id)
        if self.stop_requested.is_set():
            return None
        self.posted_id = self._prompt_id
        queued = post_prompt(
            self._endpoints,
            self._prompt,
            graph,
            self.client_id,
            self._prompt_id,
            self._preview_method,
        )
        self.posted_id = queued.prompt_id
        return queued

    def _look(self) -> PromptLocation:
        """Locate the prompt; check twice for absence, as an earlier post may be in flight."""
        seen = self._look_once()
        if seen.absent and not self._clock.wait_event(self.stop_requested, self._patience.settle):
            seen = self._look_once()
        return seen

    def _look_once(self) -> PromptLocation:
        seen = locate_prompt(self._endpoints, self._prompt_id)
        if isinstance(seen.error, ServerUnreachable | AccessDenied):
            raise seen.error
        if seen.error:
            raise ServerUnreachable(
                f"ComfyUI at {self._endpoints.url} does not say whether it has this job already, "
                f"so it was not started again: {seen.error}"
            )
        return seen

    def _adopt(self, seen: PromptLocation) -> AdoptedPrompt:
        self.posted_id = seen.prompt_id
        if seen.entry is None:
            self.client_id = seen.client_id or self.client_id
            self.socket = open_socket(self._endpoints, self.client_id)
        return AdoptedPrompt(seen)
