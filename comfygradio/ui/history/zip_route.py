"""The route for downloads of the history: the results of chosen jobs as one zip file, sent while it
is written.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.jobs.job_store import JobRecord, JobStore
from comfygradio.jobs.naming import clean_name
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import find_person

ZIP_PATH = "/gradio_api/comfygradio/history.zip"

CHUNK_BYTES = 1 << 18
MAX_JOBS = 500

MIN_ZIP_TIME = 315_619_200.0
"""The 2nd of January 1980, as Unix time: a zip file knows no time before 1980, and the day more is
for time zones.
"""

Entry = tuple[str, Path | str, float]
"""The name of a file in the zip, its source or its text, and its Unix time."""


def make_zip_route(
    page_sessions: PageSessions, store: JobStore, clock: Clock = SYSTEM_CLOCK
) -> Route:
    """Make the route to which a page posts its secret and the tokens of jobs; jobs
    of others are left out.
    """

    async def serve_zip(request: Request) -> Response:
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

    return Route(ZIP_PATH, serve_zip, methods=["POST"])


def list_entries(records: Iterable[JobRecord]) -> Iterator[Entry]:
    """Yield an entry for every result; the results of one job are numbered."""
    for record in records:
        sources: list[Path | str] = []
        for result in record.results:
            source = result.path or result.text
            if source:
                sources.append(source)
        base = f"{clean_name(record.title, 60)} {_write_time(record.created)}"
        for number, source in enumerate(sources, 1):
            stem = f"{base} {number}" if len(sources) > 1 else base
            suffix = source.suffix if isinstance(source, Path) else ".txt"
            yield f"{stem}{suffix}", source, record.created


def _write_time(seconds: float) -> str:
    """Write a Unix time in the local time zone."""
    local_time = time.localtime(seconds)
    return time.strftime("%Y%m%d-%H%M%S", local_time)


def stream_zip(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of a zip file with these entries, uncompressed since pictures are already.

    Of several entries with the same name, the later ones are numbered. Files that are gone are
    named in a text in the zip.
    """
    buffer = _ChunkBuffer()
    gone: list[str] = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, source, created in _make_unique(entries):
            try:
                file = BytesIO(source.encode()) if isinstance(source, str) else source.open("rb")
            except OSError:
                gone.append(name)
                continue
            moment = time.localtime(max(created, MIN_ZIP_TIME))
            info = zipfile.ZipInfo(name, moment[:6])
            with file, archive.open(info, "w", force_zip64=True) as target:
                while chunk := file.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield buffer.take()
        if gone:
            archive.writestr("Files that are gone.txt", "\n".join(gone))
    yield buffer.take()


def _make_unique(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Number the later ones of several entries whose names differ at most in case."""
    taken: set[str] = set()
    for name, source, created in entries:
        unique = name
        count = 1
        path = Path(name)
        while unique.lower() in taken:
            count += 1
            unique = f"{path.stem} ({count}){path.suffix}"
        taken.add(unique.lower())
        yield unique, source, created


class _ChunkBuffer(RawIOBase):
    """A file that holds what was written since the last `take`; it cannot seek."""

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
        """Return what was written since the last call."""
        taken = b"".join(self._parts)
        self._parts = []
        return taken
