"""The panel of a preset: its heading, its fields, its examples, and the button that starts jobs."""

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
from comfygradio.forms.kinds.seed import offset_seed
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.model_folder import find_model_folder
from comfygradio.forms.preset_file import LoraEntry
from comfygradio.jobs.job import Job
from comfygradio.service.service import Service, SubmittedJobs
from comfygradio.ui.form.custom_component import build_problem
from comfygradio.ui.form.field_component import (
    build_component,
    find_choices,
    name_element,
    to_component_value,
)
from comfygradio.ui.form.form_tools import FormTools
from comfygradio.ui.form.lacking_models import LackingModels, name_lacking_models
from comfygradio.ui.form.maintainer_notes import MaintainerNotes
from comfygradio.ui.form.problem_text import describe_problem
from comfygradio.ui.form.upload_value import read_payload
from comfygradio.ui.identity.owner import find_owner
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.job.job_view import JobView, find_job, find_smaller_size

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Options of events that programs do not see."""

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}
"""Options of events that bypass Gradio's queue, too."""

Values = dict[str, Any]

DrawnFields = tuple[dict[str, Component], dict[str, Block]]
"""The components of a form's fields, and the blocks that `show_if` shows and hides."""

NO_SMALLER_SIZE = "No smaller size is known for this picture; choose one in the form."

COUNTS = {"×1": 1, "×2": 2, "×4": 4}
"""How many jobs one click may start, by the text on the page."""


@dataclass(frozen=True)
class PanelFooter:
    """The part of a panel that stays at the bottom of the window: the problem with the last click,
    Generate, how many pictures it makes, and the button that begins a sweep.
    """

    problem: gr.HTML
    button: gr.Button
    count: gr.Radio
    sweep_button: gr.Button


@dataclass(frozen=True)
class Panel:
    """What was drawn for a form; a form with problems has no components and no footer.

    `holders` are the blocks around fields with `show_if`, which are shown and hidden. `late` are
    the components that are hidden until the form is first shown. `tools` is the line of
    tools at the form.
    """

    form: Form
    column: gr.Column
    components: Mapping[str, Component]
    holders: Mapping[str, Block] = dataclasses.field(default_factory=dict)
    footer: PanelFooter | None = None
    late: Sequence[Component] = ()
    tools: gr.HTML | None = None


def build_fields(form: Form, service: Service) -> DrawnFields:
    """Draw all fields; return their components in the form's order, and the holders."""
    simple = []
    advanced = []
    for field in form.fields.values():
        if field.advanced:
            advanced.append(field)
        else:
            simple.append(field)
    drawer = _FieldDrawer(form, service)
    drawer.draw_grouped(simple)
    if advanced:
        with gr.Accordion("More settings", open=False):
            drawer.draw_grouped(advanced)
    components = {name: drawer.components[name] for name in form.fields}
    return components, drawer.holders


class _FieldDrawer:
    """Draws fields into the current block, and remembers their components and holders."""

    def __init__(self, form: Form, service: Service) -> None:
        self._form = form
        self._service = service
        self._visible = form.find_visible({})
        self.components: dict[str, Component] = {}
        self.holders: dict[str, Block] = {}

    def draw_grouped(self, fields: Sequence[Field]) -> None:
        """Draw these fields in their order; a group is drawn at the place of its first field."""
        groups: dict[str, list[Field]] = {}
        for field in fields:
            groups.setdefault(field.group, []).append(field)
        drawn: set[str] = set()
        for field in fields:
            if not field.group:
                self._draw_with_holder(field)
            elif field.group not in drawn:
                drawn.add(field.group)
                with gr.Accordion(field.group, open=True, elem_classes="cg-group"):
                    for member in groups[field.group]:
                        self._draw_with_holder(member)

    def _draw_with_holder(self, field: Field) -> None:
        """Draw a field; with `show_if`, inside a block that can be hidden."""
        if not field.show_if:
            self._draw(field)
            return
        is_visible = self._visible[field.name]
        with gr.Column(visible=is_visible, elem_classes="cg-conditional") as holder:
            self._draw(field)
        self.holders[field.name] = holder

    def _draw(self, field: Field) -> None:
        preset = self._form.name

        def list_newest_choices() -> Sequence[Choice]:
            newest = self._service.find_field(preset, field.name)
            return find_choices(newest)

        folder = find_model_folder(field, self._form.workflow)
        component = build_component(field, preset, list_newest_choices, folder)
        self.components[field.name] = component


