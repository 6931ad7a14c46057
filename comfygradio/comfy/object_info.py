"""What a server says about its node classes (`/object_info`), parsed into frozen dataclasses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from comfygradio.comfy.loaders import guess_upload

Scalar = str | int | float | bool

KEYS = frozenset(["API_KEY_COMFY_ORG", "AUTH_TOKEN_COMFY_ORG"])
"""Hidden inputs of nodes that let comfy.org do their work, for whoever has a key or a login there.
"""

MEDIA_FLAGS = {
    "image_upload": "image",
    "animated_image_upload": "image",
    "video_upload": "video",
    "audio_upload": "audio",
    "file_upload": "file",
    "mesh_upload": "file",
}


NAME_KEYS = ("content", "name", "value", "title", "label", "key", "id")
"""Under one of these an entry of a list that is an object has its name; the first counts."""


def name_entry(entry: Any) -> Scalar | None:
    """The name of an entry of a combo: itself where it is plain, else what it is called; None where
    that cannot be told.
    """
    if isinstance(entry, dict):
        named = (entry.get(key) for key in NAME_KEYS)
        return next((name for name in named if isinstance(name, str) and name), None)
    first = entry[0] if isinstance(entry, list) and entry else entry
    return first if isinstance(first, Scalar) else None


@dataclass(frozen=True)
class InputSpec:
    """One input of a node class: its type ("INT", "COMBO", "IMAGE", a union "INT,FLOAT" …) and its
    limits.

    `choices` are None for anything but a combo, and the names of its entries; `entries` maps names
    to the entries that are objects or lists, as custom nodes have them. `guessed` is what seems to
    be uploaded for a list although the server does not say so. `minimum`, `maximum` and `step` keep
    the server's own number type, so that 64-bit limits stay exact. `options` are the remaining
    options as the server sent them.
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

    def read_choice(self, value: Any) -> Any:
        """The name of the choice that a value of this input stands for; else the value itself."""
        if not self.entries or isinstance(value, Scalar):
            return value
        name = name_entry(value)
        return value if name is None else name

    def write_choice(self, name: Any) -> Any:
        """The entry that this choice is the name of; plain ones as they are."""
        return self.entries.get(name, name) if isinstance(name, Scalar) else name

    @property
    def types(self) -> frozenset[str]:
        """The single types of a union."""
        return frozenset(self.type.split(","))

    @property
    def is_seed(self) -> bool:
        """Whether ComfyUI's own page draws this number anew for each job."""
        control = self.options.get("control_after_generate")
        is_drawn = control in (True, "randomize") or (
            control is not False and self.name in ("seed", "noise_seed")
        )
        return "INT" in self.types and is_drawn

    @property
    def is_multiline(self) -> bool:
        """Whether a text input is meant for more than one line."""
        return bool(self.options.get("multiline"))

    @property
    def media(self) -> str | None:
        """What may be uploaded for this input: "image", "video", "audio", "file" or None."""
        said = (kind for flag, kind in MEDIA_FLAGS.items() if self.options.get(flag))
        return next(said, self.guessed)

    @property
    def label(self) -> str:
        """The name that ComfyUI shows for this input."""
        shown = self.options.get("display_name")
        return _tidy(shown) if isinstance(shown, str) and shown else self.name

    @classmethod
    def from_json(
        cls, name: str, group: Literal["required", "optional"], data: Any, class_type: str = ""
    ) -> InputSpec:
        """Parse `[type]` or `[type, options]` of a class; a combo comes as a list (V1) or as
        "COMBO" with options (V3).
        """
        kind = data[0] if isinstance(data, list) and data else "*"
        options = (
            data[1]
            if isinstance(data, list) and len(data) > 1 and isinstance(data[1], dict)
            else {}
        )
        choices = (
            kind if isinstance(kind, list) else options.get("options") if kind == "COMBO" else None
        )
        if kind == "COMFY_DYNAMICCOMBO_V3":
            choices = [entry.get("key") for entry in _entries(options)]
        elif choices is None and kind == "COMBO":
            choices = []
        tooltip = options.get("tooltip")
        entries = choices if isinstance(choices, list) else []
        is_list = isinstance(kind, list) or kind == "COMBO"
        is_said = not MEDIA_FLAGS.keys().isdisjoint(options)
        return cls(
            _tidy(name),
            "COMBO" if isinstance(kind, list) else _tidy(str(kind)),
            group,
            tuple(
                called
                for called in map(name_entry, entries)
                if called is not None and _is_offered(called)
            )
            if isinstance(choices, list)
            else None,
            options.get("default"),
            _number(options.get("min")),
            _number(options.get("max")),
            _number(options.get("step")),
            _tidy(tooltip) if isinstance(tooltip, str) else "",
            options,
            _name_entries(entries),
            guess_upload(class_type, name, entries, options) if is_list and not is_said else None,
        )


