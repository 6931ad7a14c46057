"""Node results kept between prompts, keyed by class, inputs and ancestors (ComfyUI's classic
cache).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comfygradio.demo.execution.folders import Folders, OutsideFolder
from comfygradio.demo.execution.inputs import FILE_INPUTS
from comfygradio.demo.execution.node_run import NodeResult


@dataclass
class NodeCache:
    """Results by key; only keys of the newest prompt survive."""

    results: dict[str, NodeResult] = field(default_factory=dict)

    def trim(self, keys: set[str]) -> None:
        """Drops every result whose key is not in `keys`."""
        kept: dict[str, NodeResult] = {}
        for key, result in self.results.items():
            if key in keys:
                kept[key] = result
        self.results = kept

    def clear(self) -> None:
        self.results = {}


def node_keys(prompt: Mapping[str, Any], folders: Folders) -> dict[str, str]:
    """Node id to cache key; node ids themselves do not enter the keys, contents of
    input files do.
    """
    keys: dict[str, str] = {}
    for node_id in prompt:
        node_key(prompt, node_id, folders, keys, ())
    return keys


def node_key(
    prompt: Mapping[str, Any],
    node_id: str,
    folders: Folders,
    keys: dict[str, str],
    path: tuple[str, ...],
) -> str:
    """The key of one node, which is also written into `keys`; `path` are the nodes it feeds."""
    if node_id in keys:
        return keys[node_id]
    node = prompt.get(node_id)
    # Nodes that no output needs were not validated and may be broken.
    if node is None or node_id in path or "inputs" not in node:
        return f"broken:{node_id}"
    inputs: dict[str, Any] = {}
    for name, value in sorted(node["inputs"].items()):
        if is_link(value):
            source, slot = value
            source_key = node_key(prompt, source, folders, keys, (*path, node_id))
            inputs[name] = {"from": source_key, "slot": slot}
        else:
            inputs[name] = value
    parts = [node["class_type"], inputs, fingerprint_input_file(node, folders)]
    text = json.dumps(parts, default=str)
    digest = hashlib.sha256(text.encode())
    keys[node_id] = digest.hexdigest()
    return keys[node_id]


def is_link(value: Any) -> bool:
    """Whether a prompt's value is a link `[node id, slot]`."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    node_id, slot = value
    return isinstance(node_id, str) and isinstance(slot, (int, float))


def fingerprint_input_file(node: dict[str, Any], folders: Folders) -> Any:
    """Compute the digest of the file that a node loads and store it in the node as `is_changed`.

    As in ComfyUI, one that the prompt contains is not checked. None for nodes that read no file.
    """
    name = FILE_INPUTS.get(node["class_type"])
    if name is None:
        return None
    if "is_changed" not in node:
        file = str(node["inputs"].get(name))
        node["is_changed"] = [describe_content(folders, file)]
    return node["is_changed"]


def describe_content(folders: Folders, name: str) -> str | None:
    """A digest of one input file, None if there is none."""
    try:
        path = folders.annotated(name)
        content = path.read_bytes()
    except (OSError, OutsideFolder):
        return None
    return hashlib.sha256(content).hexdigest()
