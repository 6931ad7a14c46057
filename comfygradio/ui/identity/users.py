"""The users of an --auth file, and their passwords."""

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
    ScryptCost,
    hash_password,
    parse_hash,
)


class Users:
    """Those who may log in.

    `plain` are the users whose password is plain text in the file. Raises SettingsError for a hash
    that cannot be parsed.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._passwords: dict[str, str | PasswordHash] = {}
        for name, text in pairs:
            self._passwords[name] = _parse_password(name, text)
        self.names = frozenset(self._passwords)
        plain = []
        costs = []
        for name, password in self._passwords.items():
            if isinstance(password, PasswordHash):
                costs.append(password.cost)
            else:
                plain.append(name)
        self.plain = tuple(plain)
        # An unknown name is checked against this hash, so that it takes as long as a known one.
        highest_cost = max(costs, key=_measure_cost, default=DEFAULT_COST)
        self._decoy = hash_password("", highest_cost)

    def check(self, name: str, password: str) -> bool:
        """Return whether this user has this password. Slow: do not call it on the event loop.

        An unknown name takes as long as a known one, so that the time reveals nothing.
        """
        known = self._passwords.get(name)
        if isinstance(known, PasswordHash):
            return known.matches(password)
        self._decoy.matches(password)
        if known is None:
            return False
        return hmac.compare_digest(_digest(known), _digest(password))


def _measure_cost(cost: ScryptCost) -> int:
    """Estimate the time of a hash, for comparison with others."""
    return cost.memory_bytes * cost.p


def load_users(path: Path) -> Users:
    """Load the users of a file. Raises SettingsError."""
    pairs = read_auth(path)
    return Users(pairs)


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
    """Hash a text, so that a comparison does not reveal its length."""
    data = text.encode("utf-8", "replace")
    return hashlib.sha256(data).digest()
