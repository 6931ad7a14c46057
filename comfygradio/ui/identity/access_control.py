"""Access control: identifies the sender of a request and whether they may use the app."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.types import Scope

from comfygradio.ui.identity.auth_scheme import AuthResult, AuthScheme
from comfygradio.ui.identity.network_address import Network, find_address, is_local
from comfygradio.ui.identity.person import KEY, Person, put_person


class AccessControl:
    """Knows the ways in, of which the first that tells counts. Without a way everybody may come in.

    `proxies` are those whose word about the address of a person is taken.
    """

    def __init__(self, ways: Sequence[AuthScheme] = (), proxies: Sequence[Network] = ()) -> None:
        self._ways = tuple(ways)
        self._proxies = tuple(proxies)

    def identify(self, scope: Scope) -> Person:
        """Who sends a request; asked again, it says the same."""
        known = scope.get(KEY)
        if isinstance(known, Person):
            return known
        headers = HTTPConnection(scope).headers
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        entry = self._find_entry(scope)
        person = Person(
            login=entry.login if entry else "",
            session=entry.session if entry else "",
            address=find_address(peer, headers, self._proxies),
            is_local=is_local(peer, headers),
        )
        put_person(scope, person)
        return person

    def admits(self, scope: Scope) -> bool:
        """Whether the person who sends a request may use the app: is logged in, or need not be."""
        if not self._ways:
            return True
        return bool(self.identify(scope).login)

    def find_quota_key(self, scope: Scope) -> str:
        """Whom the limits of a request count for."""
        return self.identify(scope).party

    def _find_entry(self, scope: Scope) -> AuthResult | None:
        """What the first way says that can tell who sends a request."""
        for way in self._ways:
            entry = way.authenticate(scope)
            if entry is not None:
                return entry
        return None
