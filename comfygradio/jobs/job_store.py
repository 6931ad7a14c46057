"""The job store: every job ever submitted, in one SQLite file that survives a crash of the app."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comfygradio.comfy.node_times import NodeTimes, TimedRun
from comfygradio.errors import JobStoreError, JobStoreGone
from comfygradio.jobs.folder_lock import FolderLock, find_identity
from comfygradio.jobs.job_search import Page, Query, find_rows, list_values
from comfygradio.jobs.kept_input import drop_input, drop_inputs, get_inputs_folder
from comfygradio.jobs.results import remove_files
from comfygradio.jobs.rows import (
    CHANGEABLE_COLUMNS,
    COLUMNS,
    JobRecord,
    decode_record,
    encode_order,
    encode_position,
    encode_value,
    fold_text,
    list_filters,
    list_inputs,
    list_texts,
    replace_surrogates,
)
from comfygradio.jobs.schema import make_damage_error, move_aside, open_file, translate_errors

__all__ = ["JobRecord", "JobStore", "Page", "Query", "set_job_store_aside"]

JOB_COLUMNS = ", ".join(f"jobs.{name}" for name in COLUMNS)
SELECT = f"SELECT {JOB_COLUMNS}, orders.data FROM jobs"
# CROSS JOIN keeps SQLite from starting with the orders, which are large.
WITH_ORDER = "CROSS JOIN orders ON orders.seq = jobs.seq"
OPEN = "jobs.phase IN ('waiting', 'running')"

UNNAMED = "of the outputs folder"
"""Replaces the path in messages that visitors see."""

FOLDER_GONE = (
    "The outputs folder was deleted or moved while comfygradio ran, so that nothing can be kept; "
    "comfygradio has to be started again."
)

log = logging.getLogger(__name__)

MAX_TIMED_JOBS = 20
"""Number of recent jobs of a preset that its node times are estimated from."""


class JobStore:
    """The jobs of one outputs folder. Thread-safe: one connection, one call at a time (a write
    takes about 1 ms).

    What was written survives a crash of the app; a power cut may lose the last moments. Every
    method raises JobStoreError when the file cannot be read or written.
    """

    def __init__(self, outputs: Path, lock: FolderLock, connection: sqlite3.Connection) -> None:
        self.outputs = outputs
        self.path = find_job_store(outputs)
        self._folder_lock = lock
        self._connection = connection
        self._identity = find_identity(self.path)
        # Methods that hold it call others that take it again.
        self._lock = threading.RLock()

    @classmethod
    def open(cls, outputs: Path) -> JobStore:
        """Open or make the job store of an outputs folder.

        Raises JobStoreLocked, and JobStoreError for a damaged file.
        """
        outputs = outputs.resolve()
        lock = _lock_folder(outputs)
        try:
            store = cls(outputs, lock, open_file(find_job_store(outputs)))
        except BaseException:
            lock.release()
            raise
        with store.read():
            # A crash may have left copies of files whose job was never stored.
            drop_inputs(outputs, store._needs)
        return store

    def close(self) -> None:
        """Close the file and let other processes have the folder; callable twice."""
        with self._lock:
            self._connection.close()
            self._folder_lock.release()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The file for this thread alone, also for its other tables. Raises JobStoreError."""
        with self._lock, self._explain():
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The file for a transaction: all of it is kept, or nothing.

        Raises JobStoreError, and JobStoreGone if the file was deleted or moved.
        """
        with self.read() as connection:
            self._check_place()
            # This waits for other writers now, and not in the middle of the transaction.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself after some errors, such as a full disk.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def add(self, *records: JobRecord) -> None:
        """Write new jobs down, all or none; once this returns, they are kept."""
        with self.write():
            for record in records:
                self._add(record)

    def change(self, job_id: str, **fields: Any) -> bool:
        """Change fields of a job, all or none. False if there is no such job.

        Raises ValueError for fields that never change: id, token, owner, preset, order, created and
        the like.
        """
        fixed = fields.keys() - CHANGEABLE_COLUMNS
        if fixed:
            raise ValueError(f"A job's {', '.join(sorted(fixed))} cannot be changed.")
        written = {name: encode_value(name, value, self.outputs) for name, value in fields.items()}
        # Without fields this only tells whether there is such a job.
        settings = ", ".join(f"{name} = :{name}" for name in written) or "id = id"
        sql = f"UPDATE jobs SET {settings} WHERE id = :job_id"
        with self.write() as connection:
            changed = connection.execute(sql, {**written, "job_id": job_id})
            for name in ("title", "error"):
                if name in fields:
                    folded = fold_text(fields[name])
                    self._change_text(job_id, name, folded)
            return changed.rowcount > 0

    def set_favourite(self, job_id: str, on: bool) -> bool:
        """Mark or unmark a job as a favourite. False if there is no such job."""
        return self.change(job_id, favourite=on)

    def find(self, token: str) -> JobRecord | None:
        """The job with this secret token, unless it is in the trash."""
        return self._find_one("jobs.token = ? AND jobs.deleted IS NULL", token)

    def find_deleted(self, token: str) -> JobRecord | None:
        """The job with this secret token, if it is in the trash."""
        return self._find_one("jobs.token = ? AND jobs.deleted IS NOT NULL", token)

    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, which is its prompt's id; also one that is in the trash."""
        return self._find_one("jobs.id = ?", job_id)

    def list_open(self) -> list[JobRecord]:
        """All unfinished jobs, oldest first; a start resumes them."""
        sql = f"{SELECT} INDEXED BY jobs_open {WITH_ORDER} WHERE {OPEN} ORDER BY jobs.seq"
        return self._select(sql)

    def search(self, owner: str, query: Query) -> Page:
        """One page of a person's jobs, newest first; nobody else's are ever among them."""
        with self.read() as connection:
            rows, next_page = find_rows(connection, owner, query)
            marks = ", ".join("?" * len(rows))
            where = f"jobs.seq IN ({marks}) ORDER BY jobs.seq DESC"
            found = self._select(f"{SELECT} {WITH_ORDER} WHERE {where}", *rows)
            return Page(tuple(found), next_page)

    def list_values(self, owner: str, name: str, limit: int = 100) -> list[Any]:
        """The values of one field over a person's jobs, most recently used first, to filter by."""
        with self.read() as connection:
            return list_values(connection, owner, name, limit)

    def read_times(self, preset: str) -> NodeTimes:
        """How long the nodes of a preset take, by its last 20 done jobs."""
        sql = """SELECT node_seconds, node_work FROM jobs INDEXED BY jobs_done
                 WHERE preset = ? AND phase = 'done' ORDER BY seq DESC LIMIT ?"""
        with self.read() as connection:
            rows = connection.execute(sql, (replace_surrogates(preset), MAX_TIMED_JOBS)).fetchall()
        runs: dict[str, list[TimedRun]] = {}
        for seconds_text, work_text in rows:
            seconds_by_node = json.loads(seconds_text)
            work_by_node = json.loads(work_text)
            for node_id, seconds in seconds_by_node.items():
                run = TimedRun(seconds, work_by_node.get(node_id))
                runs.setdefault(node_id, []).append(run)
        return NodeTimes(runs)

    def delete(self, job_id: str) -> None:
        """Delete a job that is over for good, the files that it made, and the files that only it
        needed.

        Unknown: nothing.
        """
        with self.write() as connection:
            record = self.get(job_id)
            if record is None:
                return
            if record.phase in ("waiting", "running"):
                raise JobStoreError("This job is not over yet; stop it before deleting it.")
            (seq,) = connection.execute("SELECT seq FROM jobs WHERE id = ?", (job_id,)).fetchone()
            # The rows come first: if a file cannot be deleted, the transaction brings them back.
            self._delete_rows(seq, record)
            self._delete_files(record)

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """As `translate_errors`, but for visitors: the path appears in the log only."""
        try:
            with translate_errors(UNNAMED):
                yield
        except JobStoreError as error:
            # An error without a cause was logged where it was raised.
            if error.__cause__ is not None:
                log.warning("%s: %s", self.path, error)
            raise

    def _check_place(self) -> None:
        """Raises JobStoreGone where the open files are not those of the outputs folder any more."""
        # Writing to deleted files would still succeed, and another comfygradio may use the folder.
        is_same_file = find_identity(self.path) == self._identity
        if not is_same_file or not self._folder_lock.is_in_place:
            log.warning("%s was deleted or moved", self.path)
            raise JobStoreGone(FOLDER_GONE)

    def _add(self, record: JobRecord) -> None:
        connection = self._connection
        order = record.order
        columns: dict[str, Any] = {}
        for name in COLUMNS:
            value = getattr(record, name)
            columns[name] = encode_value(name, value, self.outputs)
        names = ", ".join(COLUMNS)
        marks = ", ".join(f":{name}" for name in COLUMNS)
        added = connection.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", columns)
        seq = added.lastrowid
        data = encode_order(order, self.outputs)
        connection.execute("INSERT INTO orders VALUES (?, ?)", (seq, data))
        texts = (seq, fold_text(record.title), list_texts(order), fold_text(record.error))
        connection.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", texts)
        filters = [(columns["owner"], name, value, seq) for name, value in list_filters(order)]
        connection.executemany("INSERT INTO field_values VALUES (?, ?, ?, ?)", filters)
        inputs = [(name, seq) for name in list_inputs(order, self.outputs)]
        connection.executemany("INSERT INTO inputs VALUES (?, ?)", inputs)
        point = order.point
        # Another job may be there already, for a point that is run again.
        if point is not None:
            cell = (point.sweep, encode_position(point.position), seq)
            connection.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?)", cell)

    def _change_text(self, job_id: str, name: str, folded: str) -> None:
        """Change what the search finds of a job, unless it is the same."""
        # An unchanged text would make the trigger write the search index anew.
        where = f"seq = (SELECT seq FROM jobs WHERE id = ?2) AND {name} <> ?1"
        self._connection.execute(f"UPDATE texts SET {name} = ?1 WHERE {where}", (folded, job_id))

    def _delete_rows(self, seq: int, record: JobRecord) -> None:
        for table in ("texts", "orders", "inputs", "cells", "jobs"):
            self._connection.execute(f"DELETE FROM {table} WHERE seq = ?", (seq,))
        # The values are named as well, since the index begins with them.
        sql = "DELETE FROM field_values WHERE owner = ? AND name = ? AND value = ? AND seq = ?"
        for name, value in list_filters(record.order):
            self._connection.execute(sql, (record.owner, name, value, seq))

    def _delete_files(self, record: JobRecord) -> None:
        try:
            remove_files(record.results, self.outputs)
        except OSError as error:
            reason = error.strerror or error
            raise JobStoreError(f"A file of this job cannot be deleted: {reason}.") from error
        for name in list_inputs(record.order, self.outputs):
            if not self._needs(name):
                drop_input(get_inputs_folder(self.outputs) / name)

    def _find_one(self, condition: str, value: str) -> JobRecord | None:
        sql = f"{SELECT} {WITH_ORDER} WHERE {condition}"
        found = self._select(sql, replace_surrogates(value))
        return found[0] if found else None

    def _needs(self, name: str) -> bool:
        sql = "SELECT 1 FROM inputs WHERE name = ?"
        found = self._connection.execute(sql, (replace_surrogates(name),))
        return found.fetchone() is not None

    def _select(self, sql: str, *parameters: Any) -> list[JobRecord]:
        with self.read() as connection:
            rows: list[tuple[Any, ...]] = connection.execute(sql, parameters).fetchall()
        try:
            return [decode_record(row, self.outputs) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s: a job cannot be read", self.path)
            raise make_damage_error(UNNAMED, f"a job cannot be read: {error}") from error


def find_job_store(outputs: Path) -> Path:
    """Where the job store of an outputs folder lies."""
    return outputs / ".comfygradio" / "ledger.sqlite"


def set_job_store_aside(outputs: Path) -> Path:
    """Rename the job store of an outputs folder, so that the next start makes a new one; returns
    its new path.

    For a damaged one, and only when somebody asks for it. Raises JobStoreLocked while a comfygradio
    uses it.
    """
    outputs = outputs.resolve()
    lock = _lock_folder(outputs)
    try:
        return move_aside(find_job_store(outputs))
    finally:
        lock.release()


def _lock_folder(outputs: Path) -> FolderLock:
    folder = find_job_store(outputs).parent
    with translate_errors(find_job_store(outputs)):
        folder.mkdir(parents=True, exist_ok=True)
    return FolderLock(folder / "lock")
