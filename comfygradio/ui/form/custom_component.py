"""Components that Gradio lacks, each a `gr.HTML` with a script: long lists, rows of LoRAs, sizes,
problems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import gradio as gr

from comfygradio.forms.choice_search import search_choices
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.model_search import ModelIndex
from comfygradio.ui.form.model_functions import Choices, describe_model, make_model_functions
from comfygradio.ui.static import build_mount_script, read_static


def build_picker(field: Field, choices: Choices, elem_id: str) -> gr.HTML:
    """Build a list that the server searches; its value is that of the chosen entry."""
    offered = choices()
    return _build(
        "picker",
        field,
        elem_id,
        field.default,
        [_make_search(choices)],
        initial=field.default,
        shown=_find_label(offered, field.default),
        total=len(offered),
    )


def _find_label(choices: Sequence[Choice], value: Any) -> str:
    """Find the label of the choice with this value; "" if there is none."""
    for choice in choices:
        if choice.value == value:
            return choice.label
    return ""


@dataclass(frozen=True)
class ModelPlace:
    """Where the pictures of a field's models are: the field, and the models folder that it offers;
    "" if that is unknown.
    """

    preset: str
    field: str
    folder: str

    @property
    def address(self) -> str:
        """The part of a picture's address that names the field; "" if there are no pictures."""
        if not self.folder:
            return ""
        return f"{quote(self.preset, safe='')}/{quote(self.field, safe='')}"


def build_models(field: Field, choices: Choices, elem_id: str, place: ModelPlace) -> gr.HTML:
    """Build a line with a model, and the dialog in which another is chosen; its value is that of
    the chosen one.
    """
    offered = choices()
    chosen = [choice for choice in offered if choice.value == field.default]
    shown = ModelIndex(chosen[:1]).search("").models
    value = "" if field.default is None else field.default
    return _build(
        "model_picker",
        field,
        elem_id,
        value,
        make_model_functions(choices),
        shown=[describe_model(model) for model in shown],
        named=any(choice.label != choice.value for choice in offered),
        **_describe_source(field, elem_id, place, len(offered)),
    )


def build_loras(field: Field, choices: Choices, elem_id: str, place: ModelPlace) -> gr.HTML:
    """Build rows of a LoRA and a strength; the value is a list of {"name", "strength"}."""
    # A row is removed instead.
    source = _describe_source(field, elem_id, place, len(choices())) | {"optional": False}
    return _build(
        "loras",
        field,
        elem_id,
        field.default or [],
        make_model_functions(choices),
        low=field.minimum,
        high=field.maximum,
        step=field.step or 0.05,
        **source,
    )


def _describe_source(field: Field, elem_id: str, place: ModelPlace, total: int) -> dict[str, Any]:
    """Describe what scripts know of the models of a field. Forms share what a browser remembers of
    a folder.
    """
    return {
        "place": place.address,
        "shelf": place.folder or elem_id,
        "total": total,
        "optional": field.optional,
    }


def build_size(field: Field, elem_id: str) -> gr.HTML:
    """Build inputs for width and height, with buttons for ratios and for swapping them; the value
    is "WIDTHxHEIGHT".
    """
    grid = field.size_grid
    return _build(
        "size",
        field,
        elem_id,
        field.default,
        None,
        low=field.minimum,
        high=field.maximum,
        step=grid.step,
        start=grid.start,
    )


def build_embeddings(names: Sequence[str], field_id: str) -> gr.HTML:
    """Build a list that writes `embedding:NAME` into the text box with this id."""
    found = [Choice(name, name) for name in names]
    search = _make_search(lambda: found)
    return gr.HTML(
        None,
        html_template='<div class="cg-body"></div>',
        js_on_load=build_mount_script("form/embeddings.js"),
        server_functions=[search],
        elem_classes="cg-embeddings",
        field=field_id,
    )


def build_problem(preset: str) -> gr.HTML:
    """Build the note above the button that says what was refused; its script marks the fields.

    Its value is {"lines": [text, …], "fields": [[element id, text], …]}, with `"late": true` if
    the problem did not come in answer to a click: then the cursor stays where it is. Jobs that were
    started come with `"seeds": [[element id, text sent, next seed], …]`, for seeds that count up.
    """
    return gr.HTML(
        None,
        html_template='<div class="cg-note" role="alert" hidden></div>',
        js_on_load=build_mount_script("form/problem.js"),
        elem_classes="cg-problem",
        preset=preset,
    )


def _build(
    module: str,
    field: Field,
    elem_id: str,
    value: Any,
    functions: list[Callable[[Any], Any]] | None,
    **props: Any,
) -> gr.HTML:
    return gr.HTML(
        value,
        html_template=read_static("form/custom_field.html"),
        js_on_load=build_mount_script(f"form/{module}.js", events=("change",)),
        server_functions=functions,
        elem_id=elem_id,
        elem_classes="cg-custom",
        title=field.label,
        info=field.help,
        **props,
    )


def _make_search(choices: Choices) -> Callable[[Any], Any]:
    async def search(data: Any) -> dict[str, Any]:
        query = _parse_query(data)
        offered = choices()
        found, count = search_choices(offered, query)
        pairs = [[choice.label, choice.value] for choice in found]
        return {"found": pairs, "count": count}

    return search


def _parse_query(data: Any) -> str:
    """Parse the query out of a script's call, which sends a list; anybody may send anything."""
    if not isinstance(data, list) or not data:
        return ""
    query = data[0]
    if not isinstance(query, str):
        return ""
    return query[:200]
