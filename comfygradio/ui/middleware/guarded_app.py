"""Gradio's app with our own middleware around all of it, its CORS and its routes included.

Middleware passed to `launch(app_kwargs=…)` runs inside Gradio's, where it would see neither the
requests that Gradio refuses nor the headers that Gradio adds. So the app itself is a subclass of
ours, passed to `launch` as `_app`. Gradio's reload mode and a page drawn anew only swap the Blocks
in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gradio.routes
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

Middleware = Callable[[ASGIApp], ASGIApp]
"""Puts one middleware around an ASGI app."""

LoginCheck = Callable[[Scope], bool]
"""Returns whether the sender of this request may use the app: is logged in, or need not be."""


class GuardedApp(gradio.routes.App):
    """Gradio's app inside our middleware.

    `routes` are our own; Gradio adds its own when it launches. `outer_middleware`, the outermost
    first, may be set until the first request.
    """

    def __init__(self, routes: Sequence[BaseRoute] = ()) -> None:
        self.outer_middleware: tuple[Middleware, ...] = ()
        super().__init__(
            routes=list(routes),
            # Gradio sets this only for an app that it makes itself.
            default_response_class=gradio.routes.ORJSONResponse,
            # FastAPI's schema would block the event loop for seconds; Gradio describes its
            # endpoints itself.
            openapi_url=None,
        )

    def build_middleware_stack(self) -> ASGIApp:
        """Build Gradio's whole stack, with our middleware around it."""
        stack: ASGIApp = super().build_middleware_stack()
        for middleware in reversed(self.outer_middleware):
            stack = middleware(stack)
        return stack


def find_path(scope: Scope) -> str:
    """Find the path of a request as the routes inside see it: without the app's root path, which
    some proxies leave in front.
    """
    path = str(scope["path"])
    root = str(scope.get("root_path") or "").rstrip("/")
    if not root:
        return path
    if path == root:
        return "/"
    if path.startswith(f"{root}/"):
        return path.removeprefix(root)
    return path


def is_among(path: str, routes: tuple[str, ...]) -> bool:
    """Return whether a path is one of these routes, with or without a trailing slash.

    A route that ends with a star matches all paths that begin like it.
    """
    bare = path.removesuffix("/") or "/"
    for route in routes:
        if bare == route:
            return True
        if route.endswith("*") and path.startswith(route.removesuffix("*")):
            return True
    return False
