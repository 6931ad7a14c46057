"""What Gradio's `launch` sets on the Blocks that it starts, for those that take their place later.

Blocks that were only built lack some of it (nobody could log in any more) and have careless values
of the rest (errors would be shown with all they say).
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from comfygradio.settings import Settings

LAUNCH_ATTRIBUTES = (
    "auth",
    "auth_message",
    "enable_monitoring",
    "favicon_path",
    "footer_links",
    "height",
    "i18n_instance",
    "is_colab",
    "is_hosted_notebook",
    "limiter",
    "local_api_url",
    "local_url",
    "max_threads",
    "node_port",
    "node_process",
    "node_server_name",
    "protocol",
    "pwa",
    "root_path",
    "run_history",
    "server_app",
    "server_name",
    "server_port",
    "share",
    "show_error",
    "ssl_verify",
    "ssr_mode",
    "state_session_capacity",
    "width",
)
"""Attributes of Blocks that `launch` sets and that are used while a page is served."""


def list_visible_options(settings: Settings) -> dict[str, Any]:
    """The options of `launch` that decide what a page shows, and to whom."""
    return {
        "auth_message": None,
        "show_error": False,
        "ssr_mode": False,
        "share": False,
        "run_history": False,
        "footer_links": ["api"],
    }


def copy_launch_attributes(served: gr.Blocks, blocks: gr.Blocks) -> None:
    """Give Blocks what `launch` gave those that are served now."""
    for name in LAUNCH_ATTRIBUTES:
        if hasattr(served, name):
            setattr(blocks, name, getattr(served, name))


def apply_launch_options(blocks: gr.Blocks, settings: Settings) -> None:
    """Give Blocks what they would have by `launch`, which does nothing where Gradio's reload mode
    puts them into the app that it serves already.
    """
    for name, value in list_visible_options(settings).items():
        setattr(blocks, name, value)
    blocks.config = blocks.get_config_file()


def disable_editor_blobs() -> None:
    """Take the function away by which Gradio's mask editor would take pictures in parts: the page
    sends them as uploads, and a call with a large number fills the memory.
    """
    vars(gr.ImageEditor)["accept_blobs"]._is_server_fn = False
