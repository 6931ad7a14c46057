"""The line of links above the forms: to the pages beside them, and back."""

from __future__ import annotations

import html
from collections.abc import Mapping

import gradio as gr

from comfygradio.ui.assets import read_asset

FOR_OPERATORS = "status"
"""This page's link stays hidden until an operator has come."""


def build_navigation(pages: Mapping[str, str]) -> gr.HTML:
    """Draw the links to pages (name in the address → text) inside the current Blocks.

    A page is a child of the same Blocks with the class `cg-page-NAME`; its script hears the event
    `comfygradio-page`.
    """
    links = "".join(
        f'<a data-page="{name}" '
        f'href="?{name}=1"{" hidden" if name == FOR_OPERATORS else ""}>{html.escape(text)}</a>'
        for name, text in pages.items()
    )
    back = '<a data-page="" href="?">← Back to the forms</a>'
    return gr.HTML(
        None,
        html_template=f'<nav class="cg-nav" aria-label="Pages">{links}{back}</nav>',
        js_on_load=read_asset("navigation.js"),
        elem_id="cg-nav",
    )
