"""The person behind a request, as our middleware identified them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from starlette.types import Scope

KEY = "comfygradio.person"
"""The key of the person in a request's scope."""


@dataclass(frozen=True)
class Person:
    """The sender of a request.

    `login` is the name they logged in with, or ""; `session` tells logins of one name apart.
    `address` is the network address that limits count by. `is_local` says that the request was
    sent on this machine.
    """

    login: str = ""
    session: str = ""
    address: str = ""
    is_local: bool = False

    @property
    def party(self) -> str:
        """The party that limits and turns count for: the login, else the network address."""
        if self.login:
            return f"user:{self.login}"
        return f"net:{self.address}"

    def may_see(self, owner: str) -> bool:
        """Return whether a job or sweep of this owner may be shown to this person, who knows its
        secret. What belongs to a login is shown to that login only.
        """
        if not owner.startswith("user:"):
            return True
        return bool(self.login) and owner == f"user:{self.login}"


NOBODY = Person()
"""The sender of a request that did not pass our middleware."""


def put_person(scope: Scope, person: Person) -> None:
    """Put the person into a request's scope."""
    scope[KEY] = person


def find_person(request: Any) -> Person:
    """Find the person behind a request of Starlette's or Gradio's."""
    # A call that claims to be a batch makes Gradio pass a list.
    if isinstance(request, list) and request:
        request = request[0]
    if isinstance(request, gr.Request):
        request = request.request  # Starlette's, or None
    scope = getattr(request, "scope", None)
    if not isinstance(scope, dict):
        return NOBODY
    person = scope.get(KEY)
    return person if isinstance(person, Person) else NOBODY
