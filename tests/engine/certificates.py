"""Certificates for a cluster of a test: a CA, and one certificate for everybody; made
by openssl.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="there is no openssl to make certificates"
)


def make_certificates(folder: Path) -> list[str]:
    """The flags that name a fresh CA, certificate and key."""
    ca, ca_key, certificate, key, request = (
        folder / f"{name}.pem" for name in ("ca", "ca-key", "cert", "key", "csr")
    )
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj"]
    _openssl(*new, "/CN=test-ca", "-x509", "-days", "2", "-keyout", str(ca_key), "-out", str(ca))
    _openssl(*new, "/CN=cluster", "-keyout", str(key), "-out", str(request))
    signer = ["-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial", "-days", "2"]
    _openssl("x509", "-req", "-in", str(request), *signer, "-out", str(certificate))
    return ["--tls-ca", str(ca), "--tls-cert", str(certificate), "--tls-key", str(key)]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
