"""One preset on the page: its heading, its fields, its examples, and the button that starts a job."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.ui.fields import build_component, read_payload, show_value
from comfygradio.ui.studio import Studio
from comfygradio.ui.viewer import Viewer

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class Panel:
    """What was drawn for a form; a form with problems has no components and no button."""

    form: Form
    column: gr.Column
    components: Mapping[str, Component]
    button: gr.Button | None = None
    problem: gr.HTML | None = None


def build_panel(form: Form, is_visible: bool) -> Panel:
    """Draw a form inside the current Blocks: simple fields first, advanced ones folded, or its problems."""
    with gr.Column(visible=is_visible, elem_id=f"cg-panel-{form.name}", elem_classes="cg-panel") as column:
        heading = f"<h2>{html.escape(form.title)}</h2><p>{html.escape(form.file.description)}</p>"
        gr.HTML(f'<div class="cg-heading">{heading}</div>', js_on_load=None)
        if form.problems:
            gr.HTML(build_note(f"{form.title} cannot be used yet.", *map(str, form.problems)), js_on_load=None)
            return Panel(form, column, {})
        components = _build_fields(form)
        _build_examples(form, components)
        button = gr.Button("Generate", variant="primary", size="lg", elem_classes="cg-generate")
        problem = gr.HTML("", elem_classes="cg-problem", js_on_load=None)
    return Panel(form, column, components, button, problem)


def listen_panel(panel: Panel, studio: Studio, viewer: Viewer, view: gr.HTML) -> None:
    """Connect the button: check the values, start a job, then watch it in the viewer."""
    if panel.button is None or panel.problem is None:
        return
    form = panel.form

    async def generate(*payloads: Any) -> AsyncIterator[tuple[Any, Any]]:
        pairs = zip(form.fields.values(), payloads, strict=True)
        values = {field.name: read_payload(field, payload) for field, payload in pairs}
        try:
            job = await asyncio.to_thread(studio.submit, form.name, values)
        except ComfyGradioError as error:
            yield gr.skip(), describe_problem(error, form)
            return
        cleared: Any = ""
        async for message in viewer.watch(job):
            yield message, cleared
            cleared = gr.skip()

    panel.button.click(
        generate,
        list(panel.components.values()),
        [view, panel.problem],
        preprocess=False,
        concurrency_limit=None,
        **PRIVATE,
    )


def build_note(title: str, *sentences: str) -> str:
    """A box with a title and a sentence a line, as HTML; everything in it is escaped."""
    head = f"<b>{html.escape(title)}</b>" if title else ""
    lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return f'<div class="cg-note" role="alert">{head}{lines}</div>'


def describe_problem(error: ComfyGradioError, form: Form) -> str:
    """A refusal as HTML for the place under the button, a line for each field by its label."""
    if not isinstance(error, ValuesRefused):
        return build_note("", str(error))
    labels = {name: field.label for name, field in form.fields.items()}
    return build_note("", *(f"{labels.get(name, name)}: {problem}" for name, problem in error.problems.items()))


def _build_fields(form: Form) -> dict[str, Component]:
    simple = {f.name: build_component(f, form.name) for f in form.fields.values() if not f.advanced}
    if len(simple) == len(form.fields):
        return simple
    with gr.Accordion("More settings", open=False):
        folded = {f.name: build_component(f, form.name) for f in form.fields.values() if f.advanced}
    drawn = {**simple, **folded}
    return {name: drawn[name] for name in form.fields}


def _build_examples(form: Form, components: Mapping[str, Component]) -> None:
    if not form.file.examples:
        return
    with gr.Row(elem_classes="cg-examples"):
        for index, example in enumerate(form.file.examples):
            title = str(example.get("title", f"Example {index + 1}"))
            values = {k: show_value(form.fields[k], v) for k, v in example.items() if k in components}
            button = gr.Button(title, size="sm", min_width=60, scale=0)
            listed = list(values.values())
            script = f"() => {json.dumps(listed if len(listed) != 1 else listed[0])}"
            button.click(None, None, [components[name] for name in values], js=script, **PRIVATE)
