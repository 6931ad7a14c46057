"""How much may be uploaded in an hour, by one person and by all of them together.

The numbers stand here, and in the README's table of settings. Files from the web
(`service.web_file`) have a quota of their own with the same numbers, of which all links together
are one person.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import LimitReached

HOUR = 3600.0

FILES_PER_HOUR = 2000
"""Of one person; each picture that is painted on comes as three files."""

BYTES_PER_HOUR = 4_000_000_000
"""Of one person: forty uploads of the largest size that is allowed at first."""

TOTAL_FACTOR = 10
"""The total quota as a multiple of one person's."""

MAX_TRACKED = 10_000
"""Most people tracked at once."""

TOO_MUCH = "You have uploaded as much as is allowed in an hour; try again in {minutes} minutes."
TOTAL_TOO_MUCH = "So much is being uploaded that no more is taken; try again in {minutes} minutes."


@dataclass
class QuotaUsage:
    """Usage that decays linearly to zero within an hour."""

    files: float = 0.0
    size: float = 0.0
    at: float = 0.0


class Quota:
    """Counts files and bytes of people and of everybody. Thread-safe."""

    def __init__(
        self,
        files: int = FILES_PER_HOUR,
        size: int = BYTES_PER_HOUR,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._files = files
        self._size = size
        self._clock = clock
        self._people: dict[str, QuotaUsage] = {}
        self._all = QuotaUsage()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """People of whom something is known."""
        return len(self._people)

    def take(self, person: str, files: int, size: int) -> None:
        """Count files and bytes of a person, whatever text stands for the person.

        Raises LimitReached, and counts nothing, where it is too much.
        """
        with self._lock:
            account = self._open(person)
            self._settle(self._all, TOTAL_FACTOR)
            self._check(account, files, size, 1, TOO_MUCH)
            self._check(self._all, files, size, TOTAL_FACTOR, TOTAL_TOO_MUCH)
            for one in (account, self._all):
                one.files += files
                one.size += size

    def _open(self, person: str) -> QuotaUsage:
        if person not in self._people and len(self._people) >= MAX_TRACKED:
            # The one who took something last longest ago has the least to be remembered for.
            oldest = next(iter(self._people))
            del self._people[oldest]
        account = self._people.pop(person, QuotaUsage())
        self._people[person] = account
        self._settle(account, 1)
        return account

    def _settle(self, account: QuotaUsage, people: int) -> None:
        """Refill by the time that has passed."""
        now = self._clock.monotonic()
        share = people * (now - account.at) / HOUR
        files = account.files - share * self._files
        size = account.size - share * self._size
        account.files = max(0.0, files)
        account.size = max(0.0, size)
        account.at = now

    def _check(self, account: QuotaUsage, files: int, size: int, people: int, text: str) -> None:
        files_over = (account.files + files) / (people * self._files)
        size_over = (account.size + size) / (people * self._size)
        over = max(files_over, size_over)
        if over > 1:
            seconds = min(1.0, over - 1) * HOUR
            minutes = max(1, round(seconds / 60))
            raise LimitReached(text.format(minutes=minutes))


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
