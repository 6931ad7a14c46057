"""The History page: finds a person's jobs again, shows, reuses and deletes them."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from gradio.components import Component

from comfygradio.ui.assets import join_assets, read_asset
from comfygradio.ui.form.form_update import connect_form_updates
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.identity.page_function import make_enter_function

SCRIPTS = (
    "storage.js",
    "person.js",
    "answer.js",
    "history.js",
    "history_card.js",
    "history_open.js",
    "history_choose.js",
)


def build_history_page(api: HistoryApi) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author_page`)."""
    view = gr.HTML(
        None,
        html_template=read_asset("history.html"),
        js_on_load=join_assets(SCRIPTS, "\n"),
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
