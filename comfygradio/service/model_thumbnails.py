"""Small pictures of models, as ComfyUI has them beside the files.

ComfyUI encodes a picture in its full size at each call, on the thread that answers everybody. So
each is fetched once and kept small, and at most two at a time are fetched from a server. A server
without pictures, one that is too old for them and one that fails at them look alike.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.model_listing import ModelFile
from comfygradio.errors import ComfyGradioError, ServerUnreachable
from comfygradio.jobs.backend import Backend
from comfygradio.media.thumbnail import shrink_picture
from comfygradio.service.thumbnail_store import ThumbnailStore

PIXELS = 160
"""Longest side of a picture."""

AT_ONCE = 2
"""How many pictures are fetched from a server at the same time."""

THREADS = 4

LISTED_SECONDS = 60.0
"""How long the list of a folder counts, so that new files are found."""

ABSENT_SECONDS = 600.0
"""How long a model without a picture is not asked for again."""

AWAY_SECONDS = 20.0
"""How long a server that did not answer is not asked again."""

MAX_ABSENT = 50_000
"""Most models that are remembered to have no picture."""

Files = Mapping[str, ModelFile]


class _Listing(NamedTuple):
    """The files of a folder by name, and until when they count."""

    files: Files
    until: float


class _Server:
    """What is known of the models of a server."""

    def __init__(self) -> None:
        self.fetching = threading.Semaphore(AT_ONCE)
        self.lock = threading.Lock()
        """Held while a list is fetched: others wait for it instead of fetching it too."""
        self.listings: dict[str, _Listing] = {}


class ModelThumbnails:
    """Fetches and keeps the pictures of models. Thread-safe."""

    def __init__(
        self,
        store: ThumbnailStore,
        list_backends: Callable[[], Sequence[Backend]],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store = store
        self._list_backends = list_backends
        self._clock = clock
        self._lock = threading.Lock()
        self._servers: dict[str, _Server] = {}
        self._absent: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self.threads = ThreadPoolExecutor(THREADS, "comfygradio-model")
        """Threads on which `get` is called; a slow server keeps nobody else waiting."""

    def get(self, folder: str, name: str) -> bytes | None:
        """Return the picture of a model as WebP, from the first server that has one; None if none
        has.
        """
        for backend in self._list_backends():
            if backend.trouble:
                continue
            picture = self._get_from(backend, folder, name)
            if picture is not None:
                return picture
        return None

    def close(self) -> None:
        """Fetch nothing more."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _get_from(self, backend: Backend, folder: str, name: str) -> bytes | None:
        server = self._find_server(backend.url)
        file = self._list_files(server, backend, folder).get(name)
        if file is None:
            return None
        key = (backend.url, folder, name, repr(file.modified))
        kept = self._store.get(*key)
        if kept is not None or self._is_absent(key):
            return kept
        with server.fetching:
            # Somebody else may have fetched it meanwhile.
            kept = self._store.get(*key)
            if kept is not None or self._is_absent(key):
                return kept
            return self._fetch(backend, folder, file, key)

    def _fetch(
        self, backend: Backend, folder: str, file: ModelFile, key: tuple[str, ...]
    ) -> bytes | None:
        seconds = ABSENT_SECONDS
        picture = None
        try:
            content = backend.client.model_preview(folder, file.path_index, file.name)
            picture = shrink_picture(content, PIXELS)
        except ServerUnreachable:
            seconds = AWAY_SECONDS
        except ComfyGradioError:
            pass
        if picture is None:
            self._note_absent(key, seconds)
        else:
            self._store.put(picture, *key)
        return picture

    def _list_files(self, server: _Server, backend: Backend, folder: str) -> Files:
        with server.lock:
            known = server.listings.get(folder)
            if known is None or known.until < self._clock.monotonic():
                known = self._fetch_listing(backend, folder)
                server.listings[folder] = known
            return known.files

    def _fetch_listing(self, backend: Backend, folder: str) -> _Listing:
        seconds = LISTED_SECONDS
        files: dict[str, ModelFile] = {}
        try:
            # In reverse, so that the first of several files with one name counts, as in ComfyUI.
            for file in reversed(backend.client.model_files(folder)):
                files[file.name] = file
        except ServerUnreachable:
            seconds = AWAY_SECONDS
        except ComfyGradioError:
            seconds = ABSENT_SECONDS
        return _Listing(files, self._clock.monotonic() + seconds)

    def _find_server(self, url: str) -> _Server:
        with self._lock:
            return self._servers.setdefault(url, _Server())

    def _is_absent(self, key: tuple[str, ...]) -> bool:
        with self._lock:
            until = self._absent.get(key)
        return until is not None and self._clock.monotonic() <= until

    def _note_absent(self, key: tuple[str, ...], seconds: float) -> None:
        with self._lock:
            self._absent[key] = self._clock.monotonic() + seconds
            self._absent.move_to_end(key)
            while len(self._absent) > MAX_ABSENT:
                self._absent.popitem(last=False)
