"""Downloads of the history: the results of chosen jobs as one zip file, sent while it is packed."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job_store import JobRecord, JobStore
from comfygradio.jobs.naming import clean_name
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person

CHUNK_BYTES = 1 << 18
MAX_JOBS = 500

MIN_ZIP_TIME = 315_619_200.0
"""The 2nd of January 1980: a zip file knows no time before that year, in whatever time zone."""

Entry = tuple[str, Path | str, float]
"""A name in the zip, the file or the text that it holds, and when it was made."""


def make_zip_route(
    page_sessions: PageSessions, store: JobStore, clock: Clock = SYSTEM_CLOCK
) -> Callable[[Request], Awaitable[Response]]:
    """The route that a page posts its secret and the tokens of jobs to; others' jobs
    are left out.
    """

    async def send(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=MAX_JOBS + 1) as form:
            access = form.get("access")
            tokens = [str(token) for token in form.getlist("job")]
        owner = page_sessions.find_owner(access, find_person(request).session)
        if owner is None:
            return PlainTextResponse(
                "This page has expired; reload the history and try again.", 403
            )
        records = []
        for token in dict.fromkeys(tokens):
            record = store.find(token)
            if record and record.owner == owner:
                records.append(record)
        entries = list(list_entries(records))
        name = f"comfygradio-{_write_time(clock.time())}.zip"
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        }
        return StreamingResponse(stream_zip(entries), media_type="application/zip", headers=headers)

    return send


def list_entries(records: Iterable[JobRecord]) -> Iterator[Entry]:
    """Name in the zip, file or text, and time of every result; those of one job are numbered."""
    for record in records:
        made = [result.path or result.text for result in record.results]
        kept = [one for one in made if one]
        base = f"{clean_name(record.title, 60)} {_write_time(record.created)}"
        for number, one in enumerate(kept, 1):
            stem = f"{base} {number}" if len(kept) > 1 else base
            suffix = one.suffix if isinstance(one, Path) else ".txt"
            yield f"{stem}{suffix}", one, record.created


def _write_time(seconds: float) -> str:
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))


def stream_zip(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The bytes of a zip file with these files as they are (pictures get no smaller); it names
    those that are gone.

    Of several entries with one name the later ones are numbered.
    """
    sink = _ChunkBuffer()
    gone: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, made, created in _make_unique(entries):
            try:
                source = BytesIO(made.encode()) if isinstance(made, str) else made.open("rb")
            except OSError:
                gone.append(name)
                continue
            moment = time.localtime(max(created, MIN_ZIP_TIME))
            info = zipfile.ZipInfo(name, moment[:6])
            with source, archive.open(info, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield sink.take()
        if gone:
            archive.writestr("Files that are gone.txt", "\n".join(gone))
    yield sink.take()


def _make_unique(entries: Iterable[Entry]) -> Iterator[Entry]:
    taken: set[str] = set()
    for name, made, created in entries:
        free = name
        count = 1
        path = Path(name)
        while free.lower() in taken:
            count += 1
            free = f"{path.stem} ({count}){path.suffix}"
        taken.add(free.lower())
        yield free, made, created


class _ChunkBuffer(RawIOBase):
    """Takes what the zip file writes, to be sent on; it cannot seek, so nothing is kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def seekable(self) -> bool:
        return False

    def take(self) -> bytes:
        """Everything since the last time."""
        taken = b"".join(self._parts)
        self._parts = []
        return taken