def build_panel(
    form: Form,
    service: Service,
    is_visible: bool,
    lacking_models: LackingModels,
    form_tools: FormTools,
    maintainer_notes: MaintainerNotes,
) -> Panel:
    """Draw a form inside the current Blocks, simple fields first and advanced ones folded; or draw
    its problems.
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
            texts += name_lacking_models(form)
            gr.HTML(build_note(f"{form.title} cannot be used yet.", *texts), js_on_load=None)
            lacking_models.draw(form)
            return Panel(form, column, {})
        lacking_models.draw(form)
        components, holders = build_fields(form, service)
        late = () if is_visible else _hide_heavy(components.values())
        _build_examples(form, components)
        tools = form_tools.draw(form)
        if form.notes:
            # Below the fields, which would move when the notes come.
            maintainer_notes.draw(_build_adjusted(form.notes))
        footer = _build_footer(form, service)
    return Panel(form, column, components, holders, footer, late, tools)


def _hide_heavy(components: Iterable[Component]) -> list[Component]:
    """Hide the mask editors of a form that is not shown; returns them.

    Gradio 6.31 loads the scripts of all components that are not hidden themselves, even if what
    they are in is hidden. Those of the mask editor are a third of the page, 180 kB.
    """
    hidden: list[Component] = []
    for component in components:
        if isinstance(component, gr.ImageEditor):
            component.visible = False
            hidden.append(component)
    return hidden


def _build_footer(form: Form, service: Service) -> PanelFooter:
    """Draw the footer. Generate has its own box, since on a phone it alone stays in view."""
    has_sweeps = service.limits.sweep_points > 0
    with gr.Column(elem_classes="cg-foot"):
        problem = build_problem(form.name)
        with gr.Row(elem_classes="cg-actions"):
            with gr.Column(elem_classes="cg-dock", min_width=120):
                button = gr.Button(
                    "Generate", variant="primary", size="lg", elem_classes="cg-generate"
                )
            count = _build_count(form)
            sweep_button = gr.Button(
                "Compare settings",
                size="sm",
                elem_classes="cg-several",
                scale=0,
                visible=has_sweeps,
            )
    return PanelFooter(problem, button, count, sweep_button)


def _build_count(form: Form) -> gr.Radio:
    """Draw the choice of how many pictures one click makes; without a seed all would be equal."""
    labels = list(COUNTS)
    return gr.Radio(
        labels,
        value=labels[0],
        show_label=False,
        label="How many",
        container=False,
        visible=bool(form.seeds),
        elem_classes="cg-count",
        min_width=120,
        scale=0,
    )


def parse_count(payload: Any) -> int:
    """Parse how many jobs the page asks for; 1 if it sent anything unknown."""
    if not isinstance(payload, str):
        return 1
    return COUNTS.get(payload, 1)


def listen_panel(
    panel: Panel, service: Service, job_view: JobView, view: gr.HTML, person: gr.HTML
) -> None:
    """Connect the buttons and fields of a panel.

    A click on Generate checks the values, starts jobs, and sends the `view` messages about them
    until they are over.
    """
    if panel.footer is None:
        return
    form = panel.form
    footer = panel.footer

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
            submitted = await loop.run_in_executor(service.choose_threads(form), start)
        except ComfyGradioError as error:
            yield gr.skip(), describe_problem(error, form)
            return
        told = [*submitted.notes]
        if submitted.limit_message:
            told.append(submitted.limit_message)
        seeds = list_next_seeds(form, payloads, submitted.jobs)
        # The job's id makes each answer a new one, which the page hears of.
        yield gr.skip(), {"lines": told, "seeds": seeds, "job": submitted.jobs[0].id}
        async for message in job_view.show(submitted.jobs, request, owner):
            yield message, gr.skip()

    footer.button.click(
        generate,
        [person, footer.count, *panel.components.values()],
        [view, footer.problem],
        preprocess=False,
        concurrency_limit=None,
        trigger_mode="multiple",
        **PRIVATE,
    )
    _listen_conditions(panel)
    _listen_changes(panel)


def listen_refusals(view: gr.HTML, panels: Sequence[Panel], service: Service) -> None:
    """If ComfyUI refuses a posted job, show why at the fields of its form."""
    forms: list[Form] = []
    problems: list[gr.HTML] = []
    for panel in panels:
        if panel.footer is not None:
            forms.append(panel.form)
            problems.append(panel.footer.problem)

    def explain(request: gr.Request, event: gr.EventData) -> list[Any]:
        token = str(getattr(event, "token", ""))
        job = find_job(service, token, find_person(request))
        return [_explain_refusal(form, job) for form in forms]

    view.refused(explain, None, problems, **QUICK)


def listen_smaller(view: gr.HTML, panels: Sequence[Panel], service: Service) -> None:
    """On *Try smaller*, put the next smaller size into the form that a job came from, and click its
    Generate. If there is no such size, say so above it instead: the same size would fail again.
    """
    names: list[tuple[Form, str]] = []
    components: list[Component] = []
    presets: list[str] = []
    problems: list[Component] = []
    for panel in panels:
        for name, component in panel.components.items():
            if panel.form.fields[name].widget == "size":
                names.append((panel.form, name))
                components.append(component)
        if panel.footer:
            presets.append(panel.form.name)
            problems.append(panel.footer.problem)
    if not components:
        return

    def shrink(request: gr.Request, event: gr.EventData) -> list[Any]:
        token = str(getattr(event, "token", ""))
        preset = getattr(event, "preset", None)
        job = find_job(service, token, find_person(request))
        sizes = [_choose_size(form, name, job) for form, name in names]
        is_found = any(isinstance(size, str) for size in sizes)
        answer = {} if is_found else {"lines": [NO_SMALLER_SIZE]}
        answers = [answer if name == preset else gr.skip() for name in presets]
        return [*sizes, *answers]

    shrunk = view.smaller(shrink, None, [*components, *problems], **QUICK)
    listed = json.dumps(presets)
    tell = (
        f"async (...problems) => {{ (await comfygradioPage).tellSmallerSize({listed}, problems); }}"
    )
    shrunk.then(None, problems, None, js=tell, **PRIVATE)


def fit_outputs(values: list[Any]) -> Any:
    """Convert values for components to what Gradio expects: of a single one no list."""
    if len(values) == 1:
        return values[0]
    return values


def _choose_size(form: Form, name: str, job: Job | None) -> Any:
    """Choose the update of a form's size field, for a job whose picture was too large."""
    if job is None or job.order.preset != form.name:
        return gr.skip()
    found = find_smaller_size(form.fields, job.order.values)
    if found is None:
        return gr.skip()
    shrunk, size = found
    return size if shrunk == name else gr.skip()


