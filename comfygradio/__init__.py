"""comfygradio: stored ComfyUI workflows as simple web forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygradio.binding.preset import load_preset, load_presets
    from comfygradio.comfy.client import ComfyClient
    from comfygradio.comfy.events import Connected, Disconnected, Events, Missed
    from comfygradio.comfy.messages import (
        Executed,
        Executing,
        ExecutionCached,
        ExecutionError,
        ExecutionInterrupted,
        ExecutionStart,
        ExecutionSuccess,
        FeatureFlags,
        Message,
        PreviewFrame,
        Progress,
        ProgressState,
        ProgressText,
        Status,
        UnknownMessage,
    )
    from comfygradio.conversion.convert import convert_workflow
    from comfygradio.conversion.result import Conversion
    from comfygradio.sweeps.program import sweep

__all__ = [
    "ComfyClient",
    "Connected",
    "Conversion",
    "Disconnected",
    "Events",
    "Executed",
    "Executing",
    "ExecutionCached",
    "ExecutionError",
    "ExecutionInterrupted",
    "ExecutionStart",
    "ExecutionSuccess",
    "FeatureFlags",
    "Message",
    "Missed",
    "PreviewFrame",
    "Progress",
    "ProgressState",
    "ProgressText",
    "Status",
    "UnknownMessage",
    "convert_workflow",
    "load_preset",
    "load_presets",
    "sweep",
]

PRESETS = ("load_preset", "load_presets")
EVENTS = ("Connected", "Disconnected", "Events", "Missed")


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
    if name == "Conversion":
        from comfygradio.conversion.result import Conversion

        return Conversion
    if name == "convert_workflow":
        from comfygradio.conversion.convert import convert_workflow

        return convert_workflow
    if name in PRESETS:
        from comfygradio.binding import preset

        return getattr(preset, name)
    if name in EVENTS:
        from comfygradio.comfy import events

        return getattr(events, name)
    if name in __all__:
        from comfygradio.comfy import messages

        return getattr(messages, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
