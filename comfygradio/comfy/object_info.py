"""A server's node classes (`/object_info`), parsed into frozen dataclasses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeGuard

from comfygradio.comfy.upload_detection import guess_upload

Scalar = str | int | float | bool

KEYS = frozenset(["API_KEY_COMFY_ORG", "AUTH_TOKEN_COMFY_ORG"])
"""Hidden inputs of nodes that run at comfy.org and need the key or login of an account there."""

MEDIA_FLAGS = {
    "image_upload": "image",
    "animated_image_upload": "image",
    "video_upload": "video",
    "audio_upload": "audio",
    "file_upload": "file",
    "mesh_upload": "file",
}


NAME_KEYS = ("content", "name", "value", "title", "label", "key", "id")
"""Keys under which an object in a list of choices may have its name. The first one
present counts.
"""


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is an int or a float. A bool, which Python takes for an int, is none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float)


def is_whole_number(value: object) -> TypeGuard[int]:
    """Whether a value is an int. A bool, which Python takes for an int, is none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int)


def parse_number(value: object) -> int | float | None:
    """Parse a number that a server sent. Returns None for NaN, infinity and all that is no
    number.
    """
    if not is_number(value):
        return None
    return value if -math.inf < value < math.inf else None


def name_entry(entry: Any) -> Scalar | None:
    """Name an entry of a combo: the entry itself if it is a scalar, else its name. Returns None if
    it has none.
    """
    if isinstance(entry, dict):
        for key in NAME_KEYS:
            name = entry.get(key)
            if isinstance(name, str) and name:
                return name
        return None
    if isinstance(entry, list) and entry:
        entry = entry[0]
    return entry if isinstance(entry, Scalar) else None


@dataclass(frozen=True)
class InputSpec:
    """One input of a node class: its type ("INT", "COMBO", "IMAGE", a union "INT,FLOAT" …) and
    limits.

    `choices` are the names of a combo's entries, and None for any other input. `entries` maps names
    to entries that are objects or lists, as custom nodes have them. `guessed` is the kind of file
    that seems to be uploaded although the server does not say so. `minimum`, `maximum` and `step`
    keep the server's number type, so that 64-bit limits stay exact. `options` are the options as
    the server sent them.
    """

    name: str
    type: str
    group: Literal["required", "optional"]
    choices: tuple[Scalar, ...] | None = None
    default: Any = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    tooltip: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    entries: Mapping[Scalar, Any] = field(default_factory=dict, repr=False)
    guessed: str | None = None

    def to_choice_name(self, value: Any) -> Any:
        """Return the name of the choice that a value of this input stands for, else the value
        itself.
        """
        if not self.entries or isinstance(value, Scalar):
            return value
        name = name_entry(value)
        if name is None:
            return value
        return name

    def from_choice_name(self, name: Any) -> Any:
        """Return the entry with this name. Scalars without an entry are returned unchanged."""
        if not isinstance(name, Scalar):
            return name
        return self.entries.get(name, name)

    @property
    def types(self) -> frozenset[str]:
        """The types of a union."""
        return frozenset(self.type.split(","))

    @property
    def is_seed(self) -> bool:
        """Whether ComfyUI's own page randomizes this number for each job."""
        if "INT" not in self.types:
            return False
        control = self.options.get("control_after_generate")
        # The flag is a bool, or names what ComfyUI's page does with the number at first.
        if control in (True, "randomize"):
            return True
        return control is not False and self.name in ("seed", "noise_seed")

    @property
    def is_multiline(self) -> bool:
        """Whether a text input takes more than one line."""
        return bool(self.options.get("multiline"))

    @property
    def media(self) -> str | None:
        """The kind of file that may be uploaded for this input: "image", "video", "audio", "file"
        or None.
        """
        for flag, kind in MEDIA_FLAGS.items():
            if self.options.get(flag):
                return kind
        return self.guessed

    @property
    def label(self) -> str:
        """The name that ComfyUI shows for this input."""
        shown = self.options.get("display_name")
        if isinstance(shown, str) and shown:
            return _tidy(shown)
        return self.name

    @classmethod
    def from_json(
        cls, name: str, group: Literal["required", "optional"], data: Any, class_type: str = ""
    ) -> InputSpec:
        """Parse `[type]` or `[type, options]` of one input. A combo is a list (V1), or "COMBO" with
        options (V3).
        """
        kind, options = _split_input(data)
        entries = _list_entries(kind, options)
        choices: tuple[Scalar, ...] | None = None
        if entries is None:
            entries = []  # of an input that is no combo
        else:
            choices = _list_choices(entries)
        tooltip = options.get("tooltip")
        is_list = isinstance(kind, list) or kind == "COMBO"
        # A flag that is set to false also says it: nothing is uploaded here.
        is_said = not MEDIA_FLAGS.keys().isdisjoint(options)
        guessed: str | None = None
        if is_list and not is_said:
            guessed = guess_upload(class_type, name, entries, options)
        return cls(
            name=_tidy(name),
            type=_name_type(kind),
            group=group,
            choices=choices,
            default=options.get("default"),
            minimum=parse_number(options.get("min")),
            maximum=parse_number(options.get("max")),
            step=parse_number(options.get("step")),
            tooltip=_tidy(tooltip) if isinstance(tooltip, str) else "",
            options=options,
            entries=_name_entries(entries),
            guessed=guessed,
        )


