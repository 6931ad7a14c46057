"""The layout of a job: found again after a restart, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.workflow import Layout, StoredLayout, WrittenLayout
from comfygradio.errors import LayoutMissing
from comfygradio.jobs.job import Job

FindLayout = Callable[[str, str], Layout]
"""Finds the layout of a preset that has a digest. Raises LayoutMissing."""

LAYOUT_NOT_FOUND = "{reason} So the results do not carry the author's layout."

LAYOUT_NOT_WRITTEN = (
    "The values could not be written into the author's layout, so the results do not carry it."
)


def find_no_layout(preset: str, digest: str) -> Layout:
    """Find the layout of a preset, where there are no presets."""
    raise LayoutMissing("There are no presets here.")


@dataclass(frozen=True)
class JobLayout:
    """The layout of a job. What is to be told of it goes into the job's snapshot when it is
    written: a job that its server has already carries the layout that it was posted with.
    """

    job: Job
    layout: Layout
    find: FindLayout

    @property
    def digest(self) -> str:
        """Tells this layout from others."""
        return self.layout.digest

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Write the values of a graph; None where that is not possible."""
        try:
            layout = self._find()
        except LayoutMissing as missing:
            self._tell((LAYOUT_NOT_FOUND.format(reason=missing),))
            return None
        written = layout.write(graph)
        notes = (LAYOUT_NOT_WRITTEN,) if written is None else written.notes
        self._tell(notes)
        return written

    def _find(self) -> Layout:
        if isinstance(self.layout, StoredLayout):
            # The job was resumed.
            return self.find(self.job.order.preset, self.layout.digest)
        return self.layout

    def _tell(self, notes: tuple[str, ...]) -> None:
        if notes != self.job.snapshot.layout_notes:
            self.job.update(layout_notes=notes)


def open_layout(job: Job, find: FindLayout) -> JobLayout | None:
    """Open the layout of a job, if it has one."""
    layout = job.order.prompt.layout
    return None if layout is None else JobLayout(job, layout, find)
