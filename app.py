"""The entrance of a Space, of `python app.py` and of `gradio app.py`: `demo`, built from the
environment.
"""

from __future__ import annotations

from comfygradio.log import start_logging
from comfygradio.settings import load_settings
from comfygradio.ui.serve import build, launch

# `gradio app.py` runs this file again after a change, with the names of the last time:
# that app lets go of its ledger.
if "app" in globals():
    globals()["app"].close()
settings = load_settings()
start_logging(settings)
app = build(settings)
demo = app.blocks

if __name__ == "__main__":
    launch(app)
