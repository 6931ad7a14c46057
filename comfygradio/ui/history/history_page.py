"""The History page: finds a person's jobs again, shows, reuses and deletes them."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from gradio.components import Component

from comfygradio.ui.form.form_update import connect_form_updates
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.identity.page_function import make_enter_function
from comfygradio.ui.static import build_mount_script, read_static


def build_history_page(api: HistoryApi) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author_page`)."""
    events = ("enter", "use", "input_picture")
    view = gr.HTML(
        None,
        html_template=read_static("history/history.html"),
        js_on_load=build_mount_script("history/history_page.js", events, page="history"),
        server_functions=api.list_functions(),
        elem_id="cg-history",
        elem_classes="cg-page-history",
    )
    view.enter(make_enter_function(api.page_sessions), None, view, **QUICK)
    return view


def listen_history_page(
    view: gr.HTML, api: HistoryApi, panels: Sequence[Panel], chooser: Component
) -> None:
    """Connect the events that put settings, or pictures as inputs, into the forms."""
    connect_form_updates(view, view.use, api.read_settings, panels, chooser)
    connect_form_updates(view, view.input_picture, api.read_picture, panels, chooser)
