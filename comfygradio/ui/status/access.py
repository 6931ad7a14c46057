"""Who is an operator: the users whom the settings name, or whoever sits at a machine that the page
does not leave.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from comfygradio.errors import SettingsError
from comfygradio.settings import Settings, read_auth

FORWARDED = ("forwarded", "via", "x-real-ip", "x-forwarded-")
"""What the headers that a proxy adds begin with: the person is not at this machine."""


@dataclass(frozen=True)
class Operators:
    """Who may see the Status page: these users, or with None whoever is at this machine.

    `token` is what their pages get when they are loaded, and send along with every call: calls
    carry no user's name.
    """

    users: frozenset[str] | None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def admit(self, request: gr.Request) -> bool:
        """Whether the person who loads the page is an operator."""
        if self.users is not None:
            return request.username in self.users
        client = request.client
        return _is_loopback(client.host if client else "") and _is_direct(request.headers)

    def recognise(self, token: Any) -> bool:
        """Whether this is the operators' token."""
        return isinstance(token, str) and hmac.compare_digest(
            token.encode("utf-8", "replace"), self.token.encode()
        )


def find_operators(settings: Settings) -> Operators | None:
    """The operators of an app, None where there are none.

    Raises SettingsError for one who cannot log in.
    """
    if settings.auth is None:
        if settings.operators:
            raise SettingsError(
                "--operator names a user of the --auth file; add --auth, or leave it out."
            )
        return Operators(None) if _is_loopback(settings.host) and not settings.root_path else None
    users = {user for user, _ in read_auth(settings.auth)}
    unknown = next((name for name in settings.operators if name not in users), None)
    if unknown is not None:
        raise SettingsError(f"--operator: the --auth file has no user {unknown}.")
    return Operators(frozenset(settings.operators)) if settings.operators else None


def _is_direct(headers: Mapping[str, str]) -> bool:
    """Whether a request came without a proxy, under a name of this machine."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    names = dict(headers)  # Gradio has two kinds of headers; over one, pairs are iterated
    return _is_loopback(host) and not any(name.lower().startswith(FORWARDED) for name in names)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
