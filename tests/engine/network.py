"""Machines that are really apart: network namespaces with addresses of their own, on a bridge to
this one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.shell import ROOT

APART = ("unshare", "--net")
"""Before a command: it gets a network of its own. A change of this machine's own network ends what
its browsers load (Chromium: ERR_NETWORK_CHANGED), be it for another test.
"""

TAG = f"cg{os.getpid() % 100000}"


@dataclass
class Host:
    """One machine of the network; `cut` and `join` are its cable."""

    name: str
    address: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *arguments: str, folder: Path) -> subprocess.Popen[str]:
        """A Python process on that machine."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.processes.append(process)
        return process

    def cut(self) -> None:
        """Nothing comes through any more; nobody is told."""
        ip("link", "set", f"{self.name}b", "down")

    def join(self) -> None:
        """The cable is back."""
        ip("link", "set", f"{self.name}b", "up")

    def close(self) -> None:
        """Switch the machine off."""
        for process in self.processes:
            process.kill()
            process.communicate()
        with suppress(subprocess.CalledProcessError):
            ip("netns", "delete", self.name)


def ip(*arguments: str) -> None:
    """Call `ip`."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def find_obstacle() -> str:
    """Why there can be no namespaces here, in a sentence; "" if there can."""
    if not (shutil.which("ip") and shutil.which("unshare")):
        return "there is no ip (iproute2) or unshare (util-linux) to make network namespaces"
    tried = subprocess.run(
        [*APART, "ip", "link", "add", f"{TAG}try", "type", "bridge"], capture_output=True, text=True
    )
    return (
        f"this machine allows no network namespaces: {tried.stderr.strip()}"
        if tried.returncode
        else ""
    )


@contextmanager
def open_network(count: int) -> Iterator[tuple[str, list[Host]]]:
    """This machine's address in the network, and so many other machines."""
    subnet = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
    bridge = f"{TAG}br"
    with ExitStack() as stack:
        ip("link", "add", bridge, "type", "bridge")
        stack.callback(ip, "link", "delete", bridge)
        ip("address", "add", f"{subnet}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        hosts = []
        for number in range(2, count + 2):
            host = Host(f"{TAG}h{number}", f"{subnet}.{number}")
            stack.callback(host.close)
            _connect(host, bridge)
            hosts.append(host)
        yield f"{subnet}.1", hosts


def _connect(host: Host, bridge: str) -> None:
    ip("netns", "add", host.name)
    ip("link", "add", f"{host.name}b", "type", "veth", "peer", "name", "eth0", "netns", host.name)
    ip("link", "set", f"{host.name}b", "master", bridge, "up")
    inside = ("-n", host.name)
    ip(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
    ip(*inside, "link", "set", "eth0", "up")
    ip(*inside, "link", "set", "lo", "up")