@dataclass(frozen=True)
class NodeDef:
    """One node class of a server.

    `is_cached_by_id`: ComfyUI reuses a cached result only for the same node id, because the class
    asks for UNIQUE_ID in the old style (the new style, a list, does not count: v0.33.0).
    `is_shown`: it shows something whenever it is in a prompt. `needs_api_key`: it runs at
    comfy.org, which wants an API key. `data` is the class as the server described it.
    """

    class_type: str
    title: str
    inputs: Mapping[str, InputSpec]
    output_types: tuple[str, ...]
    is_output: bool
    is_cached_by_id: bool = False
    is_shown: bool = False
    needs_api_key: bool = False
    data: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, class_type: str, data: Mapping[str, Any]) -> NodeDef:
        """Parse one value of `/object_info`. Missing and null values count as empty."""
        specs = _parse_inputs(data, class_type)
        title = data.get("display_name") or data.get("name") or class_type
        groups = _mapping(data.get("input"))
        hidden = _mapping(groups.get("hidden"))
        return cls(
            class_type=class_type,
            title=_tidy(str(title)),
            inputs={spec.name: spec for spec in specs},
            output_types=_parse_output_types(data.get("output")),
            is_output=bool(data.get("output_node")),
            is_cached_by_id="UNIQUE_ID" in hidden.values(),
            is_shown=bool(data.get("has_intermediate_output")),
            needs_api_key=_asks_for_key(hidden),
            data=data,
        )


@dataclass(frozen=True)
class ObjectInfo:
    """The node classes of a server, or those that were fetched. `broken` are classes that the
    server has but fails to describe.

    `has_key` tells whether prompts are posted with a comfy.org API key; None if unknown.
    """

    nodes: Mapping[str, NodeDef]
    broken: frozenset[str] = frozenset()
    has_key: bool | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[NodeDef]:
        return iter(self.nodes.values())

    def __contains__(self, class_type: object) -> bool:
        return class_type in self.nodes

    def get(self, class_type: str) -> NodeDef | None:
        """Return the definition of a class, or None if the server does not have it."""
        return self.nodes.get(class_type)

    def spec(
        self, class_type: str, input_name: str, inputs: Mapping[str, Any] | None = None
    ) -> InputSpec | None:
        """Return the spec of one input, or None if the class or the input is unknown.

        Inputs of a dynamic combo (`resize_type.width`, ComfyUI v0.4.0) depend on the choice in
        `inputs`.
        """
        node = self.nodes.get(class_type)
        if node is None:
            return None
        if inputs is None:
            inputs = {}
        known = node.inputs.get(input_name)
        if known is not None:
            return _offer_own(known, node.inputs, inputs)
        return _dynamic_spec(node.inputs, input_name, inputs)

    def active_specs(self, class_type: str, inputs: Mapping[str, Any]) -> list[InputSpec]:
        """List the specs of all inputs of a class, including those that the choices of dynamic
        combos in `inputs` add.
        """
        node = self.nodes.get(class_type)
        known = node.inputs if node else {}
        found = [_offer_own(spec, known, inputs) for spec in known.values()]
        # The list grows while it is walked: a choice may bring along another dynamic combo.
        for spec in found:
            added = _chosen_specs(spec, inputs)
            found += added.values()
        return found

    def merge(self, other: ObjectInfo) -> ObjectInfo:
        """Combine two servers: all classes, and in each list the choices that either has."""
        nodes = {**self.nodes, **other.nodes}
        for name, mine in self.nodes.items():
            theirs = other.nodes.get(name)
            if theirs is not None:
                nodes[name] = _merge_lists(mine, theirs)
        # A class that one of the servers describes is usable there.
        broken = (self.broken | other.broken) - nodes.keys()
        has_key = self.has_key
        if has_key is None:
            has_key = other.has_key
        elif other.has_key:
            has_key = True
        return ObjectInfo(nodes, broken, has_key)

    def to_json(self) -> dict[str, Any]:
        """Return the classes as the server described them, as in an `/object_info` response."""
        return {node.class_type: node.data for node in self}

    @classmethod
    def from_json(cls, data: Any) -> ObjectInfo:
        """Parse an `/object_info` response, of all classes or of one. Entries that are no objects
        are skipped.
        """
        nodes: dict[str, NodeDef] = {}
        for key, entry in _mapping(data).items():
            if isinstance(entry, dict):
                name = _tidy(str(key))
                nodes[name] = NodeDef.from_json(name, entry)
        return cls(nodes)


