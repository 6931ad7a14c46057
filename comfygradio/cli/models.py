"""`comfygradio models`: which of a preset's models the server has, and how to get the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from comfygradio.binding.preset import Preset
from comfygradio.cli.presets import find_preset
from comfygradio.cli.server import advise, fetch_object_info, open_client
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.object_info import Scalar
from comfygradio.drafting.naming import one_line
from comfygradio.errors import NotFound, ServerError, ServerUnreachable, SettingsError
from comfygradio.forms.model_hashes import ModelHashes, list_folder_names
from comfygradio.forms.model_presence import ModelPresence, find_presence, list_choices
from comfygradio.model_files.asset_hashes import parse_assets
from comfygradio.model_files.download import ROOT, write_script
from comfygradio.model_files.file_hashes import FileHashes
from comfygradio.settings import Settings


def list_models(settings: Settings, name: str, as_script: bool, folder: Path | None) -> int:
    """Print which models of a preset are there; return 1 if one is missing.

    With `as_script`, print the commands that download the missing ones instead, and return 0. With
    ComfyUI's `folder` on this machine, files of other names are compared by their hashes. Raises
    ComfyGradioError.
    """
    preset = find_preset(settings, name)
    files = None if folder is None else _open_folder(folder)
    if not preset.file.models:
        # A script that reads this does nothing.
        where = sys.stderr if as_script else sys.stdout
        print(
            f"{preset.name} lists no models; write them under models: in {preset.path.name}, or "
            "draft it anew from the workflow as ComfyUI saves it.",
            file=where,
        )
        return 0
    with open_client(settings) as client:
        try:
            found = _find_all(client, settings, preset, files)
        except ServerUnreachable as error:
            raise advise(error, settings) from error
    missing = [one.model for one in found if one.state == "missing"]
    if not as_script:
        for line in _write_table(found):
            print(line)
        return 1 if missing else 0
    for one in found:
        if one.state == "unknown":
            text = f"{one.model.path}: this ComfyUI does not tell whether it has it."
            print(text, file=sys.stderr)
    print(write_script(missing), end="")
    return 0


def _open_folder(folder: Path) -> FileHashes:
    """Make the hashes of the files in ComfyUI's folder. Raises SettingsError for any other one."""
    folder = folder.expanduser()
    if not (folder / ROOT).is_dir():
        raise SettingsError(
            f"{folder} has no folder {ROOT}; --comfyui takes ComfyUI's own folder, which has one."
        )
    return FileHashes(folder, _tell_hashing)


def _find_all(
    client: ComfyClient, settings: Settings, preset: Preset, files: FileHashes | None
) -> list[ModelPresence]:
    """Find each model in the server's list of its folder, else in those of the node classes."""
    object_info = fetch_object_info(client, [preset], settings)
    folders = _FolderLists(client)
    known = preset.hashes.add(_fetch_hashes(client, preset).files)
    found = []
    for model in preset.file.models:
        listed = folders.fetch(model.root)
        if listed is None:
            listed = list_choices(model, preset.workflow, object_info)
        presence = find_presence(model, listed, known)
        if presence.state == "missing" and files is not None:
            hashes = files.hash_candidates(model, listed or ())
            presence = find_presence(model, listed, hashes)
        found.append(presence)
    return found


def _fetch_hashes(client: ComfyClient, preset: Preset) -> ModelHashes:
    """Fetch the hashes that the server itself knows, if they are of use for this preset. Most
    servers know none.
    """
    if not any(model.hash and model.hash_type == "BLAKE3" for model in preset.file.models):
        return ModelHashes()
    try:
        return parse_assets(client.model_assets())
    except ServerError:
        # HTTP 503 says that assets are off. A server that is gone fails the next call, too.
        return ModelHashes()


def _tell_hashing(path: Path) -> None:
    print(f"Computing the SHA256 of {one_line(str(path))} …", file=sys.stderr)


class _FolderLists:
    """The server's lists of its folders of models; each is fetched once."""

    def __init__(self, client: ComfyClient) -> None:
        self._client = client
        self._lists: dict[str, Sequence[Scalar] | None] = {}

    def fetch(self, folder: str) -> Sequence[Scalar] | None:
        """Fetch the names in a folder; None if the server has no such folder, or no such lists."""
        # A server knows a folder that was renamed by one of its names only (v0.33.0).
        for name in list_folder_names(folder):
            listed = self._fetch_once(name)
            if listed is not None:
                return listed
        return None

    def _fetch_once(self, folder: str) -> Sequence[Scalar] | None:
        if folder not in self._lists:
            try:
                self._lists[folder] = self._client.models(folder)
            except NotFound:
                self._lists[folder] = None
        return self._lists[folder]


def _write_table(found: Sequence[ModelPresence]) -> Iterator[str]:
    width = max(len(one.model.path) for one in found)
    for one in found:
        line = f"{one.state:7}  {one.model.path:{width}}  {_describe(one)}"
        yield line.rstrip()


def _describe(one: ModelPresence) -> str:
    """Say what there is to know of a model besides its state."""
    model = one.model
    if one.state != "there":
        return model.url
    if one.is_copy:
        return f"is {one_line(one.name)} there, with the same {model.hash_type}"
    if one.name != model.name:
        return f"is {one_line(one.name)} there"
    return ""
