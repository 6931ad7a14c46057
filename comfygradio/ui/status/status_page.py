"""The Servers page: shows operators the servers and what waits, and lets them stop jobs and free
memory.
"""

from __future__ import annotations

import gradio as gr

from comfygradio.ui.form.panel import QUICK
from comfygradio.ui.static import build_mount_script
from comfygradio.ui.status.status_api import StatusApi


def build_status_page(api: StatusApi, blocks: gr.Blocks) -> None:
    """Draw the page inside the current Blocks. For everybody but operators it stays empty, and the
    link to it hidden.
    """
    token = gr.HTML(
        None,
        html_template="<i hidden></i>",
        js_on_load=build_mount_script("status/operator_token.js"),
        elem_id="cg-status-way",
    )
    gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=build_mount_script("status/status_page.js", page="status"),
        server_functions=api.list_functions(),
        elem_id="cg-status",
        elem_classes="cg-page-status",
    )
    blocks.load(api.issue_token, None, token, **QUICK)
