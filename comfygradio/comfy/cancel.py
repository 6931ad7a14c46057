"""Cancel exactly one prompt, on servers of any version."""

from __future__ import annotations

from urllib.parse import quote

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.comfy.endpoints import Endpoints

TARGETED_INTERRUPT = (0, 3, 57)
"""Since this version /interrupt respects the prompt_id. Older servers stop whatever runs."""
RECHECK_SECONDS = (0.1, 0.2)
"""Pauses before checking the queue again. ComfyUI loses an interrupt between dequeuing and starting
a prompt, since it resets its flag at the start.
"""


def cancel_prompt(endpoints: Endpoints, prompt_id: str, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Interrupt or unqueue one prompt and no other. Returns False if it was neither running nor
    pending.

    Raises ServerError.
    """
    if not _cancel_once(endpoints, prompt_id):
        return False
    for pause in RECHECK_SECONDS:
        clock.sleep(pause)
        if prompt_id not in _list_running(endpoints):
            break
        _cancel_once(endpoints, prompt_id)
    return True


def _cancel_once(endpoints: Endpoints, prompt_id: str) -> bool:
    # None means that it was not tried yet.
    if endpoints.has_job_cancel is not False:
        cancelled = _cancel_job(endpoints, prompt_id)
        if cancelled is not None:
            return cancelled
    return _cancel_by_queue(endpoints, prompt_id)


def _cancel_job(endpoints: Endpoints, prompt_id: str) -> bool | None:
    path = f"/api/jobs/{quote(prompt_id, safe='')}/cancel"
    response = endpoints.transport.request("POST", path, accept=(404, 405))
    content_type = response.headers.get("content-type", "")
    # The route exists and says that the prompt does not: a server without the route sends no JSON.
    if response.status_code == 404 and "json" in content_type:
        return False
    endpoints.has_job_cancel = response.status_code == 200
    if not endpoints.has_job_cancel:
        return None
    answer = endpoints.transport.decode(response)
    if not isinstance(answer, dict):
        return None
    cancelled = answer.get("cancelled")
    return cancelled if isinstance(cancelled, bool) else None


def _cancel_by_queue(endpoints: Endpoints, prompt_id: str) -> bool:
    queue = endpoints.queue()
    if queue.position(prompt_id) is None:
        return False
    # Deleting comes first: if the prompt starts meanwhile, it is found running and interrupted.
    endpoints.delete_from_queue(prompt_id)
    _interrupt_running(endpoints, prompt_id)
    return True


def _interrupt_running(endpoints: Endpoints, prompt_id: str) -> None:
    running = _list_running(endpoints)
    version = endpoints.server_version()
    is_targeted = version is not None and version >= TARGETED_INTERRUPT
    runs_alone = running == {prompt_id}
    # A server that ignores the id would stop whatever runs, so nothing else may be running.
    if prompt_id in running and (is_targeted or runs_alone):
        endpoints.interrupt(prompt_id)


def _list_running(endpoints: Endpoints) -> set[str]:
    queue = endpoints.queue()
    return {item.prompt_id for item in queue.running}
