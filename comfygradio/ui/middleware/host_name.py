"""Under which names the page is reached, and which other websites may call it."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from comfygradio.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine that nobody else can have; Gradio calls its own page by them."""

WILDCARD_ADDRESSES = ("0.0.0.0", "::")
"""Addresses that stand for all of this machine's."""

NETLOC = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::([0-9]{1,5}))?")
"""A name or an address, with or without a port."""

DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class OwnNames:
    """The names of the app, without ports, and the hosts (with ports) from which its own pages
    come though the proxy calls the app otherwise.

    With `any_address` every IP address is one: a foreign website needs a name to pass for ours.
    """

    names: frozenset[str]
    hosts: frozenset[str] = frozenset()
    any_address: bool = False

    def is_own(self, netloc: str) -> bool:
        """Whether a request for this host, as a Host header names it, is for us."""
        name = split_name(netloc)
        if name is None:
            return False
        if name in self.names:
            return True
        return self.any_address and is_address(name)

    def is_own_origin(self, origin: str, netloc: str) -> bool:
        """Whether an Origin header names the page itself, which was asked for as `netloc`."""
        scheme, separator, host = origin.lower().partition("://")
        if not separator or scheme not in DEFAULT_PORTS or not NETLOC.fullmatch(host):
            return False
        default_port = f":{DEFAULT_PORTS[scheme]}"
        bare = host.removesuffix(default_port)
        asked = netloc.lower().removesuffix(default_port)
        return bare == asked or bare in self.hosts


def find_own_names(settings: Settings) -> OwnNames:
    """The names that the settings and this machine give."""
    host = settings.host.strip("[]").lower()
    names = {*LOOPBACK, *settings.allow_hosts}
    hosts = set(settings.allow_hosts)
    if host in WILDCARD_ADDRESSES:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine.split('.')[0]}.local"}
    else:
        names.add(host)
    if "://" in settings.root_path:
        root = urlsplit(settings.root_path.lower())
        names.add(root.hostname or "")
        hosts.add(root.netloc)
    spaces = {name.strip() for name in settings.space_host.lower().split(",")}
    names |= spaces
    hosts |= spaces
    return OwnNames(frozenset(names - {""}), frozenset(hosts - {""}), host in WILDCARD_ADDRESSES)


def split_name(netloc: str) -> str | None:
    """The name in a Host header, without port, brackets and the dot at its end; None if it is not
    one.
    """
    match = NETLOC.fullmatch(netloc.lower())
    if match is None:
        return None
    return match[1].strip("[]").rstrip(".")


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
