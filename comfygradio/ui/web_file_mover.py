"""Makes Gradio's components fetch files from the web with our client; Gradio's has no limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio_client.utils import is_http_url_like

from comfygradio.errors import ExternalError, LimitReached
from comfygradio.service.web_file import WebFiles

METHOD = "async_move_resource_to_block_cache"
"""Gradio calls it on a component for every file that goes into it or out of it."""


def use_guarded_client(blocks: gr.Blocks, links: WebFiles) -> None:
    """Make every component of a page fetch files from the web through `links`.

    Gradio calls a method of the component for that, with whatever begins like an address.
    """
    for block in blocks.blocks.values():
        mover = make_mover(block, links)
        setattr(block, METHOD, mover)


def copy_mover(before: Any, after: Any) -> None:
    """Copy the method that `use_guarded_client` replaced from a component to its successor."""
    own_attributes = getattr(before, "__dict__", {})
    mover = own_attributes.get(METHOD)
    if mover is not None and isinstance(after, Block):
        setattr(after, METHOD, mover)


def make_mover(block: Any, links: WebFiles) -> Callable[[Any], Awaitable[str | None]]:
    """Make the method by which a component moves a file, or one from the web, into its cache."""
    move: Callable[[Any], Awaitable[str | None]] = getattr(block, METHOD)

    async def move_guarded(named: Any) -> str | None:
        if not is_http_url_like(named):
            return await move(named)
        cache = Path(block.GRADIO_CACHE)
        try:
            fetched = await links.fetch(named, cache)
        except (ExternalError, LimitReached) as error:
            raise gr.Error(str(error), print_exception=False) from error
        path = str(fetched)
        block.temp_files.add(path)  # so that Gradio deletes it after a day
        return path

    return move_guarded
