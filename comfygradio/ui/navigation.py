"""The line of links above the forms: to the pages beside them, and back."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping

import gradio as gr

from comfygradio.ui.assets import read_asset

LOG_OUT = '<a href="logout">Log out</a>'


def build_navigation(
    pages: Mapping[str, str], hidden: Collection[str] = (), has_login: bool = False
) -> gr.HTML:
    """Draw the links to pages (name in the address → text) inside the current Blocks.

    Links to `hidden` pages show as soon as somebody comes who may see them; with `has_login` there
    is one to log out, too.

    A page is a child of the same Blocks with the class `cg-page-NAME`; its script hears the event
    `comfygradio-page`.
    """
    links = ""
    for name, text in pages.items():
        mark = " hidden" if name in hidden else ""
        links += f'<a data-page="{name}" href="?{name}=1"{mark}>{html.escape(text)}</a>'
    links += '<a data-page="" href="?">← Back to the forms</a>'
    if has_login:
        links += LOG_OUT
    return gr.HTML(
        None,
        html_template=f'<nav class="cg-nav" aria-label="Pages">{links}</nav>',
        js_on_load=read_asset("navigation.js"),
        elem_id="cg-nav",
    )
