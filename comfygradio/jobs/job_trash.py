"""The trash of a job store: what people deleted stays there for a day, and can be restored."""

from __future__ import annotations

import logging

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import JobStoreError
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.rows import replace_surrogates

TRASH_SECONDS = 86_400.0
"""How long a job stays in the trash."""

MAX_AT_ONCE = 100
"""Number of jobs that are looked up at once when the trash is emptied."""

log = logging.getLogger(__name__)


class JobTrash:
    """The jobs of a store that were deleted. Their files stay where they are until they are deleted
    for good.

    Thread-safe; every method raises JobStoreError when the file cannot be read or written.
    """

    def __init__(self, store: JobStore, clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._clock = clock

    def put(self, job_id: str) -> None:
        """Put a job that is over into the trash. Unknown, or there already: nothing."""
        # Nobody else changes it meanwhile.
        with self._store.read():
            record = self._store.get(job_id)
            if record is None or record.deleted is not None:
                return
            if record.phase in ("waiting", "running"):
                raise JobStoreError("This job is not over yet; stop it before deleting it.")
            self._store.change(job_id, deleted=self._clock.time())

    def restore(self, job_id: str) -> None:
        """Take a job out of the trash. Not there: nothing."""
        self._store.change(job_id, deleted=None)

    def delete(self, job_id: str) -> None:
        """Delete a job that is in the trash for good, with its files. Not there: nothing."""
        with self._store.read():
            record = self._store.get(job_id)
            if record is not None and record.deleted is not None:
                self._store.delete(job_id)

    def measure_time_left(self, deleted: float) -> float:
        """How many seconds a job that was deleted then still stays."""
        return max(deleted + TRASH_SECONDS - self._clock.time(), 0.0)

    def has_any(self, owner: str) -> bool:
        """Whether anything of a person is in the trash."""
        return bool(self._list_ids("owner = ?", replace_surrogates(owner), 1))

    def list_all(self, owner: str) -> list[str]:
        """The ids of all that a person has in the trash."""
        return self._list_ids("owner = ?", replace_surrogates(owner), -1)

    def delete_old(self) -> int:
        """Delete for good what was in the trash for a day; returns the number of jobs.

        One that cannot be deleted stays, and is tried again the next time.
        """
        limit = self._clock.time() - TRASH_SECONDS
        deleted = 0
        failed = 0
        while True:
            # Those that failed come again, at the beginning.
            found = self._list_ids("deleted <= ?", limit, failed + MAX_AT_ONCE)[failed:]
            for job_id in found:
                try:
                    self.delete(job_id)
                    deleted += 1
                except JobStoreError as error:
                    log.warning("a job of the trash stays: %s", error)
                    failed += 1
            if not found:
                return deleted

    def _list_ids(self, condition: str, value: str | float, limit: int) -> list[str]:
        """List jobs in the trash, the oldest first; -1 is no limit."""
        sql = f"""SELECT id FROM jobs INDEXED BY jobs_deleted
                  WHERE deleted IS NOT NULL AND {condition} ORDER BY deleted, seq LIMIT ?"""
        with self._store.read() as connection:
            rows = connection.execute(sql, (value, limit)).fetchall()
        return [job_id for (job_id,) in rows]
