"""The client: every route of a ComfyUI server, and `run`, which follows a prompt to its end."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cancel import cancel_prompt
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.locate import PromptLocation, locate_prompt
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.run import PromptRun
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.workflow import Prompt

if TYPE_CHECKING:
    from comfygradio.comfy.events import Events


class ComfyClient(Endpoints):
    """A thread-safe client of one ComfyUI server (January 2024 to today).

    `url` may contain a path prefix, `user:password@` and `?token=`. `headers` are sent with every
    request and with the WebSocket handshake. `verify` is False or the path of a CA file for
    self-made certificates. `timeout_seconds` limits each request. `name` replaces the address in
    texts for people. `api_key` is a comfy.org key, sent with prompts whose nodes ask for it.
    `patience` sets the timings of runs, and `clock` is the clock they use; `timeout_seconds` is
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
        self._timings = patience or PollTimings()
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
        """Close idle connections. The client can be used again afterwards."""
        self.transport.close()

    def cancel(self, prompt_id: str) -> bool:
        """Stop or unqueue exactly this prompt. Returns False if it is neither running nor queued.

        Raises ServerError.
        """
        return cancel_prompt(self, prompt_id, self._clock)

    def sight(self, prompt_id: str) -> PromptLocation:
        """Locate a prompt: finished, running, queued or absent. Errors are returned, not raised."""
        return locate_prompt(self, prompt_id)

    def listen(self, client_id: str | None = None) -> Events:
        """Listen to the server's events: `with client.listen() as events: for event in events`.

        The server reports the queue, and the prompts that were posted with this `client_id` (a new
        one by default, see `events.client_id`). Do not pass an id that `run` or another client
        uses: the server would forget the other connection.
        """
        # Those who only run prompts listen to nothing else.
        from comfygradio.comfy.events import Events

        return Events(self, client_id, self._timings, self._clock)

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
        """Post a prompt and yield its progress at every change, at least every `heartbeat_seconds`.

        Closing the generator early cancels the prompt. `client_id` must not be used for another
        prompt. With `may_exist`, a prompt that the server already has under `prompt_id` is followed
        instead of being posted again. `weights` maps node ids to the seconds they took in earlier
        runs, for `progress` and `seconds_left`.

        Raises PromptRejected, ExecutionFailed, JobInterrupted, JobLost and ServerError. The last
        progress holds the outputs made until then. Raises ServerUnreachable if the server does not
        say whether it has the prompt.
        """
        if not isinstance(prompt, Prompt):
            prompt = Prompt(prompt)
        run = PromptRun(
            self,
            prompt,
            client_id=client_id,
            prompt_id=prompt_id,
            preview_method=preview_method,
            timings=self._timings,
            may_exist=may_exist,
            weights=weights,
            clock=self._clock,
        )
        yield from run.follow(heartbeat_seconds)
