"""`comfygradio demo`: the demo server alone, until Ctrl-C."""

from __future__ import annotations

import threading
from contextlib import suppress

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings


def run_demo(settings: Settings, port: int) -> None:
    """Print the demo server's address once it answers, and serve.

    Raises SettingsError if the port is taken.
    """
    server = DemoServer(DemoOptions(step_seconds=settings.step_seconds), settings.host, port)
    try:
        server.start()
    except OSError as error:
        raise SettingsError(
            f"The demo server cannot use {settings.host}:{port}: {error.strerror}."
        ) from error
    try:
        with suppress(KeyboardInterrupt):
            print(f"The demo server answers at {server.url}; Ctrl-C ends it.", flush=True)
            # For ever: Ctrl-C raises KeyboardInterrupt here, and SIGTERM the same (see `main`).
            threading.Event().wait()
    finally:
        server.stop()
