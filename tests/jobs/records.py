"""Rows of the job store for the tests."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from comfygradio.comfy.workflow import Prompt
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_store import JobRecord

GRAPH = {
    "1": {"class_type": "KSampler", "inputs": {"seed": 2**64 - 1, "cfg": 7.5, "model": ["2", 0]}}
}


def make_record(
    owner: str = "user:ada", values: dict[str, Any] | None = None, **fields: Any
) -> JobRecord:
    """A job of somebody, as it is when it was ordered; `values` are its order's."""
    order = fields.pop("order", None) or Order(
        "tiny", "Tiny picture", Prompt(GRAPH), values or {}, ("seed",)
    )
    record = JobRecord(
        id=str(uuid.uuid4()),
        token=uuid.uuid4().hex,
        owner=owner,
        preset=order.preset,
        title=order.title,
        priority=0,
        order=order,
        phase="waiting",
        created=1.5,
        posted=None,
        started=None,
        ended=None,
        server="",
        client_id="",
        attempts=0,
        error="",
        node_seconds={},
        favourite=False,
        results=(),
    )
    return replace(record, **fields)
