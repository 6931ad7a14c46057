"""Hashes of models out of ComfyUI's list of assets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from comfygradio.forms.model_hashes import HashedFile, ModelHashes

FOLDER_TAG = "model_type:"
"""What the tag of a model's folder begins with (v0.33.0); before, it was the bare name."""

BLAKE3 = re.compile(r"blake3:([0-9a-f]{64})")


def parse_assets(assets: Iterable[Any]) -> ModelHashes:
    """Parse the entries of a server's list of assets (ComfyUI v0.33.0); those without a hash are
    skipped.
    """
    found: set[HashedFile] = set()
    for asset in assets:
        if isinstance(asset, dict):
            found |= _parse_asset(asset)
    return ModelHashes(frozenset(found))


def _parse_asset(asset: Mapping[str, Any]) -> set[HashedFile]:
    """Parse one entry. Each of its tags may be the folder that the file is in."""
    told = asset.get("hash") or asset.get("asset_hash")
    match = BLAKE3.fullmatch(told) if isinstance(told, str) else None
    name = asset.get("loader_path") or asset.get("name")
    tags = asset.get("tags")
    if match is None or not isinstance(name, str) or not isinstance(tags, list):
        return set()
    found: set[HashedFile] = set()
    for tag in tags:
        if isinstance(tag, str):
            folder = tag.removeprefix(FOLDER_TAG)
            found.add(HashedFile(folder, name, "BLAKE3", match[1]))
    return found
