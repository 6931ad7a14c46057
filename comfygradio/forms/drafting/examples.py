"""Examples and notes of a draft: the author's own values, and what a person should look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygradio.forms.drafting.graph import Graph
from comfygradio.forms.drafting.guess import Guess
from comfygradio.forms.drafting.lines import DraftField
from comfygradio.forms.drafting.numbers import is_exact_seed
from comfygradio.forms.preset_file import SlotFile, list_computed, list_plain
from comfygradio.forms.slots import Slot
from comfygradio.forms.templates import invert_template

MOST_TEXT = 2000

MOST_IDLE = 8
"""Notes on inputs without effect."""

WORDS = frozenset({"prompt", "negative_prompt", "tags", "lyrics"})
"""Roles whose texts an example shows where they stand first."""


def write_examples(graph: Graph, fields: Sequence[DraftField]) -> tuple[Mapping[str, Any], ...]:
    """The workflow's own texts and seeds, and whatever the form starts otherwise with, so that its
    author's result can be made again; () where a form that is left as it is makes it anyway.
    """
    texts = {f.name: _read(graph, f) for f in fields if f.role in WORDS and not f.line.advanced}
    texts = {
        name: text
        for name, text in texts.items()
        if isinstance(text, str) and 0 < len(text) <= MOST_TEXT
    }
    seeds = {f.name: _read(graph, f) for f in fields if "seed" in (f.role, f.line.widget)}
    seeds = {name: seed for name, seed in seeds.items() if is_exact_seed(seed)}
    others = {f.name: _read(graph, f) for f in fields if _starts_otherwise(graph, f)}
    values = {**texts, **others, **seeds}
    return ({"title": "As in the workflow", **values},) if values else ()


def write_notes(
    graph: Graph, guess: Guess, fields: Sequence[DraftField], left_out: Sequence[DraftField]
) -> list[str]:
    """What was not found, what is uncertain, and what was left out."""
    notes = [
        f"This ComfyUI has no node class {name}; its inputs were guessed."
        for name in _list_missing(graph)
    ]
    catch = guess.catch
    if not catch.findings:
        notes.append("Nothing that people usually set was found.")
    if guess.samplers and not catch.has("prompt", "tags"):
        notes.append("No text that can be set was found before the samplers.")
    if guess.samplers and not catch.has("size", "shape"):
        notes.append(
            "No width and height were found; the size follows a picture, or other nodes work "
            "it out."
        )
    if guess.samplers and not catch.has("seed"):
        notes.append("No seed was found.")
    notes += _describe_merged(graph, guess)
    notes += [note for field in fields if (note := _describe_computed(graph, field))]
    notes += _describe_idle(graph)
    notes += _describe_unlisted(graph, left_out)
    unused = len(graph.workflow.nodes) - len(graph.order)
    if unused:
        nodes = "1 node leads" if unused == 1 else f"{unused} nodes lead"
        notes.append(
            f"{nodes} to no result, or a switch leaves them out; their inputs were not looked at."
        )
    if left_out:
        names = ", ".join(field.name for field in left_out[:12])
        more = f" and {len(left_out) - 12} more" if len(left_out) > 12 else ""
        inputs = (
            "1 further input was" if len(left_out) == 1 else f"{len(left_out)} further inputs were"
        )
        notes.append(f"{inputs} left out: {names}{more}.")
    return notes


def _list_missing(graph: Graph) -> list[str]:
    return sorted(name for name in graph.workflow.class_types if name not in graph.object_info)


def _describe_merged(graph: Graph, guess: Guess) -> list[str]:
    """Texts for several parts of one encoder that were not the same."""
    notes = []
    for found in guess.catch.findings:
        texts = {str(graph.value(slot)).strip() for slot in found.slots}
        if found.role in ("prompt", "negative_prompt") and len(texts) > 1:
            where, names = (
                graph.describe(found.first.node_id),
                ", ".join(slot.input for slot in found.slots),
            )
            notes.append(
                f"{where} had different texts in {names}; one field fills them all, and others may "
                "give some of them words of their own."
            )
    return notes


def _describe_idle(graph: Graph) -> list[str]:
    """What is no field since it cannot have an effect, node by node."""
    found: dict[tuple[str, str], list[str]] = {}
    for slot, reason in graph.idle.items():
        found.setdefault((slot.node_id, reason), []).append(slot.input)
    notes = [
        f"No field for {', '.join(names[:6])}{' …' if len(names) > 6 else ''} of "
        f"{graph.describe(node_id)}, without effect: {reason}."
        for (node_id, reason), names in found.items()
    ]
    more = len(notes) - MOST_IDLE
    return [*notes[:MOST_IDLE], *([f"{more} more have no effect."] if more > 0 else [])]


def _describe_unlisted(graph: Graph, left_out: Sequence[DraftField]) -> list[str]:
    """What the server does not list and no field fills, node by node."""
    unlisted = frozenset(graph.unlisted)
    addresses = [address for field in left_out for address in list_plain(field.line)]
    found: dict[str, list[str]] = {}
    for address in addresses:
        if isinstance(address, SlotFile) and Slot(str(address.node), address.input) in unlisted:
            found.setdefault(str(address.node), []).append(address.input)
    notes = [
        f"The server does not list {', '.join(names[:6])}{' …' if len(names) > 6 else ''} of "
        f"{graph.describe(node_id)}; such inputs stay as they are, and may be fields."
        for node_id, names in found.items()
    ]
    more = len(notes) - MOST_IDLE
    tail = [f"{more} more nodes have inputs that the server does not list."] if more > 0 else []
    return [*notes[:MOST_IDLE], *tail]


def _describe_computed(graph: Graph, field: DraftField) -> str:
    """What moves along with a field; "" for nothing."""
    computed = [
        (one.slot, one.of) for one in list_computed(field.line) if isinstance(one.slot, SlotFile)
    ]
    if not computed:
        return ""
    where = [
        f"{address.input} of {graph.describe(str(address.node))} ({formula})"
        for address, formula in computed
    ]
    listed = ", ".join(where[:6]) + (f" and {len(where) - 6} more" if len(where) > 6 else "")
    if field.role == "seed":
        return f"The seeds differ; {field.name} sets all and keeps their distance: {listed}."
    least = f"; it is at least {field.line.min}, so that each part runs" if field.line.min else ""
    return f"With {field.name} moves along in proportion: {listed}{least}."


def _starts_otherwise(graph: Graph, field: DraftField) -> bool:
    """Whether a line has a default of its own that is not the workflow's value."""
    own, default = _read(graph, field), field.line.default
    is_plain = isinstance(own, str | int | float) and field.line.widget != "loras"
    return is_plain and default is not None and own != default


def _read(graph: Graph, field: DraftField) -> Any:
    address = next(iter(list_plain(field.line)), None)
    if address is None or isinstance(address, str) or address.node is None:
        return None
    value = graph.value(Slot(str(address.node), address.input))
    if field.line.template is not None and isinstance(value, str):
        return invert_template(field.line.template, value)
    return value
