"""Load the workflow of a draft from a workflow file or from media that ComfyUI wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from comfygradio.comfy.envelope import is_ui_format, open_envelope
from comfygradio.comfy.object_info import FetchObjectInfo
from comfygradio.comfy.workflow import Link, Workflow, load_json
from comfygradio.conversion.api_workflow import UiFile
from comfygradio.errors import WorkflowError
from comfygradio.metadata.load import is_media, load_metadata


@dataclass(frozen=True)
class WorkflowSource:
    """A workflow in API format, and its UI format if that is known.

    With `is_kept` the second stands for just this prompt, and is stored with a preset. `graph` is
    the API format as it stands in the file, {} where it does not.
    """

    workflow: Workflow
    saved: Mapping[str, Any] | None = None
    is_kept: bool = False
    graph: Mapping[str, Any] = field(default_factory=dict)


def load_workflow_source(path: Path, saved: Path | None = None) -> WorkflowSource | UiFile:
    """Load the workflow in a file, or what there is of it if it is there only in UI format.

    `saved` is a file with the same workflow in UI format, or None.

    Raises WorkflowError and MetadataError.
    """
    source = _load_json(path) if is_json(path) else _load_media(path)
    if saved is None:
        return source
    ui_workflow = _load_ui_workflow(saved)
    if isinstance(source, UiFile):
        raise WorkflowError(
            f"{source.name} is in ComfyUI's UI format itself and has App mode's choices; leave "
            f"{saved} out."
        )
    return replace(source, saved=ui_workflow)


def convert_source(source: WorkflowSource | UiFile, fetch: FetchObjectInfo) -> WorkflowSource:
    """Convert a source that is there only in UI format, for the server that `fetch` asks; find out
    whether both formats of any other are the same workflow.

    Raises WorkflowError.
    """
    if isinstance(source, UiFile):
        workflow = source.to_workflow(fetch)
        return WorkflowSource(workflow, source.data, is_kept=True)
    if source.saved is None:
        return source
    is_same = _is_same_workflow(source.workflow, source.saved, fetch)
    return replace(source, is_kept=is_same)


def _is_same_workflow(workflow: Workflow, saved: Mapping[str, Any], fetch: FetchObjectInfo) -> bool:
    """Whether a workflow in UI format has the same nodes and links. Values may have changed between
    the page and the run.
    """
    try:
        converted = UiFile("The workflow", saved).to_workflow(fetch)
    except WorkflowError:
        return False
    return _list_links(converted) == _list_links(workflow)


def _list_links(workflow: Workflow) -> dict[str, tuple[str, Mapping[str, Link]]]:
    return {node.id: (node.class_type, node.links) for node in workflow}


def is_json(path: Path) -> bool:
    """Whether a file is JSON by its name, unless its content is a picture or other media."""
    if path.suffix.lower() != ".json":
        return False
    return not is_media(path)


def _load_json(path: Path) -> WorkflowSource | UiFile:
    data = load_json(path)
    opened = open_envelope(data)
    if is_ui_format(opened.content):
        return UiFile(str(path), opened.content)
    workflow = Workflow.from_json(data, str(path))
    return WorkflowSource(workflow, opened.ui_workflow, graph=opened.content)


def _load_media(path: Path) -> WorkflowSource | UiFile:
    found = load_metadata(path)
    if found.prompt is not None:
        workflow = Workflow.from_json(dict(found.prompt), path.name)
        return WorkflowSource(workflow, found.workflow, graph=found.prompt)
    if found.workflow is not None:
        return UiFile(f"What {path.name} holds", found.workflow)
    raise WorkflowError(
        f"{path.name} does not hold the workflow that made it; use the workflow file itself."
    )


def _load_ui_workflow(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise WorkflowError(
            f"The workflow {path} cannot be read: {error.strerror or error}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise WorkflowError(f"The workflow {path} is not valid JSON.") from error
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        raise WorkflowError(
            f"{path} is not in ComfyUI's UI format; in ComfyUI, choose Workflow → Save, or leave "
            "it out."
        )
    return data
