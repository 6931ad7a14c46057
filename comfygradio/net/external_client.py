"""The guarded client for foreign addresses. It connects only to checked addresses, and limits the
size, duration and type of responses.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any, TypeVar

import httpx

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ExternalRefused, ExternalUnreachable
from comfygradio.net.address_guard import AddressGuard, IPAddress
from comfygradio.units import MEGABYTE

T = TypeVar("T")

ADDRESSES_TRIED = 4
"""Maximum number of addresses of one host that are tried."""

CONNECT_SECONDS = 5.0

MAX_URL = 2000
"""Maximum length of a URL."""

MAX_TYPE_LENGTH = 100
"""Maximum length of a content type that is shown to people."""

LINKED_SIZE = "x-linked-size"
"""The header in which Hugging Face tells the size of the file that a redirect leads to."""

PAGE_TYPES = ("text/html", "application/xhtml+xml")
"""Content types of web pages."""

REDIRECTS = (301, 302, 303, 307, 308)

HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "comfygradio"}
"""Responses must not be compressed: a few kilobytes could decompress to gigabytes."""


@dataclass(frozen=True)
class FetchLimits:
    """Limits the size and duration of a response.

    `seconds` limits the whole request, including name resolution and redirects. A pause may last
    `grace_seconds`; after these, the response must have arrived at `least_rate` bytes a second.
    """

    size: int = 50_000_000
    seconds: float = 30.0
    least_rate: float = 2000.0
    grace_seconds: float = 5.0
    redirects: int = 5


@dataclass(frozen=True)
class FetchedResponse:
    """A response. `content_type` is in lower case and has no parameters; `content` is empty if it
    was written into a file.
    """

    status: int
    content_type: str
    size: int
    content: bytes = b""


class ExternalClient:
    """Sends HTTP requests to foreign addresses, without cookies, credentials and proxies.

    Every request opens a new connection, so that no connection is reused for another host name.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        limits: FetchLimits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard or AddressGuard()
        self._limits = limits or FetchLimits()
        self._clock = clock
        self._tls = tls

    async def fetch(self, url: str, types: Collection[str]) -> FetchedResponse:
        """GET a URL into memory. `types` are the accepted content types.

        Raises ExternalRefused and ExternalUnreachable.
        """
        file = io.BytesIO()
        answer = await self.download(url, types, file)
        return replace(answer, content=file.getvalue())

    async def download(self, url: str, types: Collection[str], file: IO[bytes]) -> FetchedResponse:
        """GET a URL into a file that is open for writing. `types` as in `fetch`.

        Raises ExternalRefused and ExternalUnreachable. The file then contains what had arrived.
        """
        parsed = parse_url(url)
        work = self._download(parsed, types, file)
        return await self._limit_time(work)

    async def post(self, url: str, content: bytes, content_type: str) -> FetchedResponse:
        """POST a body. Any content type is accepted in return. Redirects are not followed.

        Raises ExternalRefused and ExternalUnreachable.
        """
        parsed = parse_url(url)
        work = self._post(parsed, content, content_type)
        return await self._limit_time(work)

    async def measure(self, url: str) -> int | None:
        """Ask by HEAD how many bytes a file has; None if the server does not tell, and if there is
        a web page instead, such as one to log in.

        Raises ExternalRefused and ExternalUnreachable.
        """
        parsed = parse_url(url)
        work = self._measure(parsed)
        return await self._limit_time(work)

    async def _limit_time(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return await asyncio.wait_for(work, self._limits.seconds)
        except (asyncio.TimeoutError, TimeoutError) as error:  # two classes before Python 3.11
            raise ExternalUnreachable(
                f"The server took longer than {self._limits.seconds:g} s; try again later."
            ) from error

    async def _download(
        self, url: httpx.URL, types: Collection[str], file: IO[bytes]
    ) -> FetchedResponse:
        for _ in range(self._limits.redirects + 1):
            async with self._send("GET", url) as response:
                if response.status_code in REDIRECTS:
                    # The host of the target is resolved and checked like the first one.
                    url = resolve_redirect(url, response.headers.get("location", ""))
                    continue
                check_status(url, response.status_code)
                content_type = parse_content_type(response)
                if content_type not in types:
                    raise ExternalRefused(
                        f"{url.host} sends {content_type or 'a file without a type'}, "
                        "which is not taken here; use the address of the file itself."
                    )
                size = await self._read(url, response, file)
                return FetchedResponse(response.status_code, content_type, size)
        raise ExternalRefused(f"{url.host} sends us on and on; use the address at the end of that.")

    async def _measure(self, url: httpx.URL) -> int | None:
        for _ in range(self._limits.redirects + 1):
            async with self._send("HEAD", url) as response:
                # Hugging Face tells it before it sends us on to where its files are.
                linked_size = parse_length(response.headers.get(LINKED_SIZE, ""))
                if linked_size is not None:
                    return linked_size
                if response.status_code in REDIRECTS:
                    url = resolve_redirect(url, response.headers.get("location", ""))
                    continue
                check_status(url, response.status_code)
                if parse_content_type(response) in PAGE_TYPES:
                    return None
                length = parse_length(response.headers.get("content-length", ""))
                # Some servers write 0 because the answer to a HEAD request has no body.
                return length or None
        raise ExternalRefused(f"{url.host} sends us on and on; use the address at the end of that.")

    async def _post(self, url: httpx.URL, content: bytes, content_type: str) -> FetchedResponse:
        file = io.BytesIO()
        async with self._send("POST", url, content, content_type) as response:
            check_status(url, response.status_code)
            size = await self._read(url, response, file)
            return FetchedResponse(
                status=response.status_code,
                content_type=parse_content_type(response),
                size=size,
                content=file.getvalue(),
            )

    @asynccontextmanager
    async def _send(
        self, method: str, url: httpx.URL, content: bytes = b"", content_type: str = ""
    ) -> AsyncIterator[httpx.Response]:
        """Send one request. Yields its response with only the headers read."""
        addresses = await self._guard.resolve(url.host, find_port(url))
        headers = {**HEADERS, "Host": url.netloc.decode("ascii")}
        if content_type:
            headers["Content-Type"] = content_type
        async with self._open() as client:
            with translated(url):
                response = await self._connect(client, method, url, addresses, headers, content)
            try:
                yield response
            finally:
                await response.aclose()

    async def _connect(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: httpx.URL,
        addresses: list[IPAddress],
        headers: dict[str, str],
        content: bytes,
    ) -> httpx.Response:
        """Send the request to the first address that accepts a connection.

        The URL contains the address; the `Host` header and TLS use the name.
        """
        tried = addresses[:ADDRESSES_TRIED]
        for address in tried:
            request = client.build_request(
                method,
                url.copy_with(host=str(address)),
                headers=headers,
                content=content or None,
                extensions={"sni_hostname": url.host},
            )
            try:
                return await client.send(request, stream=True, follow_redirects=False)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nothing was sent yet. After any other error, the request is not repeated.
                if address == tried[-1]:
                    raise
        raise AssertionError("The guard gives at least one address.")

    def _open(self) -> httpx.AsyncClient:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        limits = self._limits
        return httpx.AsyncClient(
            verify=self._tls,
            # A proxy would resolve the name by itself, and
            # the guard would have checked another address.
            trust_env=False,
            # The first number limits every single pause; `_limit_time` limits the whole.
            timeout=httpx.Timeout(limits.grace_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def _read(self, url: httpx.URL, response: httpx.Response, file: IO[bytes]) -> int:
        """Write the body into a file. Returns its size."""
        most = self._limits.size
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise ExternalRefused(f"{url.host} sends the file packed, although we asked not to.")
        announced = parse_length(response.headers.get("content-length", ""))
        if announced is not None and announced > most:
            raise ExternalRefused(describe_size(url, most))
        began = self._clock.monotonic()
        size = 0
        with translated(url):
            # `aiter_bytes` would decompress what was packed.
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > most:
                    raise ExternalRefused(describe_size(url, most))
                seconds = self._clock.monotonic() - began
                self._check_rate(url, size, seconds)
                file.write(chunk)
        return size

    def _check_rate(self, url: httpx.URL, size: int, seconds: float) -> None:
        limits = self._limits
        if seconds <= limits.grace_seconds:
            return
        due = seconds * limits.least_rate
        if size < due:
            raise ExternalUnreachable(f"{url.host} sends the file too slowly; try again later.")


def parse_url(text: str) -> httpx.URL:
    """Parse a URL that may be fetched, and drop its fragment.

    Raises ExternalRefused if its scheme is not HTTP or if it contains a user or password.
    """
    if len(text) > MAX_URL:
        raise ExternalRefused(f"An address may have at most {MAX_URL} characters.")
    try:
        url = httpx.URL(text)
        port = url.port
    except (httpx.InvalidURL, ValueError) as error:
        raise ExternalRefused("This is not an address; it begins with https://.") from error
    is_port = port is None or 0 < port < 65_536
    is_web = url.scheme in ("http", "https")
    if not is_web or not url.host or not is_port:
        raise ExternalRefused(
            "This is not an address of a file on the web; it begins with https://."
        )
    if url.userinfo:
        raise ExternalRefused("Leave the user and password out of the address.")
    return url.copy_with(fragment=None)


def resolve_redirect(url: httpx.URL, location: str) -> httpx.URL:
    """Resolve the target of a redirect. Raises ExternalRefused, also if it leads from https to
    http.
    """
    try:
        target = parse_url(str(url.join(location)))
    except httpx.InvalidURL as error:
        raise ExternalRefused(
            f"{url.host} sends us on to something that is not an address."
        ) from error
    if url.scheme == "https" and target.scheme == "http":
        raise ExternalRefused(
            f"{url.host} sends us on to an address without https; name it itself."
        )
    return target


def find_port(url: httpx.URL) -> int:
    """Return the port of a URL, or the default of its scheme."""
    if url.port is not None:
        return url.port
    return 443 if url.scheme == "https" else 80


def check_status(url: httpx.URL, status: int) -> None:
    """Raise ExternalUnreachable for a status other than success."""
    if status in REDIRECTS:
        raise ExternalUnreachable(f"{url.host} sends us on (HTTP {status}); use that address.")
    if not 200 <= status < 300:
        raise ExternalUnreachable(f"{url.host} does not give this file (HTTP {status}).")


def parse_length(text: str) -> int | None:
    """Parse a number of bytes out of a header; None for anything else."""
    # Python refuses to read a number of thousands of digits.
    if text.isascii() and text.isdecimal() and len(text) < 20:
        return int(text)
    return None


def parse_content_type(response: httpx.Response) -> str:
    """Return the content type of a response without parameters, or ""."""
    header: str = response.headers.get("content-type", "")
    without_parameters, _, _ = header.partition(";")
    content_type = without_parameters.strip().lower()
    return content_type[:MAX_TYPE_LENGTH]


def describe_size(url: httpx.URL, most: int) -> str:
    """Say that a response is too large."""
    megabytes = most / MEGABYTE
    return f"The file at {url.host} is too large; at most {megabytes:g} MB are allowed."


@contextmanager
def translated(url: httpx.URL) -> Iterator[None]:
    """Turn errors of httpx into ExternalUnreachable."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise ExternalUnreachable(
            f"{url.host} does not answer in time; try again later."
        ) from error
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            text = f"The certificate of {url.host} is not trusted; use another address."
            raise ExternalUnreachable(text) from error
        raise ExternalUnreachable(
            f"{url.host} gives no answer that can be read; check the address."
        ) from error
