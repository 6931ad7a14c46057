"""Where a request goes, as the routes inside will read it."""

from __future__ import annotations

from starlette.types import Scope


def find_path(scope: Scope) -> str:
    """The path of a request below the root path of the app, which a proxy may leave on."""
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