def _explain_refusal(form: Form, job: Job | None) -> Any:
    """Make the update of a form's problem for a job that ComfyUI refused."""
    if job is None or job.order.preset != form.name:
        return gr.skip()
    refused = form.describe_rejection(job.snapshot.node_errors)
    if not refused:
        return gr.skip()
    problem = describe_problem(ValuesRefused(refused), form)
    return {**problem, "late": True}


def read_values(form: Form, payloads: Sequence[Any], clock: Clock = SYSTEM_CLOCK) -> Values:
    """Read field name → value out of what the components of a panel sent, in the form's order; also
    note that the values come from a form.
    """
    values: Values = {}
    for field, payload in zip(form.fields.values(), payloads, strict=True):
        values[field.name] = read_payload(field, payload, clock)
    values[FROM_FORM] = True
    return values


def list_next_seeds(
    form: Form, payloads: Sequence[Any], jobs: Sequence[Job]
) -> list[tuple[str, str, str]]:
    """List each seed field's element, the text that the page sent, and the seed after those of the
    jobs; as text, since JavaScript would round the numbers.
    """
    listed: list[tuple[str, str, str]] = []
    last = jobs[-1].order.values
    for field, payload in zip(form.fields.values(), payloads, strict=True):
        used = last.get(field.name)
        if not field.kind.is_seed or used is None:
            continue
        following = offset_seed(field, used, 1)
        sent = payload.strip() if isinstance(payload, str) else ""
        listed.append((name_element(form.name, field.name), sent, str(following)))
    return listed


