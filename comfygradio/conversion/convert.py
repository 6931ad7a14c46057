"""Convert a workflow of the UI format to the prompt that ComfyUI's page would post."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comfygradio.comfy.envelope import is_graph, is_ui_format, open_envelope
from comfygradio.comfy.nested_input import wrap_list
from comfygradio.conversion.catalogue import Catalogue
from comfygradio.conversion.node_class import NodeClass
from comfygradio.conversion.page_nodes import PAGE_ONLY
from comfygradio.conversion.placement import NO_WIDGET
from comfygradio.conversion.primitive import list_written, read_value
from comfygradio.conversion.promotion import Promotions
from comfygradio.conversion.result import Conversion, MissingClass, Note, Place
from comfygradio.conversion.scope import Scope, open_scopes
from comfygradio.conversion.trace import HostInput, Output, Tracer
from comfygradio.conversion.ui_format import list_definitions, to_id
from comfygradio.conversion.ui_graph import UiGraph, UiNode
from comfygradio.errors import WorkflowError


def convert_workflow(workflow: Mapping[str, Any], object_info: Mapping[str, Any]) -> Conversion:
    """Convert a workflow in UI format, with or without envelopes, for the server whose
    `/object_info` is given. Neither is changed.

    Raises WorkflowError.
    """
    data = find_ui_format(workflow)
    if not isinstance(object_info, dict):
        raise WorkflowError("The server's object_info is no JSON object.")
    definitions: dict[str, UiGraph] = {}
    for entry in list_definitions(data):
        graph_id = to_id(entry.get("id"))
        if graph_id:
            definitions.setdefault(graph_id, UiGraph.parse(entry, graph_id))
    root = UiGraph.parse(data, "")
    scopes = open_scopes(root, definitions)
    return _Converter(scopes, Catalogue(object_info)).convert()


def find_ui_format(data: Any) -> Mapping[str, Any]:
    """Find the workflow in UI format inside decoded JSON. Raises WorkflowError."""
    if is_ui_format(data):
        return _checked(data)
    opened = open_envelope(data)
    if opened.ui_workflow is not None:
        return opened.ui_workflow
    if is_ui_format(opened.content):
        return _checked(opened.content)
    if is_graph(opened.content):
        raise WorkflowError("This workflow is in API format already; there is nothing to convert.")
    raise WorkflowError("This is not a ComfyUI workflow in UI format: it has no list of nodes.")


def _checked(data: Any) -> Mapping[str, Any]:
    assert isinstance(data, dict)
    return data


class _Converter:
    def __init__(self, scopes: list[Scope], catalogue: Catalogue) -> None:
        self._scopes = scopes
        self._catalogue = catalogue
        self._tracer = Tracer(catalogue)
        self._promotions = Promotions(catalogue)
        self._written: dict[str, dict[tuple[str, str], UiNode]] = {}
        self._prompt: dict[str, dict[str, Any]] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._notes: list[Note] = []
        self._missing: dict[str, list[tuple[str, UiNode]]] = {}

    def convert(self) -> Conversion:
        for scope in self._scopes:
            if self._is_left_out(scope):
                continue
            for node in scope.graph.nodes.values():
                self._add_node(scope, node)
        self._remove_dead_links()
        missing = [_describe_missing(name, nodes) for name, nodes in self._missing.items()]
        return Conversion(self._prompt, tuple(self._notes), tuple(missing), self._places)

    def _is_left_out(self, scope: Scope) -> bool:
        """Whether a scope is inside of an instance at the top level that is muted or bypassed.

        ComfyUI's page leaves out only these; nodes inside of a nested instance that is off are
        posted, although nothing uses them.
        """
        top = scope
        while top.outer is not None and top.outer.outer is not None:
            top = top.outer
        return top.host is not None and top.host.is_off

    def _add_node(self, scope: Scope, node: UiNode) -> None:
        if node.is_off or node.id in scope.inner or node.type in PAGE_ONLY:
            return
        node_id = scope.name_node(node)
        node_class = self._catalogue.find_class(node.type)
        if node_class is None:
            self._missing.setdefault(node.type, []).append((node_id, node))
        inputs: dict[str, Any] = {}
        self._add_values(scope, node, inputs)
        self._add_links(scope, node, inputs)
        title = node.title or _name_class(node, node_class)
        self._prompt[node_id] = {
            "inputs": inputs,
            "class_type": node.type,
            "_meta": {"title": title},
        }

    def _add_values(self, scope: Scope, node: UiNode, inputs: dict[str, Any]) -> None:
        graph = scope.graph
        node_id = scope.name_node(node)
        written = self._written.get(graph.id)
        if written is None:
            written = list_written(graph)
            self._written[graph.id] = written
        shown = self._promotions.list_values(scope).widgets
        placement = self._catalogue.place(node)
        for name, placed in placement.widgets.items():
            if not placed.widget.is_posted:
                continue
            value = placed.value
            place = Place(graph.id, node.id, name, placed.index)
            primitive = written.get((node.id, name))
            if primitive is not None:
                has_value, primitive_value = read_value(primitive)
                if has_value:
                    value = primitive_value
                    place = Place(graph.id, primitive.id, "value", 0)
                override = shown.get((primitive.id, "value"))
            else:
                override = shown.get((node.id, name))
            if override is not None:
                value, host = override
                place = replace(place, hosts=(host,))
            self._set(node_id, name, value, place, inputs)
        if placement.reason:
            self._notes.append(Note(node_id, "", None, placement.reason))
        for name, value in placement.left:
            if value is not None and value != "":
                self._notes.append(Note(node_id, name, value, NO_WIDGET))

    def _add_links(self, scope: Scope, node: UiNode, inputs: dict[str, Any]) -> None:
        node_id = scope.name_node(node)
        types = {slot.name: slot.type for slot in self._catalogue.list_inputs(node)}
        for entry in node.inputs:
            if not entry.link or _is_broken(scope, node, entry.link):
                continue
            source = self._tracer.find_source(scope, entry.link, types.get(entry.name, entry.type))
            if isinstance(source, Output):
                inputs[entry.name] = [source.node_id, source.slot]
                self._places.pop((node_id, entry.name), None)
            elif isinstance(source, HostInput):
                promoted = self._promotions.find_value(source.scope, source.number)
                if promoted is not None:
                    self._set(node_id, entry.name, promoted.value, promoted.place, inputs)

    def _set(
        self, node_id: str, name: str, value: Any, place: Place, inputs: dict[str, Any]
    ) -> None:
        if isinstance(value, list | dict):
            value = copy.deepcopy(value)
        inputs[name] = wrap_list(value)
        self._places[node_id, name] = place

    def _remove_dead_links(self) -> None:
        """Remove inputs that are linked to nodes which are not in the prompt."""
        for node in self._prompt.values():
            inputs = node["inputs"]
            for name, value in list(inputs.items()):
                if isinstance(value, list) and value[0] not in self._prompt:
                    del inputs[name]


def _is_broken(scope: Scope, node: UiNode, link_id: str) -> bool:
    """Whether a link says that it ends at an input which its node does not have."""
    link = scope.graph.links.get(link_id)
    if link is None or link.target != node.id:
        return True
    slot = link.target_slot
    return isinstance(slot, int) and not 0 <= slot < len(node.inputs)


def _name_class(node: UiNode, node_class: NodeClass | None) -> str:
    return node_class.title if node_class else node.type


def _describe_missing(class_type: str, nodes: list[tuple[str, UiNode]]) -> MissingClass:
    ids = tuple(node_id for node_id, _ in nodes)
    for _, node in nodes:
        for key in ("cnr_id", "aux_id"):
            pack = node.properties.get(key)
            if isinstance(pack, str) and pack:
                return MissingClass(class_type, ids, pack)
    return MissingClass(class_type, ids)
