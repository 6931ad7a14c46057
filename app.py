"""The entrance of a Space, of `python app.py` and of `gradio app.py`: `demo`, built from the environment."""

from __future__ import annotations

from comfygradio.settings import load_settings
from comfygradio.ui.serve import build, launch

app = build(load_settings())
demo = app.blocks

if __name__ == "__main__":
    launch(app)
