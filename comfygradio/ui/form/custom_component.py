"""Components that Gradio lacks, each a `gr.HTML` with a script: long lists, LoRA rows, sizes,
refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from comfygradio.forms.choice_search import search_choices
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Choice
from comfygradio.ui.assets import read_asset

Choices = Callable[[], Sequence[Choice]]
"""The newest choices of a field: lists are read again while a page stays open."""


def build_picker(field: Field, choices: Choices, elem_id: str) -> gr.HTML:
    """A list that the server searches; its value is the chosen value."""
    offered = choices()
    labels = (choice.label for choice in offered if choice.value == field.default)
    shown = next(labels, "")
    start = {"initial": field.default, "shown": shown, "total": len(offered)}
    return _build("picker.js", field, elem_id, field.default, choices, **start)


def build_loras(field: Field, choices: Choices, elem_id: str) -> gr.HTML:
    """Rows of a name and a strength; its value is a list of {"name", "strength"}."""
    rows = field.default or []
    total = len(choices())
    limits = {"low": field.minimum, "high": field.maximum, "step": field.step or 0.05}
    return _build("loras.js", field, elem_id, rows, choices, total=total, **limits)


def build_size(field: Field, elem_id: str) -> gr.HTML:
    """Width and height with buttons for ratios and for swapping; its value is "WIDTHxHEIGHT"."""
    grid = field.size_grid
    limits = {"low": field.minimum, "high": field.maximum, "step": grid.step, "start": grid.start}
    return _build("size.js", field, elem_id, field.default, None, **limits)


def build_embeddings(names: Sequence[str], field_id: str) -> gr.HTML:
    """A list whose choice is written into the text box with this id, as `embedding:NAME`."""
    found = [Choice(name, name) for name in names]
    search = _make_search(lambda: found)
    return gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=read_asset("embeddings.js"),
        server_functions=[search],
        elem_classes="cg-embeddings",
        field=field_id,
    )


def build_problem(preset: str) -> gr.HTML:
    """The place above the button that says what was refused, and marks the fields.

    Its value is {"lines": [text, …], "fields": [[element id, text], …]}, and `"late": true` where
    the person did not just ask for it: then nothing takes the cursor away.
    """
    return gr.HTML(
        None,
        html_template='<div class="cg-note" role="alert" hidden></div>',
        js_on_load=read_asset("problem.js"),
        elem_classes="cg-problem",
        preset=preset,
    )


def _build(
    script: str, field: Field, elem_id: str, value: Any, choices: Choices | None, **props: Any
) -> gr.HTML:
    common = read_asset("custom.js")
    own = read_asset(script)
    return gr.HTML(
        value,
        html_template=read_asset("custom.html"),
        js_on_load=f"{common}\n{own}",
        server_functions=[_make_search(choices)] if choices else None,
        elem_id=elem_id,
        elem_classes="cg-custom",
        title=field.label,
        info=field.help,
        **props,
    )


def _make_search(choices: Choices) -> Callable[[Any], Any]:
    async def search(data: Any) -> dict[str, Any]:
        query = _parse_query(data)
        found, count = search_choices(choices(), query)
        pairs = [[choice.label, choice.value] for choice in found]
        return {"found": pairs, "count": count}

    return search


def _parse_query(data: Any) -> str:
    """The text that was asked for: a script's call brings a list with it, a stranger's anything."""
    if not isinstance(data, list) or not data:
        return ""
    asked = data[0]
    if not isinstance(asked, str):
        return ""
    return asked[:200]
