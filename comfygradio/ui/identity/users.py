"""The users of an --auth file, and whether a password is theirs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from comfygradio.errors import SettingsError
from comfygradio.ui.identity.password_hash import (
    DEFAULT_COST,
    PREFIX,
    PasswordHash,
    hash_password,
    parse_hash,
)


class Users:
    """Who may log in.

    `plain` are those whose password stands in the file as it is. Raises SettingsError for a hash
    that cannot be read.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._kept: dict[str, str | PasswordHash] = {}
        for name, text in pairs:
            self._kept[name] = _parse_password(name, text)
        self.names = frozenset(self._kept)
        self.plain = tuple(name for name, kept in self._kept.items() if isinstance(kept, str))
        # What a stranger's password is compared with takes as long as any user's own hash.
        costs = [kept.cost for kept in self._kept.values() if isinstance(kept, PasswordHash)]
        dearest = max(costs, key=lambda cost: cost.memory_bytes * cost.p, default=DEFAULT_COST)
        self._decoy = hash_password("", dearest)

    def check(self, name: str, password: str) -> bool:
        """Whether this user has this password; slow, to be called off the event loop.

        It takes as long for somebody who is not known: how long it takes shall tell nothing.
        """
        kept = self._kept.get(name)
        if isinstance(kept, PasswordHash):
            return kept.matches(password)
        self._decoy.matches(password)
        if kept is None:
            return False
        return hmac.compare_digest(_digest(kept), _digest(password))


def load_users(path: Path) -> Users:
    """The users of a file. Raises SettingsError."""
    return Users(read_auth(path))


def read_auth(path: Path) -> list[tuple[str, str]]:
    """Read the (user, password) pairs of an --auth file.

    Empty lines and lines with # are left out. A password is a hash or stands there as it is (see
    `password_hash`). Raises SettingsError.
    """
    pairs: dict[str, str] = {}
    for number, line in enumerate(_read_lines(path), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, password = line.partition(":")
        user = name.strip()
        if not user or not password:
            raise SettingsError(f"{path}:{number}: a line of an --auth file is user:password.")
        if user in pairs:
            raise SettingsError(f"{path}:{number}: the user {user} stands twice.")
        pairs[user] = password
    if not pairs:
        raise SettingsError(f"The --auth file {path} names nobody; write one user:password a line.")
    return list(pairs.items())


def _read_lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = "it is not UTF-8 text"
        raise SettingsError(f"The --auth file {path} cannot be read: {reason}.") from error
    except OSError as error:
        reason = str(error.strerror)
        raise SettingsError(f"The --auth file {path} cannot be read: {reason}.") from error
    return text.splitlines()


def _parse_password(name: str, text: str) -> str | PasswordHash:
    if not text.startswith(PREFIX):
        return text
    try:
        return parse_hash(text)
    except ValueError as error:
        raise SettingsError(
            f"The hash of the user {name} in the --auth file cannot be used: {error}. Write the "
            f"line anew with: comfygradio password {name}"
        ) from error


def _digest(text: str) -> bytes:
    """Of one length for every text, so that the comparison does not tell how long one is."""
    data = text.encode("utf-8", "replace")
    return hashlib.sha256(data).digest()
