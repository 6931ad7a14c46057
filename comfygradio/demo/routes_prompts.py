"""Routes about prompts: /prompt, /queue, /history, /interrupt, /free and /ws."""

from __future__ import annotations

import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from comfygradio.demo.checks import describe_error
from comfygradio.demo.execution.messages import now_ms
from comfygradio.demo.execution.prompts import QueuedPrompt, hide_keys
from comfygradio.demo.machine import Machine
from comfygradio.demo.responses import JsonResponse, empty, text
from comfygradio.demo.validation import ValidationResult

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_UPGRADE = 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'


class PromptRoutes:
    """Handlers that queue, list, interrupt and forget prompts."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._options = machine.options

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/ws", self.socket),
            Route("/ws", self.socket_without_upgrade),
            Route("/prompt", self.count),
            Route("/prompt", self.post_prompt, methods=["POST"]),
            Route("/queue", self.queue),
            Route("/queue", self.post_queue, methods=["POST"]),
            Route("/history", self.history),
            Route("/history", self.post_history, methods=["POST"]),
            Route("/history/{prompt_id}", self.history_of),
            Route("/interrupt", self.interrupt, methods=["POST"]),
            Route("/free", self.free, methods=["POST"]),
        ]

    async def socket(self, socket: WebSocket) -> None:
        machine = self._machine
        remaining = machine.queue.remaining()
        await machine.sockets.serve(socket, remaining, machine.executor.running_node)

    async def socket_without_upgrade(self, request: Request) -> Response:
        return text(NO_UPGRADE, 400)

    async def count(self, request: Request) -> Response:
        remaining = self._machine.queue.remaining()
        return JsonResponse({"exec_info": {"queue_remaining": remaining}})

    async def post_prompt(self, request: Request) -> Response:
        body = await request.json()
        # The counter advances even if the prompt is then refused.
        number = self._take_number(body)
        if "prompt" not in body:
            error = describe_error("no_prompt", "No prompt provided", "No prompt provided")
            return self._refuse(error, {})
        prompt_id = self._choose_id(body)
        if prompt_id is None:
            return self._refuse(invalid_id_error(), {})
        targets: list[str] | None = None
        if self._options.can("partial_targets"):
            targets = body.get("partial_execution_targets")
        result = self._machine.validator.check(body["prompt"], targets)
        if result.error is not None:
            return self._refuse(result.error, result.node_errors)
        return self._accept(body, prompt_id, number, result)

    def _take_number(self, body: Any) -> float:
        """The priority asked for, else the counter, negative for prompts that go to the front."""
        if "number" in body:
            return float(body["number"])
        number = self._machine.counter
        self._machine.counter += 1
        if isinstance(body, dict) and body.get("front"):
            return -number
        return number

    def _choose_id(self, body: dict[str, Any]) -> str | None:
        """The client's own id where the version takes it, a new one, or None if it is not
        canonical.
        """
        asked = body.get("prompt_id")
        if not self._options.can("own_prompt_id") or "prompt_id" not in body:
            return str(uuid.uuid4())
        if not self._options.can("uuid_prompt_id"):
            return str(asked)
        if asked is None:
            return str(uuid.uuid4())
        if isinstance(asked, str) and CANONICAL_UUID.fullmatch(asked):
            return asked
        return None

    def _refuse(self, error: dict[str, Any], node_errors: dict[str, Any]) -> Response:
        if self._options.can("error_objects"):
            return JsonResponse({"error": error, "node_errors": node_errors}, 400)
        # Servers before v0.3.28 send this error as a text, and a list if nodes have no errors.
        shown: dict[str, Any] | str = error
        if error["type"] == "no_prompt":
            shown = "no prompt"
        return JsonResponse({"error": shown, "node_errors": node_errors or []}, 400)

    def _accept(
        self, body: dict[str, Any], prompt_id: str, number: float, result: ValidationResult
    ) -> Response:
        extra = dict(body.get("extra_data") or {})
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        if self._options.can("hidden_keys"):
            extra = hide_keys(extra)
        if self._options.can("create_time"):
            extra["create_time"] = now_ms()
        item = QueuedPrompt(
            number=number,
            prompt_id=prompt_id,
            prompt=body["prompt"],
            extra_data=extra,
            outputs=result.outputs,
        )
        self._machine.queue.put(item)
        errors: dict[str, Any] | list[Any] = result.node_errors
        if not errors and not self._options.can("error_objects"):
            errors = []
        return JsonResponse({"prompt_id": prompt_id, "number": number, "node_errors": errors})

    async def queue(self, request: Request) -> Response:
        queue = self._machine.queue
        running = queue.running()
        shown: list[Any] = []
        if running is not None:
            shown.append(running.to_json())
        pending = [item.to_json() for item in queue.pending()]
        return JsonResponse({"queue_running": shown, "queue_pending": pending})

    async def post_queue(self, request: Request) -> Response:
        body = await request.json()
        if body.get("clear"):
            self._machine.queue.clear()
        for prompt_id in body.get("delete", ()):
            self._machine.queue.remove(prompt_id)
        return empty()

    async def history(self, request: Request) -> Response:
        query = request.query_params
        max_items = int(query["max_items"]) if "max_items" in query else None
        offset = -1
        if self._options.can("history_offset"):
            offset = int(query.get("offset", -1))
        shown: dict[str, Any] = {}
        for prompt_id, entry in self._machine.queue.history(max_items, offset).items():
            shown[prompt_id] = entry.to_json()
        return JsonResponse(shown)

    async def history_of(self, request: Request) -> Response:
        prompt_id = request.path_params["prompt_id"]
        entry = self._machine.queue.entry(prompt_id)
        if entry is None:
            return JsonResponse({})
        return JsonResponse({prompt_id: entry.to_json()})

    async def post_history(self, request: Request) -> Response:
        body = await request.json()
        if body.get("clear"):
            self._machine.queue.forget_all()
        for prompt_id in body.get("delete", ()):
            self._machine.queue.forget(prompt_id)
        return empty()

    async def interrupt(self, request: Request) -> Response:
        """Everything that is not a JSON object with a prompt_id interrupts whatever runs."""
        try:
            body = await request.json()
        except ValueError:
            body = None
        prompt_id = body.get("prompt_id") if isinstance(body, dict) else None
        if prompt_id and self._options.can("interrupt_by_id"):
            self._machine.queue.if_running(prompt_id, self._machine.interrupt)
        else:
            self._machine.interrupt()
        return empty()

    async def free(self, request: Request) -> Response:
        body = await request.json()
        if body.get("free_memory"):
            self._machine.wants_empty_cache.set()
        return empty()


def invalid_id_error() -> dict[str, Any]:
    details = (
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to "
        "let the server generate one"
    )
    return describe_error("invalid_prompt_id", "prompt_id must be a valid UUID", details)
