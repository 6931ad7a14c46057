"""Who has not logged in gets the login page and what it needs, nothing else; nothing that they send
is read.
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
)
"""What is answered without a login: none of it tells or changes anything of anybody."""


class LoginGuard:
    """Lets only those in who are logged in, except to what the login page itself needs."""

    def __init__(self, app: ASGIApp, is_logged_in: LoginCheck) -> None:
        self._app = app
        self._is_logged_in = is_logged_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer 401 as Gradio does."""
        is_open = scope["type"] != "http" or is_among(find_path(scope), OPEN_PATHS)
        if is_open or self._is_logged_in(scope):
            await self._app(scope, receive, send)
        else:
            detail = {"error": "Not authenticated", "auth_message": None}
            await refuse(send, 401, detail, close=True)
