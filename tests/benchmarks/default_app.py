"""A Gradio app as most are written, to compare with: `python -m tests.benchmarks.default_app PORT`.

One generator that gives a frame of 32 kB five times a second for ten seconds, for as many people as
want it at once, with Gradio's own limits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import gradio as gr

FRAMES = 50
FRAME = "x" * 43_000


def make_frames() -> Iterator[str]:
    """Ten seconds of frames."""
    for number in range(FRAMES):
        yield f"{number} {FRAME}"
        time.sleep(0.2)


def main() -> None:
    """Serve on PORT until Ctrl-C."""
    with gr.Blocks() as blocks:
        view = gr.HTML()
        gr.Button("Generate").click(
            make_frames, None, view, concurrency_limit=None, api_name="generate"
        )
        gr.Button("Ping").click(lambda: "pong", None, view, api_name="ping")
    blocks.launch(server_port=int(sys.argv[1]), ssr_mode=False)


if __name__ == "__main__":
    main()
