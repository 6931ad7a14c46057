"""What the page of sweeps calls: a draft becomes a plan, a plan a sweep, and a sweep is watched,
steered and rated.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from comfygradio.errors import (
    AxisError,
    ComfyGradioError,
    JobStoreError,
    PresetError,
    ValuesRefused,
)
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.sweep import Sweep
from comfygradio.ui.form.field_component import sent_to_component_value, to_component_value
from comfygradio.ui.form.reuse import restore_settings
from comfygradio.ui.form.sheet_import import open_editor_again
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.sweep.axis_choices import (
    describe_fields,
    describe_suggestions,
    list_choices,
    write_all_choices,
)
from comfygradio.ui.sweep.plan_text import describe_plan
from comfygradio.ui.sweep.sweep_draft import SweepDraft, check_axes, parse_draft
from comfygradio.ui.sweep.sweep_text import (
    describe_card,
    describe_changes,
    describe_state,
    describe_sweep,
    describe_visible_card,
    find_index,
    make_thumbs_url,
)
from comfygradio.ui.sweep.thumbnail_route import THUMB_PIXELS

Json = dict[str, Any]

UNKNOWN = "This sweep is not among yours (any more)."
EXPIRED = "This page has expired; reload it and try again."
NO_CELL = "There is no such place in this sweep."


class SweepApi:
    """Every method sees the sweeps of `owner` alone; `party` is whom limits and turns count for.

    `boot` tells versions of this run of the app from older ones.
    """

    def __init__(self, service: Service, page_sessions: PageSessions) -> None:
        self._service = service
        self._page_sessions = page_sessions
        self.run_id = secrets.token_hex(4)

    def prepare(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """What an editor needs to know of a form: its fields, what to suggest, and the values that
        stay.
        """
        form = self._find_form(asked.get("preset"))
        draft = parse_draft(form, asked)
        base = []
        for name, field in form.fields.items():
            text = _write(field, draft.values.get(name))
            base.append({"name": name, "label": field.label, "text": text})
        suggested = describe_suggestions(form)
        return {
            "preset": form.name,
            "title": form.title,
            "fields": describe_fields(form, draft.values),
            "base": base,
            "suggested": suggested,
        }

    def choices(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Some of a field's choices, or the text that names all of them."""
        form = self._find_form(asked.get("preset"))
        name = str(asked.get("field") or "")
        if name not in form.fields or form.fields[name].choices is None:
            raise PresetError("This field has no list (any more); reload the page.")
        if asked.get("all") is True:
            return {"text": write_all_choices(form, name)}
        query = str(asked.get("query") or "")
        return list_choices(form, name, query)

    def study(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """What a draft comes to: what is wrong beside each field, or how many pictures, how long
        and in which order.
        """
        form, draft = self._read(asked)
        before = self._find_planned(owner, asked)
        if before is not None:
            self._service.sweeps.delete(before.token)
        try:
            told, is_ready = check_axes(form, draft)
        except ValuesRefused as error:
            return {"axes": [], "error": _say_refused(form, error)}
        if not is_ready:
            return {"axes": told}
        try:
            sweep = self._service.sweeps.plan(draft.define(), owner, party=party)
        except ComfyGradioError as error:
            return {"axes": told, "error": _say(form, error)}
        return {"axes": told, "ready": True, "token": sweep.token, **describe_plan(sweep, form)}

    def start(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """Begin what was planned; plans it again where the plan is gone."""
        planned = self._find_planned(owner, asked)
        if planned is not None:
            begun = self._service.sweeps.start_planned(planned)
            return {"token": begun.token}
        form, draft = self._read(asked)
        try:
            sweep = self._service.sweeps.start(draft.define(), owner, party=party)
        except (ValuesRefused, AxisError) as error:
            return {"error": _say(form, error)}
        return {"token": sweep.token}

    def list_all(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """A person's sweeps, newest first."""
        records = self._service.sweeps.list_sweeps(owner)
        forms = self._service.forms
        return {"sweeps": [describe_card(one, forms.get(one.preset)) for one in records]}

    def glance(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Progress of one listed sweep, with a few thumbnails."""
        return describe_visible_card(self._find(owner, asked))

    def open(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Everything about one sweep."""
        sweep = self._find(owner, asked)
        form = self._service.forms.get(sweep.definition.preset)
        told = describe_sweep(sweep, form, self._service.queue.find, self._outputs, self.run_id)
        told["thumbs"] = {"address": make_thumbs_url(sweep.token), "pixels": THUMB_PIXELS}
        told["size"] = _find_size(sweep, form)
        return told

    def news(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """What has changed since a version; with `cells` None, so much that everything has to be
        read anew.
        """
        sweep = self._find(owner, asked)
        find_job = self._service.queue.find
        boot, _, number = str(asked.get("since") or "").partition(".")
        if boot != self.run_id or not number.isdecimal() or len(number) > 15:
            state = describe_state(sweep, find_job, f"{self.run_id}.0")
            return {**state, "cells": None}
        return describe_changes(sweep, int(number), find_job, self._outputs, self.run_id)

    def pause(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Start no more cells for now."""
        self._find(owner, asked).pause()
        return self.news(owner, asked)

    def resume(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Go on."""
        self._find(owner, asked).resume()
        return self.news(owner, asked)

    def stop(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Stop what runs, and start no more."""
        self._find(owner, asked).stop()
        return self.news(owner, asked)

    def retry(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Run one cell once more, or all that failed."""
        sweep = self._find(owner, asked)
        if asked.get("cell") is None:
            sweep.retry_failed()
        else:
            sweep.retry(self._find_cell(sweep, asked))
        return self.news(owner, asked)

    def rate(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Give a cell stars, reject it, or take that back."""
        sweep = self._find(owner, asked)
        rating = asked.get("rating")
        # To Python, True is a whole number too.
        if isinstance(rating, int) and not isinstance(rating, bool) and -1 <= rating <= 5:
            cell = self._find_cell(sweep, asked)
            sweep.rate(cell, rating)
        return self.news(owner, asked)

    def settings(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """All values of a cell, in words."""
        sweep = self._find(owner, asked)
        form = self._service.forms.get(sweep.definition.preset)
        cell = self._find_cell(sweep, asked)
        rows = []
        for name, value in sweep.space.describe(cell).items():
            field = form.fields.get(name) if form else None
            if form is not None and field is None:
                continue
            label = field.label if field else name
            rows.append({"label": label, "text": _write(field, value)})
        return {"values": rows}

    def change(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """A draft with the values and axes of a sweep, for the editor."""
        sweep = self._find(owner, asked)
        form = self._find_form(sweep.definition.preset)
        return open_editor_again(form, sweep.definition, sweep.space)

    def delete(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Forget a sweep; its pictures stay in the history."""
        sweep = self._find(owner, asked)
        self._service.sweeps.delete(sweep.token)
        return {"deleted": True}

    def read_values(
        self, event: gr.EventData, session: str = ""
    ) -> tuple[str, dict[str, Any], list[str]]:
        """Preset, field → value, and notes, for the cell that an event names.

        Raises PresetError and JobStoreError.
        """
        access = getattr(event, "access", None)
        owner = self._page_sessions.find_owner(access, session)
        if owner is None:
            raise JobStoreError(EXPIRED)
        asked = {name: getattr(event, name, None) for name in ("token", "cell")}
        sweep = self._find(owner, asked)
        form = self._find_form(sweep.definition.preset)
        index = self._find_cell(sweep, asked)
        record = self._service.store.find(sweep.cells[index].token)
        if record is not None:
            filled, notes = restore_settings(form, record, self._service.clock)
            return form.name, filled, notes
        # Without a record of the cell's job, the sweep itself tells the values.
        values = sweep.space.describe(index)
        shown = {}
        for name in values:
            field = form.fields.get(name)
            if field is not None and not field.kind.is_media:
                shown[field.name] = sent_to_component_value(field, values[field.name], values)
        return form.name, shown, []

    @property
    def _outputs(self) -> Path:
        return self._service.queue.outputs

    def _read(self, asked: Mapping[str, Any]) -> tuple[Form, SweepDraft]:
        sent = asked.get("definition")
        definition = sent if isinstance(sent, Mapping) else {}
        form = self._find_form(definition.get("preset"))
        return form, parse_draft(form, definition)

    def _find(self, owner: str, asked: Mapping[str, Any]) -> Sweep:
        """A sweep of this person's. Raises JobStoreError for any other token, known or not."""
        token = asked.get("token")
        sweep = self._service.sweeps.find(token) if isinstance(token, str) else None
        if sweep is None or sweep.owner != owner:
            raise JobStoreError(UNKNOWN)
        return sweep

    def _find_planned(self, owner: str, asked: Mapping[str, Any]) -> Sweep | None:
        """What this person's draft came to when it was studied last, as long as it
        was not begun.
        """
        token = str(asked.get("planned") or "")
        sweep = self._service.sweeps.find(token)
        if sweep is None or sweep.owner != owner or sweep.phase != "planned":
            return None
        return sweep

    def _find_cell(self, sweep: Sweep, asked: Mapping[str, Any]) -> Index:
        place = asked.get("cell")
        # To Python, True is a whole number too.
        if not isinstance(place, int) or isinstance(place, bool) or place < 0:
            raise JobStoreError(NO_CELL)
        sizes = [len(axis.steps) for axis in sweep.axes]
        index = find_index(place, sizes)
        if index is None:
            raise JobStoreError(NO_CELL)
        return index

    def _find_form(self, name: Any) -> Form:
        form = self._service.forms.get(name) if isinstance(name, str) else None
        if form is None:
            raise PresetError("This form cannot be used at the moment.")
        if form.problems:
            raise PresetError(f"{form.title} cannot be used at the moment.")
        return form


def _write(field: Field | None, value: Any) -> str:
    """A value for people to read; files by their names."""
    if field is not None and not field.kind.is_media:
        shown = to_component_value(field, value)
        return field.kind.describe(field, shown)
    if value is None:
        return ""
    if isinstance(value, str | Path) and str(value):
        return Path(value).name
    return str(value)


def _find_size(sweep: Sweep, form: Form | None) -> list[int] | None:
    """Width and height that the pictures will have, as far as one of the values says it."""
    if form is None:
        return None
    names = [name for name, field in form.fields.items() if field.widget == "size"]
    if not names:
        return None
    text = str(sweep.definition.values.get(names[0]) or "")
    width, _, height = text.partition("x")
    if not width.isdecimal() or not height.isdecimal():
        return None
    return [int(width), int(height)]


def _say(form: Form, error: ComfyGradioError) -> str:
    if isinstance(error, ValuesRefused):
        return _say_refused(form, error)
    return str(error)


def _say_refused(form: Form, error: ValuesRefused) -> str:
    """A refusal with the fields' labels in the place of their names."""
    sentences = []
    for name, problem in error.problems.items():
        field = form.fields.get(name)
        label = field.label if field else name
        sentences.append(f"{label}: {problem}")
    return " ".join(sentences)
