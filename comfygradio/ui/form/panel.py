"""One preset on the page: its heading, its fields, its examples, and the button that
starts a job.
"""

from __future__ import annotations

import asyncio
import dataclasses
import html
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import ComfyGradioError, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.fill import FROM_FORM
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.size import SIZE_SPELLINGS
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.preset_file import LoraFile
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service, SubmittedJobs
from comfygradio.ui.form.custom_component import build_problem
from comfygradio.ui.form.field_component import (
    build_component,
    find_choices,
    name_element,
    to_component_value,
)
from comfygradio.ui.form.upload_value import read_payload
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.job.job_view import JobView, find_job, find_smaller_size

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

Values = dict[str, Any]

Drawn = tuple[dict[str, Component], dict[str, Block]]
"""The components of a form's fields, and what is shown and hidden with `show_if`."""

FILL_BOTH = "fill in both the width and the height, in whole pixels."

COUNTS = {"×1": 1, "×2": 2, "×4": 4}
"""How many jobs one press may start, by what the page calls it."""


@dataclass(frozen=True)
class PanelFooter:
    """What stays at the bottom of the window while the form is scrolled: what was refused,
    Generate, how many pictures it makes, and what begins a sweep.
    """

    problem: gr.HTML
    button: gr.Button
    count: gr.Radio
    sweep_button: gr.Button


@dataclass(frozen=True)
class Panel:
    """What was drawn for a form; a form with problems has no components and no foot.

    `holders` are the blocks that are shown and hidden for fields with `show_if`.
    """

    form: Form
    column: gr.Column
    components: Mapping[str, Component]
    holders: Mapping[str, Block] = dataclasses.field(default_factory=dict)
    footer: PanelFooter | None = None


def build_fields(form: Form, service: Service) -> Drawn:
    """Draw all fields; the components and, for fields with `show_if`, what is shown and hidden, in
    the form's order.
    """
    drawer = _FieldDrawer(form, service)
    simple = [one for one in form.fields.values() if not one.advanced]
    drawer.draw_grouped(simple)
    advanced = [one for one in form.fields.values() if one.advanced]
    if advanced:
        with gr.Accordion("More settings", open=False):
            drawer.draw_grouped(advanced)
    return {name: drawer.components[name] for name in form.fields}, drawer.holders


class _FieldDrawer:
    """Draws fields into whatever block is open, and remembers them."""

    def __init__(self, form: Form, service: Service) -> None:
        self._form = form
        self._service = service
        self._visible = form.find_visible({})
        self.components: dict[str, Component] = {}
        self.holders: dict[str, Block] = {}

    def draw_grouped(self, fields: Sequence[Field]) -> None:
        """Draw these fields in their order; a group stands where its first field does."""
        drawn: set[str] = set()
        for field in fields:
            if not field.group:
                self._draw_all([field])
            elif field.group not in drawn:
                drawn.add(field.group)
                with gr.Accordion(field.group, open=True, elem_classes="cg-group"):
                    self._draw_all(one for one in fields if one.group == field.group)

    def _draw_all(self, fields: Iterable[Field]) -> None:
        """Draw these fields one below the other."""
        for field in fields:
            if not field.show_if:
                self._draw(field)
                continue
            with gr.Column(
                visible=self._visible[field.name], elem_classes="cg-conditional"
            ) as holder:
                self._draw(field)
            self.holders[field.name] = holder

    def _draw(self, field: Field) -> None:
        preset = self._form.name

        def list_newest_choices() -> Sequence[Choice]:
            newest = self._service.find_field(preset, field.name)
            return find_choices(newest)

        self.components[field.name] = build_component(field, preset, list_newest_choices)


def build_panel(form: Form, service: Service, is_visible: bool) -> Panel:
    """Draw a form inside the current Blocks: simple fields first, advanced ones folded, or its
    problems.
    """
    with gr.Column(
        visible=is_visible, elem_id=f"cg-panel-{form.name}", elem_classes="cg-panel"
    ) as column:
        title = html.escape(form.title)
        description = html.escape(form.file.description)
        gr.HTML(
            f'<div class="cg-heading"><h2>{title}</h2><p>{description}</p></div>', js_on_load=None
        )
        if form.problems:
            texts = [str(problem) for problem in form.problems]
            gr.HTML(build_note(f"{form.title} cannot be used yet.", *texts), js_on_load=None)
            return Panel(form, column, {})
        if form.notes:
            gr.HTML(_build_adjusted(form.notes), js_on_load=None)
        components, holders = build_fields(form, service)
        _build_examples(form, components)
        foot = _build_footer(form, service)
    return Panel(form, column, components, holders, foot)


