"""The part of the page that restores settings from a picture, video or sound: it shows the
differences, with boxes to tick.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.metadata.conversion import convert_metadata
from comfygradio.metadata.load import load_metadata
from comfygradio.metadata.preset_search import find_preset
from comfygradio.metadata.restore import RestoredField, RestoredForm, restore_values
from comfygradio.service.service import Service
from comfygradio.ui.form.field_component import sent_to_component_value, to_component_value
from comfygradio.ui.form.form_update import (
    list_components,
    list_own_components,
    list_updates,
    map_current_values,
)
from comfygradio.ui.form.panel import QUICK, Panel, read_values
from comfygradio.ui.form.sheet_import import load_dropped_sheet
from comfygradio.ui.form.upload_value import read_upload
from comfygradio.ui.static import build_mount_script

EXPIRED = "What was read from this file is no longer here; please add the file again."

Report = dict[str, Any]

MAX_KEPT = 1000
"""Most files whose values are kept; after that, the oldest has to be added again."""


@dataclass(frozen=True)
class RestoredValues:
    """The values that a file has for the form of a preset: field → value of its component."""

    preset: str
    values: Mapping[str, Any]


class RestoredValuesCache:
    """Keeps the values read from people's files until they choose which of them to use.

    They are kept in memory, by a secret, so that a form gets what was read and checked here, and
    not what a browser sends back. Thread-safe.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, RestoredValues] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, restored: RestoredValues) -> str:
        """Keep these values; return their secret."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._kept[secret] = restored
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return secret

    def find(self, secret: Any) -> RestoredValues | None:
        """Find the values with this secret; None if they are gone."""
        if not isinstance(secret, str):
            return None
        with self._lock:
            return self._kept.get(secret)


def build_restore_panel(
    service: Service, panels: Sequence[Panel], chooser: Component, sweeps: gr.HTML
) -> None:
    """Draw this part inside the current Blocks, and connect it to the panels, the chooser and the
    page of sweeps.
    """
    components = list_components(panels)
    own = list_own_components(panels)
    cache = RestoredValuesCache()
    with gr.Accordion("Take settings from a picture", open=False, elem_id="cg-restore"):
        file = gr.File(
            label="A picture, video or sound made with ComfyUI", type="filepath", height=150
        )
        report = gr.HTML(
            None,
            html_template='<div class="cg-report" aria-live="polite"></div>',
            js_on_load=build_mount_script("form/restore_panel.js", events=("take",)),
            elem_id="cg-report",
        )

    def look(payload: Any, *payloads: Any) -> list[Any]:
        """Return the report about a file, an update of the page of sweeps, and one of the file.

        For the sheet of a comparison, the page of sweeps opens its editor, and the file is removed.
        """
        unchanged = [gr.skip(), gr.skip()]
        if not payload:
            return [{}, *unchanged]
        try:
            editor = load_dropped_sheet(service, payload)
        except ComfyGradioError as error:
            return [{"error": str(error)}, *unchanged]
        if editor:
            gr.Info("This is the sheet of a comparison: its axes are in the editor.")
            return [{}, editor, None]
        now = _read_all_values(panels, payloads)
        described = describe_file(service, cache, payload, now)
        return [described, *unchanged]

    def take(event: gr.EventData, *payloads: Any) -> list[Any]:
        """Put values that `look` found into the form; the event names only the fields."""
        secret = getattr(event, "secret", None)
        restored = cache.find(secret)
        if restored is None:
            raise gr.Error(EXPIRED, print_exception=False)
        fields = getattr(event, "fields", None)
        chosen = choose_values(restored, fields)
        current = map_current_values(own, payloads)
        updates = list_updates(panels, restored.preset, chosen, current)
        return [restored.preset, {}, None, *updates]

    file.change(look, [file, *components], [report, sweeps, file], preprocess=False, **QUICK)
    taken = report.take(take, own, [chooser, report, file, *components], **QUICK)
    taken.success(lambda: gr.Info("The settings are in the form."), None, None, **QUICK)


def choose_values(restored: RestoredValues, fields: Any) -> dict[str, Any]:
    """Choose the values of these fields, if the file has them; `fields` is what a page sent."""
    if not isinstance(fields, list):
        return {}
    chosen = {}
    for name, value in restored.values.items():
        if name in fields:
            chosen[name] = value
    return chosen


def describe_file(
    service: Service,
    cache: RestoredValuesCache,
    payload: Any,
    now: Mapping[str, Mapping[str, Any]],
) -> Report:
    """Describe the settings in a file as JSON for the page, beside the values that the forms hold
    `now` (preset → field → value). The settings themselves are kept in `cache`.
    """
    path = read_upload(payload)
    if path is None:
        return {"error": "This file did not arrive; please add it again."}
    try:
        metadata = convert_metadata(
            load_metadata(path),
            path.name,
            lambda classes: service.client.object_info(*sorted(classes)),
        )
        preset, reason = find_preset(metadata, service.presets)
    except ComfyGradioError as error:
        return {"error": str(error)}
    form = service.forms.get(preset.name) if preset else None
    if form is None:
        return {"error": reason, "notes": list(metadata.notes)}
    if form.problems:
        problem = f"{form.title} cannot be used at the moment, so nothing can be taken over."
        return {"error": f"{reason} {problem}"}
    restored = restore_values(form, metadata)
    values = _list_values(form, restored)
    secret = cache.add(RestoredValues(form.name, values))
    report = _describe(form, restored, now.get(form.name, {}), reason, metadata.notes)
    return {**report, "secret": secret}


def _list_values(form: Form, restored: RestoredForm) -> dict[str, Any]:
    """Map the fields to the values of their components; files are left out, since a name in a
    picture is not a file.
    """
    values = {}
    for row in restored.fields:
        field = form.fields[row.name]
        if row.state == "missing" or field.kind.is_media:
            continue
        values[row.name] = sent_to_component_value(field, row.value, restored.randomness)
    return values


def _describe(
    form: Form, restored: RestoredForm, now: Mapping[str, Any], reason: str, more: tuple[str, ...]
) -> Report:
    rows = []
    for row in restored.fields:
        field = form.fields[row.name]
        rows.append(_describe_row(field, row, now.get(row.name), restored.randomness))
    return {
        "preset": form.name,
        "reason": reason,
        "rows": rows,
        "notes": [*restored.notes, *more],
    }


def _describe_row(
    field: Field, row: RestoredField, now: Any, drawn: Mapping[str, Any]
) -> dict[str, Any]:
    shown_now = None if field.kind.is_media else to_component_value(field, now)
    text_now = field.kind.describe(field, shown_now)
    is_missing = row.state == "missing"
    text_then = ""
    if not is_missing:
        shown_then = sent_to_component_value(field, row.value, drawn)
        text_then = field.kind.describe(field, shown_then)
    return {
        "name": row.name,
        "label": row.label,
        "state": row.state,
        "note": row.note,
        "then": text_then,
        "now": text_now,
        "same": not is_missing and text_now == text_then,
    }


def _read_all_values(
    panels: Sequence[Panel], payloads: Sequence[Any]
) -> dict[str, Mapping[str, Any]]:
    """Map each preset to its values, from what the components of all panels sent."""
    values: dict[str, Mapping[str, Any]] = {}
    start = 0
    for panel in panels:
        end = start + len(panel.components)
        if end > start:
            values[panel.form.name] = read_values(panel.form, payloads[start:end])
        else:
            values[panel.form.name] = {}
        start = end
    return values
