"""How Gradio's components come by files from the web: our own guarded client fetches them, in the
place of Gradio's, which knows no limits.
"""

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

    Gradio asks the component itself, and looks at nothing but the beginning of a path.
    """
    for block in blocks.blocks.values():
        setattr(block, METHOD, make_mover(block, links))


def copy_mover(before: Any, after: Any) -> None:
    """Carry what `use_guarded_client` did to a component over to its replacement."""
    mover = getattr(before, "__dict__", {}).get(METHOD)
    if mover is not None and isinstance(after, Block):
        setattr(after, METHOD, mover)


def make_mover(block: Any, links: WebFiles) -> Callable[[Any], Awaitable[str | None]]:
    """What a component does to have a file, or one from the web, in its cache."""
    move: Callable[[Any], Awaitable[str | None]] = getattr(block, METHOD)

    async def move_guarded(named: Any) -> str | None:
        if not is_http_url_like(named):
            return await move(named)
        try:
            path = str(await links.fetch(named, Path(block.GRADIO_CACHE)))
        except (ExternalError, LimitReached) as error:
            raise gr.Error(str(error), print_exception=False) from error
        block.temp_files.add(path)  # so that Gradio deletes it after a day
        return path

    return move_guarded
