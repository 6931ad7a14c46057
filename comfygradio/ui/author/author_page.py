"""The author's page: authors drop a workflow, tick and name its inputs, and save a preset."""

from __future__ import annotations

from typing import Any

import gradio as gr

from comfygradio.ui.author.author_api import AuthorApi
from comfygradio.ui.form.panel import QUICK
from comfygradio.ui.identity.page_function import make_author_function, require_author
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import AuthorAccess
from comfygradio.ui.static import build_mount_script, read_static

DROP = "A workflow, or a picture or video made with ComfyUI"

Json = dict[str, Any]


def build_author_page(api: AuthorApi, authors: AuthorAccess) -> None:
    """Draw the page inside the current Blocks.

    Do that before drawing anything else that calls functions: a page that was loaded before the
    presets changed calls functions by their numbers, which must stay the same.
    """
    with gr.Row(equal_height=False, elem_id="cg-author", elem_classes="cg-page-new"):
        with gr.Column(scale=6, min_width=320):
            gr.HTML(read_static("author/author_head.html"), js_on_load=None)
            file = gr.File(
                label=DROP,
                show_label=False,
                height=140,
                elem_classes="cg-upload",
                elem_id="cg-drop",
            )
            rows = _build("draft_editor", "cg-desk", "edited")
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
            view = _build("form_preview", "cg-preview", "save")
    options: dict[str, Any] = {**QUICK, "preprocess": False, "trigger_mode": "always_last"}
    read = make_author_function(api.read, authors)
    edit = make_author_function(api.edit, authors)
    write = make_author_function(api.write, authors)
    file.upload(read, file, [file, rows, text, view], **options)
    rows.edited(edit, rows, [text, view], **options)
    text.input(write, [text, rows], [rows, view], **options)

    def save(request: gr.Request, event: gr.EventData, *payloads: Any) -> Json:
        require_author(authors, request)
        written, value = payloads
        overwrite = getattr(event, "overwrite", None) is True
        return api.save(written, value, overwrite)

    view.save(save, [text, rows], view, **options)


def reveal_author_link(blocks: gr.Blocks, authors: AuthorAccess) -> None:
    """Show the link to the page only to those who may use it, if people log in."""
    link = gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=build_mount_script("author/author_link.js"),
        elem_id="cg-author-way",
    )

    def describe_access(request: gr.Request) -> Json:
        person = find_person(request)
        return {"author": authors.admit(person)}

    blocks.load(describe_access, None, link, **QUICK)


def _build(module: str, elem_id: str, event: str) -> gr.HTML:
    """Draw a component whose content is made by the module with this name, which triggers the
    event.
    """
    return gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=build_mount_script(f"author/{module}.js", events=(event,), page="new"),
        elem_id=elem_id,
    )
