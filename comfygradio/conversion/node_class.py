"""A node class as ComfyUI's page sees it: the inputs in their order, and the types of outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"

MAX_GROUPS = 100
"""Maximum number of inputs that an autogrow input may grow to."""

MAX_INPUTS = 5000
"""Maximum number of inputs of a node, with those that an autogrow input or a choice adds."""


@dataclass(frozen=True)
class ClassInput:
    """An input of a class: its type as the server names it ("COMBO" for a list), its options, and
    the choices of a combo.
    """

    name: str
    type: str
    options: Mapping[str, Any] = field(repr=False)
    choices: tuple[Any, ...] = field(default=(), repr=False)
    is_optional: bool = False

    @property
    def is_socket(self) -> bool:
        """Whether the server wants no widget for the input, whatever its type is."""
        if self.options.get("forceInput"):
            return True
        return self.is_optional and bool(self.options.get("defaultInput"))


@dataclass(frozen=True)
class NodeClass:
    """A class of the server."""

    name: str
    title: str
    inputs: tuple[ClassInput, ...]
    output_types: tuple[str, ...]
    is_output: bool

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> NodeClass:
        """Parse one value of `/object_info`."""
        outputs = data.get("output")
        output_types = []
        if isinstance(outputs, list):
            output_types = [name_type(entry) for entry in outputs]
        title = data.get("display_name")
        return cls(
            name=name,
            title=title if isinstance(title, str) and title else name,
            inputs=tuple(parse_inputs(data.get("input"), data.get("input_order"))),
            output_types=tuple(output_types),
            is_output=bool(data.get("output_node")),
        )


def parse_inputs(groups: Any, orders: Any = None, prefix: str = "") -> Iterator[ClassInput]:
    """Parse the required and then the optional inputs of a class, or of what a choice adds.

    ComfyUI's page follows `input_order`, and puts what this leaves out behind all others.
    """
    if not isinstance(groups, dict):
        return
    if not isinstance(orders, dict):
        orders = {}
    ordered: dict[tuple[str, str], Any] = {}
    left: dict[tuple[str, str], Any] = {}
    for group in ("required", "optional"):
        entries = groups.get(group)
        if not isinstance(entries, dict):
            continue
        order = orders.get(group)
        if not isinstance(order, list):
            order = list(entries)
        for name in order:
            if isinstance(name, str) and name in entries:
                ordered[group, name] = entries[name]
        for name, entry in entries.items():
            if (group, name) not in ordered:
                left[group, name] = entry
    for (group, name), entry in (*ordered.items(), *left.items()):
        yield _parse_input(f"{prefix}{name}", entry, is_optional=group == "optional")


def list_choices(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the choices of a dynamic combo, each with its `key` and the `inputs` that it adds."""
    entries = options.get("options")
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict)]


def list_chosen(name: str, options: Mapping[str, Any], value: Any) -> list[ClassInput]:
    """List the inputs that a choice of the dynamic combo of this name adds behind it."""
    for entry in list_choices(options):
        if entry.get("key") == value:
            return list(parse_inputs(entry.get("inputs"), prefix=f"{name}."))
    return []


def name_type(kind: Any) -> str:
    """Name the type of an input or output. Old classes give a combo as its list."""
    if isinstance(kind, list):
        return "COMBO"
    if isinstance(kind, str):
        return kind
    return "*"


def _parse_input(name: str, entry: Any, *, is_optional: bool) -> ClassInput:
    kind: Any = "*"
    options: Any = None
    if isinstance(entry, list) and entry:
        kind = entry[0]
        options = entry[1] if len(entry) > 1 else None
    if not isinstance(options, dict):
        options = {}
    choices: Any = kind if isinstance(kind, list) else options.get("options")
    if not isinstance(choices, list):
        choices = ()
    return ClassInput(name, name_type(kind), options, tuple(choices), is_optional)
