"""Gradio's app with our own layer around all of it, its CORS and its routes included.

Middleware that `launch(app_kwargs=…)` takes lies inside of Gradio's, which is too late: it would
see neither what Gradio refuses nor the headers that Gradio adds. So the app itself is ours, and
given to `launch` as `_app`. Gradio's reload mode and a page drawn anew only swap the Blocks in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gradio.routes
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

Middleware = Callable[[ASGIApp], ASGIApp]
"""Puts one middleware around an ASGI app."""

LoginCheck = Callable[[Scope], bool]
"""Whether the person who sends this request may use the app: is logged in, or need not be."""


class GuardedApp(gradio.routes.App):
    """Gradio's app inside of our middleware, of which the first is the outermost.

    `routes` are our own; Gradio adds its own when it launches. `outer_middleware` may be set until
    the first request.
    """

    def __init__(self, routes: Sequence[BaseRoute] = ()) -> None:
        self.outer_middleware: tuple[Middleware, ...] = ()
        super().__init__(
            routes=list(routes),
            # Gradio sets this one only for an app that it makes itself.
            default_response_class=gradio.routes.ORJSONResponse,
            # FastAPI's own would take seconds of the event loop; Gradio tells of its calls itself.
            openapi_url=None,
        )

    def build_middleware_stack(self) -> ASGIApp:
        """Gradio's whole stack, with ours around it."""
        stack: ASGIApp = super().build_middleware_stack()
        for layer in reversed(self.outer_middleware):
            stack = layer(stack)
        return stack


def find_path(scope: Scope) -> str:
    """The path of a request as the routes inside read it: below the root path of the app, which a
    proxy may leave on.
    """
    path = str(scope["path"])
    root = str(scope.get("root_path") or "").rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :] or "/"
    return path


def is_among(path: str, places: tuple[str, ...]) -> bool:
    """Whether a path is one of these places, with or without a slash at its end.

    A place with a star at its end stands for all that begins so.
    """
    bare = path.removesuffix("/") or "/"
    for place in places:
        if bare == place:
            return True
        if place.endswith("*") and path.startswith(place.removesuffix("*")):
            return True
    return False