FetchObjectInfo = Callable[[frozenset[str]], ObjectInfo]
"""Fetches a server's description of these node classes."""


def list_own_options(inputs: Mapping[str, Any]) -> list[str]:
    """List the choices that a node keeps in inputs of its own, `option1` and so on (Custom Combo,
    ComfyUI v0.33.0). Empty ones are skipped.
    """
    texts: list[str] = []
    number = 1
    while f"option{number}" in inputs:
        text = inputs[f"option{number}"]
        if isinstance(text, str) and text:
            texts.append(text)
        number += 1
    return texts


def _offer_own(
    spec: InputSpec, known: Mapping[str, InputSpec], inputs: Mapping[str, Any]
) -> InputSpec:
    """Fill the choices of a list that the server leaves empty because the node itself has the
    options.

    If other nodes feed the options, only the current choice is known.
    """
    is_empty_list = spec.choices == ()
    has_own_options = "option1" in inputs and "option1" not in known
    if not is_empty_list or not has_own_options:
        return spec
    offered = list_own_options(inputs)
    chosen = inputs.get(spec.name)
    options = [value for name, value in inputs.items() if name.startswith("option")]
    # A list stands for a link, so that option has no text here.
    is_fed = any(isinstance(value, list) for value in options)
    if is_fed and isinstance(chosen, str):
        offered.append(chosen)
    return replace(spec, choices=_unique(offered))


def _merge_lists(mine: NodeDef, theirs: NodeDef) -> NodeDef:
    inputs = dict(mine.inputs)
    for name, spec in mine.inputs.items():
        other = theirs.inputs.get(name)
        if other is None or other.choices is None or spec.choices is None:
            continue
        choices = [*spec.choices, *other.choices]
        inputs[name] = replace(
            spec,
            choices=_unique(choices),
            entries={**other.entries, **spec.entries},
            guessed=spec.guessed or other.guessed,
        )
    return replace(mine, inputs=inputs)


def _unique(choices: Sequence[Scalar]) -> tuple[Scalar, ...]:
    return tuple(dict.fromkeys(choices))


def _dynamic_spec(
    specs: Mapping[str, InputSpec], name: str, inputs: Mapping[str, Any]
) -> InputSpec | None:
    # `a.b.c` is looked up as the input `c` that the choice of `a.b`
    # adds, which is itself an input that the choice of `a` adds.
    parent, _, rest = name.partition(".")
    path = parent
    while rest:
        spec = specs.get(path)
        if spec is None:
            return None
        specs = _chosen_specs(spec, inputs)
        if name in specs:
            return specs[name]
        part, _, rest = rest.partition(".")
        path = f"{path}.{part}"
    return None


def _chosen_specs(spec: InputSpec, inputs: Mapping[str, Any]) -> dict[str, InputSpec]:
    """Return the inputs that the current choice of a dynamic combo adds, by full name."""
    if spec.type != "COMFY_DYNAMICCOMBO_V3":
        return {}
    chosen = inputs.get(spec.name)
    for entry in _dynamic_entries(spec.options):
        if entry.get("key") == chosen:
            return _name_added(spec, entry)
    return {}


