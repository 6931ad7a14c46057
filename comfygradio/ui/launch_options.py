"""The attributes that Gradio's `launch` sets on Blocks, for the Blocks that replace them later.

Blocks that were never launched lack some of these attributes, so that nobody could log in any more,
and have unsafe values of others: errors would be shown in full.
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
    """Make the options of `launch` that decide what a page shows, and to whom."""
    return {
        "auth_message": None,
        "show_error": False,
        "ssr_mode": False,
        "share": False,
        "run_history": False,
        "footer_links": ["api"],
    }


def copy_launch_attributes(served: gr.Blocks, blocks: gr.Blocks) -> None:
    """Copy the attributes that `launch` set from the served Blocks to new ones."""
    for name in LAUNCH_ATTRIBUTES:
        if hasattr(served, name):
            setattr(blocks, name, getattr(served, name))


def apply_launch_options(blocks: gr.Blocks, settings: Settings) -> None:
    """Set the options of `launch` on Blocks: in Gradio's reload mode, `launch` does nothing."""
    options = list_visible_options(settings)
    for name, value in options.items():
        setattr(blocks, name, value)
    blocks.config = blocks.get_config_file()


def disable_editor_blobs() -> None:
    """Disable the function by which Gradio's mask editor receives pictures in parts.

    Our page sends them as uploads, and a call of that function with a large number fills the
    memory.
    """
    accept_blobs = vars(gr.ImageEditor)["accept_blobs"]
    accept_blobs._is_server_fn = False
