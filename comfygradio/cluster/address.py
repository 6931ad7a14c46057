"""The address of a Dask scheduler, and the certificates to connect to it.

Whoever can connect to a Dask port can run code there.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.errors import SettingsError
from comfygradio.settings import Settings

DEFAULT_PORT = 8786

ADDRESS = re.compile(
    r"(?P<scheme>tls|tcp)://(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>[0-9]{1,5}))?/?"
)

NOT_INSTALLED = 'Many machines need Dask, which is not installed: pip install "comfygradio[dask]"'


@dataclass(frozen=True)
class ClusterAddress:
    """A scheduler's address; `tls` are the paths of the CA, the certificate and its key, None
    without TLS.
    """

    scheme: str
    host: str
    port: int
    tls: tuple[Path, Path, Path] | None = None

    def __str__(self) -> str:
        host = wrap_host(self.host)
        return f"{self.scheme}://{host}:{self.port}"

    def make_security(self) -> Any:
        """Make Dask's Security; with TLS, it refuses unencrypted connections."""
        from distributed.security import Security

        if self.tls is None:
            return Security(require_encryption=False)
        ca, certificate, key = self.tls
        roles: dict[str, str] = {}
        for role in ("client", "worker", "scheduler"):
            roles[f"tls_{role}_cert"] = str(certificate)
            roles[f"tls_{role}_key"] = str(key)
        return Security(require_encryption=True, tls_ca_file=str(ca), **roles)


def check_installed() -> None:
    """Raises SettingsError where Dask is missing."""
    if importlib.util.find_spec("distributed") is None:
        raise SettingsError(NOT_INSTALLED)


def parse_cluster(text: str, settings: Settings, flag: str) -> ClusterAddress:
    """Parse the address in a flag, and add the certificates of the settings.

    Raises SettingsError.
    """
    port = 0
    match = ADDRESS.fullmatch(text.strip())
    if match is not None:
        port = int(match["port"] or DEFAULT_PORT)
    if match is None or not 0 < port <= 65535:
        raise SettingsError(
            f"{flag}: {text} is not a Dask address; it looks like tls://gpu-head:{DEFAULT_PORT}."
        )
    scheme = match["scheme"]
    host = match["host"].strip("[]")
    if scheme == "tls":
        certificates = _find_certificates(settings, flag)
        return ClusterAddress(scheme, host, port, certificates)
    check_private(host, f"{flag}: {text}")
    return ClusterAddress(scheme, host, port)


def check_private(host: str, what: str) -> None:
    """Raises SettingsError for a host that other machines reach, since there is no TLS."""
    if is_loopback(host):
        return
    raise SettingsError(
        f"{what} is not on this machine alone, and whoever reaches a Dask port runs code there: "
        "use a tls:// address with --tls-ca, --tls-cert and --tls-key."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wrap_host(host: str) -> str:
    """Write a host as URLs do: an IPv6 address in brackets."""
    if ":" in host:
        return f"[{host}]"
    return host


def find_own_host(scheduler: ClusterAddress) -> str:
    """Find the address from which this machine would connect to a scheduler.

    Raises SettingsError for an unknown host.
    """
    try:
        found = socket.getaddrinfo(scheduler.host, scheduler.port, type=socket.SOCK_DGRAM)
        family, kind, _, _, target = found[0]
        with socket.socket(family, kind) as probe:
            probe.connect(target)  # of a datagram socket: nothing is sent
            own_host = probe.getsockname()[0]
        return str(own_host)
    except OSError as error:
        raise SettingsError(
            f"There is no way to {scheduler.host}: {error.strerror or error}."
        ) from error


def _find_certificates(settings: Settings, flag: str) -> tuple[Path, Path, Path]:
    given = {
        "--tls-ca": settings.tls_ca,
        "--tls-cert": settings.tls_cert,
        "--tls-key": settings.tls_key,
    }
    files = {name: path for name, path in given.items() if path is not None}
    missing = [name for name in given if name not in files]
    if missing:
        raise SettingsError(
            f"{flag}: a tls:// address needs {' and '.join(missing)} too, a PEM file each."
        )
    # They are in the order of `given`.
    ca, certificate, key = files.values()
    return ca, certificate, key
