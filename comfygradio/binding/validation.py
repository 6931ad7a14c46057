"""Validate a workflow: find what this server would reject, before anything is submitted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from comfygradio.binding.reachability import find_link_cycle, find_needed_nodes
from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Link, Node, Workflow
from comfygradio.forms.bypass import bypass_nodes, find_lost_required
from comfygradio.forms.kinds.model_name import find_near, guess_folder, is_model_name
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.literals import check_literal, takes_literal
from comfygradio.forms.missing_inputs import DYNAMIC_COMBO
from comfygradio.forms.problem import Problem
from comfygradio.forms.slots import Slot

MAX_NAMED = 3
"""Maximum number of choices that are named where none resembles the one that is lacking."""


def find_missing_classes(workflow: Workflow, object_info: ObjectInfo) -> list[Problem]:
    """List a problem for each node class that the server lacks."""
    missing: dict[str, str] = {}
    for node in workflow:
        if node.class_type not in object_info:
            missing[node.class_type] = node.id
    problems = []
    for name in sorted(missing):
        is_broken = name in object_info.broken
        text = _describe_missing_class(name, is_broken)
        problems.append(Problem("missing_class", text, node=missing[name], value=name))
    return problems


def find_missing_api_key(workflow: Workflow, object_info: ObjectInfo) -> list[Problem]:
    """List the problem of a workflow whose nodes need an API key, if there certainly is none."""
    # None means that nobody knows.
    if object_info.has_key is not False:
        return []
    asking = {}
    for node in workflow:
        known = object_info.get(node.class_type)
        if known is not None and known.needs_api_key:
            asking[node.title] = node.id
    if not asking:
        return []
    text = (
        f"The workflow has nodes of comfy.org that want an API key ({', '.join(asking)}); give "
        "one with --api-key or COMFYGRADIO_API_KEY."
    )
    first, *_ = asking.values()
    return [Problem("missing_key", text, node=first)]


def _describe_missing_class(name: str, is_broken: bool) -> str:
    if is_broken:
        return (
            f"The node class {name} is broken on this ComfyUI, whose log says why; update the "
            "custom node that brings it, or install what it lacks."
        )
    return (
        f"This ComfyUI has no node class {name}; install the custom node that brings it, or update "
        "ComfyUI."
    )


def find_graph_problems(
    workflow: Workflow,
    object_info: ObjectInfo,
    own: Mapping[Slot, Any],
    outputs: Collection[str] = (),
) -> tuple[list[Problem], list[Problem]]:
    """Find the problems of all nodes that these outputs need; without outputs, that every output
    node needs.

    Also returns the problems of nodes that only other outputs need: ComfyUI skips these and runs
    the rest. `own` maps the slots that the form fills to their values, or to None if the form
    decides later; these are not checked. Nodes of unknown classes are skipped.
    """
    needed = find_needed_nodes(workflow, object_info)
    if not needed:
        text = "The workflow has no output node; add one in ComfyUI, such as Save Image."
        return [Problem("preset", text)], []
    # Without outputs of its own, the preset shows those of all output nodes.
    shown = [node for node in outputs if _is_output(workflow, object_info, node)]
    wanted = workflow.find_upstream(shown) if shown else needed
    found: list[Problem] = []
    aside: list[Problem] = []
    for node in workflow:
        if node.id not in needed:
            continue
        problems = _check_node(workflow, object_info, node, own)
        if node.id in wanted:
            found += problems
        else:
            aside += problems
    found += _find_cycles(workflow, wanted)
    if not found:
        # The search follows links, so that it would find a circle among the wanted nodes once more.
        aside += _find_cycles(workflow, needed - wanted)
    return found, aside


def _is_output(workflow: Workflow, object_info: ObjectInfo, node_id: str) -> bool:
    node = workflow.nodes[node_id]
    known = object_info.get(node.class_type)
    return known is not None and known.is_output


def _check_node(
    workflow: Workflow, object_info: ObjectInfo, node: Node, own: Mapping[Slot, Any]
) -> Iterator[Problem]:
    specs = object_info.active_specs(node.class_type, node.inputs)
    for spec in specs:
        yield from _check_input(workflow, object_info, node, spec, own)
    known = {spec.name for spec in specs}
    yield from _check_rows(workflow, node, known)


def find_bypass_problems(
    workflow: Workflow,
    object_info: ObjectInfo,
    name: str,
    bypassed: Collection[str],
    outputs: Collection[str] = (),
) -> list[Problem]:
    """Find what keeps these outputs (without any, every output) from being made while the field
    `name` is empty and these nodes are bypassed.
    """
    graph = workflow.to_json()
    unfed = bypass_nodes(graph, bypassed, object_info)
    lost = find_lost_required(graph, unfed, object_info)
    rest = Workflow.from_json(graph) if graph else None
    needed = find_needed_nodes(rest, object_info) if rest else frozenset[str]()
    if rest and needed and outputs:
        needed = rest.find_upstream(outputs)
    if not needed:
        return [Problem("preset", "bypassing these nodes leaves no output node.", name)]
    problems = []
    for node, input in lost:
        if node not in needed:
            continue
        title = workflow.nodes[node].title
        text = (
            f"bypassing {', '.join(bypassed)} leaves {title} without its {input}; "
            f"bypass node {node} too."
        )
        problems.append(Problem("missing_input", text, name, node, input))
    return problems


def _check_input(
    workflow: Workflow,
    object_info: ObjectInfo,
    node: Node,
    spec: InputSpec,
    own: Mapping[Slot, Any],
) -> Iterator[Problem]:
    slot = Slot(node.id, spec.name)
    value = own.get(slot)
    is_open = slot in own and value is None
    if value is None:
        value = node.inputs.get(spec.name)
    link = Link.parse(value)
    if link is not None:
        yield from _check_link(workflow, object_info, node, spec, link)
        return
    # The form's value is checked when somebody has entered it.
    if is_open:
        return
    if spec.name not in node.inputs and slot not in own:
        # A growing row is no input itself; those in it are called ROW.NAME.
        is_growing = spec.type != DYNAMIC_COMBO and spec.type.startswith("COMFY_")
        if spec.group == "required" and not is_growing:
            yield _describe_missing_input(node, spec)
        return
    if not takes_literal(spec):
        return
    problem = check_literal(spec, value)
    if problem is not None:
        yield _describe_literal(node, spec, value, problem)
    elif spec.media and isinstance(value, str) and _is_missing_file(spec, value):
        yield _describe_file(node, spec, value)


def _check_rows(workflow: Workflow, node: Node, known: Collection[str]) -> Iterator[Problem]:
    """Check the links in growing rows of inputs (`images.image0`), whose specs are not read."""
    for name, link in node.links.items():
        if name in known or link.node_id in workflow.nodes:
            continue
        row, _, _ = name.partition(".")
        if row in known:
            yield _describe_dangling(node, name, link)


def _find_cycles(workflow: Workflow, needed: Collection[str]) -> list[Problem]:
    cycle = find_link_cycle(workflow, sorted(needed))
    if not cycle:
        return []
    titles = [workflow.nodes[node_id].title for node_id in cycle]
    way = " → ".join(titles)
    return [Problem("preset", f"These nodes feed one another in a circle: {way}.", node=cycle[0])]


def _describe_dangling(node: Node, name: str, link: Link) -> Problem:
    text = (
        f"{node.title} takes its {name} from node {link.node_id}, which is not there; export "
        "it again."
    )
    return Problem("missing_input", text, node=node.id, input=name)


def _check_link(
    workflow: Workflow, object_info: ObjectInfo, node: Node, spec: InputSpec, link: Link
) -> Iterator[Problem]:
    source = workflow.nodes.get(link.node_id)
    if source is None:
        yield _describe_dangling(node, spec.name, link)
        return
    known = object_info.get(source.class_type)
    if known is None:
        return
    if not 0 <= link.slot < len(known.output_types):
        text = (
            f"{node.title} takes its {spec.name} from output {link.slot} of {source.title}, "
            "which has no such output."
        )
        yield Problem("missing_input", text, node=node.id, input=spec.name)
        return
    made = known.output_types[link.slot]
    if not _types_match(made, spec.type):
        text = (
            f"{node.title} takes a {spec.type} for {spec.name}, but {source.title} gives a {made}."
        )
        yield Problem("value", text, node=node.id, input=spec.name)


def _is_missing_file(spec: InputSpec, value: str) -> bool:
    """Whether a file is certainly missing: the server lists files that are in no subfolder (ComfyUI
    v0.33.0).
    """
    if value == "" or spec.options.get("remote"):
        return False
    # A subfolder, or a mark such as [output] for another folder.
    if re.search(r"[/\\\[]", value):
        return False
    listed = spec.choices or ()
    return value not in listed


def _types_match(made: str, wanted: str) -> bool:
    """Whether an output may feed an input. Types that the server leaves open (`*`, V3 types) match
    all.
    """
    for kind in (made, wanted):
        if kind == "*" or kind.startswith("COMFY_"):
            return True
    made_types = made.casefold().split(",")
    wanted_types = wanted.casefold().split(",")
    return not set(made_types).isdisjoint(wanted_types)


def _describe_missing_input(node: Node, spec: InputSpec) -> Problem:
    if takes_literal(spec):
        text = (
            f"{node.title} lacks a value for {spec.name}, and the server has no default; "
            "export the workflow again."
        )
    else:
        text = (
            f"{node.title} needs a {spec.type} for {spec.name}, and nothing is connected; "
            "connect it and export again."
        )
    return Problem("missing_input", text, node=node.id, input=spec.name)


def _describe_literal(node: Node, spec: InputSpec, value: Any, problem: str) -> Problem:
    if spec.choices is None or isinstance(value, list):
        return Problem(
            "value", f"{node.title}: {problem}", node=node.id, input=spec.name, value=value
        )
    value = spec.to_choice_name(unwrap_list(value))
    near = find_near(value, spec.choices)
    folder = guess_folder(node.class_type, spec.name)
    if near:
        hint = f"it has {', '.join(near)}"
    elif not spec.choices:
        hint = "it has none at all"
    elif len(spec.choices) <= MAX_NAMED:
        hint = f"it has {', '.join(shorten(choice) for choice in spec.choices)}"
    else:
        hint = f"it has {len(spec.choices)} others"
    shown = shorten(value)
    what = f"{node.title} needs {spec.name} {shown}, which this ComfyUI does not have ({hint}); "
    advice = "choose another one in the workflow"
    if folder:
        advice = f"put the file into models/{folder} on its machine"
    elif is_model_name(value):
        advice = "put the file into its models folder"
    text = f"{what}{advice}, or make it a field of the preset."
    return Problem("missing_model", text, "", node.id, spec.name, value, folder, near)


def _describe_file(node: Node, spec: InputSpec, value: str) -> Problem:
    text = (
        f"{node.title} needs the file {shorten(value)} for {spec.name}, which this ComfyUI does "
        "not have; upload it there, or make it a field of the preset."
    )
    return Problem("missing_model", text, node=node.id, input=spec.name, value=value)
