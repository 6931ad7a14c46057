"""The jobs API below /api: prompts with their states, and cancelling them."""

from __future__ import annotations

import re
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
        offset = max(int(query.get("offset", 0)), 0)
        count = int(query["limit"]) if "limit" in query else None
        found = self._all_jobs()
        if states:
            found = [job for job in found if job["status"] in states]
        sort_by = query.get("sort_by", "created_at")
        is_descending = query.get("sort_order") != "asc"
        found.sort(key=sort_key(sort_by), reverse=is_descending)
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
        waiting = [describe_item(item, state) for item, state in self._waiting()]
        history = self._machine.queue.history()
        return waiting + [describe_entry(entry) for entry in history.values()]


def is_canonical(job_id: Any) -> bool:
    return isinstance(job_id, str) and CANONICAL_UUID.fullmatch(job_id) is not None


def check_states(states: list[str]) -> str | None:
    unknown = [state for state in states if state not in STATES]
    if not unknown:
        return None
    return f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(STATES)}"


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


def sort_key(sort_by: str) -> Any:
    if sort_by == "created_at":
        return lambda job: (job.get("create_time", 0), job["priority"])
    return lambda job: job.get("execution_end_time", 0) - job.get("execution_start_time", 0)


def describe_item(item: QueuedPrompt, state: str) -> Job:
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
    return {key: value for key, value in job.items() if value is not None}


def describe_entry(entry: HistoryEntry) -> Job:
    """A job of the history, without its outputs and its prompt."""
    job = describe_item(entry.item, state_of(entry))
    messages = dict(entry.messages)
    job["execution_start_time"] = messages.get("execution_start", {}).get("timestamp")
    job["execution_end_time"] = None
    if entry.messages:
        _, last = entry.messages[-1]
        job["execution_end_time"] = last.get("timestamp")
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    count = 0
    previews: list[dict[str, Any]] = []
    for node_id, ui in entry.outputs.items():
        for kind, items in ui.items():
            count += len(items)
            previews += [
                preview_of(node_id, kind, item) for item in items if isinstance(item, dict)
            ]
    job["outputs_count"] = count
    job["previewable_outputs_count"] = len(previews)
    if previews:
        saved = [preview for preview in previews if preview["type"] == "output"]
        best = saved or previews
        job["preview_output"] = best[0]
    return job


def describe_fully(entry: HistoryEntry) -> Job:
    history = entry.to_json()
    workflow = {"prompt": entry.item.prompt, "extra_data": entry.item.extra_data}
    status = history["status"]
    return describe_entry(entry) | {
        "outputs": entry.outputs,
        "execution_status": status,
        "workflow": workflow,
    }


def preview_of(node_id: str, kind: str, file: dict[str, Any]) -> dict[str, Any]:
    return {**file, "nodeId": node_id, "mediaType": kind}


def state_of(entry: HistoryEntry) -> str:
    if entry.status_str == "success":
        return "completed"
    if not entry.messages:
        return "failed"
    last, _ = entry.messages[-1]
    return "cancelled" if last == "execution_interrupted" else "failed"
