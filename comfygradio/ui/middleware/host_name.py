"""The names under which the page is reached, and whether an origin is the page itself."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from comfygradio.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names that always mean this machine; Gradio calls its own page by them."""

WILDCARD_ADDRESSES = ("0.0.0.0", "::")
"""Addresses that stand for all addresses of this machine."""

NETLOC = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::([0-9]{1,5}))?")
"""A name or an address, with or without a port."""

DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class OwnNames:
    """The names of the app.

    `names` have no ports. `hosts`, with ports, are where its own pages come from behind a proxy
    that calls the app by another name. With `any_address` every IP address is a name of the app;
    that is safe, since DNS rebinding needs a name.
    """

    names: frozenset[str]
    hosts: frozenset[str] = frozenset()
    any_address: bool = False

    def is_own(self, netloc: str) -> bool:
        """Return whether this value of a Host header is one of our names."""
        name = split_name(netloc)
        if name is None:
            return False
        if name in self.names:
            return True
        return self.any_address and is_address(name)

    def is_own_origin(self, origin: str, netloc: str) -> bool:
        """Return whether this Origin header is the page's own; `netloc` is the requested host."""
        scheme, separator, host = origin.lower().partition("://")
        if not separator or scheme not in DEFAULT_PORTS:
            return False
        if not NETLOC.fullmatch(host):
            return False
        default_port = f":{DEFAULT_PORTS[scheme]}"
        bare = host.removesuffix(default_port)
        asked = netloc.lower().removesuffix(default_port)
        return bare == asked or bare in self.hosts


def find_own_names(settings: Settings) -> OwnNames:
    """Collect the names of the app from the settings and from this machine."""
    host = settings.host.strip("[]").lower()
    is_everywhere = host in WILDCARD_ADDRESSES
    names = {*LOOPBACK, *settings.allow_hosts}
    hosts = set(settings.allow_hosts)
    if is_everywhere:
        machine = socket.gethostname().lower()
        short, _, _ = machine.partition(".")
        names.update([machine, f"{short}.local"])
    else:
        names.add(host)
    if "://" in settings.root_path:
        root = urlsplit(settings.root_path.lower())
        names.add(root.hostname or "")
        hosts.add(root.netloc)
    for name in settings.space_host.lower().split(","):
        names.add(name.strip())
        hosts.add(name.strip())
    names.discard("")
    hosts.discard("")
    return OwnNames(frozenset(names), frozenset(hosts), any_address=is_everywhere)


def split_name(netloc: str) -> str | None:
    """Take the name out of a Host header, without port, brackets and trailing dot; None if the
    header holds no name.
    """
    match = NETLOC.fullmatch(netloc.lower())
    if match is None:
        return None
    return match[1].strip("[]").rstrip(".")


def is_address(name: str) -> bool:
    """Return whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
