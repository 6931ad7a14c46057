"""What the page of sweeps calls: a draft becomes a plan, a plan a sweep, and a sweep is watched,
steered and rated.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from comfygradio.errors import AxisError, ComfyGradioError, LedgerError, PresetError, ValuesRefused
from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.running.sweep import Sweep
from comfygradio.ui.fields import show_sent, show_value
from comfygradio.ui.history.reuse import fill_again
from comfygradio.ui.restoring import write_shown
from comfygradio.ui.studio import Studio
from comfygradio.ui.sweep.choices import (
    describe_fields,
    describe_suggestions,
    list_choices,
    write_all,
)
from comfygradio.ui.sweep.draft import Draft, read_draft, study_axes
from comfygradio.ui.sweep.plan import describe_plan
from comfygradio.ui.sweep.restoring import begin_again
from comfygradio.ui.sweep.thumbs import THUMB_PIXELS
from comfygradio.ui.sweep.view import (
    describe_card,
    describe_glance,
    describe_news,
    describe_state,
    describe_sweep,
    find_index,
    link_thumbs,
)
from comfygradio.ui.visitors import Visitors

Json = dict[str, Any]

UNKNOWN = "This sweep is not among yours (any more)."
EXPIRED = "This page has expired; reload it and try again."
NO_CELL = "There is no such place in this sweep."


class SweepDesk:
    """Every method sees the sweeps of `owner` alone; `party` is whom limits and turns count for.

    `boot` tells versions of this run of the app from older ones.
    """

    def __init__(self, studio: Studio, visitors: Visitors) -> None:
        self._studio = studio
        self._visitors = visitors
        self.boot = secrets.token_hex(4)

    def prepare(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """What an editor needs to know of a form: its fields, what to suggest, and the values that
        stay.
        """
        form = self._find_form(asked.get("preset"))
        draft = read_draft(form, asked)
        base = [
            {"name": name, "label": field.label, "text": _write(field, draft.values.get(name))}
            for name, field in form.fields.items()
        ]
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
        form, name = self._find_form(asked.get("preset")), str(asked.get("field") or "")
        if name not in form.fields or form.fields[name].choices is None:
            raise PresetError("This field has no list (any more); reload the page.")
        if asked.get("all") is True:
            return {"text": write_all(form, name)}
        return list_choices(form, name, str(asked.get("query") or ""))

    def study(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """What a draft comes to: what is wrong beside each field, or how many pictures, how long
        and in which order.
        """
        form, draft = self._read(asked)
        if (before := self._find_planned(owner, asked)) is not None:
            self._studio.sweeps.delete(before.token)
        try:
            told, is_ready = study_axes(form, draft)
        except ValuesRefused as error:
            return {"axes": [], "error": _say_refused(form, error)}
        if not is_ready:
            return {"axes": told}
        try:
            sweep = self._studio.sweeps.plan(draft.define(), owner, party=party)
        except ComfyGradioError as error:
            return {"axes": told, "error": _say(form, error)}
        return {"axes": told, "ready": True, "token": sweep.token, **describe_plan(sweep, form)}

    def start(self, owner: str, asked: Mapping[str, Any], party: str = "") -> Json:
        """Begin what was planned; plans it again where the plan is gone."""
        if (planned := self._find_planned(owner, asked)) is not None:
            return {"token": self._studio.sweeps.begin(planned).token}
        form, draft = self._read(asked)
        try:
            sweep = self._studio.sweeps.start(draft.define(), owner, party=party)
            return {"token": sweep.token}
        except (ValuesRefused, AxisError) as error:
            return {"error": _say(form, error)}

    def list_all(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """A person's sweeps, newest first."""
        records = self._studio.sweeps.list(owner)
        forms = self._studio.forms
        return {"sweeps": [describe_card(one, forms.get(one.preset)) for one in records]}

    def glance(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """How one sweep of the list stands, and a few of its pictures."""
        return describe_glance(self._find(owner, asked))

    def open(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Everything about one sweep."""
        sweep = self._find(owner, asked)
        form = self._studio.forms.get(sweep.definition.preset)
        told = describe_sweep(sweep, form, self._studio.queue.find, self._outputs, self.boot)
        thumbs = {"address": link_thumbs(sweep.token), "pixels": THUMB_PIXELS}
        return {**told, "thumbs": thumbs, "size": _find_size(sweep, form)}

    def news(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """What has changed since a version; with `cells` None, so much that everything has to be
        read anew.
        """
        sweep = self._find(owner, asked)
        boot, _, number = str(asked.get("since") or "").partition(".")
        if boot != self.boot or not number.isdecimal() or len(number) > 15:
            return {
                **describe_state(sweep, self._studio.queue.find, f"{self.boot}.0"),
                "cells": None,
            }
        return describe_news(sweep, int(number), self._studio.queue.find, self._outputs, self.boot)

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
        sweep, rating = self._find(owner, asked), asked.get("rating")
        if isinstance(rating, int) and not isinstance(rating, bool) and -1 <= rating <= 5:
            sweep.rate(self._find_cell(sweep, asked), rating)
        return self.news(owner, asked)

    def settings(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """All values of a cell, in words."""
        sweep = self._find(owner, asked)
        form = self._studio.forms.get(sweep.definition.preset)
        values = sweep.space.describe(self._find_cell(sweep, asked))
        rows = (
            (form.fields.get(name) if form else None, name, value) for name, value in values.items()
        )
        return {
            "values": [
                {"label": f.label if f else n, "text": _write(f, v)}
                for f, n, v in rows
                if f or not form
            ]
        }

    def change(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """A draft with the values and axes of a sweep, for the editor."""
        sweep = self._find(owner, asked)
        return begin_again(self._find_form(sweep.definition.preset), sweep.definition, sweep.space)

    def delete(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Forget a sweep; its pictures stay in the history."""
        self._studio.sweeps.delete(self._find(owner, asked).token)
        return {"deleted": True}

    def read_values(
        self, event: gr.EventData, session: str = ""
    ) -> tuple[str, dict[str, Any], list[str]]:
        """Preset, field → value, and notes, for the cell that an event names.

        Raises PresetError and LedgerError.
        """
        owner = self._visitors.find(getattr(event, "access", None), session)
        if owner is None:
            raise LedgerError(EXPIRED)
        asked = {name: getattr(event, name, None) for name in ("token", "cell")}
        sweep = self._find(owner, asked)
        form, index = self._find_form(sweep.definition.preset), self._find_cell(sweep, asked)
        record = self._studio.ledger.find(sweep.cells[index].token)
        if record is not None:
            return (form.name, *fill_again(form, record, self._studio.clock))
        values = sweep.space.describe(index)
        fields = (form.fields[name] for name in values if name in form.fields)
        return (
            form.name,
            {f.name: show_sent(f, values[f.name], values) for f in fields if f.widget not in MEDIA},
            [],
        )

    @property
    def _outputs(self) -> Path:
        return self._studio.queue.outputs

    def _read(self, asked: Mapping[str, Any]) -> tuple[Form, Draft]:
        sent = asked.get("definition")
        definition = sent if isinstance(sent, Mapping) else {}
        form = self._find_form(definition.get("preset"))
        return form, read_draft(form, definition)

    def _find(self, owner: str, asked: Mapping[str, Any]) -> Sweep:
        """A sweep of this person's. Raises LedgerError for any other token, known or not."""
        token = asked.get("token")
        sweep = self._studio.sweeps.find(token) if isinstance(token, str) else None
        if sweep is None or sweep.owner != owner:
            raise LedgerError(UNKNOWN)
        return sweep

    def _find_planned(self, owner: str, asked: Mapping[str, Any]) -> Sweep | None:
        """What this person's draft came to when it was studied last, as long as it
        was not begun.
        """
        sweep = self._studio.sweeps.find(str(asked.get("planned") or ""))
        return (
            sweep
            if sweep is not None and sweep.owner == owner and sweep.phase == "planned"
            else None
        )

    def _find_cell(self, sweep: Sweep, asked: Mapping[str, Any]) -> Index:
        place = asked.get("cell")
        sizes = [len(axis.steps) for axis in sweep.axes]
        is_place = isinstance(place, int) and not isinstance(place, bool) and place >= 0
        index = find_index(place, sizes) if isinstance(place, int) and is_place else None
        if index is None:
            raise LedgerError(NO_CELL)
        return index

    def _find_form(self, name: Any) -> Form:
        form = self._studio.forms.get(name) if isinstance(name, str) else None
        if form is None or form.problems:
            raise PresetError(
                f"{form.title if form else 'This form'} cannot be used at the moment."
            )
        return form


def _write(field: Field | None, value: Any) -> str:
    """A value for people to read; files by their names."""
    if field is None or field.widget in MEDIA:
        return (
            Path(value).name
            if isinstance(value, str | Path) and str(value)
            else ""
            if value is None
            else str(value)
        )
    return write_shown(field, show_value(field, value))


def _find_size(sweep: Sweep, form: Form | None) -> list[int] | None:
    """Width and height that the pictures will have, as far as one of the values says it."""
    fields = form.fields if form else {}
    names = (name for name, field in fields.items() if field.widget == "size")
    text = next((str(sweep.definition.values.get(name) or "") for name in names), "")
    width, _, height = text.partition("x")
    return [int(width), int(height)] if width.isdecimal() and height.isdecimal() else None


def _say(form: Form, error: ComfyGradioError) -> str:
    return _say_refused(form, error) if isinstance(error, ValuesRefused) else str(error)


def _say_refused(form: Form, error: ValuesRefused) -> str:
    """A refusal with the fields' labels in the place of their names."""
    labels = {name: one.label for name, one in form.fields.items()}
    return " ".join(
        f"{labels.get(name, name)}: {problem}" for name, problem in error.problems.items()
    )
