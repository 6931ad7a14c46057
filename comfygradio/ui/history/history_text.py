"""Describes stored jobs as JSON for the History page, and parses the queries of that page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygradio.forms.fill import FROM_FORM, find_posted_text
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_store import JobRecord, Query
from comfygradio.jobs.results import Result
from comfygradio.jobs.rows import FILTER_CHARACTERS, encode_filter
from comfygradio.ui.form.field_component import to_component_value
from comfygradio.ui.job.job_stream import encode_frame
from comfygradio.ui.job.job_text import describe_progress, describe_result, find_summary

PAGE_SIZE = 40
"""How many jobs are loaded at once."""

MAX_FILTERS = 10
"""Most values to filter by."""

Json = dict[str, Any]


def parse_query(asked: Mapping[str, Any]) -> Query:
    """Parse the query of a page; a part that makes no sense restricts nothing."""
    text = _take_text(asked.get("text"))
    preset = _take_text(asked.get("preset"))
    before = asked.get("before")
    # To Python, True is an integer, too.
    is_integer = isinstance(before, int) and not isinstance(before, bool)
    return Query(
        text=text[:500],
        preset=preset[:500],
        values=_parse_filters(asked.get("values")),
        favourites=asked.get("favourites") is True,
        singles=asked.get("singles") is True,
        deleted=asked.get("deleted") is True,
        before=before if is_integer else None,
        limit=PAGE_SIZE,
    )


def _parse_filters(sent: Any) -> dict[str, Any]:
    """Parse the values to filter by; they are sent as JSON text, so that large seeds stay exact."""
    if not isinstance(sent, Mapping):
        return {}
    values = {}
    for name, text in list(sent.items())[:MAX_FILTERS]:
        try:
            values[name] = json.loads(text)
        except (TypeError, ValueError):
            continue
    return values


def _take_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def describe_card(record: JobRecord, job: Job | None, outputs: Path) -> Json:
    """Describe a job for the gallery; `job` is the one in memory if it is not over yet, and the
    results are files in `outputs`.
    """
    snapshot = job.snapshot if job else None
    state = snapshot.state if snapshot else None
    results = snapshot.results if snapshot else record.results
    ended = record.ended or 0.0
    started = record.started or ended
    return {
        "token": record.token,
        "preset": record.preset,
        "title": record.title,
        "text": find_summary(record.order.values),
        "created": record.created,
        "phase": snapshot.phase if snapshot else record.phase,
        "line": describe_progress(snapshot) if snapshot else "",
        "percent": round(100 * state.progress, 1) if state else 0,
        "frame": encode_frame(snapshot) if snapshot and snapshot.phase == "running" else "",
        "seconds": round(max(ended - started, 0.0), 1),
        "error": snapshot.error if snapshot else record.error,
        "favourite": record.favourite,
        "results": [describe_stored_result(result, outputs) for result in results],
    }


def describe_stored_result(result: Result, outputs: Path) -> Json:
    """Describe a result as the job view does; also its problem, and whether it can be fetched
    again.
    """
    described = describe_result(result, outputs)
    described["problem"] = result.problem
    described["again"] = result.can_be_collected
    return described


def describe_values(record: JobRecord, form: Form | None) -> list[Json]:
    """Describe a job's values in the order of its form: name, label, text, and the text to filter
    by ("" if that is not kept). After a text in which words were drawn comes the one that was
    posted.
    """
    described = []
    for name, value in record.order.values.items():
        if value is None or name == FROM_FORM:
            continue
        described.append(_describe_value(name, value, form))
        field = form.fields.get(name) if form else None
        posted = find_posted_text(field, record.order.prompt.graph) if field else None
        if field and posted is not None and posted != value:
            # A name of its own, by which two jobs are compared; no field has a point in its name.
            named = {"name": f"{name}.posted", "label": f"{field.label}, as posted"}
            described.append({**named, "text": posted, "filter": ""})
    return described


def _describe_value(name: str, value: Any, form: Form | None) -> Json:
    field = form.fields.get(name) if form else None
    filter = encode_filter(value)
    if field and not field.kind.is_media:
        text = field.kind.describe(field, to_component_value(field, value))
    else:
        text = _write(value)
    label = field.label if field else _make_label(name)
    return {
        "name": name,
        "label": label,
        "text": text,
        "filter": filter if len(filter) <= FILTER_CHARACTERS else "",
    }


def _make_label(name: str) -> str:
    """Make a label out of the name of a field that is gone."""
    words = name.replace("_", " ").strip()
    return words.capitalize()


def _write(value: Any) -> str:
    """Write a value of a field that is gone, or the name of a file."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
