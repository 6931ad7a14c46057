"""The client: every route of a ComfyUI server, and `run`, which follows a prompt to its end."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cancel import cancel_prompt
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.events import Events
from comfygradio.comfy.locate import PromptLocation, locate_prompt
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.run import PromptRun
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.workflow import Prompt


class ComfyClient(Endpoints):
    """One ComfyUI server (January 2024 to today). Thread-safe: many threads may share one client.

    `url` may hold a path prefix, `user:password@` and `?token=`; `headers` go with every request
    and the WebSocket. `verify` is False or the path of a CA file for self-made certificates;
    `timeout_seconds` bounds each request. `name` stands for the address in texts for people.
    `api_key` is one of comfy.org: it goes with prompts whose nodes ask for it.
    `patience` says how long runs wait, and `clock` is what they wait by; `timeout_seconds` is
    always real time.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8188",
        *,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        timeout_seconds: float = 60.0,
        name: str = "",
        api_key: str = "",
        patience: PollTimings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(
            url,
            headers=headers,
            verify=verify,
            timeout_seconds=timeout_seconds,
            name=name,
            api_key=api_key,
        )
        self._patience = patience or PollTimings()
        self._clock = clock

    def __repr__(self) -> str:
        return f"ComfyClient({self.url!r})"

    def __enter__(self) -> ComfyClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections; the client can be used again afterwards."""
        self.transport.close()

    def cancel(self, prompt_id: str) -> bool:
        """Stop or unqueue exactly this prompt; False if it neither runs nor waits.

        Raises ServerError.
        """
        return cancel_prompt(self, prompt_id, self._clock)

    def sight(self, prompt_id: str) -> PromptLocation:
        """Where a prompt is: finished, running, waiting or absent; a ServerError is part of the
        answer.
        """
        return locate_prompt(self, prompt_id)

    def listen(self, client_id: str | None = None) -> Events:
        """What the server says, as events: `with client.listen() as events: for event in events`.

        It tells of the prompts that were posted with this `client_id` (a new one by default, see
        `events.client_id`), and of the queue. One that `run` or somebody else uses must not be
        given: the server would forget the other connection.
        """
        return Events(self, client_id, self._patience, self._clock)

    def run(
        self,
        prompt: Prompt | Mapping[str, Any],
        *,
        client_id: str | None = None,
        prompt_id: str | None = None,
        preview_method: str | None = "auto",
        heartbeat_seconds: float = 0.25,
        may_exist: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> Generator[PromptProgress, None, None]:
        """Post a prompt and yield its state at every change, at least every `heartbeat_seconds`.

        Closing the generator before its end cancels the prompt. Raises PromptRejected,
        ExecutionFailed, JobInterrupted, JobLost and ServerError; what was made before is in the
        last state.
        `may_exist`: a prompt of that `prompt_id` that the server has already is followed, not
          posted again;
        ServerUnreachable if the server does not tell. A `client_id` must be used for one prompt
        only.
        `weights`: node id → seconds in earlier runs, for `progress` and `seconds_left`.
        """
        run = PromptRun(
            self,
            prompt if isinstance(prompt, Prompt) else Prompt(prompt),
            client_id=client_id,
            prompt_id=prompt_id,
            preview_method=preview_method,
            patience=self._patience,
            may_exist=may_exist,
            weights=weights,
            clock=self._clock,
        )
        yield from run.follow(heartbeat_seconds)
