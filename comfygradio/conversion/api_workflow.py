"""A workflow in UI format as the workflow in API format that it stands for, or a sentence that says
why it cannot be had.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comfygradio.comfy.object_info import FetchObjectInfo, ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.conversion.convert import convert_workflow
from comfygradio.conversion.group_node import find_groups, name_group
from comfygradio.conversion.page_nodes import PAGE_ONLY
from comfygradio.conversion.result import Conversion, MissingClass
from comfygradio.conversion.shown_text import show_name
from comfygradio.conversion.ui_format import list_objects, map_definitions
from comfygradio.errors import WorkflowError

MAX_CLASSES = 500
"""Most node classes of one workflow that a server is asked about. Real workflows have some dozens;
a file of anybody could have any number.
"""

MAX_NAMED = 8
"""Most missing classes that a sentence names."""

BROKEN = "broken there, as its log says; update the custom node"

NOTHING_RUNS = (
    "{name} is in ComfyUI's UI format, and no node of it can be run. If ComfyUI shows some, choose "
    "Workflow → Export (API) there and use that file instead."
)


@dataclass(frozen=True)
class UiFile:
    """A workflow in UI format out of a file. `name` is what sentences call it."""

    name: str
    data: Mapping[str, Any]

    def convert(self, object_info: ObjectInfo) -> Conversion:
        """Convert it to API format for a server with these node classes. Raises WorkflowError."""
        return convert_workflow(self.data, object_info.to_json())

    def fetch_classes(self, fetch: FetchObjectInfo) -> ObjectInfo:
        """Fetch the classes of its nodes. Raises WorkflowError if there are too many."""
        classes = list_classes(self.data)
        if len(classes) > MAX_CLASSES:
            raise WorkflowError(
                f"{self.name} has {len(classes):,} kinds of nodes; at most {MAX_CLASSES} are "
                "converted."
            )
        # Servers take no names for all names.
        return fetch(classes) if classes else ObjectInfo({})

    def to_workflow(self, fetch: FetchObjectInfo) -> Workflow:
        """Convert it to API format for the server that `fetch` asks; notes say what was not placed
        as the file has it.

        Raises WorkflowError if the server lacks a class, or nothing in it can be run.
        """
        object_info = self.fetch_classes(fetch)
        converted = self.convert(object_info)
        if converted.missing:
            raise WorkflowError(describe_missing(self.name, converted.missing, object_info.broken))
        if not converted.prompt:
            raise WorkflowError(NOTHING_RUNS.format(name=self.name))
        workflow = Workflow.from_json(converted.prompt, self.name)
        notes = tuple(str(note) for note in converted.notes)
        return replace(workflow, notes=notes)


def list_classes(data: Mapping[str, Any]) -> frozenset[str]:
    """List the classes that a server is asked about to convert a workflow in UI format."""
    own = map_definitions(data)
    graphs = [data, *own.values(), *find_groups(data).values()]
    found = set()
    for graph in graphs:
        for node in list_objects(graph.get("nodes")):
            kind = node.get("type")
            if isinstance(kind, str) and kind and kind not in own:
                found.add(kind)
    named = found - PAGE_ONLY
    # A group node is called after its group.
    return frozenset(kind for kind in named if not name_group(kind))


def describe_missing(
    name: str, missing: Sequence[MissingClass], broken: Collection[str] = ()
) -> str:
    """Say which classes a server lacks for a workflow, with their packs and how these are
    installed. `broken` are classes that it has but fails to describe.
    """
    groups: dict[str, list[str]] = {}
    for one in missing[:MAX_NAMED]:
        advice = BROKEN if one.class_type in broken else one.advice
        groups.setdefault(advice, []).append(show_name(one.class_type))
    parts = [f"{_join(classes)} ({advice})" for advice, classes in groups.items()]
    more = len(missing) - MAX_NAMED
    if more > 0:
        parts.append(f"{more} more")
    word = "the node class" if len(missing) == 1 else "node classes"
    listed = "; ".join(parts)
    return f"{name} needs {word} {listed}, which this ComfyUI does not have."


def _join(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