def _build_footer(form: Form, service: Service) -> PanelFooter:
    """On a phone only Generate stays at the bottom of the window, which is why it has a box of its
    own.
    """
    many = service.limits.sweep_points > 0
    with gr.Column(elem_classes="cg-foot"):
        problem = build_problem(form.name)
        with gr.Row(elem_classes="cg-actions"):
            with gr.Column(elem_classes="cg-dock", min_width=120):
                button = gr.Button(
                    "Generate", variant="primary", size="lg", elem_classes="cg-generate"
                )
            count = _build_count(form)
            several = gr.Button(
                "Try several values", size="sm", elem_classes="cg-several", scale=0, visible=many
            )
    return PanelFooter(problem, button, count, several)


def _build_count(form: Form) -> gr.Radio:
    """How many pictures one press makes; only a form with a seed makes different ones."""
    return gr.Radio(
        list(COUNTS),
        value=next(iter(COUNTS)),
        show_label=False,
        label="How many",
        container=False,
        visible=bool(form.seeds),
        elem_classes="cg-count",
        min_width=120,
        scale=0,
    )


def parse_count(payload: Any) -> int:
    """How many jobs are wanted, from what the page sent; one where it sent anything else."""
    if not isinstance(payload, str):
        return 1
    return COUNTS.get(payload, 1)


def listen_panel(
    panel: Panel, service: Service, viewer: JobView, view: gr.HTML, person: gr.HTML
) -> None:
    """Connect the button: a generator that checks the values, starts jobs, and yields their
    progress and previews until the results.
    """
    if panel.footer is None:
        return
    form = panel.form
    foot = panel.footer

    async def generate(
        request: gr.Request, who: Any, count: Any, *payloads: Any
    ) -> AsyncIterator[tuple[Any, Any]]:
        owner = find_owner(request, who)
        party = find_person(request).party

        def start() -> SubmittedJobs:
            values = read_values(form, payloads, service.clock)
            wanted = parse_count(count)
            return service.submit_several(form.name, values, wanted, owner, party)

        try:
            loop = asyncio.get_running_loop()
            begun = await loop.run_in_executor(service.choose_threads(form), start)
        except ComfyGradioError as error:
            yield gr.skip(), describe_problem(error, form)
            return
        yield gr.skip(), {"lines": [begun.limit_message]} if begun.limit_message else {}
        async for message in viewer.show(begun.jobs, request, owner):
            yield message, gr.skip()

    foot.button.click(
        generate,
        [person, foot.count, *panel.components.values()],
        [view, foot.problem],
        preprocess=False,
        concurrency_limit=None,
        trigger_mode="multiple",
        **PRIVATE,
    )
    _listen_conditions(panel)
    _listen_changes(panel)


def listen_refusals(view: gr.HTML, panels: Sequence[Panel], service: Service) -> None:
    """What ComfyUI refuses after a job was posted goes to the fields that it is about."""
    forms = [panel.form for panel in panels if panel.footer is not None]
    problems = [panel.footer.problem for panel in panels if panel.footer is not None]

    def explain(request: gr.Request, event: gr.EventData) -> list[Any]:
        token = str(getattr(event, "token", ""))
        job = find_job(service, token, find_person(request))
        if job is None:
            return [gr.skip() for _ in forms]
        return [_explain_refusal(form, job) for form in forms]

    view.refused(explain, None, problems, queue=False, **PRIVATE)


def listen_smaller(view: gr.HTML, panels: Sequence[Panel], service: Service) -> None:
    """*Try smaller* puts the next smaller size into the form that a job came from, and presses its
    Generate.
    """
    names: list[tuple[Form, str]] = []
    components: list[Component] = []
    for panel in panels:
        for name, component in panel.components.items():
            if panel.form.fields[name].widget == "size":
                names.append((panel.form, name))
                components.append(component)
    if not components:
        return

    def shrink(request: gr.Request, event: gr.EventData) -> Any:
        token = str(getattr(event, "token", ""))
        job = find_job(service, token, find_person(request))
        sizes = [_choose_size(form, name, job) for form, name in names]
        return fit_outputs(sizes)

    shrunk = view.smaller(shrink, None, components, queue=False, **PRIVATE)
    shrunk.then(None, None, None, js="() => { window.comfygradioAgain?.(); }", **PRIVATE)


def fit_outputs(values: list[Any]) -> Any:
    """Values for so many components, as Gradio takes them: one alone is no list."""
    if len(values) == 1:
        return values[0]
    return values


