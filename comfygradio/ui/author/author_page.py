"""The author's page: a workflow is dropped, its inputs are ticked and named, and a
preset is saved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from comfygradio.binding.lora_binding import list_stack_classes
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.drafting.draft import Draft, draft_preset
from comfygradio.drafting.preset_folder import (
    check_preset_name,
    find_existing_file,
    save_preset,
    suggest_name,
)
from comfygradio.drafting.workflow_source import WorkflowSource, is_json, load_workflow_source
from comfygradio.errors import ComfyGradioError, NotAllowed, PresetError
from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.author.author_access import AuthorAccess
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
from comfygradio.ui.identity.person import find_person

QUICK: dict[str, Any] = {"api_visibility": "private", "queue": False, "preprocess": False}

OBJECT_INFO_SECONDS = 60.0
"""What a server said about node classes is used so long while a preset is edited."""

DROP = "A workflow, or a picture or video made with ComfyUI"

NOT_ARRIVED = "This file did not arrive; please add it again."

NO_FOLDER = (
    "There is no folder to save presets in: those that ship belong to the installed program. "
    "Make a folder presets where comfygradio is started, or name one with --presets."
)

Json = dict[str, Any]

T = TypeVar("T")


def build_author(service: Service, authors: AuthorAccess) -> None:
    """Draw the author's page inside the current Blocks, before anything that calls functions.

    First, since a page that was loaded before presets changed calls functions by their number:
    these must not move.
    """
    author = AuthorPage(service)
    with gr.Row(equal_height=False, elem_id="cg-author", elem_classes="cg-page-new"):
        with gr.Column(scale=6, min_width=320):
            gr.HTML(read_asset("author_head.html"), js_on_load=None)
            file = gr.File(
                label=DROP,
                show_label=False,
                height=140,
                elem_classes="cg-upload",
                elem_id="cg-drop",
            )
            rows = _build("author_desk", "cg-desk")
            with gr.Accordion("The preset file", open=False, elem_id="cg-source"):
                text = gr.Code(
                    language="yaml",
                    interactive=True,
                    lines=12,
                    max_lines=40,
                    show_label=False,
                    wrap_lines=True,
                )
        with gr.Column(scale=5, min_width=320, elem_id="cg-preview-side"):
            view = _build("author_view", "cg-preview")
    latest: dict[str, Any] = {**QUICK, "show_progress": "hidden", "trigger_mode": "always_last"}
    read = _guard(author.read, authors)
    edit = _guard(author.edit, authors)
    write = _guard(author.write, authors)
    file.upload(read, file, [file, rows, text, view], **latest)
    rows.edited(edit, rows, [text, view], **latest)
    text.input(write, [text, rows], [rows, view], **latest)

    def save(request: gr.Request, event: gr.EventData, *payloads: Any) -> Json:
        _require(authors, request)
        return author.save(payloads[0], payloads[1], event)

    view.save(save, [text, rows], view, **latest)


def reveal_author_link(blocks: gr.Blocks, authors: AuthorAccess) -> None:
    """Show the way to the page to those alone who may use it, where people log in."""
    way = gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=read_asset("author_way.js"),
        elem_id="cg-author-way",
    )

    def tell(request: gr.Request) -> Json:
        return {"author": authors.admit(find_person(request))}

    blocks.load(tell, None, way, api_visibility="private", queue=False, show_progress="hidden")


def _guard(function: Callable[..., T], authors: AuthorAccess) -> Callable[..., T]:
    """A function of the page that answers authors alone, whoever calls it."""

    def call(request: gr.Request, *payloads: Any) -> T:
        _require(authors, request)
        return function(*payloads)

    call.__name__ = function.__name__
    return call


def _require(authors: AuthorAccess, request: gr.Request) -> None:
    """Tell somebody who is no author so, instead of an answer."""
    try:
        authors.require(find_person(request))
    except NotAllowed as error:
        raise gr.Error(str(error), print_exception=False) from error


def _build(name: str, elem_id: str) -> gr.HTML:
    names = ("storage.js", "author.js", f"{name}.js")
    script = "\n".join(map(read_asset, names))
    return gr.HTML(
        None, html_template='<div class="cg-body"></div>', js_on_load=script, elem_id=elem_id
    )


class AuthorPage:
    """What the author's page calls.

    It keeps nothing of a draft: the page sends everything along.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._clock = service.clock
        self._known: tuple[float, frozenset[str], ObjectInfo] = (0.0, frozenset(), ObjectInfo({}))
        self.folder = find_writable_folder(service.folders)

    def read(self, payload: Any) -> list[Any]:
        """A file was dropped: nothing for the drop zone, then the rows, the text and the view."""
        path = read_upload(payload)
        if path is None:
            return [None, {"error": NOT_ARRIVED}, "", {}]
        try:
            source = _load_source(path)
            draft, object_info = self._draft(source)
            name = suggest_name(path.stem, draft)
            edited = describe_draft(draft, name, object_info)
        except ComfyGradioError as error:
            # Where uploads lie on the server is nobody's business.
            problem = str(error).replace(f"{path.parent}{os.sep}", "")
            return [None, {"error": problem}, "", {}]
        return [None, edited, *self.edit(edited)]

    def edit(self, value: Any) -> list[Any]:
        """The rows were edited: the text and the view."""
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return [gr.skip(), {"error": str(error)}]
        return [edited.text, self._view(edited, edited.text)]

    def write(self, text: Any, value: Any) -> list[Any]:
        """The text was edited by hand: the rows, now set aside, and the view."""
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return [gr.skip(), {"error": str(error)}]
        rows = gr.skip() if edited.by_hand else {**value, "byHand": True}
        return [rows, self._view(edited, str(text or ""))]

    def save(self, text: Any, value: Any, event: gr.EventData) -> Json:
        """Write the files: the view with what was saved, or why it was not."""
        try:
            edited = parse_edited_draft(value)
        except ComfyGradioError as error:
            return {"error": str(error)}
        written = str(text or "") if edited.by_hand else edited.text
        overwrite = getattr(event, "overwrite", None) is True
        try:
            self._store(edited, written, overwrite)
        except ComfyGradioError as error:
            return {**self._view(edited, written), "refused": str(error)}
        return {**self._view(edited, written), "saved": edited.name}

    def _store(self, edited: EditedDraft, text: str, overwrite: bool) -> None:
        if self.folder is None:
            raise PresetError(NO_FOLDER)
        preset = parse_preset_text(text, edited.name, edited.draft.workflow)
        other = self._service.find_preset(preset.name)
        if other and other.path.parent.resolve() != self.folder.resolve():
            raise PresetError(
                f"{preset.name} is the name of a preset in another folder; choose another one."
            )
        whole = text if text.endswith("\n") else f"{text}\n"
        save_preset(self.folder, preset.name, whole, preset.workflow, overwrite)

    def _view(self, edited: EditedDraft, text: str) -> Json:
        """What the right side of the page shows."""
        found = preview_preset(text, edited.name, edited.draft.workflow, self._ask)
        where = NO_FOLDER
        if self.folder:
            folder = self.folder.resolve().name
            where = f"Goes to {folder}/{edited.name}.yaml, with its workflow beside it."
        can_save = self.folder is not None and "error" not in found
        return {
            **found,
            "name": edited.name,
            "taken": self._is_taken(edited.name),
            "where": where,
            "canSave": can_save,
        }

    def _is_taken(self, name: str) -> bool:
        try:
            check_preset_name(name)
        except PresetError:
            return False
        return self.folder is not None and find_existing_file(self.folder, name) is not None

    def _draft(self, source: WorkflowSource) -> tuple[Draft, ObjectInfo]:
        """The draft, and what the server says about its classes; markers may bring in others than
        the source had.
        """
        self._known = (0.0, frozenset(), ObjectInfo({}))
        asked = source.workflow.class_types | list_stack_classes(source.workflow)
        object_info = self._ask(asked)
        draft = draft_preset(source.workflow, object_info, source.saved)
        if draft.workflow.class_types <= source.workflow.class_types:
            return draft, object_info
        object_info = self._ask(asked | draft.workflow.class_types)
        draft = draft_preset(source.workflow, object_info, source.saved)
        return draft, object_info

    def _ask(self, classes: frozenset[str]) -> ObjectInfo:
        """What the server says about these classes; asked again when it is a minute old."""
        read_at, known, object_info = self._known
        if classes <= known and self._clock.monotonic() - read_at <= OBJECT_INFO_SECONDS:
            return object_info
        object_info = self._service.client.object_info(*sorted(classes))
        self._known = (self._clock.monotonic(), classes, object_info)
        return object_info


def _load_source(path: Path) -> WorkflowSource:
    """The workflow in an upload, if this page can hold it.

    Raises WorkflowError, MetadataError and PresetError.
    """
    if is_json(path) and path.is_file() and path.stat().st_size > MAX_SOURCE_LENGTH:
        raise PresetError(TOO_LARGE)
    source = load_workflow_source(path)
    if len(source.workflow.nodes) > MAX_NODES:
        raise PresetError(TOO_LARGE)
    return source


def find_writable_folder(folders: Sequence[Path]) -> Path | None:
    """The first folder of presets that is not the installed program's own, or None; it can be
    written to.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in folders:
        if folder.resolve().is_relative_to(package):
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None
