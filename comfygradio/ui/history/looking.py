"""The part below the forms that shows a person's results large, and what was made last."""

from __future__ import annotations

import gradio as gr

from comfygradio.ui.form.panel import QUICK
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.identity.page_function import make_enter_function
from comfygradio.ui.static import build_later_script, read_static


def build_looking(api: HistoryApi) -> gr.HTML:
    """Draw the part inside the current Blocks; nothing is seen of it before its script has come."""
    part = gr.HTML(
        None,
        html_template=read_static("looking/looking.html"),
        js_on_load=build_later_script("looking/looking.js", ("enter",)),
        server_functions=api.list_looking_functions(),
        elem_id="cg-looking",
    )
    part.enter(make_enter_function(api.page_sessions), None, part, **QUICK)
    return part
