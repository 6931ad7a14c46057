"""Addresses of a cluster: what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.cluster.address import find_own_host, parse_cluster
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings


@pytest.fixture
def secure(tmp_path: Path) -> Settings:
    """Settings with the paths of certificates."""
    return Settings(
        tls_ca=tmp_path / "ca.pem", tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem"
    )


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786"])
def test_this_machine_needs_no_tls(text: str) -> None:
    address = parse_cluster(text, Settings(), "--engine")
    assert str(address) == text and address.tls is None


@pytest.mark.parametrize(
    "host", ["10.0.0.5", "gpu-head", "0.0.0.0", "[fe80::1]", "192.168.1.2", "localhost.example"]
)
def test_any_other_one_does(host: str, secure: Settings) -> None:
    with pytest.raises(
        SettingsError, match=r"^--engine: tcp://\S+ is not on this machine alone, .* --tls-key\.$"
    ):
        parse_cluster(f"tcp://{host}:8786", secure, "--engine")
    assert parse_cluster(f"tls://{host}:8786", secure, "--engine").tls


def test_tls_needs_all_three_files(secure: Settings) -> None:
    with pytest.raises(SettingsError, match="needs --tls-cert and --tls-key too"):
        parse_cluster("tls://head", Settings(tls_ca=secure.tls_ca), "--engine")


@pytest.mark.parametrize(
    "text",
    ["", "head:8786", "http://head:8786", "tls://", "tls://head:0", "tls://a b", "tls://h:99999"],
)
def test_what_is_no_address_is_said(text: str, secure: Settings) -> None:
    with pytest.raises(
        SettingsError,
        match=r"^--scheduler: .* is not a Dask address; it looks like tls://gpu-head:8786\.$",
    ):
        parse_cluster(text, secure, "--scheduler")


def test_the_port_is_dasks_own(secure: Settings) -> None:
    assert str(parse_cluster("tls://head", secure, "--engine")) == "tls://head:8786"


def test_the_own_address_is_that_on_the_way_there() -> None:
    assert (
        find_own_host(parse_cluster("tcp://127.0.0.1:8786", Settings(), "--engine")) == "127.0.0.1"
    )
