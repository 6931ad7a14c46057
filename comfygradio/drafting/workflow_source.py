"""Load the workflow of a draft from a workflow file or from media that ComfyUI wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.comfy.envelope import open_envelope
from comfygradio.comfy.workflow import UI_FORMAT, Workflow, load_json
from comfygradio.errors import WorkflowError
from comfygradio.metadata.load import is_media, load_metadata


@dataclass(frozen=True)
class WorkflowSource:
    """A workflow in API format, and its UI format if that is known."""

    workflow: Workflow
    saved: Mapping[str, Any] | None = None


def load_workflow_source(path: Path, saved: Path | None = None) -> WorkflowSource:
    """Load the workflow in a file. `saved` is a file with the same workflow in UI format, or None.

    Raises WorkflowError and MetadataError.
    """
    source = _load_json(path) if is_json(path) else _load_media(path)
    if saved is None:
        return source
    return WorkflowSource(source.workflow, _load_ui_workflow(saved))


def is_json(path: Path) -> bool:
    """Whether a file is JSON by its name, unless its content is a picture or other media."""
    if path.suffix.lower() != ".json":
        return False
    return not is_media(path)


def _load_json(path: Path) -> WorkflowSource:
    data = load_json(path)
    workflow = Workflow.from_json(data, str(path))
    return WorkflowSource(workflow, open_envelope(data).ui_workflow)


def _load_media(path: Path) -> WorkflowSource:
    found = load_metadata(path)
    if found.prompt is not None:
        workflow = Workflow.from_json(dict(found.prompt), path.name)
        return WorkflowSource(workflow, found.workflow)
    if found.workflow is not None:
        raise WorkflowError(UI_FORMAT.format(name=f"What {path.name} holds"))
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
