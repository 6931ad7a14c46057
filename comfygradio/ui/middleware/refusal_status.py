"""Gives refused calls a status of their own: Gradio answers 500 to refused and failed calls alike.

Whatever refuses a call notes that on its request with `note_refusal`, together with the error that
was the reason; the middleware then sets the status of the answer. The body, which has the message
for people, stays Gradio's.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.errors import JobStoreError, LimitReached, NotAllowed, ServerError

STATUSES: dict[type[Exception], int] = {
    LimitReached: 429,
    NotAllowed: 403,
    ServerError: 503,
    JobStoreError: 503,
}
"""Reasons for a refusal other than a bad request; the first that matches counts."""

BAD_REQUEST = 400

STATUS_KEY = "refused_with"
"""The name of the status in the state of a refused request."""


def note_refusal(request: Request, reason: BaseException | None) -> None:
    """Note that this call is refused, and why; without a reason it was a bad request."""
    status = _find_status(reason)
    setattr(request.state, STATUS_KEY, status)


def _find_status(reason: BaseException | None) -> int:
    for kind, status in STATUSES.items():
        if isinstance(reason, kind):
            return status
    return BAD_REQUEST


class RefusalGuard:
    """Answers a refused call with the noted status instead of 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does, but with its own status if the call was refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def answer(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and message["status"] == 500 and STATUS_KEY in state:
                message = {**message, "status": state[STATUS_KEY]}
            await send(message)

        await self._app(scope, receive, answer)