@dataclass(frozen=True)
class NodeDef:
    """One node class of a server.

    `is_cached_by_id`: ComfyUI keeps a result of it for the same node id alone (it asks for
      UNIQUE_ID in the old style;
    the new style, a list, does not count: v0.33.0). `is_shown`: it shows something whenever it is
    in a prompt. `asks_key`: it works at comfy.org, which wants an API key.
    """

    class_type: str
    title: str
    inputs: Mapping[str, InputSpec]
    output_types: tuple[str, ...]
    is_output: bool
    is_cached_by_id: bool = False
    is_shown: bool = False
    asks_key: bool = False

    @classmethod
    def from_json(cls, class_type: str, data: Mapping[str, Any]) -> NodeDef:
        """Parse one value of `/object_info`; anything missing or null is taken as empty."""
        inputs = _parse_inputs(data, class_type)
        outputs = data.get("output")
        return cls(
            class_type,
            _tidy(str(data.get("display_name") or data.get("name") or class_type)),
            {spec.name: spec for spec in inputs},
            tuple("COMBO" if isinstance(item, list) else _tidy(str(item)) for item in outputs)
            if isinstance(outputs, list)
            else (),
            bool(data.get("output_node")),
            _asks_for_id(data.get("input")),
            bool(data.get("has_intermediate_output")),
            _asks_for_key(data.get("input")),
        )


@dataclass(frozen=True)
class ObjectInfo:
    """The node classes of a server, or those of them that were asked for; `broken` are those that
    it has and cannot describe.

    `has_key`: whether prompts get there with an API key of comfy.org; None where nobody knows.
    """

    nodes: Mapping[str, NodeDef]
    broken: frozenset[str] = frozenset()
    has_key: bool | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[NodeDef]:
        return iter(self.nodes.values())

    def __contains__(self, class_type: object) -> bool:
        return class_type in self.nodes

    def get(self, class_type: str) -> NodeDef | None:
        """The definition of a class, or None where the server does not have it."""
        return self.nodes.get(class_type)

    def spec(
        self, class_type: str, input_name: str, inputs: Mapping[str, Any] | None = None
    ) -> InputSpec | None:
        """The spec of one input, or None where the class or the input is unknown.

        Inputs of a dynamic combo (`resize_type.width`, ComfyUI v0.4.0) depend on the choice made in
        `inputs`.
        """
        node = self.nodes.get(class_type)
        if node is None:
            return None
        if input_name in node.inputs:
            return _offer_own(node.inputs[input_name], node.inputs, inputs or {})
        return _dynamic_spec(node.inputs, input_name, inputs or {})

    def active_specs(self, class_type: str, inputs: Mapping[str, Any]) -> list[InputSpec]:
        """The specs of all inputs of a class, with those that the choices of dynamic combos in
        `inputs` bring along.
        """
        node = self.nodes.get(class_type)
        known = node.inputs if node else {}
        found = [_offer_own(spec, known, inputs) for spec in known.values()]
        for spec in found:
            found += _chosen_specs(spec, inputs).values()
        return found

    def merge(self, other: ObjectInfo) -> ObjectInfo:
        """What two servers offer together: all classes, and in their lists what either has."""
        shared = self.nodes.keys() & other.nodes.keys()
        merged = {name: _merge_lists(self.nodes[name], other.nodes[name]) for name in shared}
        nodes = {**self.nodes, **other.nodes, **merged}
        keys = {self.has_key, other.has_key} - {None}
        has_key = any(keys) if keys else None
        return ObjectInfo(nodes, (self.broken | other.broken) - nodes.keys(), has_key)

    @classmethod
    def from_json(cls, data: Any) -> ObjectInfo:
        """Parse an `/object_info` answer, of all classes or of one; entries that are no objects are
        left out.
        """
        entries = _mapping(data)
        nodes = {
            _tidy(str(name)): entry for name, entry in entries.items() if isinstance(entry, dict)
        }
        return cls({name: NodeDef.from_json(name, entry) for name, entry in nodes.items()})


