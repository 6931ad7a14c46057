"""Which addresses count as the open internet."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from comfygradio.errors import ExternalRefused, ExternalUnreachable
from comfygradio.net.address_guard import AddressGuard, is_public
from tests.net.hosts import Names

CLOSED = (
    *("0.0.0.0", "0.1.2.3", "10.1.2.3", "127.0.0.1", "127.255.255.254", "255.255.255.255"),
    *("100.64.0.1", "100.100.100.200", "100.127.255.255", "169.254.169.254", "169.254.0.1"),
    *("168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.0.1"),
    *("198.18.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "::ffff:0:127.0.0.1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378::", "2001:db8::1", "100::1", "3fff::1"),
)
OPEN = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255"),
    *("172.32.0.1", "192.0.1.1", "198.17.255.255", "223.255.255.255"),
    *("2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808"),
)


@pytest.mark.parametrize("text", CLOSED)
def test_this_machine_and_its_networks_are_closed(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OPEN)
def test_the_internet_is_open(text: str) -> None:
    assert is_public(ip_address(text))


def test_nothing_is_open_that_python_knows_not_to_be() -> None:
    """The first address of each block of 65,536, in IPv4; and of each /16 of IPv6."""
    for number in range(2**16):
        for address in (IPv4Address(number << 16), IPv6Address(number << 112)):
            assert not is_public(address) or address.is_global, address


def resolve(guard: AddressGuard, host: str) -> list[str]:
    return list(map(str, asyncio.run(guard.resolve(host, 80))))


def test_one_closed_address_among_open_ones_closes_the_host() -> None:
    guard = AddressGuard(Names(mixed=[["8.8.8.8", "10.0.0.1"]], open=[["8.8.8.8", "1.1.1.1"]]))
    assert resolve(guard, "open") == ["8.8.8.8", "1.1.1.1"]
    with pytest.raises(ExternalRefused):
        resolve(guard, "mixed")


def test_what_is_no_host_says_so() -> None:
    names = Names(empty=[[]], broken=[["no address"]])
    for host in ("empty", "broken", "unknown"):
        with pytest.raises(ExternalUnreachable):
            resolve(AddressGuard(names), host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.1", "0", "::1"]
)
def test_the_systems_own_reading_of_a_host_is_what_is_checked(host: str) -> None:
    """glibc reads these as addresses of this machine, without any name server."""
    with pytest.raises(ExternalRefused):
        resolve(AddressGuard(), host)
