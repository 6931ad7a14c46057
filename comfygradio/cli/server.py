"""The server that a command works with: the one that was named, the usual one, or a demo server for
this command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset
from comfygradio.cli.object_info_file import load_object_info_file
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import FetchObjectInfo, ObjectInfo
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


@contextmanager
def open_object_info(settings: Settings, file: Path | None = None) -> Iterator[FetchObjectInfo]:
    """Open the source of node classes: a file with those of a server, else the server of the
    settings. What it yields fetches the description of classes, and raises ServerError.

    Raises SettingsError for a file of something else.
    """
    if file is not None:
        known = load_object_info_file(file)
        yield lambda classes: _pick_classes(known, classes, settings)
        return
    with open_client(settings) as client:
        yield lambda classes: fetch_classes(client, classes, settings)


def fetch_object_info(
    client: ComfyClient, presets: Iterable[Preset], settings: Settings
) -> ObjectInfo:
    """Fetch what the server says about the classes that these presets use. Raises ServerError."""
    return fetch_classes(client, list_classes(presets), settings)


def list_classes(presets: Iterable[Preset]) -> frozenset[str]:
    """List the node classes that these presets use."""
    classes = set[str]()
    for preset in presets:
        classes.update(preset.class_types)
    return frozenset(classes)


def fetch_classes(client: ComfyClient, classes: frozenset[str], settings: Settings) -> ObjectInfo:
    """Fetch what the server says about these classes. Raises ServerError."""
    if not classes:
        return ObjectInfo({})
    try:
        return client.object_info(*sorted(classes))
    except ServerUnreachable as error:
        raise advise(error, settings) from error


def _pick_classes(
    known: Mapping[str, Any], classes: frozenset[str], settings: Settings
) -> ObjectInfo:
    """Pick what a server's description of all its classes says about these."""
    picked = {name: known[name] for name in classes if name in known}
    return replace(ObjectInfo.from_json(picked), has_key=bool(settings.api_key))


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
