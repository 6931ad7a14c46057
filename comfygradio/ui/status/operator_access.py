"""Who is an operator: the users whom the settings name, or with a flag whoever sits at this
machine.
"""

from __future__ import annotations

import secrets
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings, read_auth
from comfygradio.ui.identity.network_address import is_loopback
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import Person

TOKEN_OWNER = "operator"
"""The one owner of all tokens."""


class OperatorAccess:
    """Who may see the Status page: these users, or with None whoever is at this machine.

    Their pages get a token when they are loaded, and send it along with every call. It is of use
    in the session alone that it was made in, and as long as its person is an operator. `salt` is
    a secret of this run of the app.
    """

    def __init__(self, users: frozenset[str] | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.users = users
        self.salt = secrets.token_urlsafe(24)
        self._tokens = PageSessions(clock)

    def admit(self, person: Person) -> bool:
        """Whether this person is an operator."""
        if self.users is not None:
            return person.login in self.users
        return person.is_local

    def issue(self, person: Person) -> str:
        """A token for a page of this operator's, "" for anybody else's."""
        if not self.admit(person):
            return ""
        return self._tokens.open(TOKEN_OWNER, person.session)

    def recognise(self, token: Any, person: Person) -> bool:
        """Whether this is a token of an operator's page, in that operator's own hands."""
        if not self.admit(person):
            return False
        return self._tokens.find_owner(token, person.session) == TOKEN_OWNER


def find_operators(settings: Settings) -> OperatorAccess | None:
    """The operators of an app, None where there are none.

    Raises SettingsError for one who cannot log in, and where it would let in others than those
    who sit at this machine.
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
    users = {user for user, _ in read_auth(settings.auth)}
    for name in settings.operators:
        if name not in users:
            raise SettingsError(f"--operator: the --auth file has no user {name}.")
    if not settings.operators:
        return None
    return OperatorAccess(frozenset(settings.operators))


def _find_local(settings: Settings) -> OperatorAccess:
    if not is_loopback(settings.host) or settings.root_path:
        raise SettingsError(
            "--local-operator is for a page that does not leave this machine; add --auth and "
            "--operator, or leave out --host and --root-path."
        )
    return OperatorAccess(None)
