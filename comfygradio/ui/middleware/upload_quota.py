"""Counts uploads against the quota while they come in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.errors import LimitReached
from comfygradio.service.upload_quota import Quota


def name_address(scope: Scope) -> str:
    """Who sends a request, by the network address: one for each IPv4 address, and for each /64 of
    IPv6, since a household has all of that.
    """
    client = scope.get("client")
    host = client[0] if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = int(address) >> 64 << 64
        return str(ipaddress.IPv6Network((network, 64)))
    return str(address)


class UploadQuotaMiddleware:
    """Counts what comes in by Gradio's upload route, while it is read; the answer is 429 where it
    is too much.

    `name_person` gives the text that stands for who sends a request.
    """

    def __init__(
        self, app: ASGIApp, quota: Quota, name_person: Callable[[Scope], str] = name_address
    ) -> None:
        self._app = app
        self._quota = quota
        self._name_person = name_person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
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
    """One upload while it comes in."""

    def __init__(self, quota: Quota, person: str, boundary: bytes) -> None:
        self.is_refused = False
        self._quota = quota
        self._person = person
        self._boundary = boundary
        self._boundaries = 0
        self._end = b""

    def count(self, message: Message) -> None:
        """Count the next part.

        Raises MultiPartException where it is too much or the last one: Gradio then deletes what it
        has of this upload, which after any other error it leaves behind.
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
        """How many files begin here. A boundary stands before each file, and one at the end of the
        last, which comes when that one was counted: so each but the first counts.
        """
        seen = self._end + body
        found = seen.count(self._boundary) if self._boundary else 0
        # A boundary may be cut in two: its beginning is looked at together with the next part.
        kept = len(self._boundary) - 1
        self._end = seen[max(0, len(seen) - kept) :]
        is_first = found > 0 and self._boundaries == 0
        self._boundaries += found
        return found - 1 if is_first else found


def is_upload(scope: Scope) -> bool:
    """Whether a request is one to Gradio's upload route, with or without the path of a proxy."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    path: str = scope["path"]
    return path.rstrip("/").endswith("/gradio_api/upload")


def find_boundary(scope: Scope) -> bytes:
    """What stands between the files of an upload; empty where its head does not say it."""
    named = dict(scope["headers"]).get(b"content-type", b"")
    found = re.search(rb'(?i)boundary="?([^";]{1,100})', named)
    return b"--" + found[1] if found else b""
