"""The page: chooser, one panel per preset, and the viewer that shows a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.form import Form
from comfygradio.ui.author.access import Authors
from comfygradio.ui.author.page import build_author, listen_way
from comfygradio.ui.endpoint import build_endpoint
from comfygradio.ui.fields import refresh_component
from comfygradio.ui.history.page import build_history, listen_history
from comfygradio.ui.mover import take_links
from comfygradio.ui.navigation import build_navigation
from comfygradio.ui.panel import (
    PRIVATE,
    Panel,
    build_note,
    build_panel,
    listen_panel,
    listen_refusals,
    listen_smaller,
)
from comfygradio.ui.person import build_person
from comfygradio.ui.restoring import build_restoring
from comfygradio.ui.sealing import SealedBlocks
from comfygradio.ui.status.access import Operators
from comfygradio.ui.status.page import build_status
from comfygradio.ui.studio import Studio
from comfygradio.ui.sweep.endpoint import build_sweep_endpoint
from comfygradio.ui.sweep.page import build_sweeps, listen_sweeps
from comfygradio.ui.viewer import Viewer
from comfygradio.ui.visitors import Visitors

PILLS = 8
"""Up to so many presets are shown as buttons, more as a searchable list."""

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}

TITLE = '<h1 class="cg-unseen">comfygradio</h1>'
"""For those who hear the page; the headings that are seen are below it."""

DEMO_BANNER = (
    '<div class="cg-banner"><b>Demo server.</b> These pictures are drawn by a stand-in, not by a '
    "diffusion model. "
    "For real ones, start ComfyUI and run <code>comfygradio --server URL</code>.</div>"
)


ADVICE = (
    "Draft one from a workflow: comfygradio new WORKFLOW, or the page of "
    "comfygradio serve --author."
)
"""What somebody can do who has no preset."""


def build_page(
    studio: Studio,
    revision: int = 0,
    authors: Authors | None = None,
    visitors: Visitors | None = None,
    operators: Operators | None = None,
    has_login: bool = False,
) -> gr.Blocks:
    """The whole page as Blocks, with an endpoint for each usable preset; `revision` is written into
    it.

    With `authors` it has the page that makes presets too, with `operators` the Status page, with
    `has_login` a way to log out.
    `visitors` outlives a page that is drawn anew.
    """
    visitors = visitors or Visitors(studio.clock)
    blocks: gr.Blocks
    with SealedBlocks(
        title="comfygradio", analytics_enabled=False, delete_cache=(3600, 86400)
    ) as blocks:
        # With its name Gradio's page would ask huggingface.co for the likes of its Space, and show
        # them above ours.
        blocks.space_id = None
        mark = _write_mark(studio, revision)
        banner = DEMO_BANNER if studio.is_demo else ""
        gr.HTML(mark + TITLE + banner, elem_id="cg-banner", js_on_load=None)
        if studio.trouble:
            authors = None
        has_sweeps = studio.limits.sweep_points > 0
        build_navigation(
            _list_pages(authors is not None, operators is not None, has_sweeps),
            hidden=("new", "status") if has_login else ("status",),
            has_login=has_login,
        )
        if authors:
            build_author(studio, authors)
        history = build_history(studio, visitors)
        sweeps = build_sweeps(studio, visitors)
        if operators:
            build_status(blocks, studio, operators)
        if authors and has_login:
            listen_way(blocks, authors)
        if studio.trouble:
            _build_closed(studio)
        elif not studio.forms:
            note = build_note("There is no preset to show.", *studio.errors, ADVICE)
            gr.HTML(note, js_on_load=None)
        else:
            panels, chooser = _build_open(blocks, studio, sweeps)
            listen_history(history, studio, visitors, panels, chooser)
            listen_sweeps(sweeps, studio, visitors, panels, chooser)
            if studio.limits.sweep_points:
                _build_sweep_endpoints(studio, panels)
    take_links(blocks, studio.links)
    return blocks


def _build_sweep_endpoints(studio: Studio, panels: Sequence[Panel]) -> None:
    for panel in panels:
        if panel.foot:
            build_sweep_endpoint(studio, panel.form)


def _write_mark(studio: Studio, revision: int) -> str:
    """What the scripts read out of the page: its revision, and the form of an address without
    one.
    """
    landing = ""
    if studio.forms:
        landing = find_landing(list(studio.forms.values())).name
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


def _build_closed(studio: Studio) -> None:
    note = build_note("ComfyUI cannot be used right now.", studio.trouble)
    gr.HTML(note, js_on_load=None)
    again = gr.Button("Try again", variant="primary", elem_id="cg-again")
    tried = again.click(lambda: studio.reconnect(), None, None, **QUICK)
    tried.then(None, None, None, js="() => location.reload()", **PRIVATE)


def _build_open(
    blocks: gr.Blocks, studio: Studio, sweeps: gr.HTML
) -> tuple[list[Panel], gr.Radio | gr.Dropdown]:
    person = build_person()
    forms = list(studio.forms.values())
    viewer = Viewer(studio)
    landing = find_landing(forms)
    chooser = _build_chooser(studio, landing)
    with gr.Row(equal_height=False, elem_id="cg-main"):
        with gr.Column(scale=5, min_width=320, elem_id="cg-form"):
            panels = [build_panel(form, studio, form is landing) for form in forms]
            build_restoring(studio, panels, chooser, sweeps)
            refresh = gr.Button(
                "Refresh lists", elem_id="cg-refresh", size="sm", min_width=110, scale=0
            )
            if studio.errors:
                note = build_note("Some presets could not be read.", *studio.errors)
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
        listen_panel(panel, studio, viewer, view, person)
        if panel.foot:
            build_endpoint(studio, panel.form)
    listen_refusals(view, panels, studio)
    listen_smaller(view, panels, studio)
    _listen_chooser(blocks, chooser, panels)
    _listen_refresh(refresh, studio, panels)
    return panels, chooser


def find_landing(forms: Sequence[Form]) -> Form:
    """The form that an address without one shows: the first that can be used."""
    usable = [form for form in forms if not form.problems]
    return usable[0] if usable else forms[0]


def _build_chooser(studio: Studio, landing: Form) -> gr.Radio | gr.Dropdown:
    is_long = len(studio.forms) > PILLS
    choices = [(_name_choice(form, is_long), form.name) for form in studio.forms.values()]
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


def _listen_refresh(refresh: gr.Button, studio: Studio, panels: list[Panel]) -> None:
    names: list[tuple[str, str]] = []
    lists: list[Component] = []
    for panel in panels:
        for name, component in panel.components.items():
            if isinstance(component, gr.Dropdown) and panel.form.fields[name].choices:
                names.append((panel.form.name, name))
                lists.append(component)

    def reread() -> list[Any]:
        try:
            changed = studio.refresh()
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if changed:
            gr.Info("The forms have changed: reload this page to see them.")
        else:
            gr.Info("The lists are up to date.")
        updates = []
        for (preset, name), component in zip(names, lists, strict=True):
            field = studio.forms[preset].fields.get(name)
            updates.append(refresh_component(field, component) if field else gr.skip())
        return updates

    refresh.click(reread, None, lists, **QUICK)
