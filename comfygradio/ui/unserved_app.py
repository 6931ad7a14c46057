"""Skips the web apps that Gradio makes for a page and never serves.

Gradio 6.31 makes the app of a page four times: when its Blocks are created, when they are complete,
when they get their queue, and at launch. Only the last one is served. The others were half of the
time that a start took; and a page that is drawn anew needs none, since the app that is served takes
it over.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
import gradio.blocks
from gradio.routes import App

from comfygradio.ui.file_leak_guard import FileGuardedBlocks


class UnservedApp:
    """What Blocks make before they are launched, in place of Gradio's app."""

    @staticmethod
    def create_app(blocks: gr.Blocks, **options: Any) -> App | None:
        """Make no app for Blocks of ours; for other Blocks, make Gradio's.

        In Gradio's reload mode Blocks are never launched: they keep the app that they made.
        """
        is_launched = not blocks._is_running_in_reload_thread
        if is_launched and isinstance(blocks, FileGuardedBlocks):
            return None
        return App.create_app(blocks, **options)


def skip_unserved_apps() -> None:
    """Let Blocks of ours make no app until they are launched.

    Gradio's launch imports the class of its app by itself, so it does not see this change.
    """
    gradio.blocks.App = UnservedApp  # type: ignore[attr-defined, assignment]
