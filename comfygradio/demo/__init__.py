"""The demo server: an independent stand-in for ComfyUI that draws its pictures itself."""

from __future__ import annotations

from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.server import DemoServer, serve_demo

__all__ = ["DemoOptions", "DemoServer", "serve_demo"]