def list_own_options(inputs: Mapping[str, Any]) -> list[str]:
    """What a node offers in inputs of its own, `option1` and so on (Custom Combo, ComfyUI v0.33.0);
    empty ones are none.
    """
    texts: list[str] = []
    number = 1
    while f"option{number}" in inputs:
        text = inputs[f"option{number}"]
        texts += [text] if isinstance(text, str) and text else []
        number += 1
    return texts


def _offer_own(
    spec: InputSpec, known: Mapping[str, InputSpec], inputs: Mapping[str, Any]
) -> InputSpec:
    """The spec of a list that the server leaves empty since the node itself says what it offers.

    Where other nodes feed what it offers, only the choice that was made is known.
    """
    if spec.choices != () or "option1" in known or "option1" not in inputs:
        return spec
    offered = list_own_options(inputs)
    own = inputs.get(spec.name)
    linked = (name for name in inputs if name.startswith("option"))
    if isinstance(own, str) and any(isinstance(inputs[name], list) for name in linked):
        offered.append(own)
    return replace(spec, choices=tuple(dict.fromkeys(offered)))


def _merge_lists(mine: NodeDef, theirs: NodeDef) -> NodeDef:
    inputs = {}
    for name, spec in mine.inputs.items():
        more = theirs.inputs[name].choices if name in theirs.inputs else None
        if spec.choices is None or more is None:
            inputs[name] = spec
            continue
        entries = {**theirs.inputs[name].entries, **spec.entries}
        choices = tuple(dict.fromkeys((*spec.choices, *more)))
        guessed = spec.guessed or theirs.inputs[name].guessed
        inputs[name] = replace(spec, choices=choices, entries=entries, guessed=guessed)
    return replace(mine, inputs=inputs)


def _dynamic_spec(
    specs: Mapping[str, InputSpec], name: str, inputs: Mapping[str, Any]
) -> InputSpec | None:
    parent, _, rest = name.partition(".")
    path = parent
    while rest:
        spec = specs.get(path)
        specs = _chosen_specs(spec, inputs) if spec else {}
        if name in specs:
            return specs[name]
        part, _, rest = rest.partition(".")
        path = f"{path}.{part}"
    return None


def _chosen_specs(spec: InputSpec, inputs: Mapping[str, Any]) -> dict[str, InputSpec]:
    """The inputs, by full name, that the choice made in a dynamic combo brings along."""
    if spec.type != "COMFY_DYNAMICCOMBO_V3":
        return {}
    chosen = next(
        (entry for entry in _entries(spec.options) if entry.get("key") == inputs.get(spec.name)),
        None,
    )
    parsed = _parse_inputs({"input": _mapping(chosen.get("inputs"))}) if chosen else []
    return {
        f"{spec.name}.{sub.name}": replace(sub, name=f"{spec.name}.{sub.name}") for sub in parsed
    }


def _entries(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = options.get("options")
    return (
        [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )


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
    order = _mapping(data.get("input_order")).get(group)
    known = (
        [name for name in order if isinstance(name, str) and name in specs]
        if isinstance(order, list)
        else []
    )
    return [
        InputSpec.from_json(name, group, specs[name], class_type)
        for name in dict.fromkeys([*known, *specs])
    ]


def _name_entries(entries: list[Any]) -> dict[Scalar, Any]:
    """The entries that are objects or lists, by name; of several with one name the first."""
    named: dict[Scalar, Any] = {}
    for entry in entries:
        name = name_entry(entry)
        if name is not None and not isinstance(entry, Scalar):
            named.setdefault(name, entry)
    return named


def _is_offered(choice: Any) -> bool:
    """Whether a choice can be shown and sent: plain, and no file name with bytes that
    are no text.
    """
    return isinstance(choice, Scalar) and (not isinstance(choice, str) or _tidy(choice) == choice)


def _tidy(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int | float | None:
    """A limit; NaN and the infinities are none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and -math.inf < value < math.inf else None


def _asks_for_key(inputs: Any) -> bool:
    """Whether a key is among the hidden inputs: a word in the old style, a list in the new one."""
    hidden = inputs.get("hidden") if isinstance(inputs, dict) else None
    for kind in hidden.values() if isinstance(hidden, dict) else ():
        word = kind[0] if isinstance(kind, list) and kind else kind
        if isinstance(word, str) and word in KEYS:
            return True
    return False


def _asks_for_id(inputs: Any) -> bool:
    hidden = inputs.get("hidden") if isinstance(inputs, dict) else None
    return isinstance(hidden, dict) and "UNIQUE_ID" in hidden.values()
