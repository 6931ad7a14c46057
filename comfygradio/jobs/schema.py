"""The job store's file: made, opened, looked over and brought up to date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from comfygradio.errors import JobStoreError

BUSY_SECONDS = 10.0
"""How long a write waits for another program that uses the file, such as sqlite3."""

MAGIC = b"SQLite format 3\0"

CACHE_KB = 65_536
"""Memory for pages of the file, so that the texts of 50,000 jobs (35 MB) are read from the disk
once.
"""

JOBS_SCRIPT = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    preset TEXT NOT NULL,
    title TEXT NOT NULL,
    priority INTEGER NOT NULL,
    phase TEXT NOT NULL,
    created REAL NOT NULL,
    posted REAL,
    started REAL,
    ended REAL,
    server TEXT NOT NULL,
    client_id TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    node_seconds TEXT NOT NULL,
    favourite INTEGER NOT NULL,
    results TEXT NOT NULL
);
CREATE INDEX jobs_mine ON jobs (owner, seq, preset, phase, favourite);
CREATE INDEX jobs_open ON jobs (seq) WHERE phase IN ('waiting', 'running');
CREATE INDEX jobs_done ON jobs (preset, seq) WHERE phase = 'done';

CREATE TABLE orders (seq INTEGER PRIMARY KEY, data TEXT NOT NULL);

CREATE TABLE inputs (
    name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (name, seq)
) WITHOUT ROWID;
CREATE INDEX inputs_of ON inputs (seq);

CREATE TABLE field_values (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (owner, name, value, seq)
) WITHOUT ROWID;

CREATE TABLE texts (
    seq INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    filled TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE VIRTUAL TABLE words USING fts5 (
    title, filled, error, content = 'texts', content_rowid = 'seq', tokenize = 'trigram'
);
CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN
    INSERT INTO words (rowid, title, filled, error)
        VALUES (new.seq, new.title, new.filled, new.error);
END;
CREATE TRIGGER texts_deleted AFTER DELETE ON texts BEGIN
    INSERT INTO words (words, rowid, title, filled, error)
    VALUES ('delete', old.seq, old.title, old.filled, old.error);
END;
CREATE TRIGGER texts_changed AFTER UPDATE ON texts BEGIN
    INSERT INTO words (words, rowid, title, filled, error)
    VALUES ('delete', old.seq, old.title, old.filled, old.error);
    INSERT INTO words (rowid, title, filled, error)
        VALUES (new.seq, new.title, new.filled, new.error);
END;
"""
"""`texts` is case-folded; big orders lie apart, so that a search reads none of them."""

SWEEPS_SCRIPT = """
ALTER TABLE jobs ADD COLUMN sweep TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN point TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_points ON jobs (owner, preset, point) WHERE point <> '' AND phase = 'done';

CREATE TABLE sweeps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    preset TEXT NOT NULL,
    title TEXT NOT NULL,
    definition TEXT NOT NULL,
    phase TEXT NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    created REAL NOT NULL,
    ended REAL
);
CREATE INDEX sweeps_mine ON sweeps (owner, seq);
CREATE INDEX sweeps_running ON sweeps (seq) WHERE phase = 'running';

CREATE TABLE cells (
    sweep TEXT NOT NULL, place TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (sweep, place)
)
    WITHOUT ROWID;
CREATE INDEX cells_of ON cells (seq);

CREATE TABLE ratings (
    owner TEXT NOT NULL, point TEXT NOT NULL, rating INTEGER NOT NULL, PRIMARY KEY (owner, point)
)
    WITHOUT ROWID;
"""
"""A cell is a place in a sweep and the job that stands there, which another sweep may have run; a
rating belongs to the content.
"""

PARTIES_SCRIPT = """
ALTER TABLE jobs ADD COLUMN party TEXT NOT NULL DEFAULT '';
ALTER TABLE sweeps ADD COLUMN party TEXT NOT NULL DEFAULT '';

CREATE TRIGGER jobs_over AFTER UPDATE OF phase ON jobs
WHEN new.phase NOT IN ('waiting', 'running') AND new.party <> '' BEGIN
    UPDATE jobs SET party = '' WHERE seq = new.seq;
END;
CREATE TRIGGER sweeps_over AFTER UPDATE OF phase ON sweeps
WHEN new.phase NOT IN ('running', 'paused') AND new.party <> '' BEGIN
    UPDATE sweeps SET party = '' WHERE seq = new.seq;
END;
"""
"""Whom limits and turns count for, '' for the owner. It may be a network address: so it is kept
only as long as something waits for its turn.
"""

NODE_WORK_SCRIPT = """
ALTER TABLE jobs ADD COLUMN node_work TEXT NOT NULL DEFAULT '{}';
"""
"""How much work each node had that `node_seconds` tells of."""

KEPT_FORMS_SCRIPT = """
CREATE TABLE kept_forms (
    owner TEXT NOT NULL,
    preset TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    size INTEGER NOT NULL,
    saved REAL NOT NULL,
    UNIQUE (owner, preset, name)
);
CREATE INDEX kept_forms_sizes ON kept_forms (owner, size);
CREATE INDEX kept_forms_ages ON kept_forms (saved) WHERE name = '';
"""
"""The name is '' for the form as its person left it."""

