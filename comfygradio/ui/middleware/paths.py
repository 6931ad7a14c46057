"""Where a request goes, as the routes inside will read it."""

from __future__ import annotations

from starlette.types import Scope


def find_path(scope: Scope) -> str:
    """The path of a request below the root path of the app, which a proxy may leave on."""
    path, root = str(scope["path"]), str(scope.get("root_path") or "").rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :] or "/"
    return path


def is_below(path: str, places: tuple[str, ...]) -> bool:
    """Whether a path is one of these places; a place that ends with / or = stands for all that
    begins so.
    """
    return any(
        path.startswith(place) if place.endswith(("/", "=")) and place != "/" else path == place
        for place in places
    )
