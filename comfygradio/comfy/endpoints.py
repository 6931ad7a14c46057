"""ComfyUI's HTTP routes, one method each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, overload
from urllib.parse import quote

from comfygradio.comfy.address import parse_url
from comfygradio.comfy.failures import parse_rejection, read_titles
from comfygradio.comfy.http_responses import HistoryEntry, Queue, QueuedPrompt, UploadedFile
from comfygradio.comfy.limited_download import DownloadLimits, LimitedDownload
from comfygradio.comfy.model_listing import (
    ModelFile,
    ModelFolder,
    parse_model_files,
    parse_model_folders,
)
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.outputs import write_file
from comfygradio.comfy.transport import Access, Transport
from comfygradio.errors import UnexpectedResponse

PARALLEL = 8

ASSET_PAGE = 500
"""How many assets a server lists at once, at most."""

MAX_ASSET_PAGES = 40
"""How many lists of assets are fetched."""

PREVIEW_LIMITS = DownloadLimits(max_mb=24.0, deadline_seconds=10.0)
"""Of the picture of a model: some are full pages."""

REJECTED = 400
"""Status of a response to a prompt that ComfyUI refuses."""

CRASHED = 500
"""Status of a response after ComfyUI's own code, or that of a custom node, raised an exception."""


class Endpoints:
    """All routes of one server. Thread-safe.

    Every method may raise the ServerErrors of `comfygradio.errors`.
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
    ) -> None:
        address = replace(parse_url(url), name=name)
        self.access = Access(address, dict(headers or {}), verify, timeout_seconds)
        self.transport = Transport(self.access)
        self.has_job_cancel: bool | None = None
        """Whether POST /api/jobs/{id}/cancel exists (v0.26.0); None until it was tried."""
        self._api_key = api_key
        self._asks_key: dict[str, bool] = {}
        """Node class → whether it needs an API key, for the classes fetched so far."""
        self._version: tuple[int, ...] | None = None
        self._version_known = False

    @property
    def url(self) -> str:
        """The server's address without user, password and token, or its name if it has one."""
        return str(self.access.address)

    def queue_prompt(
        self,
        prompt: Mapping[str, Any],
        *,
        client_id: str | None = None,
        prompt_id: str | None = None,
        extra_data: Mapping[str, Any] | None = None,
        number: float | None = None,
        front: bool | None = None,
    ) -> QueuedPrompt:
        """Post a graph in API format.

        Raises PromptRejected. Servers before v0.3.45 ignore `prompt_id` and choose the id
        themselves.
        """
        fields = {
            "client_id": client_id,
            "prompt_id": prompt_id,
            "number": number,
            "front": front,
        }
        body: dict[str, Any] = {"prompt": prompt}
        # Fields without a value are left out: ComfyUI
        # 0.3.45 to 0.24 takes a null for the id "None".
        for key, value in fields.items():
            if value is not None:
                body[key] = value
        if extra_data:
            body["extra_data"] = extra_data
        response = self.transport.post_json("/prompt", body, accept=(REJECTED, CRASHED))
        status = response.status_code
        # ComfyUI crashes over a graph in UI format, and early versions over an unknown class.
        if status == CRASHED:
            raise UnexpectedResponse(_explain_crash(self.url), status)
        answer = self.transport.decode(response)
        if status == REJECTED:
            titles = read_titles(prompt)
            raise parse_rejection(answer, titles)
        if not isinstance(answer, dict) or not answer.get("prompt_id"):
            raise UnexpectedResponse(_explain_crash(self.url), status)
        return QueuedPrompt.from_json(answer)

    def queue(self) -> Queue:
        """Fetch everybody's running and pending prompts with their graphs. May be megabytes."""
        data = self._get_dict("/queue")
        # Any other answer must not pass for an empty queue, or a job would count as lost.
        for key in ("queue_running", "queue_pending"):
            if not isinstance(data.get(key), list):
                raise _make_unexpected(self.url)
        return Queue.from_json(data)

    def queue_remaining(self) -> int:
        """Fetch the number of running and pending prompts. A tiny response."""
        answer = self._get_dict("/prompt")
        info = answer.get("exec_info")
        remaining = info.get("queue_remaining") if isinstance(info, dict) else None
        if not isinstance(remaining, int):
            raise _make_unexpected(self.url)
        return remaining

    def delete_from_queue(self, *prompt_ids: str) -> None:
        """Remove pending prompts from the queue. Running and unknown ones are left alone."""
        body = {"delete": list(prompt_ids)}
        self.transport.post_json("/queue", body)

    def clear_queue(self) -> None:
        """Remove ALL pending prompts from the queue, everybody's."""
        self.transport.post_json("/queue", {"clear": True})

    def interrupt(self, prompt_id: str | None = None) -> None:
        """Interrupt the running prompt, or only this one. Servers before v0.3.57 ignore the id and
        stop whatever runs.
        """
        body: dict[str, str] = {}
        if prompt_id:
            body["prompt_id"] = prompt_id
        self.transport.post_json("/interrupt", body)

    @overload
    def history(self, prompt_id: str) -> HistoryEntry | None: ...

    @overload
    def history(
        self, *, max_items: int | None = ..., offset: int | None = ...
    ) -> dict[str, HistoryEntry]: ...

    def history(
        self,
        prompt_id: str | None = None,
        *,
        max_items: int | None = None,
        offset: int | None = None,
    ) -> HistoryEntry | dict[str, HistoryEntry] | None:
        """Fetch the history entry of one prompt, or None if it is not over.

        Without `prompt_id`, fetch the newest `max_items` entries; with `offset`, count from the
        oldest.
        """
        if prompt_id is not None:
            answer = self._get_dict(f"/history/{_quote(prompt_id)}")
            entries = self._parse_history(answer)
            return entries.get(prompt_id)
        params = {"max_items": max_items, "offset": offset}
        answer = self._get_dict("/history", params)
        return self._parse_history(answer)

    def delete_history(self, *prompt_ids: str) -> None:
        """Delete these prompts from the history. Their files stay."""
        body = {"delete": list(prompt_ids)}
        self.transport.post_json("/history", body)

    def clear_history(self) -> None:
        """Delete ALL prompts from the history, everybody's. Their files stay."""
        self.transport.post_json("/history", {"clear": True})

    def object_info(self, *class_types: str) -> ObjectInfo:
        """Fetch the definitions of these node classes, or of all. Classes that the server lacks are
        absent.

        A class whose own code fails while the server describes it (HTTP 500, ComfyUI v0.33.0) is
        listed in `broken` and does not affect the others.
        """
        found = self._fetch_object_info(class_types)
        asks_key = {node.class_type: node.needs_api_key for node in found}
        # `choose_api_key` looks here instead of asking the server.
        self._asks_key |= asks_key
        return replace(found, has_key=bool(self._api_key))

    def choose_api_key(self, graph: Mapping[str, Any]) -> str:
        """Return the API key for a prompt, or "" if there is none or no node needs one.

        A class that this client has not fetched counts as one that needs a key.
        """
        for node in graph.values():
            if not isinstance(node, dict):
                continue
            class_type = str(node.get("class_type"))
            if self._asks_key.get(class_type, True):
                return self._api_key
        return ""

    def system_stats(self) -> dict[str, Any]:
        """Fetch versions, memory and devices, as the server sends them."""
        return self._get_dict("/system_stats")

    def server_version(self) -> tuple[int, ...] | None:
        """Return ComfyUI's version such as (0, 3, 64), fetched once. None before 2024-08 and for
        unversioned builds.
        """
        # The version may be None, so that a flag tells whether it was fetched.
        if not self._version_known:
            self._version = _parse_version(self.system_stats())
            self._version_known = True
        return self._version

    def features(self) -> dict[str, Any]:
        """Fetch the server's feature flags (v0.3.45). Raises NotFound on older servers."""
        return self._get_dict("/features")

    def embeddings(self) -> list[str]:
        """List the names of the embeddings, without suffix."""
        answer = self.transport.get_json("/embeddings")
        return _read_names(answer)

    def extensions(self) -> list[str]:
        """List the paths of the JavaScript files of the server's page."""
        answer = self.transport.get_json("/extensions")
        return _read_names(answer)

    def models(self, folder: str | None = None) -> list[str]:
        """List the model folders, or the files in one of them (2024-08).

        Raises NotFound for an unknown folder.
        """
        path = "/models"
        if folder:
            path = f"/models/{_quote(folder)}"
        answer = self.transport.get_json(path)
        return _read_names(answer)

    def model_folders(self) -> list[ModelFolder]:
        """List the model folders with the suffixes of their files (2024-10).

        Raises NotFound on older servers.
        """
        return parse_model_folders(self.transport.get_json("/experiment/models"))

    def model_files(self, folder: str) -> list[ModelFile]:
        """List the files in a model folder, with their dates (2024-10).

        Raises NotFound for an unknown folder, and on older servers.
        """
        return parse_model_files(self.transport.get_json(f"/experiment/models/{_quote(folder)}"))

    def model_preview(self, folder: str, path_index: int, name: str) -> bytes:
        """Fetch the picture of a model in its full size; the server encodes it at each call.

        Raises NotFound if it has none, and whatever else an older server answers then.
        """
        # Slashes divide the name's own folders, and a backslash is part of a Windows server's.
        path = f"/experiment/models/preview/{_quote(folder)}/{int(path_index)}/{quote(name)}"
        pieces = self.transport.download(path, {})
        limited = LimitedDownload(PREVIEW_LIMITS)
        return b"".join(limited.limit(name, pieces))

    def model_assets(self) -> list[Any]:
        """List the models among the server's assets, with their hashes (v0.17, `--enable-assets`).

        Raises NotFound on older servers, and ServerError where assets are switched off.
        """
        found: list[Any] = []
        for _ in range(MAX_ASSET_PAGES):
            params = {"include_tags": "models", "limit": ASSET_PAGE, "offset": len(found)}
            answer = self._get_dict("/api/assets", params)
            page = answer.get("assets")
            if not isinstance(page, list) or not page:
                break
            found += page
            if answer.get("has_more") is not True:
                break
        return found

    def view_metadata(self, folder: str, filename: str) -> dict[str, Any]:
        """Fetch the metadata of a .safetensors file. Raises NotFound if it has none."""
        path = f"/view_metadata/{_quote(folder)}"
        return self._get_dict(path, {"filename": filename})

    def free(self, unload_models: bool = True, free_memory: bool = True) -> None:
        """Unload models and drop cached results, after the running prompt."""
        body = {"unload_models": unload_models, "free_memory": free_memory}
        self.transport.post_json("/free", body)

    def view(
        self,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        preview: str | None = None,
        channel: str | None = None,
    ) -> bytes:
        """Fetch a file's bytes. `preview` (`webp;90`) and `channel` (`rgb`, `a`) convert it and
        drop its metadata.
        """
        params = {
            "filename": filename,
            "subfolder": subfolder,
            "type": type,
            "preview": preview,
            "channel": channel,
        }
        return self.transport.get_bytes("/view", params)

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """Stream a file to `path`, completely or not at all. Creates parent folders.

        `delivery` limits the download; see `LimitedDownload.limit` for what it raises.
        """
        params = {
            "filename": filename,
            "subfolder": subfolder,
            "type": type,
        }
        pieces = self.transport.download("/view", params)
        if delivery is not None:
            pieces = delivery.limit(filename, pieces)
        return write_file(Path(path), pieces)

    def upload_image(
        self,
        source: str | Path | bytes,
        name: str = "",
        *,
        subfolder: str = "",
        type: str = "input",
        overwrite: bool = False,
    ) -> UploadedFile:
        """Upload a file of any type. Use the returned name, since the server keeps an existing file
        of the same name.
        """
        form = _form(subfolder, type, overwrite)
        return self._upload("/upload/image", source, name, form)

    def upload_mask(
        self,
        source: str | Path | bytes,
        name: str = "",
        *,
        original: UploadedFile,
        subfolder: str = "",
        type: str = "input",
        overwrite: bool = False,
    ) -> UploadedFile:
        """Upload a picture of the size of `original`; its alpha channel becomes that of the
        original (0 = repaint here).
        """
        reference = {
            "filename": original.name,
            "subfolder": original.subfolder,
            "type": original.type,
        }
        form = _form(subfolder, type, overwrite)
        form["original_ref"] = json.dumps(reference)
        return self._upload("/upload/mask", source, name, form)

    def jobs(self, **filters: str | int) -> dict[str, Any]:
        """GET /api/jobs (v0.6.0) with the filters status, limit, offset and sort_by.

        Raises NotFound on older servers.
        """
        return self._get_dict("/api/jobs", filters)

    def job(self, prompt_id: str) -> dict[str, Any]:
        """GET /api/jobs/{id} (v0.6.0). Raises NotFound."""
        path = f"/api/jobs/{_quote(prompt_id)}"
        return self._get_dict(path)

    def _get_dict(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET a JSON object. Raises ServerError, also if the response is anything else."""
        answer = self.transport.get_json(path, params)
        return _expect_dict(answer, self.url)

    def _parse_history(self, entries: Mapping[str, Any]) -> dict[str, HistoryEntry]:
        """Parse history entries. Raises UnexpectedResponse for anything else, which must not count
        as the absence of a prompt.
        """
        parsed: dict[str, HistoryEntry] = {}
        for prompt_id, value in entries.items():
            if not isinstance(value, dict) or "outputs" not in value:
                raise _make_unexpected(self.url)
            parsed[prompt_id] = HistoryEntry.from_json(prompt_id, value, self)
        return parsed

    def _fetch_object_info(self, class_types: Sequence[str]) -> ObjectInfo:
        if not class_types:
            answer = self.transport.get_json("/object_info")
            return ObjectInfo.from_json(answer)
        # First, each class by itself, since the list of all classes has megabytes.
        names = dict.fromkeys(class_types)
        # The route of one class takes no name with a slash.
        single = [name for name in names if "/" not in name]
        found, broken = self._fetch_classes(single)
        # Then the list of all classes, for those that cannot be fetched by themselves.
        unknown = broken | {name for name in names if "/" in name}
        if not unknown:
            return ObjectInfo.from_json(found)
        try:
            listed = self._get_dict("/object_info")
        except UnexpectedResponse as error:
            # One class may break the whole list; the classes that were found stay usable.
            if error.status != CRASHED or not found:
                raise
            object_info = ObjectInfo.from_json(found)
            return replace(object_info, broken=frozenset(unknown))
        for name, entry in listed.items():
            if name in unknown:
                found[name] = entry
                broken.discard(name)
        # What is left was not in the list either: the server leaves out classes whose code fails.
        object_info = ObjectInfo.from_json(found)
        return replace(object_info, broken=frozenset(broken))

    def _fetch_classes(self, names: Sequence[str]) -> tuple[dict[str, Any], set[str]]:
        """Fetch these classes one by one. Returns the definitions, and the classes that the server
        fails to describe.
        """
        if not names:
            return {}, set()
        with ThreadPoolExecutor(min(PARALLEL, len(names))) as pool:
            answers = list(pool.map(self._fetch_unless_broken, names))
        found: dict[str, Any] = {}
        broken: set[str] = set()
        for name, answer in zip(names, answers, strict=True):
            if answer is None:
                broken.add(name)
            else:
                found.update(answer)
        return found, broken

    def _fetch_unless_broken(self, name: str) -> dict[str, Any] | None:
        try:
            return self._fetch_class(name)
        except UnexpectedResponse as error:
            if error.status != CRASHED:
                raise
            return None

    def _fetch_class(self, name: str) -> dict[str, Any]:
        found = self._get_dict(f"/object_info/{_quote(name)}")
        # Some other program answers; ComfyUI answers with this class, or {} if it lacks it.
        if found.keys() - {name}:
            raise _make_unexpected(self.url)
        return found

    def _upload(
        self, path: str, source: str | Path | bytes, name: str, form: Mapping[str, str]
    ) -> UploadedFile:
        if isinstance(source, bytes):
            content = source
            name = name or "upload"
        else:
            content = Path(source).read_bytes()
            name = name or Path(source).name
        files = {"image": (name, content, "application/octet-stream")}
        response = self.transport.request("POST", path, data=form, files=files)
        answer = self.transport.decode(response)
        uploaded = UploadedFile.from_json(_expect_dict(answer, self.url))
        if not uploaded.name:
            raise _make_unexpected(self.url)
        return uploaded


def _form(subfolder: str, type: str, overwrite: bool) -> dict[str, str]:
    form = {"type": type, "subfolder": subfolder}
    if overwrite:
        form["overwrite"] = "true"
    return form


def _quote(text: str) -> str:
    """Quote a text as one part of a path, slashes included."""
    return quote(text, safe="")


def _parse_version(stats: Mapping[str, Any]) -> tuple[int, ...] | None:
    system = stats.get("system")
    if not isinstance(system, dict):
        return None
    text = str(system.get("comfyui_version") or "")
    # Some servers send what `git describe` gives, such as v0.2.7-12-gabc1234, or "unknown".
    found = re.match(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})", text)
    if found is None:
        return None
    return tuple(int(part) for part in found.groups())


def _expect_dict(data: Any, url: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _make_unexpected(url)
    return data


def _make_unexpected(url: str) -> UnexpectedResponse:
    return UnexpectedResponse(f"{url} does not answer like ComfyUI. Check the address.", 200)


def _read_names(data: Any) -> list[str]:
    if not isinstance(data, list):
        return []
    return [str(name) for name in data]


def _explain_crash(url: str) -> str:
    return (
        f"ComfyUI at {url} could not read this workflow. Is it in API format, and does the "
        "server have all its nodes?"
    )
