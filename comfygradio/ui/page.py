"""The page: chooser, one panel per preset, and the viewer that shows a job."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.author.author_access import AuthorAccess
from comfygradio.ui.author.author_page import build_author, reveal_author_link
from comfygradio.ui.file_leak_guard import FileGuardedBlocks
from comfygradio.ui.form.endpoint import build_endpoint
from comfygradio.ui.form.field_component import refresh_component
from comfygradio.ui.form.panel import (
    PRIVATE,
    Panel,
    build_note,
    build_panel,
    listen_panel,
    listen_refusals,
    listen_smaller,
)
from comfygradio.ui.form.restore_panel import build_restore_panel
from comfygradio.ui.history.history_page import build_history, listen_history
from comfygradio.ui.identity.owner import build_person
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.job.job_view import JobView
from comfygradio.ui.status.operator_access import OperatorAccess
from comfygradio.ui.status.status_page import build_status
from comfygradio.ui.sweep.sweep_endpoint import build_sweep_endpoint
from comfygradio.ui.sweep.sweep_page import build_sweeps, listen_sweeps
from comfygradio.ui.web_file_mover import use_guarded_client

MAX_BUTTONS = 8
"""Up to so many presets are shown as buttons, more as a searchable list."""

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}

TITLE = '<h1 class="cg-unseen">comfygradio</h1>'
"""For those who hear the page; the headings that are seen are below it."""

DEMO_BANNER = (
    '<div class="cg-banner"><b>Demo server.</b> These pictures are drawn by a stand-in, not by a '
    "diffusion model. "
    "For real ones, start ComfyUI and run <code>comfygradio --server URL</code>.</div>"
)

LOG_OUT = '<a href="logout">Log out</a>'

ADVICE = (
    "Draft one from a workflow: comfygradio new WORKFLOW, or the page of "
    "comfygradio serve --author."
)
"""What somebody can do who has no preset."""


def build_page(
    service: Service,
    revision: int = 0,
    authors: AuthorAccess | None = None,
    page_sessions: PageSessions | None = None,
    job_streams: JobStreams | None = None,
    operators: OperatorAccess | None = None,
    has_login: bool = False,
) -> gr.Blocks:
    """The whole page as Blocks, with an endpoint for each usable preset; `revision` is written into
    it.

    With `authors` it has the page that makes presets too, with `operators` the Status page, with
    `has_login` a way to log out.
    `page_sessions` and `job_streams` outlive a page that is drawn anew.
    """
    page_sessions = page_sessions or PageSessions(service.clock)
    job_streams = job_streams or JobStreams(service.limits.streams, service.queue.outputs)
    blocks: gr.Blocks
    with FileGuardedBlocks(
        title="comfygradio", analytics_enabled=False, delete_cache=(3600, 86400)
    ) as blocks:
        # With its name Gradio's page would ask huggingface.co for the likes of its Space, and show
        # them above ours.
        blocks.space_id = None
        mark = _write_page_data(service, revision)
        banner = DEMO_BANNER if service.is_demo else ""
        gr.HTML(mark + TITLE + banner, elem_id="cg-banner", js_on_load=None)
        if service.trouble:
            authors = None
        has_sweeps = service.limits.sweep_points > 0
        build_navigation(
            _list_pages(authors is not None, operators is not None, has_sweeps),
            hidden=("new", "status") if has_login else ("status",),
            has_login=has_login,
        )
        if authors:
            build_author(service, authors)
        history = build_history(service, page_sessions)
        sweeps = build_sweeps(service, page_sessions)
        if operators:
            build_status(blocks, service, operators)
        if authors and has_login:
            reveal_author_link(blocks, authors)
        if service.trouble:
            _build_unavailable(service)
        elif not service.forms:
            note = build_note("There is no preset to show.", *service.errors, ADVICE)
            gr.HTML(note, js_on_load=None)
        else:
            panels, chooser = _build_forms(blocks, service, job_streams, sweeps)
            listen_history(history, service, page_sessions, panels, chooser)
            listen_sweeps(sweeps, service, page_sessions, panels, chooser)
            if service.limits.sweep_points:
                _build_sweep_endpoints(service, panels)
    use_guarded_client(blocks, service.web_files)
    return blocks


def _build_sweep_endpoints(service: Service, panels: Sequence[Panel]) -> None:
    for panel in panels:
        if panel.footer:
            build_sweep_endpoint(service, panel.form)


def _write_page_data(service: Service, revision: int) -> str:
    """What the scripts read out of the page: its revision, and the form of an address without
    one.
    """
    landing = ""
    if service.forms:
        landing = find_default_form(list(service.forms.values())).name
    return (
        f'<i id="cg-revision" data-revision="{revision}" data-landing="{escape(landing)}" '
        "hidden></i>"
    )


def _list_pages(author: bool, operators: bool, sweeps: bool) -> dict[str, str]:
    """The name of each page in an address, and what people read."""
    pages = {}
    if author:
        pages["new"] = "New preset"
    if operators:
        pages["status"] = "Status"
    if sweeps:
        pages["sweep"] = "Sweeps"
    pages["history"] = "History"
    return pages


def build_navigation(
    pages: Mapping[str, str], hidden: Collection[str] = (), has_login: bool = False
) -> gr.HTML:
    """Draw the links to pages (name in the address → text) inside the current Blocks.

    Links to `hidden` pages show as soon as somebody comes who may see them; with `has_login` there
    is one to log out, too.

    A page is a child of the same Blocks with the class `cg-page-NAME`; its script hears the event
    `comfygradio-page`.
    """
    links = ""
    for name, text in pages.items():
        mark = " hidden" if name in hidden else ""
        links += f'<a data-page="{name}" href="?{name}=1"{mark}>{escape(text)}</a>'
    links += '<a data-page="" href="?">← Back to the forms</a>'
    if has_login:
        links += LOG_OUT
    return gr.HTML(
        None,
        html_template=f'<nav class="cg-nav" aria-label="Pages">{links}</nav>',
        js_on_load=read_asset("navigation.js"),
        elem_id="cg-nav",
    )


def _build_unavailable(service: Service) -> None:
    note = build_note("ComfyUI cannot be used right now.", service.trouble)
    gr.HTML(note, js_on_load=None)
    again = gr.Button("Try again", variant="primary", elem_id="cg-again")
    tried = again.click(lambda: service.reconnect(), None, None, **QUICK)
    tried.then(None, None, None, js="() => location.reload()", **PRIVATE)


def _build_forms(
    blocks: gr.Blocks, service: Service, job_streams: JobStreams, sweeps: gr.HTML
) -> tuple[list[Panel], gr.Radio | gr.Dropdown]:
    person = build_person()
    forms = list(service.forms.values())
    viewer = JobView(service, job_streams)
    landing = find_default_form(forms)
    chooser = _build_chooser(service, landing)
    with gr.Row(equal_height=False, elem_id="cg-main"):
        with gr.Column(scale=5, min_width=320, elem_id="cg-form"):
            panels = [build_panel(form, service, form is landing) for form in forms]
            build_restore_panel(service, panels, chooser, sweeps)
            refresh = gr.Button(
                "Refresh lists", elem_id="cg-refresh", size="sm", min_width=110, scale=0
            )
            if service.errors:
                note = build_note("Some presets could not be read.", *service.errors)
                gr.HTML(note, js_on_load=None)
        with gr.Column(scale=7, min_width=320, elem_id="cg-side"):
            view = viewer.build()
    view.attach(
        viewer.attach,
        person,
        view,
        concurrency_limit=None,
        trigger_mode="multiple",
        **PRIVATE,
    )
    for panel in panels:
        listen_panel(panel, service, viewer, view, person)
        if panel.footer:
            build_endpoint(service, panel.form)
    listen_refusals(view, panels, service)
    listen_smaller(view, panels, service)
    _listen_chooser(blocks, chooser, panels)
    _listen_refresh(refresh, service, panels)
    return panels, chooser


def find_default_form(forms: Sequence[Form]) -> Form:
    """The form that an address without one shows: the first that can be used."""
    usable = [form for form in forms if not form.problems]
    return usable[0] if usable else forms[0]


def _build_chooser(service: Service, landing: Form) -> gr.Radio | gr.Dropdown:
    is_long = len(service.forms) > MAX_BUTTONS
    choices = [(_name_choice(form, is_long), form.name) for form in service.forms.values()]
    kind = gr.Dropdown if is_long else gr.Radio
    return kind(
        choices,
        value=landing.name,
        label="What would you like to do?",
        show_label=is_long,
        container=is_long,
        interactive=True,
        elem_id="cg-chooser",
        visible=len(choices) > 1,
    )


def _name_choice(form: Form, is_long: bool) -> str:
    """The name of a preset in the chooser; a long list names the group too."""
    name = f"{form.file.icon} {form.title}"
    if is_long and form.file.group:
        name = f"{form.file.group} · {name}"
    return name.strip()


def _listen_chooser(
    blocks: gr.Blocks, chooser: gr.Radio | gr.Dropdown, panels: list[Panel]
) -> None:
    """The page changes forms by itself (chooser.js): an answer from here that is late would undo a
    later choice.
    """
    names = [panel.form.name for panel in panels]
    columns = [panel.column for panel in panels]
    every = json.dumps(names)
    if isinstance(chooser, gr.Dropdown):
        # The script hears of a radio button by itself, and sooner.
        address = "(name) => { comfygradioForms.address(name); return []; }"
        chooser.input(None, chooser, None, js=address, **PRIVATE)
    mount = f"(name) => comfygradioForms.mount(name, {every})"
    chooser.change(None, chooser, columns, js=mount, **PRIVATE)
    open_addressed = f"() => comfygradioForms.open({every})"
    blocks.load(None, None, [chooser, *columns], js=open_addressed, **PRIVATE)


def _listen_refresh(refresh: gr.Button, service: Service, panels: list[Panel]) -> None:
    names: list[tuple[str, str]] = []
    lists: list[Component] = []
    for panel in panels:
        for name, component in panel.components.items():
            if isinstance(component, gr.Dropdown) and panel.form.fields[name].choices:
                names.append((panel.form.name, name))
                lists.append(component)

    def reread() -> list[Any]:
        try:
            changed = service.refresh()
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if changed:
            gr.Info("The forms have changed: reload this page to see them.")
        else:
            gr.Info("The lists are up to date.")
        updates = []
        for (preset, name), component in zip(names, lists, strict=True):
            field = service.forms[preset].fields.get(name)
            updates.append(refresh_component(field, component) if field else gr.skip())
        return updates

    refresh.click(reread, None, lists, **QUICK)
