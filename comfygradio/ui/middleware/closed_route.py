"""Closes routes of Gradio's that the page does not use, and refuses requests at which Gradio would
fail.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.guarded_app import find_path, is_among

CLOSED_ROUTES = (
    "/gradio_api/proxy=*",  # fetches from other Spaces
    "/gradio_api/process_recording",  # starts ffmpeg
    "/gradio_api/custom_component/*",
    "/gradio_api/deep_link",  # writes a file for each call
    "/gradio_api/run-history/*",
    "/gradio_api/vibe-edit",
    "/gradio_api/vibe-code",
    "/gradio_api/token",  # tells scripts what the cookie hides from them
    "/monitoring",
    "/monitoring/*",
    "/pwa_icon",
    "/pwa_icon/*",
)
"""Routes that our page never calls."""

COMPONENTS = ("/gradio_api/component_server",)

MAX_PATH = 4000
"""Most characters of a path; Python parses no number of more than 4,300 digits."""

FOREIGN_FILE = re.compile(r"/gradio_api/file[=/]\s*[A-Za-z][A-Za-z0-9+.-]+:/*[^/]")
"""A file at another address: Gradio would fetch it and serve it as ours. One letter as in `C:`
is a drive.
"""

NO_SUCH_PAGE = "There is no such page."


class RouteGuard:
    """Passes on only the requests that Gradio can answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer what is wrong with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = find_path(scope)
        if len(path) > MAX_PATH:
            await refuse(send, 414, "The address is too long.", close=True)
        elif is_among(path, CLOSED_ROUTES) or _names_page(scope, path):
            await refuse(send, 404, NO_SUCH_PAGE, close=True)
        elif FOREIGN_FILE.match(path):
            await refuse(send, 403, "Files of other servers are not passed on.", close=True)
        elif is_among(path, COMPONENTS) and _is_form(scope):
            await refuse(send, 415, "Functions of the page take JSON.", close=True)
        else:
            await self._app(scope, receive, send)


def _names_page(scope: Scope, path: str) -> bool:
    """Return whether a parameter names one of several Gradio pages; ours is one without a name."""
    if not is_among(path, ("/", "/config", "/gradio_api/info")):
        return False
    query = scope.get("query_string", b"").decode("latin-1")
    parameters = parse_qs(query)
    if "deep_link" in parameters:
        return True
    return any(parameters.get("page", []))


def _is_form(scope: Scope) -> bool:
    content_type = Headers(scope=scope).get("content-type", "")
    return content_type.lower().startswith("multipart/")
