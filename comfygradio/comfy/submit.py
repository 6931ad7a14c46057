"""Submit a prompt: upload its files, open the socket and post it; or find that the server already
has it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.cache_control import strip_cache_busters, strip_pinned
from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import API_KEY, QueuedPrompt
from comfygradio.comfy.locate import ID_KEY, PromptLocation, locate_prompt
from comfygradio.comfy.nested_input import write_input
from comfygradio.comfy.timers import PollTimings
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import AccessDenied, ServerError, ServerUnreachable


class ExistingPrompt(NamedTuple):
    """A prompt that the server already has, and where it is."""

    location: PromptLocation


class Submission:
    """One attempt to submit a prompt. `run` works on its own thread; any thread may read the rest.

    With `may_exist` the prompt is located first, and posted only if the server certainly lacks it.
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
        timings: PollTimings,
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
        self._timings = timings
        self._clock = clock

    def run(self) -> QueuedPrompt | ExistingPrompt | None:
        """Upload the files, open a socket and post the prompt, unless the server already has it.

        Returns None if it was stopped first. Raises PromptRejected and ServerError.
        """
        location = self._locate() if self._may_exist else PromptLocation()
        if location.found:
            return self._use_existing(location)
        if self.stop_requested.is_set():
            return None
        graph = upload_files(self._endpoints, self._prompt)
        # The socket comes first: messages of a short
        # prompt may arrive before the answer to the post.
        self.socket = open_socket(self._endpoints, self.client_id)
        if self.stop_requested.is_set():
            return None
        # This is set before the post, so that a prompt whose answer is lost can be cancelled.
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

    def _locate(self) -> PromptLocation:
        """Locate the prompt, and look twice before it counts as absent."""
        location = self._locate_once()
        if not location.absent:
            return location
        # An earlier post may still be on its way.
        if self._clock.wait_event(self.stop_requested, self._timings.settle):
            return location
        return self._locate_once()

    def _locate_once(self) -> PromptLocation:
        location = locate_prompt(self._endpoints, self._prompt_id)
        if isinstance(location.error, ServerUnreachable | AccessDenied):
            raise location.error
        if location.error:
            raise ServerUnreachable(
                f"ComfyUI at {self._endpoints.url} does not say whether it has this job already, "
                f"so it was not started again: {location.error}"
            )
        return location

    def _use_existing(self, location: PromptLocation) -> ExistingPrompt:
        """Connect to the messages of a prompt that the server has, unless it is over."""
        self.posted_id = location.prompt_id
        # Messages go to the client_id that the prompt was posted with, perhaps by an earlier run.
        if location.entry is None:
            if location.client_id:
                self.client_id = location.client_id
            self.socket = open_socket(self._endpoints, self.client_id)
        return ExistingPrompt(location)


def upload_files(endpoints: Endpoints, prompt: Prompt) -> Mapping[str, Any]:
    """Upload the files that a prompt needs. Returns the graph with their names on the server.

    Raises ServerError.
    """
    if not prompt.uploads:
        return prompt.graph
    graph: dict[str, Any] = {}
    for key, node in prompt.graph.items():
        # Names go into nested inputs as well, and the graph of the prompt must not change.
        inputs = copy.deepcopy(dict(node.get("inputs") or {}))
        graph[key] = {**node, "inputs": inputs}
    for upload in prompt.uploads:
        uploaded = endpoints.upload_image(upload.path, upload.name)
        for node_id, name in upload.slots:
            inputs = graph[node_id]["inputs"]
            write_input(inputs, name, uploaded.value)
    return graph


def open_socket(endpoints: Endpoints, client_id: str) -> Socket | None:
    """Open a socket for `client_id`. Returns None if that fails, for example behind a proxy without
    WebSocket.
    """
    try:
        return connect_socket(endpoints, client_id)
    except ServerError:
        return None


def connect_socket(endpoints: Endpoints, client_id: str) -> Socket:
    """Open a socket for `client_id`. Raises ServerError if that fails."""
    try:
        return Socket(endpoints.access, f"{endpoints.transport.prefix}/ws", client_id)
    except ServerUnreachable:
        # Nothing answers there, so another path would fail as well.
        raise
    except ServerError:
        other = _open_other(endpoints, client_id)
        if other is None:
            raise
        return other


def post_prompt(
    endpoints: Endpoints,
    prompt: Prompt,
    graph: Mapping[str, Any],
    client_id: str,
    prompt_id: str,
    preview: str | None,
) -> QueuedPrompt:
    """Post a prompt. If the answer is no ComfyUI response, check whether the prompt arrived.

    `graph` is the prompt's graph with the names of uploaded files; `preview` is the preview method
    or None for the server's own. Raises PromptRejected and ServerError.
    """
    # Servers before v0.3.45 choose another id; `locate_prompt` then finds the prompt by this key.
    extra: dict[str, Any] = {ID_KEY: prompt_id}
    if preview:
        extra["preview_method"] = preview
    # What only steers the server's cache is no part of the author's layout.
    info = prompt.make_pnginfo(strip_pinned(strip_cache_busters(graph)))
    if info:
        extra["extra_pnginfo"] = info
    key = endpoints.choose_api_key(graph)
    if key:
        extra[API_KEY] = key
    try:
        return endpoints.queue_prompt(
            graph, extra_data=extra, client_id=client_id, prompt_id=prompt_id
        )
    except ServerError:
        # The server may have taken the prompt although its answer was lost or came from a gateway.
        location = locate_prompt(endpoints, prompt_id)
        if not location.found:
            raise
        return QueuedPrompt(location.prompt_id, 0)


def _open_other(endpoints: Endpoints, client_id: str) -> Socket | None:
    """Open the socket without the route prefix if the one with it failed, and the other way round.

    Returns None if that fails too.
    """
    tried = endpoints.transport.prefix
    try:
        endpoints.transport.find_prefix()
        # `find_prefix` has just set it, if a gateway wants one.
        found = endpoints.transport.prefix
        if tried:
            return Socket(endpoints.access, "/ws", client_id)
        if found:
            return Socket(endpoints.access, f"{found}/ws", client_id)
    except ServerError:
        pass
    return None
