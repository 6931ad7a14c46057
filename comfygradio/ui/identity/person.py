"""The person behind a request, as everything inside of our middleware sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from starlette.types import Scope

KEY = "comfygradio.person"
"""Where a request's scope holds its person."""


@dataclass(frozen=True)
class Person:
    """`login` is the name of who logged in, "" for nobody; `session` tells logins of one name
    apart.

    `address` is the network address that limits count by. `is_local` says that the request was
    sent on this machine.
    """

    login: str = ""
    session: str = ""
    address: str = ""
    is_local: bool = False

    @property
    def party(self) -> str:
        """Whom limits and turns count for: the login, else the network address."""
        if self.login:
            return f"user:{self.login}"
        return f"net:{self.address}"

    def may_see(self, owner: str) -> bool:
        """Whether what belongs to this owner may be shown to whoever knows its secret: what
        belongs to a login, to that login alone.
        """
        if not owner.startswith("user:"):
            return True
        return bool(self.login) and owner == f"user:{self.login}"


NOBODY = Person()
"""Whoever sends a request that did not come through our middleware."""


def put_person(scope: Scope, person: Person) -> None:
    """Note in a request's scope whose it is."""
    scope[KEY] = person


def find_person(request: Any) -> Person:
    """Whose request this is, be it Starlette's or Gradio's."""
    # Whoever calls a function and says that it is a batch gets Gradio to pass a list.
    if isinstance(request, list) and request:
        request = request[0]
    # Gradio's own kind of request holds Starlette's, where there is one.
    inner = request.request if isinstance(request, gr.Request) else request
    scope = getattr(inner, "scope", None)
    person = scope.get(KEY) if isinstance(scope, dict) else None
    return person if isinstance(person, Person) else NOBODY