TRASH_SCRIPT = """
ALTER TABLE jobs ADD COLUMN deleted REAL;
DROP INDEX jobs_mine;
CREATE INDEX jobs_mine ON jobs (owner, seq, preset, phase, favourite, deleted);
CREATE INDEX jobs_deleted ON jobs (deleted) WHERE deleted IS NOT NULL;
"""
"""When a job came into the trash; NULL for those that are not there."""

MIGRATIONS: tuple[str, ...] = (
    JOBS_SCRIPT,
    SWEEPS_SCRIPT,
    PARTIES_SCRIPT,
    NODE_WORK_SCRIPT,
    KEPT_FORMS_SCRIPT,
    TRASH_SCRIPT,
)
"""Script n brings a file from `user_version` n to n + 1.

Never change one that was released; add the next.
"""


def open_file(path: Path) -> sqlite3.Connection:
    """The job store at `path`, made if there is none, sound and of today's version; for one thread
    at a time.

    Raises JobStoreError for a damaged file or one of a newer version, and leaves it as it is.
    """
    with translate_errors(path):
        if not path.exists():
            _make(path)
        # First the checks, which write nothing: a file that fails one of them stays as it is.
        _check_head(path)
        connection = _connect(path)
        try:
            _check(connection)
            check_version(connection, path, len(MIGRATIONS))
            connection.execute("PRAGMA journal_mode = WAL")
            # With WAL, a power cut may then undo the last transactions, but never damages the file.
            connection.execute("PRAGMA synchronous = NORMAL")
            # A negative number counts KiB, a positive one pages.
            connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            migrate(connection, MIGRATIONS)
        except BaseException:
            connection.close()
            raise
        return connection


def migrate(connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Run the missing migrations, each in a transaction of its own."""
    for version in range(_read_version(connection), len(scripts)):
        script = scripts[version]
        mark = f"PRAGMA user_version = {version + 1}"
        try:
            # The version is a part of the transaction, so that no script runs twice.
            connection.executescript(f"BEGIN IMMEDIATE; {script}; {mark}; COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_version(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    """Raises JobStoreError for a file of a version that this program does not know."""
    version = _read_version(connection)
    if version > newest:
        raise JobStoreError(
            f"The job store {path} was written by a newer comfygradio (version {version} of the "
            "file; this one knows "
            f"{newest}); update comfygradio, or start it with another --outputs."
        )


@contextmanager
def translate_errors(path: Path | str) -> Iterator[None]:
    """Translate errors of SQLite and the file system into a JobStoreError with a sentence.

    The sentence names the path, or the text in its place, where a visitor may come to read it.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        # SQLite raises this class itself for a damaged file, and subclasses for everything else.
        if type(error) is sqlite3.DatabaseError:
            raise make_damage_error(path, str(error)) from error
        reason = str(error)
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        raise JobStoreError(f"The job store {path} cannot be used: {reason}.") from error


def make_damage_error(path: Path | str, reason: str) -> JobStoreError:
    """Make the error for a file that is not a sound job store; `path` as in `translate_errors`."""
    detail = " ".join(reason.split())
    return JobStoreError(
        f"The job store {path} is damaged ({detail}) and was left as it is; put a copy from before "
        "in its place, or move it away to begin a new one: pictures stay, but the history is lost."
    )


def move_aside(path: Path) -> Path:
    """Rename a job store and what belongs to it, so that the next start makes a new one; returns
    the new path.
    """
    moment = time.strftime("%Y%m%d-%H%M%S")
    fraction = time.time_ns() % 10**6  # two within a second get two names
    target = path.with_name(f"{path.stem}-{moment}-{fraction}{path.suffix}")
    with translate_errors(path):
        # The database comes last: a -wal file without it would stop the next start (`_make`).
        for end in ("-shm", "-wal", ""):
            old = _add_end(path, end)
            new = _add_end(target, end)
            if old.exists():
                old.rename(new)
    return target


def _add_end(path: Path, end: str) -> Path:
    """The path of a file that SQLite keeps beside a database; with "", the database itself."""
    return path.with_name(f"{path.name}{end}")


def _make(path: Path) -> None:
    """Create the file."""
    if _add_end(path, "-wal").exists():
        raise make_damage_error(path, "it is gone, but its -wal file is there")
    # It gets its name when it is complete: the app may be killed in between.
    fresh = path.with_name(f"{path.name}.new")
    for end in ("", "-journal"):
        _add_end(fresh, end).unlink(missing_ok=True)
    with closing(_connect(fresh)) as connection:
        migrate(connection, MIGRATIONS)
    fresh.rename(path)


def _check_head(path: Path) -> None:
    """SQLite would take an empty file for a new one, and may miss that the end is gone.

    The head's layout is documented at https://sqlite.org/fileformat2.html; its size lags while
    there is a WAL.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
    if size == 0:
        raise make_damage_error(path, "it is empty")
    pages = int.from_bytes(head[28:32], "big")
    has_wal = _add_end(path, "-wal").exists()
    # The size in the head is of use only where the last program that wrote set it.
    is_set = head[24:28] == head[92:96]
    if has_wal or head[:16] != MAGIC or not is_set:
        return
    bytes_per_page = int.from_bytes(head[16:18], "big")
    if bytes_per_page == 1:  # the largest page does not fit into two bytes
        bytes_per_page = 65_536
    if size < pages * bytes_per_page:
        raise make_damage_error(path, "its end is missing")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _check(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found.replace("*** in database main ***", ""))


def _read_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
