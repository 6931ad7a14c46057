"""Models as presets list them."""

from __future__ import annotations

from typing import Any

from comfygradio.forms.model_entry import ModelEntry

ONE = "1" * 64
TWO = "2" * 64


def make_model(name: str = "a.safetensors", folder: str = "checkpoints", **keys: Any) -> ModelEntry:
    """A model with an address that is made from its name."""
    given = {"name": name, "folder": folder, "url": "https://example.org/a", **keys}
    return ModelEntry.model_validate(given)
