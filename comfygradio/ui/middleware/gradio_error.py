"""Answers 400 if a malformed request makes Gradio fail.

Gradio looks up whatever a request names without a check, and fails with errors of Python's. Errors
of our own functions are answered by Gradio itself, and do not come here.
"""

from __future__ import annotations

import errno
import logging

from gradio.route_utils import FnIndexInferError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.guarded_app import find_path, is_among

OWN_ROUTES = ("/gradio_api/comfygradio/*",)
"""Our own routes: if they fail, that is a bug of ours, which must not be hidden."""

LOOKUP_ERRORS = (
    FnIndexInferError,
    *(KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, OverflowError),
)
"""What Gradio raises for a function, a component or a part of a form that does not exist."""

BAD_PATH_ERRORS = (errno.ENAMETOOLONG, errno.EINVAL)
"""What the operating system raises for a path that no file can have."""

INVALID_REQUEST = "The page cannot make sense of this request."

logger = logging.getLogger(__name__)


class GradioErrorGuard:
    """Answers 400 if a route of Gradio's raises a lookup error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app inside does, or with 400 if it cannot make sense of the request."""
        path = find_path(scope) if scope["type"] == "http" else ""
        if not path or is_among(path, OWN_ROUTES):
            await self._app(scope, receive, send)
            return
        # The messages of an answer with status 500, until it is clear what the error was.
        held: list[Message] = []

        async def answer(message: Message) -> None:
            is_failure = message["type"] == "http.response.start" and message["status"] == 500
            if is_failure or held:
                held.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if not held or not _is_lookup_error(error):
                for message in held:
                    await send(message)
                raise
            logger.info("Gradio cannot answer %s: %s", path, type(error).__name__)
            await refuse(send, 400, INVALID_REQUEST, close=True)
            return
        for message in held:
            await send(message)


def _is_lookup_error(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in BAD_PATH_ERRORS
    return isinstance(error, LOOKUP_ERRORS)
