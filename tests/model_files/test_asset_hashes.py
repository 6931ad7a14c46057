"""Hashes that a server tells of its models, where it keeps assets."""

from __future__ import annotations

from typing import Any

from comfygradio.forms.model_presence import find_presence
from comfygradio.model_files.asset_hashes import parse_assets

from .entries import ONE, make_model


def describe(**changes: Any) -> dict[str, Any]:
    """An asset as ComfyUI describes it."""
    asset = {"id": "x", "name": "b.safetensors", "asset_hash": f"blake3:{ONE}", "size": 7}
    return {**asset, "tags": ["models", "checkpoints"], **changes}


def test_an_asset_proves_that_a_model_is_there() -> None:
    model = make_model(hash=ONE, hash_type="BLAKE3")
    hashes = parse_assets([describe(loader_path="xl/b.safetensors")])
    found = find_presence(model, ["xl/b.safetensors"], hashes)
    assert (found.state, found.name, found.is_copy) == ("there", "xl/b.safetensors", True)
    assert find_presence(make_model(hash=ONE), ["xl/b.safetensors"], hashes).state == "missing"


def test_a_tag_may_say_that_it_is_a_folder() -> None:
    """As ComfyUI v0.33.0 writes it."""
    model = make_model(hash=ONE, hash_type="BLAKE3")
    hashes = parse_assets([describe(tags=["models", "model_type:checkpoints"])])
    assert hashes.find_copies(model) == ("b.safetensors",)


def test_the_name_counts_where_nothing_else_is_said() -> None:
    model = make_model(hash=ONE, hash_type="BLAKE3")
    assert parse_assets([describe()]).find_copies(model) == ("b.safetensors",)


def test_anything_else_is_skipped() -> None:
    odd: list[Any] = [
        7,
        None,
        {},
        describe(asset_hash=None),
        describe(asset_hash="sha1:12"),
        describe(asset_hash=5),
        describe(name=None),
        describe(tags="models"),
        describe(tags=[7]),
    ]
    assert parse_assets(odd).files == frozenset()
