"""The Dask actor through which an app uses the backend beside a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.cluster.service import BackendService
from comfygradio.comfy.workflow import Prompt

PLUGIN = "comfygradio"
"""The name of the worker plugin that has the service."""


class BackendActor:
    """One app's access to one backend: Dask creates it in the worker, calls its methods there, and
    drops it when the app is gone.

    All methods are coroutines, which Dask awaits on the worker's event loop. It would run plain
    methods one after the other in a single thread, where a slow ComfyUI holds up everything.
    They answer with the packed outcome of the service's method, and never raise.
    """

    def __init__(self, service: BackendService | None = None) -> None:
        self._service = service or _find_service()

    async def ping(self) -> None:
        """Answer at once, whatever else goes on."""

    async def watch(self, seen: Any) -> bytes | None:
        """How the backend is, as soon as that differs from what was `seen`; None where the worker
        stands beside no ComfyUI.
        """
        if self._service is None:
            return None
        return await self._service.watch(seen)

    async def begin(
        self,
        prompt: Prompt,
        client_id: str | None,
        prompt_id: str,
        may_exist: bool,
        weights: Mapping[str, float],
    ) -> bytes:
        """Run a prompt, or take it up again; its uploads were put here before."""
        service = self._get_service()
        return await service.answer(service.begin, prompt, client_id, prompt_id, may_exist, weights)

    async def tell(self, prompt_id: str, seen: int, previews: int) -> bytes:
        """How a run stands, as soon as there is something new."""
        service = self._get_service()
        return await service.answer(service.tell, prompt_id, seen, previews)

    async def end(self, prompt_id: str, wish: str) -> bytes:
        """Stop a run: "cancel" its prompt, or "let go" of it."""
        service = self._get_service()
        return await service.answer(service.end, prompt_id, wish)

    async def put(self, ticket: str, data: bytes) -> bytes:
        """Add bytes to a file that a prompt uploads; without a ticket a new file begins."""
        service = self._get_service()
        return await service.answer(service.files.put, ticket, data)

    async def open(self, filename: str, subfolder: str, type: str) -> bytes:
        """Fetch a file of the server; the answer is its beginning."""
        service = self._get_service()
        return await service.answer(service.open, filename, subfolder, type)

    async def read(self, ticket: str, offset: int) -> bytes:
        """A piece of a file."""
        service = self._get_service()
        return await service.answer(service.files.read, ticket, offset)

    async def drop(self, ticket: str) -> bytes:
        """Delete a file here."""
        service = self._get_service()
        return await service.answer(service.files.drop, ticket)

    async def sight(self, prompt_id: str) -> bytes:
        """As ComfyClient's, like those that follow."""
        service = self._get_service()
        return await service.answer(service.client.sight, prompt_id)

    async def cancel(self, prompt_id: str) -> bytes:
        """Stop or unqueue one prompt."""
        service = self._get_service()
        return await service.answer(service.client.cancel, prompt_id)

    async def queue_remaining(self) -> bytes:
        """How many prompts run or wait."""
        service = self._get_service()
        return await service.answer(service.client.queue_remaining)

    async def clear_queue(self) -> bytes:
        """Take all pending prompts out of the queue."""
        service = self._get_service()
        return await service.answer(service.client.clear_queue)

    async def interrupt(self, prompt_id: str | None) -> bytes:
        """Stop what runs."""
        service = self._get_service()
        return await service.answer(service.client.interrupt, prompt_id)

    async def free(self, unload_models: bool, free_memory: bool) -> bytes:
        """Unload models and forget cached results."""
        service = self._get_service()
        return await service.answer(service.client.free, unload_models, free_memory)

    async def object_info(self, *class_types: str) -> bytes:
        """The definitions of these node classes, or of all."""
        service = self._get_service()
        return await service.answer(service.client.object_info, *class_types)

    async def embeddings(self) -> bytes:
        """Names of the embeddings."""
        service = self._get_service()
        return await service.answer(service.client.embeddings)

    async def system_stats(self) -> bytes:
        """Versions, memory and devices."""
        service = self._get_service()
        return await service.answer(service.client.system_stats)

    def _get_service(self) -> BackendService:
        assert self._service is not None, "whoever watches was told that there is no backend"
        return self._service


def _find_service() -> BackendService | None:
    """That of the worker in which this runs."""
    from distributed import get_worker

    plugin = get_worker().plugins.get(PLUGIN)
    if plugin is None:
        return None
    service: BackendService = plugin.service
    return service
