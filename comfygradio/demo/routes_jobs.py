"""The jobs API below /api: prompts with their states, and cancelling them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from comfygradio.demo.execution.prompts import HistoryEntry, QueuedPrompt
from comfygradio.demo.machine import Machine
from comfygradio.demo.responses import JsonResponse
from comfygradio.demo.routes_prompts import CANONICAL_UUID

STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
SORT_KEYS = ("created_at", "execution_duration")
NOT_FOUND = {"error": "Job not found"}

Job = dict[str, Any]


class JobRoutes:
    """Handlers of /api/jobs."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def routes(self) -> list[BaseRoute]:
        options = self._machine.options
        found: list[BaseRoute] = []
        if options.can("jobs"):
            found += [Route("/jobs", self.jobs), Route("/jobs/{job_id}", self.job)]
        if options.can("jobs_cancel"):
            found.append(Route("/jobs/cancel", self.cancel_many, methods=["POST"]))
            found.append(Route("/jobs/{job_id}/cancel", self.cancel, methods=["POST"]))
        return found

    async def jobs(self, request: Request) -> Response:
        query = request.query_params
        states = [state for state in query.get("status", "").split(",") if state]
        error = check_states(states) or check_order(query) or check_numbers(query)
        if error is not None:
            return JsonResponse({"error": error}, 400)
        found = self._all_jobs()
        if states:
            found = [job for job in found if job["status"] in states]
        sort_by = query.get("sort_by", "created_at")
        is_descending = query.get("sort_order") != "asc"
        found.sort(key=sort_key(sort_by), reverse=is_descending)
        offset = max(int(query.get("offset", 0)), 0)
        count = int(query["limit"]) if "limit" in query else None
        shown = found[offset:]
        if count is not None:
            shown = shown[:count]
        page = {
            "offset": offset,
            "limit": count,
            "total": len(found),
            "has_more": offset + len(shown) < len(found),
        }
        return JsonResponse({"jobs": shown, "pagination": page})

    async def job(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        for item, state in self._waiting():
            if item.prompt_id == job_id:
                return JsonResponse(describe_item(item, state))
        entry = self._machine.queue.entry(job_id)
        if entry is None:
            return JsonResponse(NOT_FOUND, 404)
        return JsonResponse(describe_fully(entry))

    async def cancel(self, request: Request) -> Response:
        cancelled = self._cancel(request.path_params["job_id"])
        return JsonResponse({"cancelled": cancelled})

    async def cancel_many(self, request: Request) -> Response:
        body = await request.json()
        ids = body.get("job_ids")
        if not isinstance(ids, list):
            return JsonResponse({"error": "job_ids must be a list"}, 400)
        invalid = [job_id for job_id in ids if not is_canonical(job_id)]
        if invalid:
            error = {"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}
            return JsonResponse(error, 400)
        # A list, since every one of them is cancelled.
        cancelled = [self._cancel(job_id) for job_id in ids]
        return JsonResponse({"cancelled": any(cancelled)})

    def _cancel(self, job_id: str) -> bool:
        queue = self._machine.queue
        if queue.remove(job_id):
            return True
        return queue.if_running(job_id, self._machine.interrupt)

    def _waiting(self) -> list[tuple[QueuedPrompt, str]]:
        running = self._machine.queue.running()
        waiting = [(item, "pending") for item in self._machine.queue.pending()]
        if running is not None:
            waiting.append((running, "in_progress"))
        return waiting

    def _all_jobs(self) -> list[Job]:
        jobs = [describe_item(item, state) for item, state in self._waiting()]
        for entry in self._machine.queue.history().values():
            jobs.append(describe_entry(entry))
        return jobs


def is_canonical(job_id: Any) -> bool:
    """Whether this is the text of a UUID in the form in which servers write it."""
    if not isinstance(job_id, str):
        return False
    return CANONICAL_UUID.fullmatch(job_id) is not None


def check_states(states: list[str]) -> str | None:
    unknown = [state for state in states if state not in STATES]
    if not unknown:
        return None
    wrong = ", ".join(unknown)
    valid = ", ".join(STATES)
    return f"Invalid status value(s): {wrong}. Valid values: {valid}"


def check_order(query: QueryParams) -> str | None:
    if query.get("sort_by", "created_at") not in SORT_KEYS:
        return "sort_by must be 'created_at' or 'execution_duration'"
    if query.get("sort_order", "desc") not in ("asc", "desc"):
        return "sort_order must be 'asc' or 'desc'"
    return None


def check_numbers(query: QueryParams) -> str | None:
    for name in ("limit", "offset"):
        if not re.fullmatch(r"-?\d+", query.get(name, "1")):
            return f"{name} must be an integer"
    if int(query.get("limit", 1)) <= 0:
        return "limit must be a positive integer"
    return None


def sort_key(sort_by: str) -> Callable[[Job], Any]:
    """How jobs are sorted: by the time of creation, then priority, or by how long they ran."""

    def tell_creation(job: Job) -> tuple[float, float]:
        return job.get("create_time", 0), job["priority"]

    def tell_duration(job: Job) -> float:
        duration: float = job.get("execution_end_time", 0) - job.get("execution_start_time", 0)
        return duration

    return tell_creation if sort_by == "created_at" else tell_duration


def describe_item(item: QueuedPrompt, state: str) -> Job:
    """A job as it is listed; what is not known is left out."""
    texts = item.extra_data.get("extra_pnginfo") or {}
    workflow = texts.get("workflow") or {}
    job = {
        "id": item.prompt_id,
        "status": state,
        "priority": item.number,
        "create_time": item.extra_data.get("create_time"),
        "outputs_count": 0,
        "previewable_outputs_count": 0,
        "workflow_id": workflow.get("id"),
    }
    for key in ("create_time", "workflow_id"):
        if job[key] is None:
            del job[key]
    return job


def describe_entry(entry: HistoryEntry) -> Job:
    """A job of the history, without its outputs and its prompt."""
    job = describe_item(entry.item, state_of(entry))
    messages = dict(entry.messages)
    started = messages.get("execution_start", {})
    job["execution_start_time"] = started.get("timestamp")
    job["execution_end_time"] = None
    if entry.messages:
        _, last = entry.messages[-1]
        job["execution_end_time"] = last.get("timestamp")
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    job["outputs_count"] = count_outputs(entry)
    previews = list_previews(entry)
    job["previewable_outputs_count"] = len(previews)
    if previews:
        saved = [preview for preview in previews if preview["type"] == "output"]
        best = saved or previews
        job["preview_output"] = best[0]
    return job


def count_outputs(entry: HistoryEntry) -> int:
    """How many things its nodes have shown."""
    count = 0
    for ui in entry.outputs.values():
        for items in ui.values():
            count += len(items)
    return count


def list_previews(entry: HistoryEntry) -> list[dict[str, Any]]:
    """The files among the things that its nodes have shown."""
    previews: list[dict[str, Any]] = []
    for node_id, ui in entry.outputs.items():
        for kind, items in ui.items():
            for item in items:
                if isinstance(item, dict):
                    previews.append({**item, "nodeId": node_id, "mediaType": kind})
    return previews


def describe_fully(entry: HistoryEntry) -> Job:
    """A job of the history with all that is known of it."""
    history = entry.to_json()
    job = describe_entry(entry)
    job["outputs"] = entry.outputs
    job["execution_status"] = history["status"]
    job["workflow"] = {"prompt": entry.item.prompt, "extra_data": entry.item.extra_data}
    return job


def state_of(entry: HistoryEntry) -> str:
    """One of STATES."""
    if entry.status_str == "success":
        return "completed"
    if not entry.messages:
        return "failed"
    last, _ = entry.messages[-1]
    if last == "execution_interrupted":
        return "cancelled"
    return "failed"
