"""comfygradio: stored ComfyUI workflows as simple web forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygradio.comfy.client import ComfyClient
    from comfygradio.forms.preset import load_preset, load_presets
    from comfygradio.sweeps.program import sweep

__all__ = ["ComfyClient", "load_preset", "load_presets", "sweep"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used, so that `comfygradio --help` waits for
    none of them.
    """
    if name == "ComfyClient":
        from comfygradio.comfy.client import ComfyClient

        return ComfyClient
    if name == "sweep":
        from comfygradio.sweeps.program import sweep

        return sweep
    if name in __all__:
        from comfygradio.forms import preset

        return getattr(preset, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
