"""The functions that the page of sweeps calls: to plan a draft, to start a plan, and to follow,
control and rate a sweep.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

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
from comfygradio.ui.form.reuse import FormUpdate, restore_settings
from comfygradio.ui.form.sheet_import import open_editor_again
from comfygradio.ui.identity.page_function import (
    PageFunction,
    make_owner_function,
    make_party_function,
)
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import NOBODY, Person
from comfygradio.ui.job.thumbnails import THUMB_PIXELS
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
    list_sizes,
    make_thumbs_url,
)

Json = dict[str, Any]

UNKNOWN = "This comparison is not among yours (any more)."
NO_CELL = "There is no such place in this comparison."


class SweepApi:
    """The functions of the page; each sees only the sweeps of `owner`.

    Limits and turns count for `party`. `run_id` distinguishes the versions of this run of the app
    from those of earlier runs.
    """

    def __init__(self, service: Service, page_sessions: PageSessions) -> None:
        self._service = service
        self.page_sessions = page_sessions
        self.run_id = secrets.token_hex(4)

    def list_functions(self) -> list[PageFunction]:
        """List what the page's script calls."""
        methods = (
            self.prepare,
            self.choices,
            self.list_all,
            self.open,
            self.settings,
            self.pause,
            self.resume,
            self.stop,
            self.retry,
            self.rate,
            self.delete,
        )
        sessions = self.page_sessions
        functions = [make_owner_function(method, sessions) for method in methods]
        functions += [
            make_owner_function(self.get_card, sessions, "glance"),
            make_owner_function(self.get_changes, sessions, "news"),
            make_owner_function(self.edit, sessions, "change"),
            make_party_function(self.replan, sessions, "study"),
            make_party_function(self.start, sessions),
        ]
        return functions

    def prepare(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe a form for the editor: its fields, the suggested axes, and its values."""
        form = self._find_form(asked.get("preset"))
        draft = parse_draft(form, asked)
        base = []
        for name, field in form.fields.items():
            text = _write(field, draft.values.get(name))
            base.append({"name": name, "label": field.label, "text": text})
        return {
            "preset": form.name,
            "title": form.title,
            "fields": describe_fields(form, draft.values),
            "base": base,
            "suggested": describe_suggestions(form),
        }

    def choices(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """List some of a field's choices, or write the text for all of them."""
        form = self._find_form(asked.get("preset"))
        name = str(asked.get("field") or "")
        field = form.fields.get(name)
        if field is None or field.choices is None:
            raise PresetError("This field has no list (any more); reload the page.")
        if asked.get("all") is True:
            return {"text": write_all_choices(form, name)}
        query = str(asked.get("query") or "")
        return list_choices(form, name, query)

    def replan(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """Plan a draft in place of its last plan, which is deleted. Say what is wrong at each
        field, or how many pictures the draft makes, in how much time and in which order.
        """
        form, draft = self._parse_draft(asked)
        before = self._find_planned(owner, asked)
        if before is not None:
            self._service.sweeps.delete(before.token)
        try:
            reports, is_ready = check_axes(form, draft)
        except ValuesRefused as error:
            return {"axes": [], "error": _describe_refusal(form, error)}
        if not is_ready:
            return {"axes": reports}
        try:
            sweep = self._service.sweeps.plan(draft.define(), owner, party=party)
        except ComfyGradioError as error:
            return {"axes": reports, "error": _describe_error(form, error)}
        plan = describe_plan(sweep, form)
        return {"axes": reports, "ready": True, "token": sweep.token, **plan}

    def start(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """Start a planned sweep; if the plan is gone, plan the draft again."""
        planned = self._find_planned(owner, asked)
        if planned is not None:
            started = self._service.sweeps.start_planned(planned)
            return {"token": started.token}
        form, draft = self._parse_draft(asked)
        try:
            definition = draft.define()
            sweep = self._service.sweeps.start(definition, owner, party=party)
        except (ValuesRefused, AxisError) as error:
            return {"error": _describe_error(form, error)}
        return {"token": sweep.token}

    def list_all(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """List a person's sweeps, newest first."""
        cards = []
        for record in self._service.sweeps.list_sweeps(owner):
            form = self._service.forms.get(record.preset)
            cards.append(describe_card(record, form))
        return {"sweeps": cards}

    def get_card(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe the progress of one listed sweep, with a few thumbnails."""
        sweep = self._find(owner, asked)
        return describe_visible_card(sweep)

    def open(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe everything about one sweep."""
        sweep = self._find(owner, asked)
        form = self._service.forms.get(sweep.definition.preset)
        find_job = self._service.queue.find
        described = describe_sweep(sweep, form, find_job, self._outputs, self.run_id)
        described["thumbs"] = {
            "address": make_thumbs_url(sweep.token),
            "pixels": THUMB_PIXELS,
        }
        described["size"] = _find_size(sweep, form)
        return described

    def get_changes(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe what has changed since a version; `cells` is None if everything has to be loaded
        again, since the version is from another run of the app.
        """
        sweep = self._find(owner, asked)
        find_job = self._service.queue.find
        since = self._parse_version(asked.get("since"))
        if since is None:
            state = describe_state(sweep, find_job, f"{self.run_id}.0")
            return {**state, "cells": None}
        return describe_changes(sweep, since, find_job, self._outputs, self.run_id)

    def _parse_version(self, sent: Any) -> int | None:
        """Parse the number out of a version of this run of the app; None for any other."""
        run_id, _, number = str(sent or "").partition(".")
        if run_id != self.run_id:
            return None
        if not number.isdecimal() or len(number) > 15:
            return None
        return int(number)

    def pause(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Start no more cells for now."""
        sweep = self._find(owner, asked)
        sweep.pause()
        return self.get_changes(owner, asked)

    def resume(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Go on with a paused or stopped sweep."""
        sweep = self._find(owner, asked)
        sweep.resume()
        return self.get_changes(owner, asked)

    def stop(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Stop the running cells, and start no more."""
        sweep = self._find(owner, asked)
        sweep.stop()
        return self.get_changes(owner, asked)

    def retry(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Run one cell once more, or all that failed."""
        sweep = self._find(owner, asked)
        if asked.get("cell") is None:
            sweep.retry_failed()
        else:
            cell = self._find_cell(sweep, asked)
            sweep.retry(cell)
        return self.get_changes(owner, asked)

    def rate(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Give a cell stars, reject it, or take that back."""
        sweep = self._find(owner, asked)
        rating = asked.get("rating")
        if _is_integer(rating) and -1 <= rating <= 5:
            cell = self._find_cell(sweep, asked)
            sweep.rate(cell, rating)
        return self.get_changes(owner, asked)

    def settings(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """List all values of a cell with their labels; without the form, the names of the fields
        are the labels.
        """
        sweep = self._find(owner, asked)
        form = self._service.forms.get(sweep.definition.preset)
        cell = self._find_cell(sweep, asked)
        rows = []
        for name, value in sweep.space.describe(cell).items():
            if form is None:
                rows.append({"label": name, "text": _write(None, value)})
            elif name in form.fields:
                field = form.fields[name]
                rows.append({"label": field.label, "text": _write(field, value)})
        return {"values": rows}

    def edit(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Open the editor with the values and axes of a sweep."""
        sweep = self._find(owner, asked)
        form = self._find_form(sweep.definition.preset)
        return open_editor_again(form, sweep.definition, sweep.space)

    def delete(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Delete a sweep; its pictures stay in the history."""
        sweep = self._find(owner, asked)
        self._service.sweeps.delete(sweep.token)
        return {"deleted": True}

    def read_values(self, event: gr.EventData, person: Person = NOBODY) -> FormUpdate:
        """Read the settings of the cell that an event names; return the preset, field → value, and
        notes.

        Raises PresetError and JobStoreError.
        """
        access = getattr(event, "access", None)
        owner = self.page_sessions.require_owner(access, person.session)
        asked = {
            "token": getattr(event, "token", None),
            "cell": getattr(event, "cell", None),
        }
        sweep = self._find(owner, asked)
        form = self._find_form(sweep.definition.preset)
        index = self._find_cell(sweep, asked)
        record = self._service.store.find(sweep.cells[index].token)
        if record is not None:
            filled, notes = restore_settings(form, record, self._service.clock)
            return form.name, filled, notes
        # The cell has no job, so its values come from the sweep itself.
        values = sweep.space.describe(index)
        shown = {}
        for name, value in values.items():
            field = form.fields.get(name)
            if field is not None and not field.kind.is_media:
                shown[name] = sent_to_component_value(field, value, values)
        return form.name, shown, []

    @property
    def _outputs(self) -> Path:
        return self._service.queue.outputs

    def _parse_draft(self, asked: Mapping[str, Any]) -> tuple[Form, SweepDraft]:
        definition = asked.get("definition")
        if not isinstance(definition, Mapping):
            definition = {}
        form = self._find_form(definition.get("preset"))
        draft = parse_draft(form, definition)
        return form, draft

    def _find(self, owner: str, asked: Mapping[str, Any]) -> Sweep:
        """Find a sweep of this owner. Raises JobStoreError for any other token, known or not."""
        token = asked.get("token")
        if not isinstance(token, str):
            raise JobStoreError(UNKNOWN)
        sweep = self._service.sweeps.find(token)
        if sweep is None or sweep.owner != owner:
            raise JobStoreError(UNKNOWN)
        return sweep

    def _find_planned(self, owner: str, asked: Mapping[str, Any]) -> Sweep | None:
        """Find the last plan of this owner's draft; None if it is gone, or was started."""
        token = str(asked.get("planned") or "")
        sweep = self._service.sweeps.find(token)
        if sweep is None or sweep.owner != owner:
            return None
        return sweep if sweep.phase == "planned" else None

    def _find_cell(self, sweep: Sweep, asked: Mapping[str, Any]) -> Index:
        place = asked.get("cell")
        if not _is_integer(place) or place < 0:
            raise JobStoreError(NO_CELL)
        index = find_index(place, list_sizes(sweep))
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


def _is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a value that was sent is an integer; to Python, True is one, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def _write(field: Field | None, value: Any) -> str:
    """Write a value for people; a file as its name."""
    if field is not None and not field.kind.is_media:
        shown = to_component_value(field, value)
        return field.kind.describe(field, shown)
    if value is None:
        return ""
    if isinstance(value, str | Path) and str(value):
        return Path(value).name
    return str(value)


def _find_size(sweep: Sweep, form: Form | None) -> list[int] | None:
    """Find the width and height of the pictures, in pixels; None if no field tells them."""
    if form is None:
        return None
    names = [name for name, field in form.fields.items() if field.widget == "size"]
    if not names:
        return None
    size = sweep.definition.values.get(names[0])
    width, _, height = str(size or "").partition("x")
    if not width.isdecimal() or not height.isdecimal():
        return None
    return [int(width), int(height)]


def _describe_error(form: Form, error: ComfyGradioError) -> str:
    if isinstance(error, ValuesRefused):
        return _describe_refusal(form, error)
    return str(error)


def _describe_refusal(form: Form, error: ValuesRefused) -> str:
    """Describe a refusal with the labels of the fields instead of their names."""
    sentences = []
    for name, problem in error.problems.items():
        field = form.fields.get(name)
        label = field.label if field else name
        sentences.append(f"{label}: {problem}")
    return " ".join(sentences)
