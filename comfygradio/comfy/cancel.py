"""Stopping exactly one prompt, whatever a server's age."""

from __future__ import annotations

import time
from urllib.parse import quote

from comfygradio.comfy.endpoints import Endpoints

TARGETED_INTERRUPT = (0, 3, 57)
"""Since this version /interrupt minds the prompt_id; before, it stops whatever runs."""
SECOND_LOOK_SECONDS = 0.15
"""An interrupt between dequeue and start is lost, so the queue is looked at once more."""


def cancel_prompt(endpoints: Endpoints, prompt_id: str) -> bool:
    """Stop or unqueue one prompt, nobody else's; False if it was neither running nor pending. Raises ServerError."""
    if endpoints.has_job_cancel is not False:
        cancelled = _cancel_job(endpoints, prompt_id)
        if cancelled is not None:
            return cancelled
    return _cancel_by_queue(endpoints, prompt_id)


def _cancel_job(endpoints: Endpoints, prompt_id: str) -> bool | None:
    path = f"/api/jobs/{quote(prompt_id, safe='')}/cancel"
    response = endpoints.transport.request("POST", path, accept=(404, 405))
    if response.status_code == 404 and "json" in response.headers.get("content-type", ""):
        return False
    endpoints.has_job_cancel = response.status_code == 200
    if not endpoints.has_job_cancel:
        return None
    answer = endpoints.transport.decode(response)
    cancelled = answer.get("cancelled") if isinstance(answer, dict) else None
    return cancelled if isinstance(cancelled, bool) else None


def _cancel_by_queue(endpoints: Endpoints, prompt_id: str) -> bool:
    found = endpoints.queue().position(prompt_id) is not None
    if not found:
        return False
    endpoints.delete_from_queue(prompt_id)
    if _interrupt_running(endpoints, prompt_id):
        time.sleep(SECOND_LOOK_SECONDS)
        _interrupt_running(endpoints, prompt_id)
    return True


def _interrupt_running(endpoints: Endpoints, prompt_id: str) -> bool:
    running = [item.prompt_id for item in endpoints.queue().running]
    if prompt_id not in running:
        return False
    version = endpoints.server_version()
    targeted = version is not None and version >= TARGETED_INTERRUPT
    if targeted or set(running) == {prompt_id}:
        endpoints.interrupt(prompt_id)
    return True
