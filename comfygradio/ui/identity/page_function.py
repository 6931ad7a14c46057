"""Page functions: what the script of a page calls. Each finds out who asks before it answers.

A method of a page's API knows nothing of Gradio's requests, and a test calls it as it is. The
functions here stand between the two, one kind for each way in which a page says who asks:

- History and Comparisons send the secret of their page session, and see what belongs to its owner.
- The Servers page sends the token of an operator.
- The author's page sends nothing: its functions are events, which carry their person.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import gradio as gr

from comfygradio.errors import ComfyGradioError, NotAllowed
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess

Json = dict[str, Any]

PageFunction = Callable[..., Any]
"""A function that Gradio calls with what a script sent, and the request."""

T = TypeVar("T")


def make_enter_function(page_sessions: PageSessions) -> PageFunction:
    """Make what a page calls when it is entered: it gets the secret of its later calls."""

    def enter(request: gr.Request, event: gr.EventData) -> Json:
        owner = find_owner(request, getattr(event, "person", None))
        session = find_person(request).session
        return {"access": page_sessions.open(owner, session)}

    return enter


def make_owner_function(
    method: Callable[[str, Mapping[str, Any]], Json],
    page_sessions: PageSessions,
    name: str = "",
) -> PageFunction:
    """Make a function that a script calls with [secret, {…}]; `method` gets the owner that the
    secret stands for.

    The script calls it by `name`, or by that of the method if that is "".
    """

    def answer(owner: str, asked: Mapping[str, Any], party: str) -> Json:
        return method(owner, asked)

    return make_party_function(answer, page_sessions, name or method.__name__)


def make_party_function(
    method: Callable[[str, Mapping[str, Any], str], Json],
    page_sessions: PageSessions,
    name: str = "",
) -> PageFunction:
    """Make a function that starts work: its method also gets the party that limits and turns
    count for.
    """

    def call(data: Any, request: gr.Request) -> Json:
        person = find_person(request)
        if not isinstance(data, list) or len(data) != 2:
            return {"left": True}
        access, asked = data
        owner = page_sessions.find_owner(access, person.session)
        if owner is None:
            return {"left": True}
        if not isinstance(asked, Mapping):
            asked = {}
        try:
            return method(owner, asked, person.party)
        except ComfyGradioError as error:
            return {"error": str(error)}

    call.__name__ = name or method.__name__
    return call


def make_operator_function(
    method: Callable[..., Awaitable[Json]], operators: OperatorAccess
) -> PageFunction:
    """Make a function that a script calls with [token, …]; `method` gets what follows the token as
    texts, as many as it has parameters.
    """
    count = len(inspect.signature(method).parameters)

    async def call(data: Any, request: gr.Request) -> Json:
        if not isinstance(data, list) or not data:
            return {"denied": True}
        token, *sent = data
        if not operators.recognise(token, find_person(request)):
            return {"denied": True}
        texts = [str(value) for value in sent[:count]]
        try:
            return await method(*texts)
        except ComfyGradioError as error:
            return {"error": str(error)}

    call.__name__ = method.__name__
    return call


def make_author_function(method: Callable[..., T], authors: AuthorAccess) -> Callable[..., T]:
    """Make the function of an event that answers only authors; `method` gets the values of the
    event's inputs.
    """

    def call(request: gr.Request, *payloads: Any) -> T:
        require_author(authors, request)
        return method(*payloads)

    call.__name__ = method.__name__
    return call


def require_author(authors: AuthorAccess, request: gr.Request) -> None:
    """Raise `gr.Error` if somebody else than an author sends a request."""
    try:
        authors.require(find_person(request))
    except NotAllowed as error:
        raise gr.Error(str(error), print_exception=False) from error
