"""Nginx with TLS and HTTP/2, for tests of what lies behind a proxy. Needs nginx and openssl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.security.raw_request import TIMEOUT_SECONDS

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None,
    reason="there is no nginx with openssl on this machine: install Debian's nginx-light",
)

CONFIG = """
daemon off; pid {folder}/pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off; server_names_hash_bucket_size 128;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    {servers}
}}
"""

SERVER = """
server {{
    listen 127.0.0.1:{port} ssl http2; server_name {name};
    {locations}
}}
"""

APP = """
location {place} {{
    proxy_pass {target};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_buffering off;
    client_max_body_size 100m;
}}
"""


def pass_on(target: str, place: str = "/") -> str:
    """A location that passes requests on to an app; `place` is the path, ending in a slash."""
    return APP.format(target=target, place=place)


@contextmanager
def run_nginx(folder: Path, port: int, sites: dict[str, str]) -> Iterator[None]:
    """Nginx on a port of this machine until the block ends; `sites` are the locations of each name.

    Its certificate is its own: nobody vouches for it.
    """
    make_certificate(folder)
    servers = [
        SERVER.format(port=port, name=name, locations=locations)
        for name, locations in sites.items()
    ]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, servers="".join(servers)), encoding="utf-8")
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)]) as process:
        try:
            transport = httpx.HTTPTransport(retries=10, verify=False)
            with httpx.Client(transport=transport) as client:
                client.get(f"https://127.0.0.1:{port}/", timeout=TIMEOUT_SECONDS)
            yield
        finally:
            process.terminate()


def make_certificate(folder: Path) -> None:
    """Write a fresh key and its certificate into a folder."""
    new = ["-newkey", "rsa:2048", "-subj", "/CN=localhost", "-days", "2", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    made = ["openssl", "req", "-x509", *new, *files]
    subprocess.run(made, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
