"""The workload of a sweep: which results of nodes each point needs. Results that ComfyUI's cache
would share are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from comfygradio.comfy.node_times import InputLookup
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Link
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planner.input_axes import (
    ABSENT,
    InputAxes,
    InputKey,
    PromptDifferences,
    PromptSource,
    infer_input_axes,
)

UNCACHED_CLASSES = frozenset({"SaveImageWebsocket"})
"""Classes that never take their result from the cache, because they say that they changed."""

Results = frozenset[int]

Place = tuple[int, ...]

MeasuredSeconds = Callable[[str, InputLookup], float | None]
"""A node's id, and how to read the inputs of nodes → the seconds that it takes by what was
measured, None where nothing was.
"""

Rule = tuple[re.Pattern[str], float]

REFERENCE_STEPS = 20
"""Sampler steps that the table's seconds stand for."""

FALLBACK_SECONDS = 0.05

# The first pattern that is found in a class counts. KSamplerSelect only names a sampler, so that
# its rule stands before that of samplers.
SECONDS: tuple[Rule, ...] = (
    (re.compile(r"Select|Scheduler|Guider"), FALLBACK_SECONDS),
    (
        re.compile(
            r"Checkpoint.*Load|Load.*Checkpoint|UNET.*Load|Unet.*Load|DiffusionModel.*Load|ModelLoad"
        ),
        10.0,
    ),
    (re.compile(r"CLIPLoad|TextEncoder.*Load"), 5.0),
    (
        re.compile(r"(ControlNet|VAE|Lora|LoRA|CLIPVision|Style|Gligen|GLIGEN|Hypernetwork).*Load"),
        1.0,
    ),
    (re.compile(r"Sampl"), 5.0),
    (re.compile(r"UpscaleWithModel"), 2.0),
    (re.compile(r"VAE|Upscale"), 0.5),
    (re.compile(r"Encode|^Save|^Preview"), 0.1),
)

FALLBACK_GIGABYTES = 0.005

# The first pattern counts here too. The result of a loader is the weights themselves.
GIGABYTES: tuple[Rule, ...] = (
    (re.compile(r"Checkpoint.*Load|Load.*Checkpoint"), 7.0),
    (re.compile(r"UNET.*Load|Unet.*Load|DiffusionModel.*Load"), 12.0),
    (re.compile(r"UpscaleModelLoad|VAELoad"), 0.3),
    (re.compile(r"CLIPLoad|TextEncoder.*Load|ModelLoad"), 5.0),
    (re.compile(r"ControlNet.*Load|CLIPVision.*Load"), 1.5),
    (re.compile(r"Lora.*Load|LoRA"), 0.3),
    (re.compile(r"UpscaleWithModel|Video"), 0.2),
    (re.compile(r"VAEDecode|Image|Upscale"), 0.05),
)


