"""comfygradio: stored ComfyUI workflows as simple web forms."""

from __future__ import annotations

from comfygradio.comfy.client import ComfyClient
from comfygradio.forms.preset import load_preset, load_presets

__all__ = ["ComfyClient", "load_preset", "load_presets"]
