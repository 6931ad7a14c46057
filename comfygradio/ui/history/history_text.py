"""Words for the history: jobs of the job store as JSON for its page, and what the page asks for as
a query.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comfygradio.forms.fill import FROM_FORM
from comfygradio.forms.form import Form
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_store import JobRecord, Query
from comfygradio.jobs.results import Result
from comfygradio.jobs.rows import FILTER_CHARACTERS, encode_filter
from comfygradio.ui.form.field_component import to_component_value
from comfygradio.ui.job.job_stream import encode_frame
from comfygradio.ui.job.job_text import describe_progress, describe_result

PAGE_SIZE = 40
"""Jobs that are loaded at once."""

SUMMARY_CHARACTERS = 240

Json = dict[str, Any]


def parse_query(asked: Mapping[str, Any]) -> Query:
    """What a page asks for; what makes no sense restricts nothing."""
    before = asked.get("before")
    is_number = isinstance(before, int) and not isinstance(before, bool)
    values = asked.get("values")
    return Query(
        text=_take_text(asked.get("text"))[:500],
        preset=_take_text(asked.get("preset"))[:500],
        values=dict(_parse_filters(values)) if isinstance(values, Mapping) else {},
        favourites=asked.get("favourites") is True,
        singles=asked.get("singles") is True,
        before=before if is_number else None,
        limit=PAGE_SIZE,
    )


def _take_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def describe_card(record: JobRecord, job: Job | None, outputs: Path) -> Json:
    """One job as the gallery shows it; `job` is the one in memory where it is not over yet,
    `outputs` where results lie.
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
    """One result: as the viewer gets it, and whether it is all there."""
    told = describe_result(result, outputs)
    return {**told, "problem": result.problem, "again": result.can_be_collected}


def describe_values(record: JobRecord, form: Form | None) -> list[Json]:
    """A job's values in the order of its form: name, label, text, and what to filter by ("" where
    that is not kept).
    """
    return [
        _describe_value(name, value, form)
        for name, value in record.order.values.items()
        if value is not None and name != FROM_FORM
    ]


def find_summary(values: Mapping[str, Any]) -> str:
    """The text that says most about a job: its first value of several words, which is the prompt as
    a rule.
    """
    for value in values.values():
        text = value.strip() if isinstance(value, str) else ""
        if " " in text:
            return text[:SUMMARY_CHARACTERS]
    return ""


def _describe_value(name: str, value: Any, form: Form | None) -> Json:
    field = form.fields.get(name) if form else None
    filter = encode_filter(value)
    if field and not field.kind.is_media:
        text = field.kind.describe(field, to_component_value(field, value))
    else:
        text = _write(value)
    label = field.label if field else name.replace("_", " ").strip().capitalize()
    return {
        "name": name,
        "label": label,
        "text": text,
        "filter": filter if len(filter) <= FILTER_CHARACTERS else "",
    }


def _write(value: Any) -> str:
    """A value of a field that is gone, or the name of a file."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _parse_filters(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values to filter by come as JSON text, so that large seeds stay exact."""
    for name, text in list(values.items())[:10]:
        try:
            yield name, json.loads(text)
        except (TypeError, ValueError):
            continue