class Workload:
    """The results of nodes that a sweep makes, numbered, and which of them each point needs. Not
    thread-safe.

    Two nodes have the same result if ComfyUI's cache has the same key for them: the same class and
    inputs, and the same of all that feeds them. `classes`, `seconds`, `gigabytes` and `sources`
    (the results that feed it) describe each result by its number; `origins` names a point and a
    node that make it.
    """

    def __init__(
        self, space: PromptSource, known: ObjectInfo, seconds: MeasuredSeconds | None = None
    ) -> None:
        self.space = space
        self.classes: list[str] = []
        self.seconds: list[float] = []
        self.gigabytes: list[float] = []
        self.sources: list[tuple[int, ...]] = []
        self.origins: list[tuple[Index, str]] = []
        self._known = known
        self._measured = seconds
        # Which axes decide what, learnt from some of the prompts.
        self._differences = PromptDifferences(space)
        self._input_axes = infer_input_axes(self._differences)
        self._axes = _propagate_axes(self._input_axes)
        self._structure = self._list_structure_axes()
        self._memo: dict[str, dict[Place, int | None]] = {}
        self._inputs_of: dict[str, list[tuple[str, InputKey]]] = {}
        for node_id, keys in self._differences.inputs.items():
            self._memo[node_id] = {}
            inputs = [(name, key) for name, key in keys.items() if name]
            self._inputs_of[node_id] = sorted(inputs)
        # What was worked out already.
        self._numbers: dict[Any, int] = {}
        self._nodes: dict[Place, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._needed: dict[Index, Results] = {}
        self._present: dict[Index, Results] = {}
        self._closures: dict[int, Results] = {}
        self._quiet: dict[int, bool] = {}

    def needed(self, index: Index) -> Results:
        """Find the results that the outputs of a point need."""
        found = self._needed.get(index)
        if found is None:
            found, _ = self._find_results(index)
        return found

    def present(self, index: Index) -> Results:
        """Find the results of all nodes in a point's prompt, needed or not. ComfyUI keeps them if
        it has them.
        """
        found = self._present.get(index)
        if found is None:
            _, found = self._find_results(index)
        return found

    def node_ids(self, index: Index) -> dict[str, int]:
        """Map the nodes that a point needs to their results."""
        _, needed = self._split(index)
        found = {}
        for node_id in needed:
            result = self._make(node_id, index)
            # A node that is present has a result; the 0 is only for the type.
            found[node_id] = result or 0
        return found

    def closure(self, result: int) -> Results:
        """Find a result and everything that feeds it."""
        found = self._closures.get(result)
        if found is None:
            feeding = [self.closure(source) for source in self.sources[result]]
            found = frozenset({result}).union(*feeding)
            self._closures[result] = found
        return found

    def can_pin(self, result: int) -> bool:
        """Whether a copy of the node, under another id, can be in a prompt without being run or
        shown.
        """
        found = self._quiet.get(result)
        if found is None:
            results = self.closure(result)
            classes = [self.classes[one] for one in results]
            found = all(self._is_quiet(class_type) for class_type in classes)
            self._quiet[result] = found
        return found

    def list_sources(self, index: Index, node_id: str) -> dict[str, int]:
        """Map a node of a point, and every node that feeds it, to their results."""
        found: dict[str, int] = {}
        todo = [node_id]
        while todo:
            one = todo.pop()
            if one in found or one not in self._memo:
                continue
            result = self._make(one, index)
            if result is None:
                continue
            found[one] = result
            inputs = self._inputs(one, index)
            for value in inputs.values():
                if isinstance(value, Link):
                    todo.append(value.node_id)
        return found

    def sum_seconds(self, results: Collection[int]) -> float:
        """Add up the seconds to make these results."""
        seconds = [self.seconds[result] for result in results]
        return sum(seconds)

    def step_seconds(self, index: Index, before: Index | None) -> float:
        """Estimate the seconds that a point takes after another, or on a server that has no
        results.
        """
        needed = self.needed(index)
        if before is not None:
            needed = needed - self.needed(before)
        return self.sum_seconds(needed)

    def _find_results(self, index: Index) -> tuple[Results, Results]:
        """Find the results that a point needs, and those of all nodes in its prompt."""
        present_ids, needed_ids = self._split(index)
        everything = {node_id: self._make(node_id, index) for node_id in present_ids}
        made = [result for result in everything.values() if result is not None]
        present = frozenset(made)
        needed = present
        if len(needed_ids) < len(present_ids):
            # Nodes that are needed are present, and have a result: the 0 is only for the type.
            needed = frozenset([everything[node_id] or 0 for node_id in needed_ids])
        self._needed[index] = needed
        self._present[index] = present
        return needed, present

    def _split(self, index: Index) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """List the nodes of a point's graph, and those that its outputs need."""
        place = tuple([index[axis] for axis in self._structure])
        found = self._nodes.get(place)
        if found is None:
            present = [node_id for node_id in self._memo if self._is_present(node_id, index)]
            needed = self._find_needed(present, index)
            found = (tuple(present), tuple(needed))
            self._nodes[place] = found
        return found

    def _is_present(self, node_id: str, index: Index) -> bool:
        presence = (node_id, "")
        number = self._input_axes.get(presence, index)
        return number != ABSENT

    def _find_needed(self, present: Sequence[str], index: Index) -> list[str]:
        """List the nodes that outputs need, in the graph's order; all if no output is known."""
        todo = []
        for node_id in present:
            class_type = self._class_type(node_id, index)
            if self._is_output(class_type):
                todo.append(node_id)
        if not todo:
            return list(present)
        seen = set(todo)
        while todo:
            node_id = todo.pop()
            for source in self._list_sources(node_id, index):
                if source not in seen and source in present:
                    seen.add(source)
                    todo.append(source)
        return [node_id for node_id in present if node_id in seen]

    def _list_sources(self, node_id: str, index: Index) -> Iterator[str]:
        """List the nodes that feed one. Of the two branches of a literal switch, only the chosen
        one is made.
        """
        inputs = self._inputs(node_id, index)
        class_type = self._class_type(node_id, index)
        switch = inputs.get("switch")
        # Of `on_true` and `on_false` the one that the switch leaves aside.
        idle = f"on_{not switch}".lower() if isinstance(switch, bool) else None
        for name, value in inputs.items():
            if not isinstance(value, Link):
                continue
            spec = self._known.spec(class_type, name)
            is_lazy = spec is not None and bool(spec.options.get("lazy"))
            if is_lazy and name == idle:
                continue
            yield value.node_id

    def _make(self, node_id: str, index: Index) -> int | None:
        """Return the number of a node's result at a point, or None if the node is missing or feeds
        itself.
        """
        memo = self._memo[node_id]
        place = tuple([index[axis] for axis in self._axes[node_id]])
        if place in memo:
            return memo[place]
        # A node that feeds itself comes back here, and finds that it has no result.
        memo[place] = None
        if self._is_present(node_id, index):
            class_type = self._class_type(node_id, index)
            memo[place] = self._identify(node_id, index, class_type)
        return memo[place]

    def _identify(self, node_id: str, index: Index, class_type: str) -> int:
        """Return the number of a node's result, which its class, its values and the results that
        feed it determine.
        """
        key: list[Any] = [class_type]
        sources: list[int] = []
        for name, input_key in self._inputs_of[node_id]:
            number = self._input_axes.get(input_key, index)
            value = self._differences.value(number)
            if isinstance(value, Link):
                source = None
                if value.node_id in self._memo:
                    source = self._make(value.node_id, index)
                if source is not None:
                    sources.append(source)
                key.append((name, value.slot, source))
            elif number != ABSENT:
                key.append((name, number))
        definition = self._known.get(class_type)
        # ComfyUI keeps such a node's result for the same id only.
        if definition and definition.is_cached_by_id:
            key.append(node_id)
        # No two points share such a result.
        if class_type in UNCACHED_CLASSES:
            key.append(index)
        return self._number(tuple(key), class_type, tuple(sources), node_id, index)

    def _number(
        self, key: Any, class_type: str, sources: tuple[int, ...], node_id: str, index: Index
    ) -> int:
        unused = len(self.classes)
        number = self._numbers.setdefault(key, unused)
        if number < unused:
            return number
        seconds = self._measure(node_id, index)
        if seconds is None:
            steps = self._read(node_id, "steps", index)
            seconds = estimate_seconds(class_type, steps)
        self.classes.append(class_type)
        self.seconds.append(seconds)
        self.gigabytes.append(estimate_gigabytes(class_type))
        self.sources.append(sources)
        self.origins.append((index, node_id))
        return number

    def _measure(self, node_id: str, index: Index) -> float | None:
        """Estimate the seconds of a node at a point from earlier runs, if there were any."""
        if self._measured is None:
            return None

        def read_inputs(other_id: str) -> dict[str, Any]:
            if other_id not in self._inputs_of:
                return {}
            return self._inputs(other_id, index)

        return self._measured(node_id, read_inputs)

    def _read(self, node_id: str, name: str, index: Index) -> Any:
        """Return the value of an input: a Link, a plain value, or None."""
        keys = self._differences.inputs[node_id]
        key = keys.get(name)
        if key is None:
            return None
        number = self._input_axes.get(key, index)
        return self._differences.value(number)

    def _inputs(self, node_id: str, index: Index) -> dict[str, Any]:
        inputs = {}
        for name, key in self._inputs_of[node_id]:
            number = self._input_axes.get(key, index)
            if number != ABSENT:
                inputs[name] = self._differences.value(number)
        return inputs

    def _class_type(self, node_id: str, index: Index) -> str:
        class_type = self._read(node_id, "", index)
        return str(class_type)

    def _is_structural(self, key: InputKey) -> bool:
        """Whether an input may hold a link, or a switch between links."""
        _, name = key
        if not name:
            return True
        for number in self._input_axes.list_numbers(key):
            value = self._differences.value(number)
            if isinstance(value, Link | bool):
                return True
        return False

    def _list_structure_axes(self) -> tuple[int, ...]:
        """List the axes that determine which nodes there are and how they are linked."""
        axes: set[int] = set()
        for keys in self._differences.inputs.values():
            for key in keys.values():
                if self._is_structural(key):
                    deciding = self._input_axes.list_axes(key)
                    axes.update(deciding)
        return tuple(sorted(axes))

    def _is_output(self, class_type: str) -> bool:
        definition = self._known.get(class_type)
        if definition is None:
            return False
        return definition.is_output

    def _is_quiet(self, class_type: str) -> bool:
        if class_type in UNCACHED_CLASSES:
            return False
        definition = self._known.get(class_type)
        if definition is None:
            return True
        is_loud = definition.is_output or definition.is_shown or definition.is_cached_by_id
        return not is_loud


def _propagate_axes(input_axes: InputAxes) -> Mapping[str, tuple[int, ...]]:
    """Map each node to the axes that determine its result: its own, and those of everything that
    may feed it.
    """
    differences = input_axes.differences
    axes: dict[str, set[int]] = {}
    feeds: dict[str, set[str]] = {}
    for node_id, keys in differences.inputs.items():
        own: set[int] = set()
        values = []
        for key in keys.values():
            deciding = input_axes.list_axes(key)
            own.update(deciding)
            for number in input_axes.list_numbers(key):
                values.append(differences.value(number))
        linked = {value.node_id for value in values if isinstance(value, Link)}
        feeds[node_id] = linked & differences.inputs.keys()
        if any(isinstance(value, str) and value in UNCACHED_CLASSES for value in values):
            # Every point is a result of its own.
            own.update(range(len(differences.sizes)))
        axes[node_id] = own
    # Until nothing is added any more: axes come from the sources of sources, too.
    changed = True
    while changed:
        changed = False
        for node_id, sources in feeds.items():
            own = axes[node_id]
            before = len(own)
            for source in sources:
                own |= axes[source]
            if len(own) > before:
                changed = True
    return {node_id: tuple(sorted(found)) for node_id, found in axes.items()}


def estimate_seconds(class_type: str, steps: Any = None) -> float:
    """Estimate the seconds of one execution on a common graphics card, by the name of the class,
    and by its steps.
    """
    seconds = _find_amount(SECONDS, class_type, FALLBACK_SECONDS)
    is_sampler = seconds > FALLBACK_SECONDS and "Sampl" in class_type
    if is_sampler and isinstance(steps, int):
        return seconds * max(1, steps) / REFERENCE_STEPS
    return seconds


def estimate_gigabytes(class_type: str) -> float:
    """Estimate the memory that a kept result takes, in gigabytes, by the name of the class."""
    return _find_amount(GIGABYTES, class_type, FALLBACK_GIGABYTES)


@lru_cache(maxsize=1000)
def _find_amount(rules: tuple[Rule, ...], class_type: str, otherwise: float) -> float:
    for pattern, amount in rules:
        if pattern.search(class_type):
            return amount
    return otherwise
