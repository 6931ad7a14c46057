"""Who may make presets: operators and the users whom the settings name, or whoever sits at a
machine that the page does not leave.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfygradio.errors import NotAllowed, SettingsError
from comfygradio.settings import Settings, read_auth
from comfygradio.ui.identity.network_address import is_loopback
from comfygradio.ui.identity.person import Person

REFUSED = "Only those whom the settings of this page name may make presets here."
LOCAL_ONLY = (
    "Presets can be made only on the machine that this page runs on; whoever runs it can name "
    "people with --auth and --authors."
)


@dataclass(frozen=True)
class AuthorAccess:
    """Who may make presets: these users, or with None whoever is at this machine."""

    users: frozenset[str] | None

    def admit(self, person: Person) -> bool:
        """Whether this person may make presets."""
        if self.users is not None:
            return person.login in self.users
        return person.is_local

    def require(self, person: Person) -> None:
        """Raises NotAllowed for somebody who may not make presets."""
        if self.admit(person):
            return
        raise NotAllowed(LOCAL_ONLY if self.users is None else REFUSED)


def find_authors(settings: Settings) -> AuthorAccess | None:
    """The authors of an app, None where there are none.

    Raises SettingsError where nobody could be one, or everybody would.
    """
    if not settings.author and not settings.authors:
        return None
    if settings.auth is None:
        if settings.authors:
            raise SettingsError(
                "--authors names a user of the --auth file; add --auth, or leave it out."
            )
        if not is_loopback(settings.host) or settings.root_path:
            raise SettingsError(
                "--author lets everybody who reaches this page overwrite presets; add --auth and "
                "--authors, or leave out --host and --root-path."
            )
        return AuthorAccess(None)
    users = {user for user, _ in read_auth(settings.auth)}
    for name in settings.authors:
        if name not in users:
            raise SettingsError(f"--authors: the --auth file has no user {name}.")
    if not settings.authors and not settings.operators:
        raise SettingsError(
            "--author with --auth is for operators, and there is none; name one with --operator, "
            "or others with --authors."
        )
    operators = settings.operators if settings.author else ()
    return AuthorAccess(frozenset((*settings.authors, *operators)))
