"""The prompt of a file that holds only the workflow of ComfyUI's page."""

from __future__ import annotations

from dataclasses import replace

from comfygradio.comfy.object_info import FetchObjectInfo
from comfygradio.conversion.api_workflow import UiFile
from comfygradio.metadata.load import Metadata


def convert_metadata(metadata: Metadata, name: str, fetch: FetchObjectInfo) -> Metadata:
    """Return what a file tells, with the prompt that its workflow stands for where it holds none.
    `name` is what error texts call the file.

    Raises WorkflowError where that cannot be had, and what `fetch` raises.
    """
    # What comfygradio itself wrote says more than its workflow.
    if metadata.prompt is not None or metadata.workflow is None or metadata.comfygradio is not None:
        return metadata
    workflow = UiFile(f"What {name} holds", metadata.workflow).to_workflow(fetch)
    notes = (*metadata.notes, *workflow.notes)
    return replace(metadata, prompt=workflow.to_json(), notes=notes)
