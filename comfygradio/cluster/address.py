"""Where a Dask scheduler is, and the certificates for the way to it.

Whoever reaches a Dask port runs code there.
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
        """Dask's own Security: with TLS, nothing goes in the clear."""
        from distributed.security import Security

        if self.tls is None:
            return Security(require_encryption=False)
        ca, certificate, key = map(str, self.tls)
        roles = {}
        for role in ("client", "worker", "scheduler"):
            roles[f"tls_{role}_cert"] = certificate
            roles[f"tls_{role}_key"] = key
        return Security(require_encryption=True, tls_ca_file=ca, **roles)


def check_installed() -> None:
    """Raises SettingsError where Dask is missing."""
    if importlib.util.find_spec("distributed") is None:
        raise SettingsError(NOT_INSTALLED)


def parse_cluster(text: str, settings: Settings, flag: str) -> ClusterAddress:
    """The address in a flag, with the certificates of the settings. Raises SettingsError."""
    match = re.fullmatch(
        r"(tls|tcp)://(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::([0-9]{1,5}))?/?", text.strip()
    )
    port = int(match[3] or DEFAULT_PORT) if match else 0
    if match is None or not 0 < port <= 65535:
        raise SettingsError(
            f"{flag}: {text} is no Dask address; it looks like tls://gpu-head:{DEFAULT_PORT}."
        )
    scheme = match[1]
    host = match[2].strip("[]")
    if scheme == "tls":
        return ClusterAddress(scheme, host, port, _find_certificates(settings, flag))
    check_private(host, f"{flag}: {text}")
    return ClusterAddress(scheme, host, port)


def check_private(host: str, what: str) -> None:
    """Raises SettingsError for a host that others reach, where there is no TLS."""
    if not is_loopback(host):
        raise SettingsError(
            f"{what} is not on this machine alone, and whoever reaches a Dask port runs code "
            "there: use a tls:// "
            "address with --tls-ca, --tls-cert and --tls-key."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wrap_host(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def find_own_host(scheduler: ClusterAddress) -> str:
    """The address of this machine on the way to a scheduler.

    Raises SettingsError for an unknown host.
    """
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            scheduler.host, scheduler.port, type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
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
    ca, certificate, key = files.values()
    return ca, certificate, key
