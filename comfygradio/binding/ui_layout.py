"""The layout of a preset: its workflow in UI format, and the server that values are written for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import WrittenLayout
from comfygradio.conversion.write_back import write_back
from comfygradio.errors import WorkflowError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UiLayout:
    """A workflow in UI format, which belongs to a preset."""

    workflow: Mapping[str, Any]
    object_info: ObjectInfo

    def write(self, graph: Mapping[str, Any]) -> WrittenLayout | None:
        """Write the values of a graph into a copy; None where that is not possible."""
        try:
            written = write_back(self.workflow, self.object_info.to_json(), graph)
        except WorkflowError as error:
            log.warning("values cannot be written into the author's layout: %s", error)
            return None
        except Exception:
            # Pictures are made without it, so no job may fail because of it.
            log.exception("values could not be written into the author's layout")
            return None
        return WrittenLayout(written.workflow, written.notes)
