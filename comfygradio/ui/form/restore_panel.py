"""The page's part that takes settings back from a picture, video or sound: the differences, with
boxes to tick.
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
from comfygradio.metadata.load import load_metadata
from comfygradio.metadata.preset_search import find_preset
from comfygradio.metadata.restore import RestoredField, RestoredForm, restore_values
from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.form.field_component import sent_to_component_value, to_component_value
from comfygradio.ui.form.panel import PRIVATE, Panel, read_values
from comfygradio.ui.form.sheet_import import load_dropped_sheet
from comfygradio.ui.form.upload_value import read_upload

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}

EXPIRED = "What was read from this file is no longer here; please add the file again."

Report = dict[str, Any]

MAX_KEPT = 1000
"""Files whose values are kept; the oldest has to be added again."""


@dataclass(frozen=True)
class RestoredValues:
    """The values that a file has for a form, field → what its component shall hold."""

    preset: str
    values: Mapping[str, Any]


class RestoredValuesCache:
    """Keeps what was read from people's files until they say which of it they want.

    It stays in memory here, addressed by a secret, so that what goes into a form is what was read
    and checked, and not what a browser sends back. Thread-safe.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, RestoredValues] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, restored: RestoredValues) -> str:
        """Keep these values; returns the secret that finds them again."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._kept[secret] = restored
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return secret

    def find(self, secret: Any) -> RestoredValues | None:
        """Find the values with this secret; None for those that are gone."""
        if not isinstance(secret, str):
            return None
        with self._lock:
            return self._kept.get(secret)


def build_restore_panel(
    service: Service, panels: Sequence[Panel], chooser: Component, sweeps: gr.HTML
) -> None:
    """Draw the part inside the current Blocks and connect it to the panels, the chooser and the
    page of sweeps.
    """
    components: list[Component] = []
    for panel in panels:
        components.extend(panel.components.values())
    cache = RestoredValuesCache()
    with gr.Accordion("Take settings from a picture", open=False, elem_id="cg-restore"):
        file = gr.File(
            label="A picture, video or sound made with ComfyUI", type="filepath", height=150
        )
        report = gr.HTML(
            None,
            html_template='<div class="cg-report" aria-live="polite"></div>',
            js_on_load=read_asset("restore.js"),
            elem_id="cg-report",
        )

    def look(payload: Any, *payloads: Any) -> list[Any]:
        """The report, and for the sheet of a sweep what opens its editor, which takes the file
        away.
        """
        stay = [gr.skip(), gr.skip()]
        try:
            begun = load_dropped_sheet(service, payload) if payload else None
        except ComfyGradioError as error:
            return [{"error": str(error)}, *stay]
        if begun:
            gr.Info("This is the sheet of a sweep: its axes are in the editor.")
            return [{}, begun, None]
        if not payload:
            return [{}, *stay]
        now = _split(panels, payloads)
        return [describe_file(service, cache, payload, now), *stay]

    own = [component for component in components if isinstance(component, gr.HTML)]

    def take(event: gr.EventData, *payloads: Any) -> list[Any]:
        """Put what `look` found into the form; the page says only which of it."""
        secret = getattr(event, "secret", None)
        restored = cache.find(secret)
        if restored is None:
            raise gr.Error(EXPIRED, print_exception=False)
        fields = getattr(event, "fields", None)
        chosen = choose_values(restored, fields)
        stay = dict(zip(map(id, own), payloads, strict=True))
        updates = list_updates(panels, restored.preset, chosen, stay)
        return [restored.preset, {}, None, *updates]

    file.change(look, [file, *components], [report, sweeps, file], preprocess=False, **QUICK)
    taken = report.take(take, own, [chooser, report, file, *components], **QUICK)
    taken.success(lambda: gr.Info("The settings are in the form."), None, None, **QUICK)


def choose_values(restored: RestoredValues, fields: Any) -> dict[str, Any]:
    """The values of these fields, as far as the file has them."""
    if not isinstance(fields, list):
        return {}
    named = {name for name in fields if isinstance(name, str)}
    return {name: value for name, value in restored.values.items() if name in named}


def describe_file(
    service: Service,
    cache: RestoredValuesCache,
    payload: Any,
    now: Mapping[str, Mapping[str, Any]],
) -> Report:
    """What a file says about its form, beside what the forms hold `now` (preset → values), as JSON
    for the page; the values themselves are kept in `cache`.
    """
    path = read_upload(payload)
    if path is None:
        return {"error": "This file did not arrive; please add it again."}
    try:
        metadata = load_metadata(path)
        preset, reason = find_preset(metadata, service.presets)
    except ComfyGradioError as error:
        return {"error": str(error)}
    form = service.forms.get(preset.name) if preset else None
    if form is None:
        return {"error": reason, "notes": list(metadata.notes)}
    if form.problems:
        return {
            "error": f"{reason} {form.title} cannot be used at the moment, so nothing can be "
            "taken over."
        }
    restored = restore_values(form, metadata)
    secret = cache.add(RestoredValues(form.name, _list_values(form, restored)))
    report = _describe(form, restored, now.get(form.name, {}), reason, metadata.notes)
    return {**report, "secret": secret}


def _list_values(form: Form, restored: RestoredForm) -> dict[str, Any]:
    """What the components shall hold; never a file, since a file's name in a picture is nothing."""
    values = {}
    for row in restored.fields:
        field = form.fields[row.name]
        if row.state != "missing" and not field.kind.is_media:
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


def _split(panels: Sequence[Panel], payloads: tuple[Any, ...]) -> dict[str, Mapping[str, Any]]:
    """Preset → values, from what all components sent."""
    found: dict[str, Mapping[str, Any]] = {}
    for panel in panels:
        count = len(panel.components)
        mine = payloads[:count]
        payloads = payloads[count:]
        found[panel.form.name] = read_values(panel.form, mine) if count else {}
    return found


def list_updates(
    panels: Sequence[Panel], name: str, chosen: Mapping[str, Any], stay: Mapping[int, Any]
) -> list[Any]:
    """A value for each component of the chosen fields; everything else stays.

    Our own components get the value that they have: an update without one takes a `gr.HTML` its
    properties (6.31).
    """
    updates = []
    for panel in panels:
        is_chosen = panel.form.name == name
        for field, component in panel.components.items():
            if is_chosen and field in chosen:
                updates.append(chosen[field])
            else:
                updates.append(stay.get(id(component), gr.skip()))
    return updates
