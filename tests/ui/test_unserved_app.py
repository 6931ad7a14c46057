"""Gradio makes the app of our page once, at launch, and those of other Blocks as ever."""

from __future__ import annotations

import gradio as gr
from gradio.routes import App

from comfygradio.ui.file_leak_guard import FileGuardedBlocks
from comfygradio.ui.unserved_app import skip_unserved_apps


def test_a_page_has_no_app_before_it_is_launched() -> None:
    skip_unserved_apps()
    with FileGuardedBlocks() as blocks:
        gr.HTML("x")
    blocks.queue(default_concurrency_limit=None)
    assert blocks.app is None


def test_other_blocks_have_one() -> None:
    skip_unserved_apps()
    with gr.Blocks() as blocks:
        gr.HTML("x")
    assert isinstance(blocks.app, App)
    assert blocks.app.get_blocks() is blocks
