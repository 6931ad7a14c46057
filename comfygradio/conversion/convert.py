"""Convert a workflow of the UI format to the prompt that ComfyUI's page would post."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.comfy.envelope import find_ui_format
from comfygradio.conversion.budget import measure
from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.group_node import open_group_nodes
from comfygradio.conversion.prompt_builder import PromptBuilder
from comfygradio.conversion.result import Conversion
from comfygradio.conversion.scope import Scope, open_scopes
from comfygradio.conversion.shown_text import CANNOT
from comfygradio.conversion.ui_format import map_definitions
from comfygradio.conversion.ui_graph import UiGraph
from comfygradio.errors import WorkflowError


def convert_workflow(workflow: Mapping[str, Any], object_info: Mapping[str, Any]) -> Conversion:
    """Convert a workflow in UI format, with or without envelopes, for the server whose
    `/object_info` is given. Neither is changed.

    Raises WorkflowError.
    """
    data = find_ui_format(workflow)
    if not isinstance(object_info, dict):
        raise WorkflowError("The server's object_info is no JSON object.")
    try:
        return _convert(data, object_info)
    except RecursionError as error:
        raise WorkflowError(f"{CANNOT} its values are nested too deeply.") from error


def _convert(data: Mapping[str, Any], object_info: Mapping[str, Any]) -> Conversion:
    catalogue = Catalogue(object_info)
    return PromptBuilder(open_workflow(data, catalogue), catalogue).build()


def open_workflow(data: Mapping[str, Any], catalogue: Catalogue) -> list[Scope]:
    """Open the graphs of a workflow in UI format. Raises WorkflowError."""
    # Before anything is read: a file of many megabytes may be nothing but odd nodes.
    catalogue.budget.spend(measure(data))
    definitions: dict[str, UiGraph] = {}
    for graph_id, entry in map_definitions(data).items():
        definitions[graph_id] = UiGraph.parse(entry, graph_id)
    root = UiGraph.parse(data, "")
    root, definitions = open_group_nodes(data, root, definitions, catalogue)
    return open_scopes(root, definitions, catalogue.budget)
