"""What people have filled in: the form of a preset as they left it, and settings that they saved
under a name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import LimitReached
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.rows import replace_surrogates

KEPT_DAYS = 90
"""How long a form is kept after its last change. Named settings stay until they are deleted."""

MAX_BYTES = 200_000
"""Most bytes of one form: more than a prompt of the greatest length."""

MAX_NAMED = 50
"""Most named settings of one person for one preset."""

MAX_NAME = 60
"""Most characters of a name."""

MAX_FORMS = 200
"""Most forms of one person that are kept; the oldest goes."""

MAX_ANONYMOUS_BYTES = 100_000_000
"""Most bytes of all people together who do not log in: their ids can be made up. The oldest go."""

DAY_SECONDS = 86_400.0

PRESENT = ""
"""The name of the form as it was left."""

Values = dict[str, Any]


class KeptFormStore:
    """The forms that are kept in a job store.

    Thread-safe; every method raises JobStoreError when the file cannot be read or written.
    """

    def __init__(self, store: JobStore, clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._clock = clock

    def keep(self, owner: str, preset: str, values: Mapping[str, Any], name: str = PRESENT) -> None:
        """Keep the values of a form, in the place of those that have this name; none are no row.

        Raises LimitReached.
        """
        data = json.dumps(dict(values))
        if len(data) > MAX_BYTES:
            raise LimitReached(f"This is too much to be kept: at most {MAX_BYTES:,} bytes.")
        key = _make_key(owner, preset, name)
        with self._store.write() as connection:
            if not values and name == PRESENT:
                _delete(connection, key)
                return
            if name != PRESENT:
                _refuse_excess(connection, key)
            sql = "INSERT OR REPLACE INTO kept_forms VALUES (?, ?, ?, ?, ?, ?)"
            connection.execute(sql, (*key, data, len(data), self._clock.time()))
            self._sweep(connection, key[0])

    def read(self, owner: str, preset: str, name: str = PRESENT) -> Values | None:
        """Read the values that have this name; None if there are none, or they are too old."""
        sql = "SELECT data, saved FROM kept_forms WHERE owner = ? AND preset = ? AND name = ?"
        with self._store.read() as connection:
            row = connection.execute(sql, _make_key(owner, preset, name)).fetchone()
        if row is None:
            return None
        data, saved = row
        if name == PRESENT and saved < self._find_oldest():
            return None
        values = json.loads(data)
        return values if isinstance(values, dict) else None

    def list_names(self, owner: str, preset: str) -> list[str]:
        """List the names of a person's settings of a preset, in the order of the alphabet."""
        sql = """SELECT name FROM kept_forms WHERE owner = ? AND preset = ? AND name <> ''
                 ORDER BY name COLLATE NOCASE, name"""
        with self._store.read() as connection:
            key = (replace_surrogates(owner), replace_surrogates(preset))
            return [name for (name,) in connection.execute(sql, key)]

    def delete(self, owner: str, preset: str, name: str = PRESENT) -> None:
        """Delete what has this name. Unknown: nothing."""
        with self._store.write() as connection:
            _delete(connection, _make_key(owner, preset, name))

    def _find_oldest(self) -> float:
        return self._clock.time() - KEPT_DAYS * DAY_SECONDS

    def _sweep(self, connection: sqlite3.Connection, owner: str) -> None:
        """Delete what is too old, and what is too much of one person or of those without a
        login.
        """
        connection.execute(
            "DELETE FROM kept_forms WHERE name = '' AND saved < ?", (self._find_oldest(),)
        )
        connection.execute(
            """DELETE FROM kept_forms WHERE rowid IN (
                   SELECT rowid FROM kept_forms WHERE owner = ? AND name = ''
                   ORDER BY saved DESC LIMIT -1 OFFSET ?)""",
            (owner, MAX_FORMS),
        )
        if owner.startswith("anon:"):
            _sweep_anonymous(connection)


def _sweep_anonymous(connection: sqlite3.Connection) -> None:
    anonymous = "owner >= 'anon:' AND owner < 'anon;'"
    sql = f"SELECT COALESCE(SUM(size), 0) FROM kept_forms WHERE {anonymous}"
    (size,) = connection.execute(sql).fetchone()
    if size <= MAX_ANONYMOUS_BYTES:
        return
    oldest = f"SELECT rowid, size FROM kept_forms WHERE {anonymous} ORDER BY saved"
    for rowid, one in connection.execute(oldest).fetchall():
        if size <= MAX_ANONYMOUS_BYTES:
            return
        connection.execute("DELETE FROM kept_forms WHERE rowid = ?", (rowid,))
        size -= one


def _refuse_excess(connection: sqlite3.Connection, key: tuple[str, str, str]) -> None:
    """Raise LimitReached if one more name would be too many."""
    owner, preset, name = key
    if len(name) > MAX_NAME:
        raise LimitReached(f"A name has at most {MAX_NAME} characters.")
    sql = "SELECT COUNT(*) FROM kept_forms WHERE owner = ? AND preset = ? AND name NOT IN ('', ?)"
    (count,) = connection.execute(sql, (owner, preset, name)).fetchone()
    if count >= MAX_NAMED:
        raise LimitReached(
            f"There are {MAX_NAMED} saved settings of this form already; delete one first."
        )


def _delete(connection: sqlite3.Connection, key: tuple[str, str, str]) -> None:
    sql = "DELETE FROM kept_forms WHERE owner = ? AND preset = ? AND name = ?"
    connection.execute(sql, key)


def _make_key(owner: str, preset: str, name: str) -> tuple[str, str, str]:
    return replace_surrogates(owner), replace_surrogates(preset), replace_surrogates(name)
