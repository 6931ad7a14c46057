"""Write a posted prompt back into the UI file that it came from, so that ComfyUI's page opens its
author's layout with the values that were used.

It works in rounds. Each converts the file, compares this with the posted prompt, and changes the
file where they differ; the last one tells what still does. So nothing is different unnoticed,
whatever the file holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.envelope import find_ui_format
from comfygradio.comfy.object_info import is_whole_number
from comfygradio.conversion.change import Change, apply_changes
from comfygradio.conversion.change_plan import ChangePlan, plan_changes, plan_order
from comfygradio.conversion.file_draft import FileDraft, rename_proxies
from comfygradio.conversion.placement import LeftValue, says_nothing
from comfygradio.conversion.reading import (
    Difference,
    Prompt,
    Reading,
    is_link,
    list_differences,
)
from comfygradio.conversion.result import show_value
from comfygradio.conversion.scope import Scope
from comfygradio.conversion.shown_text import show_name
from comfygradio.conversion.widget import Widget
from comfygradio.errors import WorkflowError

MAX_ROUNDS = 4
"""Maximum number of times that a file is changed: bypassed nodes first, then values and links."""

MAX_EXACT = 2**53
"""JavaScript rounds whole numbers beyond it."""

CHANGED_TEXT = r"\{|\\[{}|]|//"
"""Matches what ComfyUI's page takes for alternatives, for an escaped character or for a comment in
a dynamic text.
"""

MAX_NAMED = 10
"""Maximum number of places that one note names."""


@dataclass(frozen=True)
class WrittenWorkflow:
    """A UI file with the values of a prompt. `notes` say what ComfyUI's page would post otherwise;
    `differences` are the inputs of the prompt that could not be written back.
    """

    workflow: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


def write_back(
    workflow: Mapping[str, Any], object_info: Mapping[str, Any], prompt: Prompt
) -> WrittenWorkflow:
    """Write a prompt into the workflow in UI format that it came from. None of them is changed;
    what stays the same is shared by both workflows.

    Raises WorkflowError.
    """
    data = find_ui_format(workflow)
    try:
        return _write(data, object_info, prompt)
    except RecursionError as error:
        raise WorkflowError("This workflow is nested too deeply.") from error


def _write(
    data: Mapping[str, Any], object_info: Mapping[str, Any], prompt: Prompt
) -> WrittenWorkflow:
    posted_ids = {node_id: node_id for node_id in prompt}
    reading = Reading.read(data, object_info)
    left: list[str] = []
    order = plan_order(reading)
    if order.changes:
        # No definition is copied for it: all instances of one need the same.
        applied = _apply(data, reading, order)
        data = applied.data
        left += applied.list_left(posted_ids)
        reading = Reading.read(data, object_info)
    differences = list_differences(reading.conversion.prompt, prompt)
    for _ in range(MAX_ROUNDS):
        if not differences:
            break
        plan = plan_changes(reading, prompt, differences)
        if not plan.changes:
            break
        applied = _apply(data, reading, plan)
        data = applied.data
        left += applied.list_left(posted_ids)
        renamed = applied.renamed
        prompt = _rename(prompt, renamed)
        posted_ids = {renamed.get(key, key): posted for key, posted in posted_ids.items()}
        reading = Reading.read(data, object_info)
        differences = list_differences(reading.conversion.prompt, prompt)
    named = []
    for difference in differences:
        node_id = posted_ids.get(difference.node, difference.node)
        named.append(Difference(node_id, difference.input))
    notes = [
        *_describe_differences(named),
        *_describe_left(left),
        *_list_notes(reading, prompt, posted_ids),
    ]
    return WrittenWorkflow(data, tuple(notes), tuple(named))


@dataclass(frozen=True)
class _Applied:
    """A changed file. `renamed` are new ids of nodes of the prompt, and `left` the values that
    nodes no longer have, by the nodes' ids before.
    """

    data: Mapping[str, Any]
    renamed: Mapping[str, str]
    left: Mapping[str, tuple[LeftValue, ...]]

    def list_left(self, posted_ids: Mapping[str, str]) -> Iterator[str]:
        """Describe the values that nodes no longer have, except those that say nothing."""
        for node_id, values in self.left.items():
            node = f"node {show_name(posted_ids.get(node_id, node_id))}"
            for _, name, value in values:
                if says_nothing(name, value):
                    continue
                place = f"{node}, {show_name(name)}" if name else node
                yield f"{place} = {show_value(value)}"


@dataclass
class _Version:
    """A definition with the changes that some of its instances need. `ids` are new ids of its
    nodes, by old id or by the name of an added node.
    """

    graph_id: str
    ids: dict[str, str]


def _apply(data: Mapping[str, Any], reading: Reading, plan: ChangePlan) -> _Applied:
    """Apply a plan."""
    draft = FileDraft(data)
    marks = _mark_scopes(reading.scopes, plan)
    versions: dict[tuple[str, str], _Version] = {}
    left: dict[str, tuple[LeftValue, ...]] = {}
    unchanged = {scope.graph.id for scope in reading.scopes if marks[scope] == ""}
    shared = _find_shared(reading.scopes)
    for scope in reading.scopes:
        key = (scope.graph.id, marks[scope])
        if key in versions:
            continue
        is_first = all(graph_id != scope.graph.id for graph_id, _ in versions)
        keeps = key[1] == "" or (is_first and scope.graph.id not in unchanged)
        versions[key] = _open_version(draft, scope.graph.id, key[1], keeps)
        changes = list(plan.changes.get(scope, ()))
        if scope.graph.id not in shared:
            changes += plan.agreements.get(scope, ())
        graph = draft.find_graph(versions[key].graph_id)
        if graph is not None and changes:
            found = apply_changes(graph, changes, versions[key].ids, reading.catalogue)
            for node_id, values in found.items():
                left[f"{scope.path}{node_id}"] = values
    _set_types(draft, reading.scopes, marks, versions)
    renamed = _list_renamed(reading.scopes, marks, versions, plan)
    return _Applied(draft.data, renamed, left)


def _mark_scopes(scopes: list[Scope], plan: ChangePlan) -> dict[Scope, str]:
    """Mark each scope with the changes that it and those inside of it need; "" for none. Scopes
    with the same mark share a definition.
    """
    marks: dict[Scope, str] = {}
    # The inner ones come last.
    for scope in reversed(scopes):
        own: list[Change] = plan.changes.get(scope, [])
        inner = {}
        for node_id, child in scope.inner.items():
            if marks[child]:
                inner[node_id] = marks[child]
        marks[scope] = repr((own, inner)) if own or inner else ""
    return marks


def _find_shared(scopes: list[Scope]) -> set[str]:
    """Find the graphs that have several instances."""
    seen: set[str] = set()
    shared: set[str] = set()
    for scope in scopes:
        if scope.graph.id in seen:
            shared.add(scope.graph.id)
        seen.add(scope.graph.id)
    return shared


def _open_version(draft: FileDraft, graph_id: str, mark: str, keeps: bool) -> _Version:
    """Find the definition to change: itself, or a copy where other instances go on using it."""
    copied = None if keeps else draft.copy_definition(graph_id, mark)
    if copied is None:
        return _Version(graph_id, {})
    return _Version(*copied)


def _set_types(
    draft: FileDraft,
    scopes: list[Scope],
    marks: Mapping[Scope, str],
    versions: Mapping[tuple[str, str], _Version],
) -> None:
    """Let the instances of a copied definition be of its type."""
    for scope in scopes:
        if scope.outer is None or scope.host is None:
            continue
        version = versions[scope.graph.id, marks[scope]]
        if version.graph_id == scope.graph.id:
            continue
        outer = versions[scope.outer.graph.id, marks[scope.outer]]
        graph = draft.find_graph(outer.graph_id)
        if graph is None:
            continue
        node = graph.edit_node(outer.ids.get(scope.host.id, scope.host.id))
        if node is not None and node.get("type") != version.graph_id:
            node["type"] = version.graph_id
            rename_proxies(node, version.ids)


def _list_renamed(
    scopes: list[Scope],
    marks: Mapping[Scope, str],
    versions: Mapping[tuple[str, str], _Version],
    plan: ChangePlan,
) -> dict[str, str]:
    """Map the ids of a prompt's nodes to those that they have in the changed file."""
    renamed: dict[str, str] = {}
    paths: dict[Scope, str] = {}
    for scope in scopes:
        path = ""
        if scope.outer is not None and scope.host is not None:
            outer = versions[scope.outer.graph.id, marks[scope.outer]]
            path = f"{paths[scope.outer]}{outer.ids.get(scope.host.id, scope.host.id)}:"
        paths[scope] = path
        ids = versions[scope.graph.id, marks[scope]].ids
        for node_id in scope.graph.nodes:
            new = f"{path}{ids.get(node_id, node_id)}"
            old = f"{scope.path}{node_id}"
            if new != old:
                renamed[old] = new
        for name, posted in plan.added.get(scope, {}).items():
            if name in ids:
                renamed[posted] = f"{path}{ids[name]}"
    return renamed


