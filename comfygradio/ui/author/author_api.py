"""The functions that the author's page calls: to draft a preset, to check it, and to save it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.conversion.api_workflow import UiFile
from comfygradio.drafting.draft import Draft, draft_for_server
from comfygradio.drafting.preset_folder import (
    check_preset_name,
    find_existing_file,
    save_preset,
    suggest_name,
)
from comfygradio.drafting.workflow_source import (
    WorkflowSource,
    convert_source,
    is_json,
    load_workflow_source,
)
from comfygradio.errors import ComfyGradioError, PresetError
from comfygradio.service.service import Service
from comfygradio.ui.author.draft_rows import (
    MAX_NODES,
    MAX_SOURCE_LENGTH,
    TOO_LARGE,
    EditedDraft,
    describe_draft,
    parse_edited_draft,
)
from comfygradio.ui.author.form_preview import parse_preset_text, preview_preset
from comfygradio.ui.form.upload_value import read_upload

OBJECT_INFO_SECONDS = 60.0
"""How long a server's description of node classes is used while a preset is edited."""

NOT_ARRIVED = "This file did not arrive; please add it again."

NO_FOLDER = (
    "There is no folder to save presets in: those that ship belong to the installed program. "
    "Make a folder presets where comfygradio is started, or name one with --presets."
)

Json = dict[str, Any]


@dataclass(frozen=True)
class _CachedObjectInfo:
    """What a server said about some node classes, and when it did, in the clock's seconds."""

    asked_at: float
    classes: frozenset[str]
    object_info: ObjectInfo


class AuthorApi:
    """The functions of the page, as its events call them.

    Nothing of a draft is kept here: the page sends everything with each call.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clock = service.clock
        self._cached: _CachedObjectInfo | None = None
        self.folder = find_writable_folder(service.folders)

    def read(self, payload: Any) -> list[Any]:
        """Draft a preset for a dropped file; return an empty drop zone, the rows, the text and the
        view.
        """
        path = read_upload(payload)
        if path is None:
            return [None, {"error": NOT_ARRIVED}, "", {}]
        try:
            draft, object_info = self._draft(path)
            name = suggest_name(path.stem, draft)
            edited = describe_draft(draft, name, object_info)
        except ComfyGradioError as error:
            # People are not told where uploads are on the server.
            problem = str(error).replace(f"{path.parent}{os.sep}", "")
            return [None, {"error": problem}, "", {}]
        text, view = self.edit(edited)
        return [None, edited, text, view]

    def edit(self, value: Any) -> list[Any]:
        """Write the text for edited rows; return it and the view."""
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return [gr.skip(), {"error": str(error)}]
        return [edited.text, self._describe_view(edited, edited.text)]

    def write(self, text: Any, value: Any) -> list[Any]:
        """Check a text that was edited by hand; return the rows, which no longer count, and the
        view.
        """
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return [gr.skip(), {"error": str(error)}]
        rows = gr.skip() if edited.by_hand else {**value, "byHand": True}
        view = self._describe_view(edited, str(text or ""))
        return [rows, view]

    def save(self, text: Any, value: Any, overwrite: bool = False) -> Json:
        """Save the preset and its workflow, also over others with `overwrite`; return the view,
        with what was saved or why not.
        """
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return {"error": str(error)}
        written = str(text or "") if edited.by_hand else edited.text
        try:
            self._store(edited, written, overwrite)
        except ComfyGradioError as error:
            return {**self._describe_view(edited, written), "refused": str(error)}
        return {**self._describe_view(edited, written), "saved": edited.name}

    def _store(self, edited: EditedDraft, text: str, overwrite: bool) -> None:
        """Write the files of a preset. Raises PresetError."""
        if self.folder is None:
            raise PresetError(NO_FOLDER)
        preset = parse_preset_text(text, edited.name, edited.draft.workflow, self.folder)
        other = self._service.find_preset(preset.name)
        if other:
            other_folder = other.path.parent.resolve()
            if other_folder != self.folder.resolve():
                raise PresetError(
                    f"{preset.name} is the name of a preset in another folder; choose another one."
                )
        if not text.endswith("\n"):
            text += "\n"
        saved = edited.draft.saved
        save_preset(self.folder, preset.name, text, preset.workflow, overwrite, saved)

    def _describe_view(self, edited: EditedDraft, text: str) -> Json:
        """Describe the right side of the page as JSON."""
        preview = preview_preset(
            text, edited.name, edited.draft.workflow, self._fetch_object_info, self.folder
        )
        where = NO_FOLDER
        if self.folder:
            folder = self.folder.resolve().name
            where = f"Goes to {folder}/{edited.name}.yaml, with its workflow beside it."
        can_save = self.folder is not None and "error" not in preview
        return {
            **preview,
            "name": edited.name,
            "taken": self._is_taken(edited.name),
            "where": where,
            "canSave": can_save,
        }

    def _is_taken(self, name: str) -> bool:
        """Return whether the folder has a file of a preset with this name."""
        try:
            check_preset_name(name)
        except PresetError:
            return False
        if self.folder is None:
            return False
        return find_existing_file(self.folder, name) is not None

    def _draft(self, path: Path) -> tuple[Draft, ObjectInfo]:
        """Draft a preset for an upload; return it with the server's description of its node
        classes.

        Raises ComfyGradioError.
        """
        self._cached = None
        found = _load_source(path)
        source = convert_source(found, self._fetch_object_info)
        if len(source.workflow.nodes) > MAX_NODES:
            raise PresetError(TOO_LARGE)
        return draft_for_server(source, self._fetch_object_info)

    def _fetch_object_info(self, classes: frozenset[str]) -> ObjectInfo:
        """Fetch the server's description of these node classes, at most once a minute."""
        cached = self._cached
        if cached is not None and classes <= cached.classes:
            age = self._clock.monotonic() - cached.asked_at
            if age <= OBJECT_INFO_SECONDS:
                return cached.object_info
        object_info = self._service.client.object_info(*sorted(classes))
        self._cached = _CachedObjectInfo(self._clock.monotonic(), classes, object_info)
        return object_info


def _load_source(path: Path) -> WorkflowSource | UiFile:
    """Load the workflow in an upload.

    Raises WorkflowError, MetadataError, and PresetError if it is too large for this page.
    """
    if is_json(path) and path.is_file():
        size = path.stat().st_size
        if size > MAX_SOURCE_LENGTH:
            raise PresetError(TOO_LARGE)
    return load_workflow_source(path)


def find_writable_folder(folders: Sequence[Path]) -> Path | None:
    """Find the first folder of presets that can be written to and is not part of the installed
    program, or None.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in folders:
        if folder.resolve().is_relative_to(package):
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None
