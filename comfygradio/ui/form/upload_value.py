"""Uploads: what Gradio received for a component, or a program sent, as values that a form can
check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.picture import compose_mask

KEPT_SECONDS = 86_400
"""Pictures with a painted mask are kept as long as Gradio keeps uploads."""


def read_payload(field: Field, payload: Any, clock: Clock = SYSTEM_CLOCK) -> Any:
    """The value in what Gradio received for a component, or a program sent: an uploaded file
    becomes its path.

    A path outside of Gradio's upload folder is nobody's upload and is dropped, whoever names it.
    What was painted becomes one picture with the mask in its alpha.
    """
    if not field.kind.is_media:
        return payload
    if field.widget == "mask" and isinstance(payload, Mapping) and "background" in payload:
        return _compose_painting(payload, clock)
    return read_upload(payload)


def read_upload(payload: Any) -> Path | None:
    """The path of an uploaded file, or None where there is none in Gradio's upload folder."""
    if not isinstance(payload, Mapping):
        return None
    file = payload.get("video") if "video" in payload else payload
    path = file.get("path") if isinstance(file, Mapping) else None
    if not isinstance(path, str) or "\0" in path:
        return None
    uploaded = Path(path).resolve()
    folder = Path(get_upload_folder()).resolve()
    return uploaded if uploaded.is_relative_to(folder) else None


def _compose_painting(payload: Mapping[str, Any], clock: Clock) -> Path | None:
    background = read_upload(payload.get("background"))
    sent = payload.get("layers")
    layers = []
    if isinstance(sent, list):
        layers = [path for path in map(read_upload, sent) if path]
    if background is None:
        return None
    folder = Path(get_upload_folder()) / "comfygradio-masks"
    folder.mkdir(parents=True, exist_ok=True)
    _prune_folder(folder, clock)
    sources = "\n".join(map(str, [background, *layers]))
    digest = hashlib.sha256(sources.encode()).hexdigest()[:32]
    try:
        return compose_mask(background, layers, folder / f"{digest}.png")
    except (OSError, ValueError):
        return background


def _prune_folder(folder: Path, clock: Clock) -> None:
    for path in folder.iterdir():
        try:
            if clock.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
        except OSError:
            continue
