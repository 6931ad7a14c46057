"""Roles: who is an operator, and who may make presets.

The settings name users of the `--auth` file for both. If nobody logs in, whoever is at this
machine has the roles, and only if the page is served to this machine alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import NotAllowed, SettingsError
from comfygradio.settings import Settings
from comfygradio.ui.identity.network_address import is_loopback
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import Person
from comfygradio.ui.identity.users import read_auth

TOKEN_OWNER = "operator"
"""The owner that all tokens are issued to."""

REFUSED = "Only those whom the settings of this page name may make presets here."
LOCAL_ONLY = (
    "Presets can be made only on the machine that this page runs on; whoever runs it can name "
    "people with --auth and --authors."
)


class OperatorAccess:
    """Decides who may see the Servers page: these users, or with None whoever is at this machine.

    An operator's page gets a token when it is loaded, and sends it along with every call. A token
    is valid only in the login session that it was issued in, and only while its person is an
    operator. `salt` is a secret of this run of the app.
    """

    def __init__(self, users: frozenset[str] | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.users = users
        self.salt = secrets.token_urlsafe(24)
        self._tokens = PageSessions(clock)

    def admit(self, person: Person) -> bool:
        """Return whether this person is an operator."""
        return _is_admitted(person, self.users)

    def issue(self, person: Person) -> str:
        """Issue a token to a page of this person; "" if they are not an operator."""
        if not self.admit(person):
            return ""
        return self._tokens.open(TOKEN_OWNER, person.session)

    def recognise(self, token: Any, person: Person) -> bool:
        """Return whether this is the token of a page of this person, who is still an operator."""
        if not self.admit(person):
            return False
        owner = self._tokens.find_owner(token, person.session)
        return owner == TOKEN_OWNER


def find_operators(settings: Settings) -> OperatorAccess | None:
    """Find the operators that the settings name; None if there are none.

    Raises SettingsError for an operator who cannot log in, and if others than those at this machine
    would become operators.
    """
    if settings.auth is None:
        if settings.operators:
            raise SettingsError(
                "--operator names a user of the --auth file; add --auth, or leave it out."
            )
        return _find_local(settings) if settings.local_operator else None
    if settings.local_operator:
        raise SettingsError(
            "--local-operator is for a page without a login; name users with --operator instead."
        )
    _check_users("--operator", settings.operators, settings.auth)
    if not settings.operators:
        return None
    return OperatorAccess(frozenset(settings.operators))


def _find_local(settings: Settings) -> OperatorAccess:
    if not _is_reached_from_here_alone(settings):
        raise SettingsError(
            "--local-operator is for a page that does not leave this machine; add --auth and "
            "--operator, or leave out --host and --root-path."
        )
    return OperatorAccess(None)


@dataclass(frozen=True)
class AuthorAccess:
    """Decides who may make presets: these users, or with None whoever is at this machine."""

    users: frozenset[str] | None

    def admit(self, person: Person) -> bool:
        """Return whether this person may make presets."""
        return _is_admitted(person, self.users)

    def require(self, person: Person) -> None:
        """Raise NotAllowed if this person may not make presets."""
        if self.admit(person):
            return
        raise NotAllowed(LOCAL_ONLY if self.users is None else REFUSED)


def find_authors(settings: Settings) -> AuthorAccess | None:
    """Find the authors that the settings name; None if there are none.

    Raises SettingsError if nobody could be an author, or everybody would be one.
    """
    if not settings.author and not settings.authors:
        return None
    if settings.auth is None:
        if settings.authors:
            raise SettingsError(
                "--authors names a user of the --auth file; add --auth, or leave it out."
            )
        if not _is_reached_from_here_alone(settings):
            raise SettingsError(
                "--author lets everybody who reaches this page overwrite presets; add --auth and "
                "--authors, or leave out --host and --root-path."
            )
        return AuthorAccess(None)
    _check_users("--authors", settings.authors, settings.auth)
    if not settings.authors and not settings.operators:
        raise SettingsError(
            "--author with --auth is for operators, and there is none; name one with --operator, "
            "or others with --authors."
        )
    operators = settings.operators if settings.author else ()
    return AuthorAccess(frozenset((*settings.authors, *operators)))


def _is_admitted(person: Person, users: frozenset[str] | None) -> bool:
    """Return whether a person is one of these users, or with None is at this machine."""
    if users is not None:
        return person.login in users
    return person.is_local


def _is_reached_from_here_alone(settings: Settings) -> bool:
    """Return whether the page is served to this machine only, and not through a proxy."""
    if settings.root_path:
        return False
    return is_loopback(settings.host)


def _check_users(flag: str, names: Sequence[str], auth: Path) -> None:
    """Raise SettingsError for the first of a flag's names that cannot log in."""
    users = {user for user, _ in read_auth(auth)}
    for name in names:
        if name not in users:
            raise SettingsError(f"{flag}: the --auth file has no user {name}.")
