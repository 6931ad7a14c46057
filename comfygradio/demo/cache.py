"""Node results kept between prompts, keyed by class, inputs and ancestors (ComfyUI's classic cache)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.demo.folders import Folders, OutsideFolder
from comfygradio.demo.inputs import CUSTOM_CHECKED


@dataclass(frozen=True)
class NodeResult:
    """Outputs of a node by slot, and what it shows (`ui`), if anything."""

    outputs: tuple[Any, ...] = ()
    ui: dict[str, Any] | None = None


@dataclass
class NodeCache:
    """Results by key; only keys of the newest prompt survive."""

    results: dict[str, NodeResult] = field(default_factory=dict)

    def trim(self, keys: set[str]) -> None:
        """Drops every result whose key is not in `keys`."""
        self.results = {key: result for key, result in self.results.items() if key in keys}

    def clear(self) -> None:
        self.results = {}


def node_keys(prompt: Mapping[str, Any], folders: Folders) -> dict[str, str]:
    """Node id to cache key; node ids themselves do not enter the keys, file contents of images do."""
    keys: dict[str, str] = {}
    for node_id in prompt:
        node_key(prompt, node_id, folders, keys, ())
    return keys


def node_key(
    prompt: Mapping[str, Any], node_id: str, folders: Folders, keys: dict[str, str], path: tuple[str, ...]
) -> str:
    if node_id in keys:
        return keys[node_id]
    node = prompt.get(node_id)
    if node is None or node_id in path or "inputs" not in node:
        return f"broken:{node_id}"
    inputs = {}
    for name, value in sorted(node["inputs"].items()):
        if is_link(value):
            value = {"from": node_key(prompt, value[0], folders, keys, (*path, node_id)), "slot": value[1]}
        inputs[name] = value
    parts = [node["class_type"], inputs, read_changes(node, folders)]
    keys[node_id] = hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
    return keys[node_id]


def is_link(value: Any) -> bool:
    """Whether a prompt's value is a link `[node id, slot]`."""
    return (
        isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], (int, float))
    )


def read_changes(node: Mapping[str, Any], folders: Folders) -> str:
    """A digest of the files a node reads, so that new content makes it run again."""
    digest = hashlib.sha256()
    for name in CUSTOM_CHECKED.get(node["class_type"], ()):
        try:
            digest.update(folders.annotated(str(node["inputs"].get(name))).read_bytes())
        except (OSError, OutsideFolder):
            digest.update(b"absent")
    return digest.hexdigest()
