"""The address of a ComfyUI server: parse its URL into what HTTP and WebSocket need."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from comfygradio.errors import SettingsError

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True)
class Address:
    """A server's address; `str()` and `repr()` show neither password nor token."""

    base: str
    """Scheme, host, port and path prefix, without a slash at the end: `https://host/comfy`."""
    host: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Query parameters that every request carries, such as `token`."""
    authorization: str | None = field(default=None, repr=False)
    """The Authorization header made from `user:password@`, or None."""
    name: str = ""
    """What texts for people call the server, if not its address."""

    def __str__(self) -> str:
        return self.name or self.base

    @property
    def secure(self) -> bool:
        """True for https."""
        return self.base.startswith("https:")

    @property
    def loopback(self) -> bool:
        """True if the host is this machine, so that no proxy is used."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    def socket_url(self, path: str, client_id: str) -> str:
        """Build the WebSocket URL of `path` (`/ws` or `/api/ws`). It contains the token, so never
        show it.
        """
        params = {**self.params, "clientId": client_id}
        query = urlencode(params)
        # What remains begins with "s://" or "://", so that https becomes wss and http becomes ws.
        rest = self.base.removeprefix("http")
        return f"ws{rest}{path}?{query}"


def parse_url(url: str) -> Address:
    """Parse a server's URL. The scheme defaults to http.

    Raises SettingsError, whose message contains no secret.
    """
    text = url.strip()
    if "://" not in text:
        text = f"http://{text}"
    parts = _split_url(text)
    scheme = SCHEMES.get(parts.scheme.lower())
    if scheme is None:
        raise SettingsError("The ComfyUI address has to begin with http:// or https://.")
    path = parts.path.rstrip("/")
    return Address(
        base=f"{scheme}://{_show_host(parts)}{path}",
        host=(parts.hostname or "").lower(),
        params=dict(parse_qsl(parts.query, keep_blank_values=True)),
        authorization=_authorize(parts),
    )


def _split_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Reading `port` raises ValueError unless it is a number up to 65535.
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(char.isspace() for char in url):
        raise SettingsError(
            "The ComfyUI address is not a URL; it looks like http://127.0.0.1:8188."
        )
    return parts


def _show_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    # urlsplit has removed the brackets of an IPv6 address.
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None:
        return host
    return f"{host}:{parts.port}"


def _authorize(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user = unquote(parts.username)
    password = unquote(parts.password or "")
    login = base64.b64encode(f"{user}:{password}".encode())
    return "Basic " + login.decode("ascii")
