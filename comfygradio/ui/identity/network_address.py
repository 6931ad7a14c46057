"""Where a request comes from: the network address that limits count by, and whether it was sent on
this machine.
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
"""How many bits of an IPv6 address count: one household or host has all addresses behind them."""

MAX_HOPS = 20
"""How many addresses of `X-Forwarded-For` are looked at, from its end."""


def find_address(peer: str, headers: Headers, proxies: Sequence[Network]) -> str:
    """Find the network address that a request counts for; "" if it cannot be told.

    Only what our `proxies` wrote into `X-Forwarded-For` is believed: the address is the last one
    there that is not a proxy's. Anybody can invent the addresses before it.
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
    """Find the network address of the direct peer, which may be a proxy; a peer that is not an IP
    address is returned as it is.
    """
    client = scope.get("client")
    host = str(client[0]) if client else ""
    address = _parse_address(host)
    if address is None:
        return host
    return _mask_address(address)


def is_local(peer: str, headers: Headers) -> bool:
    """Return whether a request was sent on this machine, to one of its own names, and not through
    a proxy that adds a header.

    A proxy that adds no header at all looks like a browser. So rely on this only if the settings
    explicitly allow it.
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
    """Return whether this is a loopback name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_among(address: Address, networks: Sequence[Network]) -> bool:
    """Return whether an address belongs to one of these networks."""
    # An IPv4 address cannot be compared with an IPv6 network.
    comparable = [network for network in networks if network.version == address.version]
    return any(address in network for network in comparable)


def _is_forwarding(name: str) -> bool:
    """Return whether only proxies add this header."""
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
    """Drop the port that some proxies add: `1.2.3.4:5678` or `[2001:db8::1]:5678`."""
    if hop.startswith("["):
        address, _, _ = hop[1:].partition("]")
        return address
    if hop.count(":") == 1:
        address, _, _ = hop.partition(":")
        return address
    return hop


def _mask_address(address: Address) -> str:
    """Write an address as limits count it: an IPv6 address as the network of its household."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    network = ipaddress.ip_network((address, PREFIX_BITS), strict=False)
    return str(network)
