"""Fetches the files that a program names by their address on the web. Knows no Gradio."""

from __future__ import annotations

import mimetypes
import re
import secrets
from dataclasses import replace
from pathlib import Path

from comfygradio.errors import LimitReached
from comfygradio.jobs.limits import Limits
from comfygradio.net.external_client import ExternalClient, FetchLimits
from comfygradio.service.upload_quota import Quota
from comfygradio.units import MEGABYTE

TYPES = frozenset(
    {
        *("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff"),
        "image/avif",
        *("video/mp4", "video/webm", "video/quicktime", "video/x-matroska"),
        *("audio/flac", "audio/x-flac", "audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg"),
        "application/octet-stream",  # what many stores say of all their files
    }
)
"""Content types accepted from the web; the content is then checked like that of every upload."""

MAX_CONCURRENT = 8
"""Most files fetched at the same time, for everybody together."""

QUOTA_KEY = "links"
"""The one person that links count for: Gradio does not tell who asks for a file."""

TOO_MUCH = "As many files were fetched from the web as may be in an hour; try again later."


class WebFiles:
    """Fetches files for the fields of a page.

    `client` may be replaced while the page is served; `asked` counts the addresses requested.

    All links share one `quota`, separate from that of uploads: somebody who has the app fetch many
    files slows down other links, never the uploads.
    """

    def __init__(self, client: ExternalClient, quota: Quota) -> None:
        self.client = client
        self.quota = quota
        self.asked = 0
        self._running = 0

    async def fetch(self, url: str, folder: Path) -> Path:
        """Fetch a file into a folder, under a name that nobody can guess; return its path.

        Raises ExternalError, and LimitReached if too many files are fetched.
        """
        self.asked += 1
        if self._running >= MAX_CONCURRENT:
            raise LimitReached("Too many files are fetched from the web; try again in a minute.")
        self._take(files=1, size=0)
        path = folder / secrets.token_hex(16) / "file"
        path.parent.mkdir(parents=True)
        # Nothing is awaited between the check and this line, so the event loop needs no lock.
        self._running += 1
        try:
            with path.open("wb") as file:
                answer = await self.client.download(url, TYPES, file)
            # How large the file is turns out only now.
            self._take(files=0, size=answer.size)
            suffix = find_suffix(url, answer.content_type)
            named_path = path.with_name(f"file{suffix}")
            return path.rename(named_path)
        except BaseException:
            path.unlink(missing_ok=True)
            path.parent.rmdir()
            raise
        finally:
            self._running -= 1

    def _take(self, files: int, size: int) -> None:
        try:
            self.quota.take(QUOTA_KEY, files, size)
        except LimitReached as error:
            raise LimitReached(TOO_MUCH) from error


def make_client(limits: Limits) -> ExternalClient:
    """Make the client of an app; it takes files up to the size of an upload."""
    fetch_limits = FetchLimits()
    if limits.upload_mb is not None:
        max_bytes = int(limits.upload_mb * MEGABYTE)
        fetch_limits = replace(fetch_limits, size=max_bytes)
    return ExternalClient(limits=fetch_limits)


def find_suffix(url: str, content_type: str) -> str:
    """Choose the suffix of a file from the web by its content type, or by its address if the type
    says nothing.
    """
    if content_type != "application/octet-stream":
        return mimetypes.guess_extension(content_type) or ""
    path, *_ = re.split(r"[?#]", url, maxsplit=1)
    suffix = re.search(r"\.[a-z0-9]{1,12}\Z", path.lower())
    return suffix[0] if suffix else ""
