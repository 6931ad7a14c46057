"""A client of a ComfyUI on another machine: the worker on that machine makes its calls."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from comfygradio.cluster.codec import CANCEL, CHUNK_BYTES, DETACH, News, Piece, unpack_outcome
from comfygradio.cluster.rpc import ClusterClient
from comfygradio.comfy.cache_control import strip_cache_busters, strip_pinned
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.locate import PromptLocation
from comfygradio.comfy.model_listing import ModelFile
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.outputs import write_file
from comfygradio.comfy.prompt_progress import Preview, PromptProgress
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import ComfyGradioError, ServerError, ServerUnreachable


class RemoteClient:
    """A BackendClient.

    `find_address` returns the worker's address, or raises ServerUnreachable with the reason.
    """

    def __init__(self, url: str, cluster: ClusterClient, find_address: Callable[[], str]) -> None:
        self.url = url
        self._cluster = cluster
        self._find_address = find_address

    def __repr__(self) -> str:
        return f"RemoteClient({self.url!r})"

    def run(
        self,
        prompt: Prompt,
        *,
        client_id: str | None = None,
        prompt_id: str | None = None,
        may_exist: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> Generator[PromptProgress, None, None]:
        """As ComfyClient's, a state at least every two seconds."""
        uploads: list[Upload] = []
        for upload in prompt.uploads:
            # On the worker, the name of a file is its ticket.
            ticket = self._send(upload.path)
            uploads.append(replace(upload, path=Path(ticket)))
        prompt_id = prompt_id or str(uuid.uuid4())
        pnginfo = dict(prompt.extra_pnginfo)
        # A prompt that the server has is not posted again.
        if not (may_exist and self.sight(prompt_id).found):
            # Here, because a layout cannot be sent.
            pnginfo = prompt.make_pnginfo(strip_pinned(strip_cache_busters(prompt.graph)))
        sent = Prompt(dict(prompt.graph), tuple(uploads), pnginfo, prompt.outputs)
        self._call("begin", sent, client_id, prompt_id, may_exist, dict(weights or {}))
        try:
            yield from self._follow(prompt_id)
        except ComfyGradioError:
            with suppress(ServerError):
                self._call("end", prompt_id, DETACH)
            raise
        except BaseException:
            # An error here replaces GeneratorExit: the
            # caller has to know that the prompt may go on.
            self._call("end", prompt_id, CANCEL)
            raise

    def sight(self, prompt_id: str) -> PromptLocation:
        """As ComfyClient's."""
        try:
            found = self._call("sight", prompt_id)
        except ServerError as error:
            return PromptLocation(error=error)
        if not isinstance(found, PromptLocation):
            return PromptLocation(error=ServerError("The worker answered nonsense."))
        return found

    def cancel(self, prompt_id: str) -> bool:
        """As ComfyClient's."""
        is_cancelled = self._call("cancel", prompt_id)
        return bool(is_cancelled)

    def queue_remaining(self) -> int:
        """As ComfyClient's."""
        remaining = self._call("queue_remaining")
        return int(remaining)

    def clear_queue(self) -> None:
        """As ComfyClient's."""
        self._call("clear_queue")

    def interrupt(self, prompt_id: str | None = None) -> None:
        """As ComfyClient's."""
        self._call("interrupt", prompt_id)

    def free(self, unload_models: bool = True, free_memory: bool = True) -> None:
        """As ComfyClient's."""
        self._call("free", unload_models, free_memory)

    def object_info(self, *class_types: str) -> ObjectInfo:
        """As ComfyClient's."""
        found = self._call("object_info", *class_types)
        if not isinstance(found, ObjectInfo):
            return ObjectInfo({})
        return found

    def embeddings(self) -> list[str]:
        """As ComfyClient's."""
        names = self._call("embeddings")
        return [str(name) for name in names]

    def model_files(self, folder: str) -> list[ModelFile]:
        """As ComfyClient's."""
        files = self._call("model_files", folder)
        return [one for one in files if isinstance(one, ModelFile)]

    def model_preview(self, folder: str, path_index: int, name: str) -> bytes:
        """As ComfyClient's."""
        picture = self._call("model_preview", folder, path_index, name)
        return bytes(picture)

    def system_stats(self) -> dict[str, Any]:
        """As ComfyClient's."""
        stats = self._call("system_stats")
        return dict(stats)

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """As ComfyClient's."""
        pieces = self._fetch(filename, subfolder, type)
        return b"".join(pieces)

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """As ComfyClient's."""
        pieces = self._fetch(filename, subfolder, type)
        if delivery is not None:
            pieces = delivery.limit(filename, pieces)
        return write_file(Path(path), pieces)

    def close(self) -> None:
        """Does nothing: the connections belong to the pool."""

    def _follow(self, prompt_id: str) -> Iterator[PromptProgress]:
        """Yield the states of a run, each with the newest preview. Raises what the run raises."""
        seen = 0
        previews = 0
        preview: Preview | None = None
        while True:
            news: News = self._call("tell", prompt_id, seen, previews)
            state = news.state
            if state is not None:
                # The worker leaves out a preview that it has sent before.
                if state.preview is not None:
                    previews = state.preview_count
                    preview = state.preview
                yield replace(state, preview=preview)
            seen = news.version
            if news.failure is not None:
                raise news.failure
            if news.is_over:
                return

    def _send(self, path: Path) -> str:
        """Send a file to the worker. Returns its ticket there."""
        ticket = ""
        with path.open("rb") as file:
            while True:
                data = file.read(CHUNK_BYTES)
                # An empty file is sent once all the same, so that there is a ticket for it.
                if not data and ticket:
                    return ticket
                ticket = str(self._call("put", ticket, data))

    def _fetch(self, filename: str, subfolder: str, type: str) -> Iterator[bytes]:
        """Yield the pieces of one file."""
        piece: Piece = self._call("open", filename, subfolder, type)
        yield piece.data
        had = len(piece.data)
        while had < piece.size:
            data = self._call("read", piece.ticket, had)
            if not data:
                raise ServerUnreachable(f"{self.url} cut {filename} off.")
            had += len(data)
            yield data
        # After an unfinished download the worker deletes the file itself (`Intervals.kept`).
        if piece.ticket:
            self._call("drop", piece.ticket)

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the worker's service.

        Raises what that raises, and ServerUnreachable if the worker does not answer.
        """
        address = self._find_address()
        try:
            answer = self._cluster.call(address, method, *arguments)
        except ServerUnreachable as error:
            raise ServerUnreachable(
                f"The worker beside {self.url} does not answer; is that machine there?"
            ) from error
        return unpack_outcome(answer, self)
