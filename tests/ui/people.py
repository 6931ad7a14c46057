"""Makes requests as Gradio passes them to our functions, with a person as our middleware does, and
finds these functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fastapi
import gradio as gr

from comfygradio.ui.identity.auth_scheme import AuthResult
from comfygradio.ui.identity.identity_middleware import AccessControl
from comfygradio.ui.identity.page_function import PageFunction


class Named:
    """An authentication scheme that believes a header, `NAME` or `NAME/SESSION`."""

    def authenticate(self, scope: Any) -> AuthResult | None:
        """Return whom the header names."""
        named = next((value for name, value in scope["headers"] if name == b"x-test-login"), b"")
        login, _, session = named.decode().partition("/")
        return AuthResult(login, session) if login else None


def make_request(
    host: str = "127.0.0.1:7860", client: str = "127.0.0.1", user: str = "", **headers: str
) -> gr.Request:
    """Make a request of this user, or of somebody who did not log in, from this address."""
    named = {"host": host, **({"x-test-login": user} if user else {})}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "client": (client, 50_000) if client else None,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    AccessControl([Named()]).identify(scope)
    return gr.Request(fastapi.Request(scope))


def find_function(functions: Iterable[PageFunction], name: str) -> PageFunction:
    """Find the function that a page's script calls by this name."""
    (found,) = [function for function in functions if function.__name__ == name]
    return found
