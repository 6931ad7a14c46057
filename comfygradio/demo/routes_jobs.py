"""The jobs API below /api: prompts with their states, and cancelling them."""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from comfygradio.demo.machine import Machine
from comfygradio.demo.prompts import HistoryEntry, QueuedPrompt
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
        every = [job for job in self._all_jobs() if not states or job["status"] in states]
        every.sort(
            key=sort_key(query.get("sort_by", "created_at")),
            reverse=query.get("sort_order") != "asc",
        )
        shown = every[offset:] if count is None else every[offset : offset + count]
        more = offset + len(shown) < len(every)
        page = {"offset": offset, "limit": count, "total": len(every), "has_more": more}
        return JsonResponse({"jobs": shown, "pagination": page})

    async def job(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        for item, state in self._waiting():
            if item.prompt_id == job_id:
                return JsonResponse(describe_item(item, state))
        entry = self._machine.queue.entry(job_id)
        return (
            JsonResponse(NOT_FOUND, 404) if entry is None else JsonResponse(describe_fully(entry))
        )

    async def cancel(self, request: Request) -> Response:
        return JsonResponse({"cancelled": self._cancel(request.path_params["job_id"])})

    async def cancel_many(self, request: Request) -> Response:
        body = await request.json()
        ids = body.get("job_ids")
        if not isinstance(ids, list):
            return JsonResponse({"error": "job_ids must be a list"}, 400)
        invalid = [i for i in ids if not (isinstance(i, str) and CANONICAL_UUID.fullmatch(i))]
        if invalid:
            return JsonResponse(
                {"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, 400
            )
        cancelled = [self._cancel(job_id) for job_id in ids]
        return JsonResponse({"cancelled": any(cancelled)})

    def _cancel(self, job_id: str) -> bool:
        queue = self._machine.queue
        return queue.remove(job_id) or queue.if_running(job_id, self._machine.interrupt)

    def _waiting(self) -> list[tuple[QueuedPrompt, str]]:
        running = self._machine.queue.running()
        pending = [(item, "pending") for item in self._machine.queue.pending()]
        return pending if running is None else [*pending, (running, "in_progress")]

    def _all_jobs(self) -> list[Job]:
        waiting = [describe_item(item, state) for item, state in self._waiting()]
        return waiting + [describe_entry(entry) for entry in self._machine.queue.history().values()]


def check_states(states: list[str]) -> str | None:
    unknown = [state for state in states if state not in STATES]
    if not unknown:
        return None
    return f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(STATES)}"


def check_order(query: QueryParams) -> str | None:
    if query.get("sort_by", "created_at") not in SORT_KEYS:
        return "sort_by must be 'created_at' or 'execution_duration'"
    return (
        None
        if query.get("sort_order", "desc") in ("asc", "desc")
        else "sort_order must be 'asc' or 'desc'"
    )


def check_numbers(query: QueryParams) -> str | None:
    for name in ("limit", "offset"):
        if not re.fullmatch(r"-?\d+", query.get(name, "1")):
            return f"{name} must be an integer"
    return None if int(query.get("limit", 1)) > 0 else "limit must be a positive integer"


def sort_key(sort_by: str) -> Any:
    if sort_by == "created_at":
        return lambda job: (job.get("create_time", 0), job["priority"])
    return lambda job: job.get("execution_end_time", 0) - job.get("execution_start_time", 0)


def describe_item(item: QueuedPrompt, state: str) -> Job:
    job = {"id": item.prompt_id, "status": state, "priority": item.number}
    job |= {"create_time": item.extra_data.get("create_time")}
    workflow = ((item.extra_data.get("extra_pnginfo") or {}).get("workflow") or {}).get("id")
    job |= {"outputs_count": 0, "previewable_outputs_count": 0, "workflow_id": workflow}
    return {key: value for key, value in job.items() if value is not None}


def describe_entry(entry: HistoryEntry) -> Job:
    """A job of the history, without its outputs and its prompt."""
    job = describe_item(entry.item, state_of(entry))
    messages = dict(entry.messages)
    job["execution_start_time"] = messages.get("execution_start", {}).get("timestamp")
    job["execution_end_time"] = entry.messages[-1][1].get("timestamp") if entry.messages else None
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    files = [
        (n, kind, item)
        for n, ui in entry.outputs.items()
        for kind, items in ui.items()
        for item in items
    ]
    job["outputs_count"] = len(files)
    previews = [preview_of(*found) for found in files if isinstance(found[2], dict)]
    job["previewable_outputs_count"] = len(previews)
    if previews:
        saved = [preview for preview in previews if preview["type"] == "output"]
        job["preview_output"] = (saved or previews)[0]
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
    last = entry.messages[-1][0] if entry.messages else ""
    return "cancelled" if last == "execution_interrupted" else "failed"
