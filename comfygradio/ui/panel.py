"""One preset on the page: its heading, its fields, its examples, and the button that
starts a job.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import LoraFile
from comfygradio.jobs.job import Job
from comfygradio.ui.custom import build_problem
from comfygradio.ui.fields import name_element, show_value
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.layout import build_fields
from comfygradio.ui.person import name_owner
from comfygradio.ui.studio import Studio
from comfygradio.ui.uploads import read_payload
from comfygradio.ui.viewer import Viewer, find_job

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

Values = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """What was drawn for a form; a form with problems has no components and no button.

    `holders` are the blocks that are shown and hidden for fields with `show_if`; `several` begins a
    sweep.
    """

    form: Form
    column: gr.Column
    components: Mapping[str, Component]
    holders: Mapping[str, Block] = field(default_factory=dict)
    button: gr.Button | None = None
    problem: gr.HTML | None = None
    several: gr.Button | None = None


def build_panel(form: Form, studio: Studio, is_visible: bool) -> Panel:
    """Draw a form inside the current Blocks: simple fields first, advanced ones folded, or its
    problems.
    """
    with gr.Column(
        visible=is_visible, elem_id=f"cg-panel-{form.name}", elem_classes="cg-panel"
    ) as column:
        heading = f"<h2>{html.escape(form.title)}</h2><p>{html.escape(form.file.description)}</p>"
        gr.HTML(f'<div class="cg-heading">{heading}</div>', js_on_load=None)
        if form.problems:
            texts = [str(problem) for problem in form.problems]
            gr.HTML(build_note(f"{form.title} cannot be used yet.", *texts), js_on_load=None)
            return Panel(form, column, {})
        if form.notes:
            gr.HTML(_build_adjusted(form.notes), js_on_load=None)
        components, holders = build_fields(form, studio)
        _build_examples(form, components)
        button = gr.Button("Generate", variant="primary", size="lg", elem_classes="cg-generate")
        many = studio.limits.sweep_points > 0
        several = gr.Button(
            "Try several values", size="sm", elem_classes="cg-several", scale=0, visible=many
        )
        problem = build_problem(form.name)
    return Panel(form, column, components, holders, button, problem, several)


def listen_panel(
    panel: Panel, studio: Studio, viewer: Viewer, view: gr.HTML, person: gr.HTML
) -> None:
    """Connect the button: check the values, start a job; the viewer watches it."""
    if panel.button is None or panel.problem is None:
        return
    form = panel.form

    async def generate(request: gr.Request, who: Any, *payloads: Any) -> tuple[Any, Any]:
        owner = name_owner(request, who)
        party = find_person(request).party

        def start() -> Job:
            values = read_values(form, payloads, studio.clock)
            return studio.submit(form.name, values, owner, party)

        try:
            loop = asyncio.get_running_loop()
            job = await loop.run_in_executor(studio.choose_readers(form), start)
        except ComfyGradioError as error:
            return gr.skip(), describe_problem(error, form)
        return viewer.begin(job), {}

    panel.button.click(
        generate,
        [person, *panel.components.values()],
        [view, panel.problem],
        preprocess=False,
        concurrency_limit=None,
        **PRIVATE,
    )
    _listen_conditions(panel)


def listen_refusals(view: gr.HTML, panels: Sequence[Panel], studio: Studio) -> None:
    """What ComfyUI refuses after a job was posted goes to the fields that it is about."""
    open_panels = [panel for panel in panels if panel.problem is not None]

    def explain(request: gr.Request, event: gr.EventData) -> list[Any]:
        job = find_job(studio, str(getattr(event, "token", "")), find_person(request))
        return (
            [_explain_refusal(panel.form, job) for panel in open_panels]
            if job
            else [gr.skip() for _ in open_panels]
        )

    view.refused(explain, None, [panel.problem for panel in open_panels], queue=False, **PRIVATE)


def _explain_refusal(form: Form, job: Job) -> Any:
    is_mine = job.order.preset == form.name
    refused = form.describe_rejection(job.snapshot.node_errors) if is_mine else {}
    return describe_problem(ValuesRefused(refused), form) if refused else gr.skip()


def read_values(form: Form, payloads: tuple[Any, ...], clock: Clock = SYSTEM_CLOCK) -> Values:
    """Field name → value, from what the components of a panel sent, in the order of the form."""
    pairs = zip(form.fields.values(), payloads, strict=True)
    return {one.name: read_payload(one, payload, clock) for one, payload in pairs}


def build_note(title: str, *sentences: str) -> str:
    """A box with a title and a sentence a line, as HTML; everything in it is escaped."""
    head = f"<b>{html.escape(title)}</b>" if title else ""
    lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return f'<div class="cg-note" role="alert">{head}{lines}</div>'


def describe_problem(error: ComfyGradioError, form: Form) -> dict[str, Any]:
    """A refusal for the place under the button, a line for each field by its label, and for the
    fields themselves.
    """
    if not isinstance(error, ValuesRefused):
        return {"lines": [str(error)]}
    labels = {name: one.label for name, one in form.fields.items()}
    return {
        "lines": [
            f"{labels.get(name, name)}: {problem}" for name, problem in error.problems.items()
        ],
        "fields": [
            [name_element(form.name, name), problem] for name, problem in error.problems.items()
        ],
    }


def _build_adjusted(notes: tuple[str, ...]) -> str:
    count = "1 thing was" if len(notes) == 1 else f"{len(notes)} things were"
    lines = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return (
        f'<details class="cg-adjusted"><summary>{count} adjusted to this '
        f"ComfyUI</summary><ul>{lines}</ul></details>"
    )


def _listen_conditions(panel: Panel) -> None:
    """Show and hide fields whenever one that they depend on changes."""
    form = panel.form
    watched = list(dict.fromkeys(name for one in form.fields.values() for name in one.show_if))
    holders = list(panel.holders.items())

    def update(*payloads: Any) -> list[Any] | Any:
        shown = form.find_visible(dict(zip(watched, payloads, strict=True)))
        updates = [gr.Column(visible=shown[name]) for name, _ in holders]
        return updates if len(updates) != 1 else updates[0]

    inputs = [panel.components[name] for name in watched]
    for component in inputs:
        change = getattr(component, "change")  # noqa: B009 - components get their events by a metaclass
        change(
            update,
            inputs,
            [holder for _, holder in holders],
            preprocess=False,
            queue=False,
            **PRIVATE,
        )


def _build_examples(form: Form, components: Mapping[str, Component]) -> None:
    if not form.file.examples:
        return
    with gr.Row(elem_classes="cg-examples"):
        for index, example in enumerate(form.file.examples):
            title = str(example.get("title", f"Example {index + 1}"))
            values = {
                k: show_value(form.fields[k], _plain(v))
                for k, v in example.items()
                if k in components
            }
            button = gr.Button(title, size="sm", min_width=60, scale=0)
            listed = list(values.values())
            script = f"() => {json.dumps(listed if len(listed) != 1 else listed[0])}"
            button.click(None, None, [components[name] for name in values], js=script, **PRIVATE)


def _plain(value: Any) -> Any:
    """An example's value without pydantic's models."""
    if not isinstance(value, list):
        return value
    return [row.model_dump() if isinstance(row, LoraFile) else row for row in value]
