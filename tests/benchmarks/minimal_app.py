"""The smallest Gradio app with an endpoint like ours, which does nothing: what Gradio itself takes.

`python -m tests.benchmarks.minimal_app PORT` prints the address and serves until Ctrl-C.
"""

# No `from __future__ import annotations` here: Gradio counts an endpoint's results by its
# return type.
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api
from PIL import Image

from tests.benchmarks.callers import NAME

SIZE = (512, 512)


def serve_minimal_app(port: int) -> None:
    """Serve an endpoint that gives the same small picture every time."""
    with tempfile.TemporaryDirectory() as place:
        blocks = build_blocks(Path(place) / "picture.png")
        blocks.queue(default_concurrency_limit=None)
        _, address, _ = blocks.launch(
            server_port=port,
            allowed_paths=[place],
            prevent_thread_lock=True,
            ssr_mode=False,
            quiet=True,
        )
        print(address, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def build_blocks(picture: Path) -> gr.Blocks:
    """Blocks with nothing on them but the endpoint."""
    Image.new("RGB", SIZE).save(picture)
    file = {"path": str(picture), "orig_name": picture.name, "meta": {"_type": "gradio.FileData"}}

    async def give(color: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        return [file], {"seconds": 0}

    blocks: gr.Blocks
    with gr.Blocks(analytics_enabled=False) as blocks:
        api(give, api_name=NAME, concurrency_limit=None)
    return blocks


if __name__ == "__main__":
    serve_minimal_app(int(sys.argv[1]))
