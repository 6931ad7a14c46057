"""The layouts that were written last for History."""

from __future__ import annotations

import threading
from typing import NamedTuple

from comfygradio.comfy.workflow import Layout, WrittenLayout
from comfygradio.jobs.job_store import JobRecord

MAX_KEPT = 8
"""Most layouts that are kept. Real ones have less than one MB."""


class KeptLayout(NamedTuple):
    """What was written into a layout."""

    layout: Layout
    written: WrittenLayout | None


class WrittenLayouts:
    """Writes the values of jobs into layouts, and keeps the last ones: whoever opens a job may open
    it again, and download its workflow. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, KeptLayout] = {}

    def write(self, record: JobRecord, layout: Layout) -> WrittenLayout | None:
        """Write the values of a job; None where that is not possible."""
        with self._lock:
            kept = self._kept.get(record.id)
        # With the nodes of another server, another workflow may be written.
        if kept is not None and kept.layout is layout:
            return kept.written
        written = layout.write(record.order.prompt.graph)
        with self._lock:
            # The newest one is the last.
            self._kept.pop(record.id, None)
            self._kept[record.id] = KeptLayout(layout, written)
            if len(self._kept) > MAX_KEPT:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
        return written
