"""Submit a prompt: upload its files, open the socket, and post it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.endpoints import Endpoints
from comfygradio.comfy.http_responses import API_KEY, QueuedPrompt
from comfygradio.comfy.locate import ID_KEY, locate_prompt
from comfygradio.comfy.nested_input import write_input
from comfygradio.comfy.websocket_client import Socket
from comfygradio.comfy.workflow import Prompt
from comfygradio.errors import ServerError, ServerUnreachable


def upload_files(endpoints: Endpoints, prompt: Prompt) -> Mapping[str, Any]:
    """Post the files that a prompt needs; the graph with their names filled in.

    Raises ServerError.
    """
    if not prompt.uploads:
        return prompt.graph
    graph: dict[str, Any] = {}
    for key, node in prompt.graph.items():
        inputs = copy.deepcopy(dict(node.get("inputs") or {}))
        graph[key] = {**node, "inputs": inputs}
    for upload in prompt.uploads:
        value = endpoints.upload_image(upload.path, upload.name).value
        for node_id, name in upload.slots:
            write_input(graph[node_id]["inputs"], name, value)
    return graph


def open_socket(endpoints: Endpoints, client_id: str) -> Socket | None:
    """A socket for `client_id`, or None where none can be opened, such as behind a proxy without
    WebSocket.
    """
    try:
        return connect_socket(endpoints, client_id)
    except ServerError:
        return None


def connect_socket(endpoints: Endpoints, client_id: str) -> Socket:
    """A socket for `client_id`. Raises ServerError where none can be opened."""
    try:
        return Socket(endpoints.access, f"{endpoints.transport.prefix}/ws", client_id)
    except ServerUnreachable:
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
    """Post a prompt; without ComfyUI's own answer, look whether it arrived.

    Raises PromptRejected, ServerError.
    """
    extra: dict[str, Any] = {ID_KEY: prompt_id}
    if preview:
        extra["preview_method"] = preview
    if prompt.extra_pnginfo:
        extra["extra_pnginfo"] = dict(prompt.extra_pnginfo)
    key = endpoints.choose_api_key(graph)
    if key:
        extra[API_KEY] = key
    try:
        return endpoints.queue_prompt(
            graph, extra_data=extra, client_id=client_id, prompt_id=prompt_id
        )
    except ServerError:
        seen = locate_prompt(endpoints, prompt_id)
        if not seen.found:
            raise
        return QueuedPrompt(seen.prompt_id, 0)


def _open_other(endpoints: Endpoints, client_id: str) -> Socket | None:
    """The socket of the bare route where the one under a prefix was tried, and the other way
    round; None where there is none.
    """
    tried = endpoints.transport.prefix
    try:
        endpoints.transport.find_prefix()
        found = endpoints.transport.prefix
        if tried:
            return Socket(endpoints.access, "/ws", client_id)
        if found:
            return Socket(endpoints.access, f"{found}/ws", client_id)
    except ServerError:
        pass
    return None
