"""The look of the page: Gradio's theme, and the styles and scripts of the whole page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from comfygradio.ui.static import build_import, build_importer, build_preload, read_static

STYLES = (
    "library/library.css",
    "library/dialogs.css",
    "library/confirmation.css",
    "page/page.css",
    "form/models.css",
    "job/job_view.css",
    "looking/looking.css",
    "author/author.css",
    "history/history.css",
    "status/status.css",
    "results/results.css",
    "sweep/sweep.css",
)
"""Styles of the whole page, its parts included."""


def make_page_options() -> dict[str, Any]:
    """Make the theme, the styles and the head of the page, as options of `launch`."""
    fonts = ["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
    theme = gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=fonts,
        font_mono=["ui-monospace", "Consolas", "monospace"],
        radius_size="md",
    ).set(
        body_background_fill="*neutral_50",
        block_title_text_weight="600",
        block_info_text_size="13px",
        block_border_width="0px",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width_dark="0px",
        block_padding="0px",
        layout_gap="18px",
        input_background_fill="white",
        input_border_width="1px",
        # Gradio's own colors have too little contrast to read: 2.5 and 4.47 to 1.
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_border_color="*primary_600",
        checkbox_label_padding="8px 14px",
        button_large_text_weight="600",
    )
    return {"theme": theme, "css": read_css(), "head": read_head()}


def read_css() -> str:
    """Read the styles of the whole page."""
    texts = [read_static(path) for path in STYLES]
    return "".join(texts)


def read_head() -> str:
    """Read the content of the page's head: its own lines, and its script."""
    lines = read_static("page/head.html")
    return f"{lines}<script>{build_head_script()}</script>"


def build_head_script() -> str:
    """Build the script of the page's head, which imports the module of the whole page.

    `comfygradioPage` is the promise of that module. Until it comes, `comfygradioEarlyInput`
    collects the boxes that somebody types into.
    """
    lines = [
        "window.comfygradioEarlyInput = [];",
        "addEventListener('input', (event) => window.comfygradioEarlyInput?.push(event.target));",
        build_preload(),
        build_importer(),
        f"window.comfygradioPage = {build_import('page/page.js')};",
    ]
    return "\n".join(lines)
