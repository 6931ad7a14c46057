"""Which middlewares lie around Gradio's app, and in which order."""

from __future__ import annotations

from comfygradio.settings import Settings
from comfygradio.ui.middleware.app import Layer, LoginCheck
from comfygradio.ui.middleware.headers import SafeHeaders


def list_layers(settings: Settings, is_logged_in: LoginCheck) -> tuple[Layer, ...]:
    """The middlewares of an app, outermost first."""
    return (SafeHeaders,)
