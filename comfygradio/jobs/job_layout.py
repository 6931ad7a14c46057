"""The layout of a job: found again after a restart, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.workflow import Layout, StoredLayout, WrittenLayout
from comfygradio.jobs.job import Job

FindLayout = Callable[[str, str], Layout | None]
"""Finds the layout of a preset that has a digest; None if the preset has another one by now."""

LAYOUT_CHANGED = (
    "The author has arranged the workflow anew since this was started, so the results do not carry "
    "its layout."
)
LAYOUT_NOT_WRITTEN = (
    "The values could not be written into the author's layout, so the results do not carry it."
)


def find_no_layout(preset: str, digest: str) -> Layout | None:
    """Find the layout of a preset, where there are no presets."""
    return None


@dataclass(frozen=True)
class JobLayout:
    """The layout of a job; what is to be told of it goes into the job's snapshot."""

    job: Job
    layout: Layout

    @property
    def digest(self) -> str:
        """Tells this layout from others."""
        return self.layout.digest

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Write the values of a graph; None where that is not possible."""
        written = self.layout.write(graph)
        notes = (LAYOUT_NOT_WRITTEN,) if written is None else written.notes
        _tell(self.job, notes)
        return written


def open_layout(job: Job, find: FindLayout) -> JobLayout | None:
    """Open the layout of a job that is about to be posted, if it has one."""
    layout = job.order.prompt.layout
    if isinstance(layout, StoredLayout):
        # The job was resumed.
        layout = find(job.order.preset, layout.digest)
        if layout is None:
            _tell(job, (LAYOUT_CHANGED,))
    return None if layout is None else JobLayout(job, layout)


def _tell(job: Job, notes: tuple[str, ...]) -> None:
    if notes != job.snapshot.layout_notes:
        job.update(layout_notes=notes)
