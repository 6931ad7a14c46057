"""How a run begins: a prompt is handed to the server, or the one that is there already is taken
over.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.answers import QueuedPrompt
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.posting import open_socket, post_prompt, upload_files
from comfygradio.comfy.sighting import Sighting, look_for_ours
from comfygradio.comfy.socket import Socket
from comfygradio.comfy.watch import Patience
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import AccessDenied, ServerUnreachable


@dataclass(frozen=True)
class Adopted:
    """A prompt that the server has already, as it was seen."""

    seen: Sighting


class Start:
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
        patience: Patience,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.client_id = client_id
        self.socket: Socket | None = None
        self.posted_id: str | None = prompt_id if may_exist else None
        """The id under which the server may have the prompt; None if it cannot have it."""
        self.stopped = threading.Event()
        """Set by whoever wants no prompt any more; nothing is posted from then on."""
        self.over = threading.Event()
        """Set by the run's thread once nothing will be posted any more."""
        self._endpoints = endpoints
        self._prompt = prompt
        self._prompt_id = prompt_id
        self._preview_method = preview_method
        self._may_exist = may_exist
        self._patience = patience
        self._clock = clock

    def run(self) -> QueuedPrompt | Adopted | None:
        """Adopt, or upload, connect and post; None if stopped before.

        Raises PromptRejected and ServerError.
        """
        seen = self._look() if self._may_exist else Sighting()
        if seen.found:
            return self._adopt(seen)
        if self.stopped.is_set():
            return None
        graph = upload_files(self._endpoints, self._prompt)
        self.socket = open_socket(self._endpoints, self.client_id)
        if self.stopped.is_set():
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

    def _look(self) -> Sighting:
        """Twice before the server counts as lacking it: an earlier post may be on its way still."""
        seen = self._look_once()
        if seen.absent and not self._clock.wait_event(self.stopped, self._patience.settle):
            seen = self._look_once()
        return seen

    def _look_once(self) -> Sighting:
        seen = look_for_ours(self._endpoints, self._prompt_id)
        if isinstance(seen.error, ServerUnreachable | AccessDenied):
            raise seen.error
        if seen.error:
            raise ServerUnreachable(
                f"ComfyUI at {self._endpoints.url} does not say whether it has this job already, "
                f"so it was not started again: {seen.error}"
            )
        return seen

    def _adopt(self, seen: Sighting) -> Adopted:
        self.posted_id = seen.prompt_id
        if seen.entry is None:
            self.client_id = seen.client_id or self.client_id
            self.socket = open_socket(self._endpoints, self.client_id)
        return Adopted(seen)
