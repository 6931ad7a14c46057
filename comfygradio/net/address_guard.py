"""Resolve host names, and allow only public network addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from comfygradio.errors import ExternalRefused, ExternalUnreachable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

Resolver = Callable[[str, int], Iterable[str]]
"""Resolves a host to all its addresses, as strings. Raises OSError or UnicodeError."""

NON_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # "this network", which the system takes for this machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # between a provider and its customers (CGNAT); Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's metadata, under a public address
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""Networks that are not on the public internet, by IANA's registry of special addresses."""

PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is given out on the open internet so far; loopback, private, link-local, site-local and
multicast addresses lie outside of it.
"""

NON_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them, which holds an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4: holds an IPv4 address, and nobody uses it any more
        "3fff::/20",
        "5f00::/16",
    )
)

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""The prefix under which IPv6-only networks reach the IPv4 internet. The last 32 bits are the IPv4
address.
"""

RESOLVER_THREADS = 4
"""A name server may be slow on purpose, so that lookups have threads of their own."""


def is_public(address: IPAddress) -> bool:
    """Whether an address is on the public internet, and not this machine or one of its networks."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NON_PUBLIC_V4)
    # The system connects ::ffff:10.0.0.1 to 10.0.0.1.
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in NAT64:
        last_32_bits = int(address) & 0xFFFFFFFF
        return is_public(ipaddress.IPv4Address(last_32_bits))
    if address not in PUBLIC_V6:
        return False
    return not any(address in network for network in NON_PUBLIC_V6)


def resolve_host(host: str, port: int) -> list[str]:
    """Resolve a host with the system's resolver. Raises OSError and UnicodeError."""
    addresses: list[str] = []
    for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        socket_address = entry[-1]
        addresses.append(str(socket_address[0]))
    return addresses


class AddressGuard:
    """Resolves hosts to addresses that may be connected to.

    `allowed` are addresses that may be connected to although they are not public.
    """

    def __init__(
        self, resolver: Resolver = resolve_host, allowed: Iterable[IPAddress] = ()
    ) -> None:
        self._resolver = resolver
        self._allowed = frozenset(allowed)
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, "comfygradio-names")

    async def resolve(self, host: str, port: int) -> list[IPAddress]:
        """Resolve a host to its addresses, and check all of them. Connect to these addresses and
        never to the name, which could resolve differently the next time.

        Raises ExternalRefused if an address is not public, and ExternalUnreachable if there is
        none.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._look_up, host, port)
            addresses = [ipaddress.ip_address(text) for text in found]
        except (OSError, ValueError) as error:  # UnicodeError is a ValueError
            raise ExternalUnreachable(f"There is no server {host}; check the address.") from error
        if not addresses:
            raise ExternalUnreachable(f"There is no server {host}; check the address.")
        for address in addresses:
            if address not in self._allowed and not is_public(address):
                raise ExternalRefused(
                    f"{host} is not on the open internet; use an address that everybody can reach."
                )
        return addresses

    def _look_up(self, host: str, port: int) -> list[str]:
        found = self._resolver(host, port)
        different = dict.fromkeys(found)  # unlike a set, it keeps the order
        return list(different)
