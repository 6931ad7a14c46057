"""Sweeps in the job store: their definitions, the job at each point, and ratings of points."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from comfygradio.jobs.job import Phase
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.results import Result
from comfygradio.jobs.rows import (
    decode_position,
    decode_results,
    encode_position,
    replace_surrogates,
)
from comfygradio.jobs.schema import make_damage_error

COLUMNS = (
    "id",
    "token",
    "owner",
    "preset",
    "title",
    "definition",
    "phase",
    "total",
    "done",
    "created",
    "ended",
    "party",
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM sweeps"
POINT_COLUMNS = """jobs.id, jobs.token, jobs.phase, jobs.error, jobs.results, jobs.started,
           jobs.ended, jobs.server, jobs.node_seconds, jobs.sweep, jobs.point"""

MAX_KEYS = 500
"""Number of keys in one SQL statement."""


@dataclass(frozen=True)
class SweepRecord:
    """One sweep of the job store. `definition` is its JSON; times are seconds since 1970.

    `total` counts its points, `done` those that had results when `phase` last changed. `party` is
    whom turns count for while it is not over, "" for its owner.
    """

    id: str
    token: str
    owner: str
    preset: str
    title: str
    definition: Mapping[str, Any]
    phase: str
    total: int
    done: int
    created: float
    ended: float | None = None
    party: str = ""


@dataclass(frozen=True)
class PointRecord:
    """A job as a sweep sees it: its end, its results, the sweep it was first run for, and the
    content key.

    `seconds` is how long its nodes ran, if that was measured; otherwise it includes the time that
    the job waited on the server.
    """

    id: str
    token: str
    phase: Phase
    error: str
    results: tuple[Result, ...]
    seconds: float
    server: str
    sweep: str
    content_key: str

    @property
    def has_files(self) -> bool:
        """Whether it has results, and all of their files still exist."""
        if not self.results:
            return False
        for result in self.results:
            if result.problem:
                return False
            if result.path is not None and not result.path.is_file():
                return False
        return True


class SweepStore:
    """The sweeps in a job store.

    Thread-safe; every method raises JobStoreError when the file cannot be read or written.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def add(self, record: SweepRecord, reused: Mapping[tuple[int, ...], str]) -> None:
        """Store a new sweep, and the existing jobs (by id) that it reuses at some positions."""
        values = [_write(getattr(record, name)) for name in COLUMNS]
        cells = [(record.id, encode_position(place), job_id) for place, job_id in reused.items()]
        names = ", ".join(COLUMNS)
        marks = ", ".join("?" * len(COLUMNS))
        with self._store.write() as connection:
            connection.execute(f"INSERT INTO sweeps ({names}) VALUES ({marks})", values)
            connection.executemany(
                "INSERT INTO cells SELECT ?, ?, seq FROM jobs WHERE id = ?", cells
            )

    def change(self, sweep_id: str, phase: str, done: int, ended: float | None = None) -> bool:
        """Update the phase of a sweep. False if there is no such sweep."""
        sql = "UPDATE sweeps SET phase = ?, done = ?, ended = ? WHERE id = ?"
        with self._store.write() as connection:
            changed = connection.execute(sql, (phase, done, ended, sweep_id))
            return changed.rowcount > 0

    def find(self, token: str) -> SweepRecord | None:
        """The sweep with this secret token."""
        found = self._select("WHERE token = ?", replace_surrogates(token))
        return found[0] if found else None

    def list_sweeps(self, owner: str, limit: int = 100) -> list[SweepRecord]:
        """A person's sweeps, newest first."""
        where = "WHERE owner = ? ORDER BY seq DESC LIMIT ?"
        return self._select(where, replace_surrogates(owner), limit)

    def list_running(self) -> Sequence[SweepRecord]:
        """All running sweeps, oldest first; a start resumes them."""
        return self._select("INDEXED BY sweeps_running WHERE phase = 'running' ORDER BY seq")

    def list_ids(self) -> set[str]:
        """The ids of everybody's sweeps."""
        with self._store.read() as connection:
            rows = connection.execute("SELECT id FROM sweeps")
            return {sweep_id for (sweep_id,) in rows}

    def delete(self, sweep_id: str) -> None:
        """Forget a sweep; its jobs and their files stay."""
        with self._store.write() as connection:
            connection.execute("DELETE FROM cells WHERE sweep = ?", (sweep_id,))
            connection.execute("DELETE FROM sweeps WHERE id = ?", (sweep_id,))

    def list_cells(self, sweep_id: str) -> dict[tuple[int, ...], PointRecord]:
        """The jobs of a sweep by position; points without a job are left out."""
        sql = (
            f"SELECT cells.place, {POINT_COLUMNS} FROM cells JOIN jobs ON jobs.seq = cells.seq "
            "WHERE cells.sweep = ? AND jobs.deleted IS NULL"
        )
        cells: dict[tuple[int, ...], PointRecord] = {}
        with self._read() as connection:
            rows = connection.execute(sql, (sweep_id,)).fetchall()
            for place, *row in rows:
                position = decode_position(place)
                cells[position] = self._read_point(row)
        return cells

    def has_points(self, owner: str, preset: str) -> bool:
        """Whether any point of any sweep of a person's was ever done with a preset."""
        sql = (
            "SELECT 1 FROM jobs WHERE owner = ? AND preset = ? AND point <> '' AND phase = "
            "'done' AND deleted IS NULL LIMIT 1"
        )
        with self._store.read() as connection:
            found = connection.execute(sql, (replace_surrogates(owner), replace_surrogates(preset)))
            return found.fetchone() is not None

    def find_points(self, owner: str, preset: str, keys: Sequence[str]) -> dict[str, PointRecord]:
        """Finished jobs of this person by content key, if all of their files still exist."""
        found: dict[str, PointRecord] = {}
        for first in range(0, len(keys), MAX_KEYS):
            some = keys[first : first + MAX_KEYS]
            marks = ", ".join("?" * len(some))
            # SQLite uses this partial index only if the query repeats the index's condition.
            sql = f"""SELECT {POINT_COLUMNS} FROM jobs INDEXED BY jobs_points
                      WHERE owner = ? AND preset = ? AND point IN ({marks}) AND point <> ''
                      AND phase = 'done' AND deleted IS NULL ORDER BY seq"""
            for point in self._select_points(
                sql, replace_surrogates(owner), replace_surrogates(preset), *some
            ):
                if point.has_files:
                    # Of several jobs with the same content, the newest counts.
                    found[point.content_key] = point
        return found

    def find_open(self, owner: str, preset: str) -> dict[str, PointRecord]:
        """Unfinished jobs of this person by content key, whichever sweep started them."""
        sql = f"""SELECT {POINT_COLUMNS} FROM jobs INDEXED BY jobs_open
                  WHERE phase IN ('waiting', 'running') AND owner = ?
                  AND preset = ? AND point <> '' ORDER BY seq"""
        points = self._select_points(sql, replace_surrogates(owner), replace_surrogates(preset))
        return {point.content_key: point for point in points}

    def rate(self, owner: str, key: str, rating: int) -> None:
        """Store a person's rating of a content key; 0 removes it."""
        owner = replace_surrogates(owner)
        with self._store.write() as connection:
            connection.execute("DELETE FROM ratings WHERE owner = ? AND point = ?", (owner, key))
            if rating:
                connection.execute("INSERT INTO ratings VALUES (?, ?, ?)", (owner, key, rating))

    def list_ratings(self, owner: str) -> dict[str, int]:
        """A person's ratings by content key."""
        sql = "SELECT point, rating FROM ratings WHERE owner = ?"
        with self._store.read() as connection:
            rows = connection.execute(sql, (replace_surrogates(owner),))
            return dict(rows.fetchall())

    def _select(self, where: str, *parameters: Any) -> list[SweepRecord]:
        with self._read() as connection:
            rows = connection.execute(f"{SELECT} {where}", parameters).fetchall()
            return [_decode_sweep(row) for row in rows]

    def _select_points(self, sql: str, *parameters: Any) -> list[PointRecord]:
        with self._read() as connection:
            rows = connection.execute(sql, parameters).fetchall()
            return [self._read_point(row) for row in rows]

    @contextmanager
    def _read(self) -> Iterator[Any]:
        with self._store.read() as connection:
            try:
                yield connection
            except (ValueError, KeyError, TypeError) as error:
                raise make_damage_error(
                    self._store.path, f"a sweep cannot be read: {error}"
                ) from error

    def _read_point(self, row: Sequence[Any]) -> PointRecord:
        job_id, token, phase, error, results, started, ended, *rest = row
        server, node_seconds, sweep, point = rest
        seconds_by_node = json.loads(node_seconds)
        seconds = sum(seconds_by_node.values())
        if not seconds:
            ended = ended or 0.0
            started = started or ended
            seconds = max(ended - started, 0.0)
        return PointRecord(
            job_id,
            token,
            phase,
            error,
            decode_results(results, self._store.outputs),
            seconds,
            server,
            sweep,
            point,
        )


def _decode_sweep(row: Sequence[Any]) -> SweepRecord:
    values = dict(zip(COLUMNS, row, strict=True))
    values["definition"] = json.loads(values["definition"])
    return SweepRecord(**values)


def _write(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, str):
        return replace_surrogates(value)
    return value
