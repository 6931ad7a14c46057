"""Converts every workflow of the exam, and prints how many prompts are those of the real frontend.

`COMFYGRADIO_EXAM` names the folder with the workflows and with the prompts that ComfyUI's own page
made of them. `python -m tests.exam` prints a table per group of workflows: prompts that are exactly
the page's, that differ in ids alone, that are the same as seen from the output nodes, and wrong
ones; values of the file that neither the prompt nor a note has; and the time of a conversion.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.comfy.envelope import find_ui_format
from comfygradio.comfy.nested_input import unwrap_list
from comfygradio.conversion.convert import convert_workflow
from comfygradio.conversion.result import Conversion

FOLDER = os.environ.get("COMFYGRADIO_EXAM", "")

NO_EXAM = (
    "set COMFYGRADIO_EXAM to the folder of the exam (workflows with the real frontend's prompts) "
    "to convert every one of them"
)

LEVELS = ("exact", "iso", "upstream", "wrong", "error")
"""How near a prompt is to the real one, the nearest first."""

GRADED = ("strict", "drift", "no outputs", "mutant")
"""Kinds of workflows that have a right answer."""

Prompt = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """What became of one workflow. `lost` are values that are nowhere to be found."""

    name: str
    group: str
    kind: str
    level: str
    seconds: float
    differences: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class Exam:
    """The workflows of a folder, with the answers of the real frontend."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index: dict[str, Any] = _load(folder / "index.json")
        self._info: dict[str, Any] = _load(folder / "object_info.json")

    def list_names(self) -> list[str]:
        """List the workflows that have a right answer."""
        names = []
        for name, facts in self._index.items():
            if facts["kind"] in GRADED and facts["format"] == "ui":
                names.append(name)
        return names

    def grade(self, name: str) -> Result:
        """Convert one workflow, and compare its prompt with the real ones."""
        facts = self._index[name]
        workflow = _load(self._folder / "workflows" / f"{name}.json")
        start = time.process_time()
        try:
            conversion = convert_workflow(workflow, self._info)
        except Exception as error:
            seconds = time.process_time() - start
            text = f"{type(error).__name__}: {error}"
            return Result(name, facts["group"], facts["kind"], "error", seconds, (text,))
        seconds = time.process_time() - start
        answers = [self._tidy(answer, facts) for answer in self._load_answers(name)]
        got = self._tidy(conversion.prompt, facts)
        level = min((self._compare(answer, got) for answer in answers), key=LEVELS.index)
        differences: tuple[str, ...] = ()
        if level in ("wrong", "upstream"):
            differences = tuple(list_differences(answers[0], got))
        lost = tuple(list_lost(workflow, conversion))
        return Result(name, facts["group"], facts["kind"], level, seconds, differences, lost)

    def _load_answers(self, name: str) -> list[Prompt]:
        answers = [_load(self._folder / "oracle" / f"{name}.json")]
        for path in sorted((self._folder / "oracle_alt").iterdir()):
            # A name may hold any character that a pattern gives a meaning to.
            if path.name.startswith(f"{name}."):
                answers.append(_load(path))
        return answers

    def _tidy(self, prompt: Prompt, facts: dict[str, Any]) -> Prompt:
        """Leave out what no answer can hold: random file names, and what the page makes up."""
        volatile = set(facts.get("volatile") or ())
        tidy: Prompt = {}
        for node_id, node in prompt.items():
            inputs = {}
            for name, value in node["inputs"].items():
                is_void = value is None and facts["set"] == "blueprints"
                is_view = node["class_type"] == "ImageCompare" and name == "compare_view"
                if f"{node_id}.{name}" not in volatile and not is_void and not is_view:
                    inputs[name] = _unify(value)
            tidy[node_id] = {"class_type": node["class_type"], "inputs": inputs}
        return tidy

    def _compare(self, answer: Prompt, got: Prompt) -> str:
        if answer == got:
            return "exact"
        if list_fingerprints(answer) == list_fingerprints(got):
            return "iso"
        seen = list_fingerprints(self._keep_used(answer))
        if seen and seen == list_fingerprints(self._keep_used(got)):
            return "upstream"
        return "wrong"

    def _keep_used(self, prompt: Prompt) -> Prompt:
        """Keep the output nodes and all that feeds them."""
        waiting = []
        for node_id, node in prompt.items():
            if self._info.get(node["class_type"], {}).get("output_node"):
                waiting.append(node_id)
        used: Prompt = {}
        while waiting:
            node_id = waiting.pop()
            if node_id in used:
                continue
            used[node_id] = prompt[node_id]
            waiting.extend(origin for origin, _ in _list_links(prompt, node_id))
        return used