def _choose_size(form: Form, name: str, job: Job | None) -> Any:
    """What a form's size field gets for a job whose picture was too large."""
    if job is None or job.order.preset != form.name:
        return gr.skip()
    found = find_smaller_size(form.fields, job.order.values)
    if not found:
        return gr.skip()
    shrunk, size = found
    return size if shrunk == name else gr.skip()


def _explain_refusal(form: Form, job: Job) -> Any:
    if job.order.preset != form.name:
        return gr.skip()
    refused = form.describe_rejection(job.snapshot.node_errors)
    if not refused:
        return gr.skip()
    problem = describe_problem(ValuesRefused(refused), form)
    return {**problem, "late": True}


def read_values(form: Form, payloads: tuple[Any, ...], clock: Clock = SYSTEM_CLOCK) -> Values:
    """Field name → value, from what the components of a panel sent, in the order of the form, and
    that a person wrote them.
    """
    values: Values = {}
    for one, payload in zip(form.fields.values(), payloads, strict=True):
        values[one.name] = read_payload(one, payload, clock)
    values[FROM_FORM] = True
    return values


def build_note(title: str, *sentences: str) -> str:
    """A box with a title and a sentence a line, as HTML; everything in it is escaped."""
    head = f"<b>{html.escape(title)}</b>" if title else ""
    lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return f'<div class="cg-note" role="alert">{head}{lines}</div>'


def describe_problem(error: ComfyGradioError, form: Form) -> dict[str, Any]:
    """A refusal for the place above the button, a line for each field by its label, and in the same
    order for the fields themselves.
    """
    if not isinstance(error, ValuesRefused):
        return {"lines": [str(error)]}
    lines = []
    fields = []
    for name, problem in error.problems.items():
        one = form.fields.get(name)
        label = one.label if one else name
        text = _reword_for_page(one, problem)
        lines.append(f"{label}: {text}")
        fields.append([name_element(form.name, name), text])
    return {"lines": lines, "fields": fields}


def _reword_for_page(field: Field | None, problem: str) -> str:
    """What is wrong with a value in the words of what the page shows, where programs write
    something else.
    """
    has_two_boxes = field is not None and field.widget == "size" and field.choices is None
    if has_two_boxes and problem in SIZE_SPELLINGS:
        return FILL_BOTH
    return problem


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
    watched: dict[str, None] = {}  # each name once, in the order of the form
    for one in form.fields.values():
        watched.update(dict.fromkeys(one.show_if))
    names = list(panel.holders)
    holders = list(panel.holders.values())

    def update(*payloads: Any) -> list[Any] | Any:
        values = dict(zip(watched, payloads, strict=True))
        shown = form.find_visible(values)
        updates = [gr.Column(visible=shown[name]) for name in names]
        return fit_outputs(updates)

    inputs = [panel.components[name] for name in watched]
    for component in inputs:
        change = getattr(component, "change")  # noqa: B009 - components get their events by a metaclass
        change(update, inputs, holders, preprocess=False, queue=False, **PRIVATE)


def _listen_changes(panel: Panel) -> None:
    """What was refused about a field is forgotten as soon as it changes, by the page alone.

    A mask editor of Gradio 6.31 whose changes are listened to sends parts of its picture with each
    of them, which ours must not: problem.js watches that one itself.
    """
    preset = json.dumps(panel.form.name)
    for name, component in panel.components.items():
        if isinstance(component, gr.ImageEditor):
            continue
        element = json.dumps(name_element(panel.form.name, name))
        script = f"() => {{ window.comfygradioProblems?.[{preset}]?.({element}); }}"
        change = getattr(component, "change")  # noqa: B009 - components get their events by a metaclass
        change(None, None, None, js=script, **PRIVATE)


def _build_examples(form: Form, components: Mapping[str, Component]) -> None:
    if not form.file.examples:
        return
    with gr.Row(elem_classes="cg-examples"):
        for index, example in enumerate(form.file.examples):
            title = str(example.get("title", f"Example {index + 1}"))
            filled: list[Component] = []
            values: list[Any] = []
            for name, value in example.items():
                if name in components and not form.fields[name].kind.is_media:
                    filled.append(components[name])
                    values.append(to_component_value(form.fields[name], _plain(value)))
            button = gr.Button(title, size="sm", min_width=60, scale=0)
            script = f"() => {json.dumps(fit_outputs(values))}"
            button.click(None, None, filled, js=script, **PRIVATE)


def _plain(value: Any) -> Any:
    """An example's value without pydantic's models."""
    if not isinstance(value, list):
        return value
    return [row.model_dump() if isinstance(row, LoraFile) else row for row in value]
