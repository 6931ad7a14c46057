"""Where a request comes from: the network address that limits count by, and whether somebody sits
at this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX_BITS = 64
"""Of an IPv6 address so many bits count: a household or a host has all that begin with them."""

MAX_HOPS = 20
"""Addresses of `X-Forwarded-For` that are looked at, from its end."""


def find_address(peer: str, headers: Headers, proxies: Sequence[Network]) -> str:
    """The network address that a request counts for; "" where that cannot be told.

    What `X-Forwarded-For` says counts only as far as `proxies` have written it: from its end the
    first address that is none of theirs. What stands before that anybody can invent.
    """
    address = _parse_address(peer)
    if address is None:
        return ""
    forwarded: list[str] = []
    for line in headers.getlist("x-forwarded-for"):
        forwarded.extend(line.split(","))
    for hop in reversed(forwarded[-MAX_HOPS:]):
        if not is_among(address, proxies):
            break
        before = _parse_address(_drop_port(hop.strip()))
        if before is None:
            break
        address = before
    return _mask_address(address)


def find_network(scope: Scope) -> str:
    """The network address of whoever is connected, be it a person or a proxy; what is no address
    stays as it is.
    """
    client = scope.get("client")
    host = str(client[0]) if client else ""
    address = _parse_address(host)
    if address is None:
        return host
    return _mask_address(address)


def is_local(peer: str, headers: Headers) -> bool:
    """Whether a request was sent on this machine, to one of its own names, and through no proxy
    that says so.

    A proxy that adds no header at all cannot be told from a browser here: so nothing may hang on
    this unless whoever starts the app said that it may.
    """
    address = _parse_address(peer)
    if address is None or not address.is_loopback:
        return False
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    if any(map(_is_forwarding, headers.keys())):
        return False
    return is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own, and nobody else's."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_among(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of these networks."""
    comparable = [network for network in networks if network.version == address.version]
    return any(address in network for network in comparable)


def _is_forwarding(name: str) -> bool:
    """Whether only a proxy adds this header."""
    if name.startswith("x-forwarded-"):
        return True
    return name in ("forwarded", "via", "x-real-ip")


def _parse_address(text: str) -> Address | None:
    bare, _, _ = text.partition("%")  # without the interface of a link-local address
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _drop_port(hop: str) -> str:
    """Some proxies write a port behind the address: `1.2.3.4:5678` or `[2001:db8::1]:5678`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    if hop.count(":") == 1:
        return hop.partition(":")[0]
    return hop


def _mask_address(address: Address) -> str:
    """IPv4 addresses and loopback as they are; of IPv6 the network that one household has."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    network = ipaddress.ip_network((address, PREFIX_BITS), strict=False)
    return str(network)
