"""Runs one prompt after the other: order, cache, events, errors and interrupts as in ComfyUI
v0.33.0.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from comfygradio.demo.execution.cache import NodeCache, is_link, node_key, node_keys
from comfygradio.demo.execution.catalog import Catalog
from comfygradio.demo.execution.folders import Folders
from comfygradio.demo.execution.inputs import live_inputs
from comfygradio.demo.execution.messages import Event, Message, NodeText, Preview, now_ms
from comfygradio.demo.execution.node_run import (
    Interrupted,
    InterruptFlag,
    NodeFunction,
    NodeResult,
    NodeRun,
)
from comfygradio.demo.execution.node_timing import NodeTiming
from comfygradio.demo.execution.options import DemoOptions
from comfygradio.demo.execution.progress import NodeProgress
from comfygradio.demo.execution.prompts import HistoryEntry, QueuedPrompt
from comfygradio.demo.execution.values import NodeInputs, RemoteError

CHECK_ONLY = "the demo server can only check this node, not run it"


class Executor:
    """Executes prompts on the worker thread; keeps the node cache between them."""

    def __init__(
        self,
        options: DemoOptions,
        folders: Folders,
        catalog: Catalog,
        publish: Callable[[Message, str | None], None],
        functions: Mapping[str, NodeFunction],
        timing: NodeTiming,
    ) -> None:
        self.interrupt = InterruptFlag(timing)
        self.executions: Counter[str] = Counter()
        self.cache = NodeCache()
        self.current: tuple[str | None, str | None] = (None, None)
        self.options = options
        self.folders = folders
        self.catalog = catalog
        self.publish = publish
        self.functions = functions
        self.temp_prefix = f"ComfyUI_temp_{invent_letters()}"

    def running_node(self, client_id: str) -> str | None:
        """The node that the client's prompt is at, for a socket that comes late."""
        client, node = self.current
        return node if client == client_id else None

    def run(self, item: QueuedPrompt) -> HistoryEntry:
        """Runs one prompt to its end, whatever that is, and returns its history."""
        prompt_run = _PromptRun(self, item)
        return prompt_run.run()

    def announce(self, item: QueuedPrompt, message: Message, anonymous: bool = False) -> None:
        """Sends to the prompt's client; if it has none, to everybody when `anonymous` is set, else
        to nobody.
        """
        if item.client_id is not None or anonymous:
            self.publish(message, item.client_id)

    def end(self, item: QueuedPrompt) -> None:
        """Tells the client that the worker is done with its prompt."""
        self.current = (None, None)
        event = Event("executing", {"node": None, "prompt_id": item.prompt_id})
        self.announce(item, event)