def _rename(prompt: Prompt, renamed: Mapping[str, str]) -> Prompt:
    """Give the nodes of a prompt new ids."""
    if not renamed:
        return prompt
    result: dict[str, Mapping[str, Any]] = {}
    for node_id, node in prompt.items():
        inputs = {}
        for name, value in node["inputs"].items():
            if is_link(value) and value[0] in renamed:
                value = [renamed[value[0]], *value[1:]]
            inputs[name] = value
        result[renamed.get(node_id, node_id)] = {**node, "inputs": inputs}
    return result


def _describe_differences(differences: list[Difference]) -> Iterator[str]:
    if not differences:
        return
    places = [str(difference) for difference in differences]
    yield (
        "In the author's layout some of what was used could not be written back: "
        f"{_name_first(places)}."
    )


def _describe_left(values: list[str]) -> Iterator[str]:
    if values:
        yield (
            "The author's layout no longer has the values that no widget of this server's nodes "
            f"takes: {_name_first(values)}."
        )


def _name_first(places: list[str]) -> str:
    """Name the first of some places, and count the others."""
    named = places[:MAX_NAMED]
    if len(places) > MAX_NAMED:
        named.append(f"and {len(places) - MAX_NAMED} more")
    return "; ".join(named)


def _list_notes(reading: Reading, prompt: Prompt, posted_ids: Mapping[str, str]) -> Iterator[str]:
    """Tell which values ComfyUI's page itself changes when it posts the file."""
    rounded = []
    expanded = []
    for node_id, node in prompt.items():
        for name, value in node["inputs"].items():
            place = f"node {posted_ids.get(node_id, node_id)}, {name}"
            if is_whole_number(value) and abs(value) > MAX_EXACT and not _is_exact(value):
                rounded.append(place)
            if not isinstance(value, str) or not _is_expanded(value):
                continue
            if _is_dynamic(reading, node_id, name):
                expanded.append(place)
    if rounded:
        yield (
            "ComfyUI's page rounds whole numbers beyond 2^53, so it would post others: "
            f"{_name_first(rounded)}."
        )
    if expanded:
        yield (
            "ComfyUI's page takes braces for alternatives and // for a comment, so it would post "
            f"other texts: {_name_first(expanded)}."
        )


def _is_expanded(text: str) -> bool:
    """Whether ComfyUI's page would post another text for a dynamic one."""
    if re.search(CHANGED_TEXT, text):
        return True
    # A last backslash that no other one escapes, and that escapes nothing itself.
    backslashes = len(text) - len(text.rstrip("\\"))
    if backslashes % 2 == 1:
        return True
    _, opening, rest = text.partition("/*")
    return opening != "" and "*/" in rest


def _is_exact(value: int) -> bool:
    """Whether JavaScript has this very number."""
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _is_dynamic(reading: Reading, node_id: str, name: str) -> bool:
    """Whether ComfyUI's page expands a text. It does not in promoted ones."""
    place = reading.conversion.places.get((node_id, name))
    if place is None or place.hosts:
        return False
    _, node = reading.owners[node_id]
    placed = reading.catalogue.place(node).widgets.get(name)
    widget: Widget | None = placed.widget if placed else None
    return widget is not None and bool(widget.options.get("dynamicPrompts"))
