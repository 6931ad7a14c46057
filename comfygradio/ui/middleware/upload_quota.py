"""Counts uploads against the quota while they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.errors import LimitReached
from comfygradio.service.upload_quota import Quota
from comfygradio.ui.identity.network_address import find_network


class UploadQuotaMiddleware:
    """Counts the uploads on Gradio's upload route while they are read; answers 429 if the quota is
    exceeded.

    `name_person` returns the text that the sender of a request is counted under.
    """

    def __init__(
        self, app: ASGIApp, quota: Quota, name_person: Callable[[Scope], str] = find_network
    ) -> None:
        self._app = app
        self._quota = quota
        self._name_person = name_person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it if it is an upload."""
        if not is_upload(scope):
            await self._app(scope, receive, send)
            return
        person = self._name_person(scope)
        upload = Upload(self._quota, person, find_boundary(scope))

        async def receive_counted() -> Message:
            message = await receive()
            upload.count(message)
            return message

        async def send_refusal(message: Message) -> None:
            if upload.is_refused and message["type"] == "http.response.start":
                message["status"] = 429
            await send(message)

        await self._app(scope, receive_counted, send_refusal)


class Upload:
    """Counts one upload while it arrives."""

    def __init__(self, quota: Quota, person: str, boundary: bytes) -> None:
        self.is_refused = False
        self._quota = quota
        self._person = person
        self._boundary = boundary
        self._boundaries = 0
        self._end = b""

    def count(self, message: Message) -> None:
        """Count the next part.

        Raises MultiPartException if it exceeds the quota, or if the connection was lost: Gradio
        then deletes its files of this upload, which it keeps after any other error.
        """
        if message["type"] == "http.disconnect":
            raise MultiPartException("The upload was cut off.")
        body: bytes = message.get("body", b"")
        files = self._count_files(body)
        try:
            self._quota.take(self._person, files, len(body))
        except LimitReached as error:
            self.is_refused = True
            raise MultiPartException(str(error)) from error

    def _count_files(self, body: bytes) -> int:
        """Count the files that end in this part.

        A boundary precedes each file, and one more follows the last. So every boundary but the
        first ends a file.
        """
        seen = self._end + body
        found = seen.count(self._boundary) if self._boundary else 0
        # A boundary may be cut in two, so its possible beginning is kept for the next part.
        kept_bytes = len(self._boundary) - 1
        kept_from = max(0, len(seen) - kept_bytes)
        self._end = seen[kept_from:]
        has_first = found > 0 and self._boundaries == 0
        self._boundaries += found
        return found - 1 if has_first else found


def is_upload(scope: Scope) -> bool:
    """Return whether a request is to Gradio's upload route, with or without a proxy's root path."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    path: str = scope["path"]
    return path.rstrip("/").endswith("/gradio_api/upload")


def find_boundary(scope: Scope) -> bytes:
    """Find the boundary between the files of an upload; empty if the headers name none."""
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"")
    match = re.search(rb'(?i)boundary="?([^";]{1,100})', content_type)
    if match is None:
        return b""
    return b"--" + match[1]