class _PromptRun:
    """The state of one run."""

    def __init__(self, executor: Executor, item: QueuedPrompt) -> None:
        self.executor = executor
        self.item = item
        self.options = executor.options
        self.keys: dict[str, str] = {}
        self.executed: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.progress = NodeProgress(item.prompt_id)

    def run(self) -> HistoryEntry:
        # As in ComfyUI, an interrupt between the queue and the start of a prompt is lost.
        self.executor.interrupt.clear()
        self._tell("execution_start", {"prompt_id": self.item.prompt_id})
        self._open_cache()
        is_good = self._run_nodes()
        if is_good and self.options.can("execution_success"):
            self._tell("execution_success", {"prompt_id": self.item.prompt_id})
        visible_at = time.monotonic() + self.options.no_history_delay
        return HistoryEntry(
            item=self.item,
            outputs=self.outputs,
            status_str="success" if is_good else "error",
            messages=self.messages,
            meta=self._meta(),
            visible_at=visible_at,
        )

    def _tell(self, kind: str, data: dict[str, Any], anonymous: bool = False) -> None:
        """Sends an event that the history keeps too."""
        if self.options.can("execution_timestamps"):
            data = data | {"timestamp": now_ms()}
        self.messages.append((kind, data))
        event = Event(kind, data)
        self.executor.announce(self.item, event, anonymous)

    def _open_cache(self) -> None:
        folders = self.executor.folders
        prompt = self.item.prompt
        self.keys = node_keys(prompt, folders)
        for node_id in prompt:
            if node_id not in self.keys:
                self.keys[node_id] = node_key(prompt, node_id, folders, self.keys, ())
        keys_in_use = set(self.keys.values())
        # The classic cache keeps only what the newest prompt contains.
        self.executor.cache.trim(keys_in_use)
        cached = [node_id for node_id in prompt if self._is_cached(node_id)]
        self._tell("execution_cached", {"nodes": cached, "prompt_id": self.item.prompt_id})

    def _run_nodes(self) -> bool:
        waiting = self._plan()
        while waiting:
            node_id = self._choose(waiting)
            waiting.pop(node_id)
            if not self._visit(node_id):
                return False
        return True

    def _plan(self) -> dict[str, list[str]]:
        """Nodes to visit, each with the uncached nodes it waits for."""
        sources_of: dict[str, list[str]] = {}
        todo = list(self.item.outputs)
        while todo:
            node_id = todo.pop()
            if node_id in sources_of:
                continue
            sources: list[str] = []
            if not self._is_cached(node_id):
                sources = self._uncached_sources(node_id)
            sources_of[node_id] = sources
            # Cached nodes end the walk, so that what only they need is not visited.
            todo.extend(sources)
        # In the order of the prompt, which decides between nodes of one rank.
        waiting: dict[str, list[str]] = {}
        for node_id in self.item.prompt:
            if node_id in sources_of:
                waiting[node_id] = sources_of[node_id]
        return waiting

    def _is_cached(self, node_id: str) -> bool:
        key = self.keys[node_id]
        return key in self.executor.cache.results

    def _uncached_sources(self, node_id: str) -> list[str]:
        sources: list[str] = []
        for value in self.item.prompt[node_id]["inputs"].values():
            if not is_link(value):
                continue
            source, _ = value
            if not self._is_cached(source):
                sources.append(source)
        return sources

    def _choose(self, waiting: dict[str, list[str]]) -> str:
        """The next ready node: outputs first, so that results come out as early as they can."""
        ready = self._list_ready(waiting)
        feeds_an_output: set[str] = set()
        for output in self.item.outputs:
            sources = waiting.get(output, [])
            feeds_an_output.update(sources)

        def rank(node_id: str) -> int:
            if node_id in self.item.outputs:
                return 0
            if node_id in feeds_an_output and waiting[node_id]:
                return 1
            return 2

        return min(ready, key=rank)

    def _list_ready(self, waiting: dict[str, list[str]]) -> list[str]:
        """The nodes that wait for no other one."""
        ready: list[str] = []
        for node_id, sources in waiting.items():
            still_waiting = waiting.keys() & set(sources)
            if not still_waiting:
                ready.append(node_id)
        return ready

    def _visit(self, node_id: str) -> bool:
        if self._is_cached(node_id):
            self._replay(node_id)
            return True
        self._report_state(node_id, 0.0, 1.0, "running")
        self._announce_node(node_id)
        try:
            result = self._execute(node_id)
        except Interrupted:
            self._report_interrupt(node_id)
            return False
        except Exception as error:
            self._report_error(node_id, error)
            return False
        self._keep(node_id, result)
        return True

    def _replay(self, node_id: str) -> None:
        key = self.keys[node_id]
        ui = self.executor.cache.results[key].ui
        if ui is not None:
            if self.options.tidy_outputs:
                self.executor.folders.delete(ui)
            self.outputs[node_id] = ui
            if self.options.can("cached_outputs_resent"):
                self._announce_output(node_id, ui)
        self._report_state(node_id, 1, 1, "finished")

    def _execute(self, node_id: str) -> NodeResult:
        run = NodeRun(
            node_id=node_id,
            item=self.item,
            options=self.options,
            folders=self.executor.folders,
            temp_prefix=self.executor.temp_prefix,
            interrupt=self.executor.interrupt,
            report=self._report_progress,
            publish=self._publish,
        )
        class_type = self.item.prompt[node_id]["class_type"]
        self.executor.interrupt.check()
        run.wait(self.options.node_seconds)
        self.executor.executions[class_type] += 1
        function = self.executor.functions.get(class_type)
        schema = self.executor.catalog.schema(class_type)
        if function is None or schema is None:
            raise NotImplementedError(CHECK_ONLY)
        inputs = live_inputs(schema, self._resolve(node_id))
        return function(run, NodeInputs(inputs))

    def _resolve(self, node_id: str) -> dict[str, Any]:
        """Input values of a node, links replaced by what they bring."""
        values: dict[str, Any] = {}
        for name, value in self.item.prompt[node_id]["inputs"].items():
            if is_link(value):
                source, slot = value
                key = self.keys[source]
                result = self.executor.cache.results[key]
                values[name] = result.outputs[int(slot)]
            else:
                values[name] = value
        return values

    def _keep(self, node_id: str, result: NodeResult) -> None:
        key = self.keys[node_id]
        self.executor.cache.results[key] = result
        self.executed.append(node_id)
        if result.ui is not None:
            self.outputs[node_id] = result.ui
            self._announce_output(node_id, result.ui)
        value, maximum = self.progress.finish(node_id)
        self._report_state(node_id, value, maximum, "finished")

    def _announce_node(self, node_id: str) -> None:
        self.executor.current = (self.item.client_id, node_id)
        data = self._with_display(node_id)
        data["prompt_id"] = self.item.prompt_id
        self._announce("executing", data)

    def _announce_output(self, node_id: str, ui: dict[str, Any]) -> None:
        data = self._with_display(node_id)
        data["output"] = ui
        data["prompt_id"] = self.item.prompt_id
        self._announce("executed", data)

    def _announce(self, kind: str, data: dict[str, Any]) -> None:
        event = Event(kind, data)
        self.executor.announce(self.item, event)

    def _with_display(self, node_id: str) -> dict[str, Any]:
        data: dict[str, Any] = {"node": node_id}
        if self.options.can("display_node"):
            data["display_node"] = node_id
        return data

    def _report_state(self, node_id: str, value: float, maximum: float, state: str) -> None:
        self.progress.set(node_id, value, maximum, state)
        if not self.options.can("progress_state"):
            return
        event = self.progress.event()
        self.executor.announce(self.item, event, anonymous=True)

    def _report_progress(self, node_id: str, value: float, maximum: float) -> None:
        self._report_state(node_id, value, maximum, "running")
        data = {
            "value": value,
            "max": maximum,
            "prompt_id": self.item.prompt_id,
            "node": node_id,
        }
        event = Event("progress", data)
        self.executor.announce(self.item, event, anonymous=True)

    def _publish(self, message: Message) -> None:
        if isinstance(message, NodeText):
            # Nodes send texts without a client id, so everybody gets them.
            self.executor.publish(message, None)
        elif isinstance(message, Preview):
            self.executor.announce(self.item, message, anonymous=True)

    def _report_interrupt(self, node_id: str) -> None:
        data = self._where(node_id)
        self._tell("execution_interrupted", data, anonymous=True)

    def _report_error(self, node_id: str, error: Exception) -> None:
        inputs: dict[str, list[str]] = {}
        for name, value in self._resolve(node_id).items():
            inputs[name] = [str(value)]
        data = self._where(node_id)
        data["exception_message"] = f"{error}\n"
        data["exception_type"] = name_type(error)
        data["traceback"] = traceback.format_tb(error.__traceback__)
        data["current_inputs"] = inputs
        data["current_outputs"] = list(self.item.prompt)
        self._tell("execution_error", data)

    def _where(self, node_id: str) -> dict[str, Any]:
        node = self.item.prompt[node_id]
        return {
            "prompt_id": self.item.prompt_id,
            "node_id": node_id,
            "node_type": node["class_type"],
            "executed": list(self.executed),
        }

    def _meta(self) -> dict[str, Any] | None:
        if not self.options.can("history_meta"):
            return None
        meta: dict[str, Any] = {}
        for node_id in self.outputs:
            meta[node_id] = {
                "node_id": node_id,
                "display_node": node_id,
                "parent_node": None,
                "real_node_id": node_id,
            }
        return meta


def invent_letters() -> str:
    """Five letters, which differ from one start of a server to the next."""
    letters = ""
    for shift in range(5):
        number = (time.time_ns() >> shift) % 26
        letters += chr(ord("a") + number)
    return letters


def name_type(error: Exception) -> str:
    """`RuntimeError` for builtins, else with its module; a RemoteError claims its own."""
    if isinstance(error, RemoteError):
        return error.shown_type
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"
