"""HTTP to one ComfyUI server, with httpx. Its errors are translated here and nowhere else in
`comfy`.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from comfygradio.comfy.address import Address
from comfygradio.comfy.traffic import CallRecord
from comfygradio.errors import (
    AccessDenied,
    NotFound,
    ServerError,
    ServerUnreachable,
    UnexpectedResponse,
)

CONNECT_SECONDS = 10.0
PREFIX_HINTS = frozenset([301, 302, 303, 307, 308, 404, 405])
"""Statuses with which a gateway may answer a route without its prefix."""
GATEWAY_ERRORS = frozenset([502, 503, 504, *range(520, 531)])


@dataclass(frozen=True)
class Access:
    """How to reach a server: its address, extra headers, TLS check (False, True or a CA file) and
    timeout in seconds.
    """

    address: Address
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    timeout_seconds: float = 60.0

    @property
    def all_headers(self) -> dict[str, str]:
        """Our headers and, unless they contain one, the Authorization header of the URL."""
        login = self.address.authorization
        names = {name.lower() for name in self.headers}
        if not login or "authorization" in names:
            return dict(self.headers)
        return {"Authorization": login, **self.headers}


class Transport:
    """Sends requests to one server. Thread-safe.

    Routes have no prefix, or the prefix /api if a gateway forwards only that.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self.prefix = ""
        self._certain = False
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all idle connections. A later request opens new ones."""
        with self._lock:
            client = self._client
            self._client = None
        if client:
            client.close()

    def get_json(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET and decode JSON, including NaN and Infinity. Raises ServerError."""
        response = self.request("GET", path, params=params)
        return self.decode(response)

    def get_bytes(self, path: str, params: Mapping[str, Any]) -> bytes:
        """GET a file. Raises ServerError, also for a web page, which is a login page."""
        response = self.request("GET", path, params=params)
        if _is_page(response):
            raise _describe_content(response, self.access.address)
        return response.content

    def post_json(self, path: str, body: Any, *, accept: tuple[int, ...] = ()) -> httpx.Response:
        """POST a JSON body. Raises ServerError."""
        # The encoder of httpx refuses NaN, infinity and
        # unpaired surrogates, which a graph may contain.
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self.request("POST", path, accept=accept, content=content, headers=headers)

    def request(
        self, method: str, path: str, *, accept: Container[int] = (), **options: Any
    ) -> httpx.Response:
        """Send one request. Raises ServerError for a status of 300 or above unless it is in
        `accept`.
        """
        response = self._send(method, self.prefix + path, **options)
        if self._is_foreign(response):
            # A gateway answered in ComfyUI's place, so even
            # a POST had no effect yet and may be sent again.
            has_prefix = self.find_prefix()
            if has_prefix:
                response = self._send(method, self.prefix + path, **options)
        if response.status_code not in accept:
            check_status(response, self.access.address)
        return response

    def decode(self, response: httpx.Response) -> Any:
        """Decode the JSON of a response.

        Raises AccessDenied for a web page and UnexpectedResponse for anything else.
        """
        try:
            data = json.loads(response.content)
        except (ValueError, RecursionError):
            raise _describe_content(response, self.access.address) from None
        # A JSON answer counts as proof that the prefix in use leads to ComfyUI.
        self._certain = True
        return data

    def download(self, path: str, params: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the chunks of one file as they arrive. Raises ServerError."""
        path = self.prefix + path
        params = self._merge(params)
        with self.translated(), self._stream(path, params) as response:
            check_status(response, self.access.address)
            if _is_page(response):
                raise _describe_content(response, self.access.address)
            yield from response.iter_bytes()

    def find_prefix(self) -> bool:
        """Find out whether routes need the prefix /api. Asks the server once, after an unexpected
        response.
        """
        if self._certain:
            return False
        # ComfyUI serves both; servers before June 2024 know no /api.
        for prefix in ("", "/api"):
            if self._is_comfyui(f"{prefix}/system_stats"):
                self.prefix = prefix
                self._certain = True
                break
        return self.prefix != ""

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn every error of httpx into a ServerError that contains no secret."""
        try:
            yield
        except (
            httpx.HTTPError,
            httpx.StreamError,
            httpx.InvalidURL,
            httpx.CookieConflict,
        ) as error:
            raise translate(error, self.access) from None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        options["params"] = self._merge(options.get("params"))
        with self.translated():
            try:
                return self._call(method, path, **options)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # A server closes idle connections, perhaps just as one of them is used again.
                if method != "GET":
                    raise
                return self._call(method, path, **options)

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and read its whole response."""
        record = CallRecord(self.access.address, method, path, options["params"])
        try:
            response = self._open().request(method, self._url(path), **options)
        except Exception as error:
            record.fail(error)
            raise
        sent = response.request.headers.get("content-length", "0")
        record.end(response.status_code, response.num_bytes_downloaded, int(sent))
        return response

    @contextmanager
    def _stream(self, path: str, params: Mapping[str, Any]) -> Iterator[httpx.Response]:
        """Stream a response. It is logged when the last chunk was read."""
        record = CallRecord(self.access.address, "GET", path, params)
        with ExitStack() as stack:
            try:
                # Only opening is caught here: an exception of the caller's block is no failed call.
                streamed = self._open().stream("GET", self._url(path), params=params)
                response = stack.enter_context(streamed)
            except Exception as error:
                record.fail(error)
                raise
            try:
                yield response
            finally:
                record.end(response.status_code, response.num_bytes_downloaded)

    def _is_foreign(self, response: httpx.Response) -> bool:
        """Whether a response may come from a gateway that wants the prefix."""
        if self._certain:
            return False
        base_path = urlsplit(self.access.address.base).path
        path = response.request.url.path
        # It was sent with the prefix already, so asking with the prefix would change nothing.
        if path.startswith(f"{base_path}/api/"):
            return False
        return response.status_code in PREFIX_HINTS or _is_page(response)

    def _is_comfyui(self, path: str) -> bool:
        response = self._send("GET", path)
        if response.status_code != 200:
            return False
        try:
            stats = json.loads(response.content)
        except ValueError:
            return False
        return isinstance(stats, dict)

    def _url(self, path: str) -> str:
        return self.access.address.base + path

    def _merge(self, params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Join the address's parameters and these, without those that are None."""
        merged: dict[str, Any] = dict(self.access.address.params)
        if params is None:
            return merged
        for key, value in params.items():
            if value is not None:
                merged[key] = value
        return merged

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = _create_client(self.access)
            return self._client


def translate(error: Exception, access: Access) -> ServerError:
    """Translate an exception of httpx into a ServerError that names the server and says
    what to do.
    """
    address = access.address
    # httpx has no exception of its own for this; OpenSSL's code appears in the text.
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ServerUnreachable(
            f"The TLS certificate of {address} is not trusted. Name its CA file, or switch the "
            "check off."
        )
    # A ConnectTimeout reached nothing at all, which the case of TransportError says.
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return ServerUnreachable(
            f"ComfyUI at {address} did not answer within {access.timeout_seconds:g} s."
        )
    if isinstance(error, httpx.ProxyError):
        return ServerUnreachable(
            f"The proxy before {address} does not let us through. Check HTTP_PROXY and NO_PROXY."
        )
    if isinstance(
        error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | httpx.CloseError
    ):
        return ServerUnreachable(
            f"ComfyUI at {address} cut the connection off. Is it still running?"
        )
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return ServerUnreachable(
            f"ComfyUI at {address} does not answer. Is it running? Start it, or check the address."
        )
    return UnexpectedResponse(
        f"{address} gave an answer that cannot be read. Is it really ComfyUI?"
    )


def check_status(response: httpx.Response, address: Address) -> None:
    """Raise the ServerError for a status of 300 or above."""
    status = response.status_code
    if status < 300:
        return
    if status < 400:
        raise AccessDenied(
            f"{address} sends us on{_name_target(response)} instead of answering (HTTP {status}). "
            "Give the credentials it wants, or use the address it sends to."
        )
    if status in (401, 403, 407):
        raise AccessDenied(
            f"{address} refuses access (HTTP {status}). Check the token, password or headers."
        )
    if status in (404, 405):
        raise NotFound(f"ComfyUI at {address} has no such file, job or route (HTTP {status}).")
    if status == 413:
        raise UnexpectedResponse(_describe_limit(response, address), status)
    if status in GATEWAY_ERRORS:
        raise ServerUnreachable(
            f"The gateway before {address} cannot reach ComfyUI (HTTP {status}). Is it running?"
        )
    raise UnexpectedResponse(
        f"ComfyUI at {address} could not handle the request (HTTP {status}). Its own log "
        "tells more.",
        status,
    )


def _create_client(access: Access) -> httpx.Client:
    seconds = access.timeout_seconds
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    # With a maximum, further requests would wait for a free connection and end in a PoolTimeout.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
    return httpx.Client(
        headers=access.all_headers,
        verify=create_tls(access) or False,
        timeout=timeout,
        limits=limits,
        # A redirect would take tokens and keys in the headers along to wherever it leads.
        follow_redirects=False,
        # Without NO_PROXY, httpx would ask the proxy of the environment for this machine.
        trust_env=not access.address.loopback,
    )


def create_tls(access: Access) -> ssl.SSLContext | None:
    """Create the TLS context, or None if TLS is not used or not verified.

    Raises ServerUnreachable for an unusable CA file.
    """
    if not access.address.secure or access.verify is False:
        return None
    if access.verify is True:
        return httpx.create_ssl_context(trust_env=not access.address.loopback)
    ca = Path(access.verify)
    try:
        if ca.is_dir():
            return ssl.create_default_context(capath=str(ca))
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise ServerUnreachable(
            f"The CA file {ca} cannot be used: {error.strerror or error}."
        ) from None


def _is_page(response: httpx.Response) -> bool:
    """Whether this is a web page, such as a login page."""
    if response.status_code >= 400:
        return False
    content_type = response.headers.get("content-type", "")
    return "html" in content_type


def _describe_content(response: httpx.Response, address: Address) -> ServerError:
    if _is_page(response):
        return AccessDenied(
            f"{address} answers with a web page instead of data. Either it wants a login, then "
            "give a token or headers, or it is not ComfyUI, then check the address."
        )
    return UnexpectedResponse(
        f"{address} does not answer like ComfyUI. Check the address.", response.status_code
    )


def _describe_limit(response: httpx.Response, address: Address) -> str:
    # aiohttp answers "Maximum request body size 104857600 exceeded", gateways in other words.
    found = re.search(r"\d{4,}", response.text[:500])
    limit = ""
    if found:
        mebibytes = int(found[0]) / 2**20
        limit = f" of {mebibytes:g} MiB"
    return (
        f"This is larger than the limit{limit} that {address} sets for uploads. Use a smaller file."
    )


def _name_target(response: httpx.Response) -> str:
    location = response.headers.get("location", "")
    try:
        target = urlsplit(location)
    except ValueError:
        return ""
    if not target.hostname:
        return ""
    return f" to {target.scheme}://{target.hostname}"
