"""The server that a command works with: the one that was named, the usual one, or a demo server for
this command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ComfyGradioError, ServerUnreachable
from comfygradio.settings import DEFAULT_SERVER, Settings


@contextmanager
def open_client(settings: Settings) -> Iterator[ComfyClient]:
    """Open a client for the named server, else the usual one; with `demo` for a demo server
    that ends with the block.
    """
    with ExitStack() as stack:
        url = settings.server or DEFAULT_SERVER
        if settings.demo:
            from comfygradio.demo import DemoOptions, DemoServer

            options = DemoOptions(step_seconds=settings.step_seconds)
            url = stack.enter_context(DemoServer(options)).url
        client = ComfyClient(url, headers=settings.headers, api_key=settings.api_key)
        yield stack.enter_context(client)


def fetch_object_info(
    client: ComfyClient, presets: Iterable[Preset], settings: Settings
) -> ObjectInfo:
    """Fetch what the server says about the classes that these presets use. Raises ServerError."""
    classes = _list_classes(presets)
    if not classes:
        return ObjectInfo({})
    try:
        return client.object_info(*sorted(classes))
    except ServerUnreachable as error:
        raise advise(error, settings) from error


def pick_object_info(
    known: Mapping[str, Any], presets: Iterable[Preset], settings: Settings
) -> ObjectInfo:
    """Pick what these node classes of a server say about the classes that the presets use."""
    picked: dict[str, Any] = {}
    for name in _list_classes(presets):
        if name in known:
            picked[name] = known[name]
    return replace(ObjectInfo.from_json(picked), has_key=bool(settings.api_key))


def _list_classes(presets: Iterable[Preset]) -> set[str]:
    classes = set[str]()
    for preset in presets:
        classes.update(preset.class_types)
    return classes


def advise(error: ComfyGradioError, settings: Settings) -> ComfyGradioError:
    """Return the error, or one that says what to do if nobody named a server and the usual one does
    not answer.
    """
    if settings.server is not None or settings.demo or not isinstance(error, ServerUnreachable):
        return error
    return ServerUnreachable(
        f"No ComfyUI answers at {DEFAULT_SERVER}: name yours with --server URL, or try the demo "
        "server with --demo."
    )