def list_fingerprints(prompt: Prompt) -> list[str]:
    """List a fingerprint of each node: class, values, and the fingerprints of what feeds it. Ids
    do not count.
    """
    known: dict[str, str] = {}

    def find(node_id: str, outer: tuple[str, ...]) -> str:
        if node_id in known:
            return known[node_id]
        if node_id in outer:
            return "cycle"
        node = prompt[node_id]
        parts = [node["class_type"]]
        for name, value in sorted(node["inputs"].items()):
            text = json.dumps(value, sort_keys=True)
            if _is_link(value, prompt):
                text = f"{find(value[0], (*outer, node_id))} {value[1]}"
            parts.append(f"{name}={text}")
        known[node_id] = hashlib.sha256("|".join(parts).encode()).hexdigest()
        return known[node_id]

    return sorted(find(node_id, ()) for node_id in prompt)


def list_differences(answer: Prompt, got: Prompt) -> Iterator[str]:
    """Describe how two prompts differ."""
    for node_id in answer.keys() - got.keys():
        yield f"node {node_id} is lost"
    for node_id in got.keys() - answer.keys():
        yield f"node {node_id} is too much"
    for node_id in answer.keys() & got.keys():
        wanted = answer[node_id]["inputs"]
        found = got[node_id]["inputs"]
        for name in wanted.keys() | found.keys():
            if name not in found:
                yield f"{node_id}.{name} is lost: {wanted[name]!r:.80}"
            elif name not in wanted:
                yield f"{node_id}.{name} is too much: {found[name]!r:.80}"
            elif wanted[name] != found[name]:
                yield f"{node_id}.{name} is {found[name]!r:.80}, and not {wanted[name]!r:.80}"


def list_lost(workflow: Any, conversion: Conversion) -> Iterator[str]:
    """List the values of the top level that have a name in the file, and that neither the prompt
    nor a note has. Other values cannot be told apart without converting them.
    """
    told = [*conversion.notes, *conversion.unused]
    noted = {(note.node, _write(note.value)) for note in told}
    for node in find_ui_format(workflow)["nodes"]:
        node_id = str(node.get("id"))
        inputs = conversion.prompt.get(node_id, {}).get("inputs")
        named = node.get("widgets_values_named")
        if inputs is None or not isinstance(named, dict):
            continue
        stored = node.get("widgets_values") or []
        for name, value in named.items():
            # The names of some files are older than their values.
            is_posted = name in inputs and _write(unwrap_list(inputs[name])) == _write(value)
            is_found = is_posted or (node_id, _write(value)) in noted
            if value is not None and value in stored and not is_found:
                yield f"{node_id}.{name} = {value!r:.80}"


def _write(value: Any) -> str:
    return json.dumps(_unify(value), sort_keys=True)


def _list_links(prompt: Prompt, node_id: str) -> Iterator[tuple[str, int]]:
    for value in prompt[node_id]["inputs"].values():
        if _is_link(value, prompt):
            yield value[0], value[1]


def _is_link(value: Any, prompt: Prompt) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] in prompt


def _unify(value: Any) -> Any:
    """Write whole numbers as such: JavaScript knows one kind of number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return [_unify(item) for item in value]
    if isinstance(value, dict):
        return {name: _unify(item) for name, item in value.items()}
    return value


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _print_table(results: list[Result]) -> None:
    groups = sorted({result.group for result in results})
    print(f"{'':32}" + "".join(f"{level:>9}" for level in LEVELS) + f"{'lost':>9}")
    for group in (*groups, "all"):
        chosen = [result for result in results if group in (result.group, "all")]
        counts = Counter(result.level for result in chosen)
        lost = sum(len(result.lost) for result in chosen)
        row = "".join(f"{counts[level]:>9}" for level in LEVELS)
        print(f"{group:32}{row}{lost:>9}")
    seconds = sorted(result.seconds for result in results)
    middle = 1000 * seconds[len(seconds) // 2]
    longest = 1000 * seconds[-1]
    print(f"\nA conversion takes {middle:.1f} ms (median), the longest {longest:.1f} ms.")


def main() -> None:
    """Print the table, and what is wrong. Words on the command line choose workflows by name."""
    if not FOLDER:
        sys.exit(NO_EXAM)
    exam = Exam(Path(FOLDER))
    words = sys.argv[1:]
    names = exam.list_names()
    if words:
        names = [name for name in names if any(word in name for word in words)]
    results = [exam.grade(name) for name in names]
    _print_table(results)
    for result in results:
        for text in (*result.differences[:3], *result.lost[:3]):
            print(f"{result.name} ({result.kind}, {result.level}): {text}")


if __name__ == "__main__":
    main()