def build_note(title: str, *sentences: str) -> str:
    """Write a box with a title and a line per sentence as HTML; all texts are escaped."""
    content = ""
    if title:
        content += f"<b>{html.escape(title)}</b>"
    for sentence in sentences:
        content += f"<p>{html.escape(sentence)}</p>"
    return f'<div class="cg-note" role="alert">{content}</div>'


def _build_adjusted(notes: tuple[str, ...]) -> str:
    """Write the folded list of what was adjusted to the server, as HTML."""
    count = "1 thing was" if len(notes) == 1 else f"{len(notes)} things were"
    items = ""
    for note in notes:
        items += f"<li>{html.escape(note)}</li>"
    return (
        f'<details class="cg-adjusted"><summary>{count} adjusted to this '
        f"ComfyUI</summary><ul>{items}</ul></details>"
    )


def _listen_conditions(panel: Panel) -> None:
    """Show and hide fields whenever a field that they depend on changes."""
    form = panel.form
    watched: dict[str, None] = {}  # each name once, in the form's order
    for field in form.fields.values():
        watched.update(dict.fromkeys(field.show_if))
    names = list(panel.holders)
    holders = list(panel.holders.values())

    def update(*payloads: Any) -> list[Any] | Any:
        values = dict(zip(watched, payloads, strict=True))
        visible = form.find_visible(values)
        updates: list[Any] = []
        for name in names:
            updates.append(gr.Column(visible=visible[name]))
        return fit_outputs(updates)

    inputs = [panel.components[name] for name in watched]
    for component in inputs:
        change = getattr(component, "change")  # noqa: B009 - components get their events by a metaclass
        change(update, inputs, holders, preprocess=False, **QUICK)


def _listen_changes(panel: Panel) -> None:
    """Tell the page of each change of a field, which it keeps, and whose problem it forgets.

    Mask editors are left out: in Gradio 6.31 one with a listener sends parts of its picture with
    every change, which ours must not. field_errors.js watches them itself.
    """
    preset = json.dumps(panel.form.name)
    for name, component in panel.components.items():
        if isinstance(component, gr.ImageEditor):
            continue
        elem_id = name_element(panel.form.name, name)
        names = f"{preset}, {json.dumps(elem_id)}"
        script = f"async () => {{ (await comfygradioPage).noteChange({names}); }}"
        change = getattr(component, "change")  # noqa: B009 - components get their events by a metaclass
        change(None, None, None, js=script, **PRIVATE)


def _build_examples(form: Form, components: Mapping[str, Component]) -> None:
    """Draw a button for each example; the page fills in its values without asking the server."""
    examples = list_examples(form)
    if not examples:
        return
    with gr.Row(elem_classes="cg-examples"):
        for number, example in enumerate(examples, 1):
            title = str(example.get("title", f"Example {number}"))
            values = _list_example_values(form, components, example)
            filled = [components[name] for name in values]
            button = gr.Button(title, size="sm", min_width=60, scale=0)
            answer = fit_outputs(list(values.values()))
            script = f"() => {json.dumps(answer)}"
            button.click(None, None, filled, js=script, **PRIVATE)


def list_examples(form: Form) -> list[Mapping[str, Any]]:
    """List the examples of a form; where none fills its main prompt, the workflow's own is one."""
    examples: list[Mapping[str, Any]] = [*form.file.examples]
    for name, field in form.fields.items():
        is_filled = any(name in example for example in examples)
        if field.starts_empty and not is_filled:
            examples.append({"title": "Example", name: field.default})
    return examples


def _list_example_values(
    form: Form, components: Mapping[str, Component], example: Mapping[str, Any]
) -> Values:
    """Map the fields of an example to the values of their components, without files."""
    values: Values = {}
    for name, value in example.items():
        if name not in components:
            continue
        field = form.fields[name]
        if not field.kind.is_media:
            values[name] = to_component_value(field, _dump_models(value))
    return values


def _dump_models(value: Any) -> Any:
    """Replace pydantic's models in an example's value by mappings."""
    if not isinstance(value, list):
        return value
    rows = []
    for row in value:
        if isinstance(row, LoraEntry):
            row = row.model_dump()
        rows.append(row)
    return rows
