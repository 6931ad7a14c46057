"""Calls that were refused are told from calls that failed: Gradio answers 500 to both.

Whoever answers a call notes the refusal on its request, with the error that was the reason; the
layer then gives the answer its status. The body, which has the sentence for people, stays Gradio's.
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
"""Why a call was refused, where it was not for what it sent."""

BAD_REQUEST = 400

STATUS_KEY = "refused_with"
"""Under this name the state of a request has the status of its refusal."""


def note_refusal(request: Request, reason: BaseException | None) -> None:
    """Note that this call is refused, and for which reason; without one for what it sent."""
    fitting = [status for kind, status in STATUSES.items() if isinstance(reason, kind)]
    status = fitting[0] if fitting else BAD_REQUEST
    setattr(request.state, STATUS_KEY, status)


class RefusalGuard:
    """Answers a call that was refused with the status that was noted, in the place of 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does; a refusal with its own status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def answer(message: Message) -> None:
            is_failure = message["type"] == "http.response.start" and message["status"] == 500
            if is_failure and STATUS_KEY in state:
                message = {**message, "status": state[STATUS_KEY]}
            await send(message)

        await self._app(scope, receive, answer)