def _name_added(spec: InputSpec, entry: Mapping[str, Any]) -> dict[str, InputSpec]:
    """Return the inputs that one entry of a dynamic combo adds, by full name."""
    specs: dict[str, InputSpec] = {}
    for added in _parse_inputs({"input": entry.get("inputs")}):
        name = f"{spec.name}.{added.name}"
        specs[name] = replace(added, name=name)
    return specs


def _dynamic_entries(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the entries of a dynamic combo, each with its `key` and the `inputs` that it adds."""
    entries = options.get("options")
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict)]


def _split_input(data: Any) -> tuple[Any, Mapping[str, Any]]:
    """Split the definition of an input into its type and its options."""
    if not isinstance(data, list) or not data:
        # A broken definition counts as an input that takes anything.
        return "*", {}
    options = data[1] if len(data) > 1 else None
    return data[0], _mapping(options)


def _list_entries(kind: Any, options: Mapping[str, Any]) -> list[Any] | None:
    """List the entries of a combo, or return None for any other input."""
    if isinstance(kind, list):
        return kind
    if kind == "COMFY_DYNAMICCOMBO_V3":
        return [entry.get("key") for entry in _dynamic_entries(options)]
    if kind != "COMBO":
        return None
    entries = options.get("options")
    # A combo with `remote` has no options here: the page of ComfyUI fetches them.
    if entries is None:
        return []
    return entries if isinstance(entries, list) else None


def _list_choices(entries: list[Any]) -> tuple[Scalar, ...]:
    """List the names of the entries that can be shown and posted."""
    choices: list[Scalar] = []
    for entry in entries:
        name = name_entry(entry)
        if name is not None and _is_offered(name):
            choices.append(name)
    return tuple(choices)


def _parse_inputs(data: Mapping[str, Any], class_type: str = "") -> list[InputSpec]:
    groups = _mapping(data.get("input"))
    return [
        *_parse_group(groups, data, "required", class_type),
        *_parse_group(groups, data, "optional", class_type),
    ]


def _parse_group(
    groups: Mapping[str, Any],
    data: Mapping[str, Any],
    group: Literal["required", "optional"],
    class_type: str,
) -> list[InputSpec]:
    specs = _mapping(groups.get(group))
    orders = _mapping(data.get("input_order"))
    # `input_order` exists since August 2024; a proxy may have sorted the inputs themselves.
    order = orders.get(group)
    ordered: dict[str, Any] = {}
    if isinstance(order, list):
        for name in order:
            if isinstance(name, str) and name in specs:
                ordered[name] = specs[name]
    # The others follow, in their own order.
    ordered.update(specs)
    found: list[InputSpec] = []
    for name, spec in ordered.items():
        found.append(InputSpec.from_json(name, group, spec, class_type))
    return found


def _parse_output_types(outputs: Any) -> tuple[str, ...]:
    if not isinstance(outputs, list):
        return ()
    return tuple(_name_type(item) for item in outputs)


def _name_type(kind: Any) -> str:
    """Name the type of an input or output. A combo is given as its list (V1) or by name (V3)."""
    if isinstance(kind, list):
        return "COMBO"
    return _tidy(str(kind))


def _name_entries(entries: list[Any]) -> dict[Scalar, Any]:
    """Map names to the entries that are objects or lists. Of entries with the same name, the first
    counts.
    """
    named: dict[Scalar, Any] = {}
    for entry in entries:
        name = name_entry(entry)
        if name is not None and not isinstance(entry, Scalar):
            named.setdefault(name, entry)
    return named


def _is_offered(choice: Scalar) -> bool:
    """Whether a choice can be shown and posted: file names with undecodable bytes cannot."""
    if not isinstance(choice, str):
        return True
    return _tidy(choice) == choice


def _tidy(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _asks_for_key(hidden: Mapping[str, Any]) -> bool:
    """Whether a key is among the hidden inputs: a string in the old style, a list in the
    new one.
    """
    for kind in hidden.values():
        word = kind[0] if isinstance(kind, list) and kind else kind
        if isinstance(word, str) and word in KEYS:
            return True
    return False
