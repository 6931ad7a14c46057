"""The endpoints of a running app: every function that a browser can call, listed from `/config`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]

FILE_MARK = "gradio.FileData"


@dataclass(frozen=True)
class Endpoint:
    """One function: of an event by its number, or of a component by its name."""

    name: str
    number: int = -1
    inputs: int = 0
    component: int = -1
    is_public: bool = False
    is_stream: bool = False
    is_queued: bool = False

    @property
    def is_held(self) -> bool:
        """Whether the page calls it through Gradio's queue, whose answers come on a stream."""
        return self.is_stream or self.is_queued


@dataclass(frozen=True)
class AppClient:
    """A running app as a browser sees it."""

    url: str
    client: httpx.Client

    def list_endpoints(self) -> list[Endpoint]:
        """Every function that has something behind it."""
        config = self.client.get(f"{self.url}config").json()
        return [*_list_events(config), *_list_functions(config)]

    def find_event(self, name: str) -> Endpoint:
        """The first event whose function is called so."""
        return next(one for one in self.list_endpoints() if one.name == name and one.number >= 0)

    def call(self, endpoint: Endpoint, data: Any, event_data: Any = None) -> httpx.Response:
        """Call a function; `data` are an event's inputs, or the one argument of a component's."""
        session = secrets.token_hex(5)
        if endpoint.component >= 0:
            body = {"component_id": endpoint.component, "fn_name": endpoint.name, "data": data}
            return self.client.post(
                f"{self.url}gradio_api/component_server", json={**body, "session_hash": session}
            )
        body = {"fn_index": endpoint.number, "data": data, "event_data": event_data}
        return self.client.post(
            f"{self.url}gradio_api/run/predict", json={**body, "session_hash": session}
        )

    def open_history(self) -> str:
        """The secret of an open history page."""
        answer = self.call(self.find_event("enter"), [], {"person": secrets.token_hex(16)})
        return str(answer.json()["data"][0]["access"])

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; its path among Gradio's uploads."""
        answer = self.client.post(f"{self.url}gradio_api/upload", files={"files": (name, content)})
        return str(answer.json()[0])


def list_routes(served: Any) -> list[tuple[str, str]]:
    """Every method and path that an app knows, parameters in braces. The list comes from the app,
    so that a new route is in it by itself.
    """
    found = []
    pending = list(served.routes)
    while pending:
        route = pending.pop()
        included = getattr(route, "original_router", None)  # FastAPI's, for a router inside another
        pending += included.routes if included is not None else []
        for method in getattr(route, "methods", None) or ():
            if method in ("GET", "POST"):
                found.append((method, str(route.path)))
    return sorted(set(found))


def make_file(path: str, **more: Any) -> Json:
    """A file as Gradio's own page sends it."""
    return {"path": path, "meta": {"_type": FILE_MARK}, **more}


def _list_events(config: Mapping[str, Any]) -> Iterator[Endpoint]:
    for one in config["dependencies"]:
        if one["backend_fn"]:
            yield Endpoint(
                str(one["api_name"]),
                int(one["id"]),
                len(one["inputs"]),
                is_public=one["api_visibility"] == "public",
                is_stream=bool(one["types"]["generator"]),
                is_queued=bool(one["queue"]),
            )


def _list_functions(config: Mapping[str, Any]) -> Iterator[Endpoint]:
    for component in config["components"]:
        for name in component["props"].get("server_fns") or ():
            yield Endpoint(str(name), component=int(component["id"]))
