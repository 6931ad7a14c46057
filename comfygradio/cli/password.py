"""`comfygradio password`: a line for the --auth file, with the password as a hash."""

from __future__ import annotations

import getpass
import sys

from comfygradio.errors import SettingsError
from comfygradio.ui.identity.password_hash import (
    MAX_NAME_LENGTH,
    MAX_PASSWORD_LENGTH,
    hash_password,
)


def print_password(user: str) -> int:
    """Ask for a password and print the line `user:hash`; without a user only the hash.

    Raises SettingsError for a name or a password that cannot stand in the file.
    """
    name = user.strip()
    if ":" in name or name.startswith("#") or not name.isprintable():
        raise SettingsError("A user's name holds no colon and does not begin with #.")
    if len(name) > MAX_NAME_LENGTH:
        raise SettingsError(f"A user's name has at most {MAX_NAME_LENGTH} characters.")
    password = _ask_twice() if sys.stdin.isatty() else _read_line()
    if not password:
        raise SettingsError("There is no password; type one, or send it as a line.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise SettingsError(f"A password has at most {MAX_PASSWORD_LENGTH} characters.")
    line = str(hash_password(password))
    print(f"{name}:{line}" if name else line)
    return 0


def _read_line() -> str:
    line = sys.stdin.readline()
    return line.rstrip("\r\n")


def _ask_twice() -> str:
    """Ask twice for a password, and show nothing of what is typed."""
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise SettingsError("These were two different passwords; try again.")
    return password
