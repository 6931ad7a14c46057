"""Answers only the login page, and what that page needs, to people who are not logged in; the
bodies of their other requests are not read.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.guarded_app import LoginCheck, find_path, is_among

OPEN_PATHS = (
    "/",
    "/login",
    "/logout",
    "/assets/*",
    "/static/*",
    "/svelte/*",
    "/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/robots.txt",
    "/gradio_api/theme.css",
    "/gradio_api/startup-events",
    "/gradio_api/login_check",
    "/gradio_api/user",
    "/gradio_api/app_id",
    "/comfygradio/icon-*",
)
"""Routes that need no login: none of them shows or changes anybody's data."""


class LoginGuard:
    """Passes on requests of people who are logged in, and requests to the open paths."""

    def __init__(self, app: ASGIApp, is_logged_in: LoginCheck) -> None:
        self._app = app
        self._is_logged_in = is_logged_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401 as Gradio does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = is_among(find_path(scope), OPEN_PATHS)
        if is_open or self._is_logged_in(scope):
            await self._app(scope, receive, send)
            return
        detail = {"error": "Not authenticated", "auth_message": None}
        await refuse(send, 401, detail, close=True)
