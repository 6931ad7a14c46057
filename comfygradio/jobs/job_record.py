"""Jobs as rows of the job store, and rows as jobs."""

from __future__ import annotations

from dataclasses import replace

from comfygradio.jobs.job import Job, Point, Submission
from comfygradio.jobs.job_store import JobRecord


def make_record(job: Job) -> JobRecord:
    """The row of a new job."""
    point = job.order.point
    return JobRecord(
        id=job.id,
        token=job.token,
        owner=job.owner,
        preset=job.order.preset,
        title=job.order.title,
        priority=job.priority,
        order=job.order,
        phase="waiting",
        created=job.created,
        posted=None,
        started=None,
        ended=None,
        server="",
        client_id=job.client_id,
        attempts=0,
        error="",
        node_seconds={},
        favourite=False,
        results=(),
        sweep=point.sweep if point else "",
        point=point.key if point else "",
        party=job.party if job.party != job.owner else "",
    )


def make_job(record: JobRecord) -> Job:
    """The job of a row. One that was running waits again until its backend is asked about it.

    The point of a sweep keeps its sweep and key; its position is not stored with the job.
    """
    point = Point(record.sweep, (), record.point) if record.sweep else None
    job = Job(
        replace(record.order, point=point),
        record.owner,
        record.priority,
        party=record.party,
        id=record.id,
        token=record.token,
        created=record.created,
        submission=Submission(
            backend_url=record.server,
            may_exist=record.posted is not None,
            accepted=record.started is not None,
            attempts=record.attempts,
        ),
    )
    job.client_id = record.client_id
    is_open = record.phase in ("waiting", "running")
    ended = record.ended or 0.0
    # A job that never started took no time.
    started = record.started or ended
    job.update(
        phase="waiting" if is_open else record.phase,
        error=record.error,
        results=record.results,
        seconds=max(ended - started, 0.0),
    )
    return job
