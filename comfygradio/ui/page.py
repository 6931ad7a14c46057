"""The page: the chooser, a panel per preset, the job view, and the further pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.settings import DEFAULT_TITLE
from comfygradio.ui.author.author_api import AuthorApi
from comfygradio.ui.author.author_page import build_author_page, reveal_author_link
from comfygradio.ui.cover_route import make_cover_url
from comfygradio.ui.file_leak_guard import FileGuardedBlocks
from comfygradio.ui.form.endpoint import build_endpoint
from comfygradio.ui.form.field_component import refresh_component
from comfygradio.ui.form.form_tools import FormTools
from comfygradio.ui.form.form_update import connect_form_updates, make_picture_reader
from comfygradio.ui.form.lacking_models import LackingModels
from comfygradio.ui.form.maintainer_notes import MaintainerNotes
from comfygradio.ui.form.panel import (
    PRIVATE,
    QUICK,
    Panel,
    build_note,
    build_panel,
    listen_panel,
    listen_refusals,
    listen_smaller,
)
from comfygradio.ui.form.restore_panel import build_restore_panel
from comfygradio.ui.form.reuse import list_targets
from comfygradio.ui.history.history_api import HistoryApi
from comfygradio.ui.history.history_page import build_history_page, listen_history_page
from comfygradio.ui.history.looking import build_looking
from comfygradio.ui.identity.owner import build_person
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.job.job_view import JobView
from comfygradio.ui.preset_card import PresetCard, write_card_style
from comfygradio.ui.static import build_mount_script
from comfygradio.ui.status.status_api import StatusApi
from comfygradio.ui.status.status_page import build_status_page
from comfygradio.ui.sweep.sweep_api import SweepApi
from comfygradio.ui.sweep.sweep_endpoint import build_sweep_endpoint
from comfygradio.ui.sweep.sweep_page import build_sweep_page, listen_sweep_page
from comfygradio.ui.unserved_app import skip_unserved_apps
from comfygradio.ui.web_file_mover import use_guarded_client

SHOW_WHOLE = (
    "requestAnimationFrame(() => requestAnimationFrame(() => "
    "{ document.documentElement.dataset.cgWhole = ''; }));"
)
"""Gradio calls what is loaded when all parts are there; boxes fit their texts a frame later. See
the styles of head.html.
"""

MAX_PLAIN_BUTTONS = 3
"""Most presets that are shown as plain buttons; more are shown as cards with pictures."""

MAX_BUTTONS = 8
"""Most presets that are shown as buttons or cards; more are shown as a searchable list."""

DEMO_BANNER = (
    '<div class="cg-banner"><b>Demo server.</b> These pictures are drawn by a stand-in, not by a '
    "diffusion model. "
    "For real ones, start ComfyUI and run <code>comfygradio --server URL</code>.</div>"
)

LOGIN_NAME = '<span class="cg-login" hidden></span>'
"""Where the page's script writes who has logged in, if anybody has."""

LOG_OUT = '<form method="post" action="logout"><button class="cg-log-out">Log out</button></form>'

ADVICE = (
    "Draft one from a workflow: comfygradio new WORKFLOW, or the page of "
    "comfygradio serve --author."
)
"""What to do without any preset."""

DRAWING = threading.Lock()
"""Held while Blocks are drawn: Gradio notes in a global place where the next component belongs, so
that two threads would draw into each other's pages, and all later pages would be empty.
"""


def build_page(
    service: Service,
    revision: int = 0,
    authors: AuthorAccess | None = None,
    page_sessions: PageSessions | None = None,
    job_streams: JobStreams | None = None,
    operators: OperatorAccess | None = None,
    has_login: bool = False,
    title: str = DEFAULT_TITLE,
) -> gr.Blocks:
    """Draw the whole page as Blocks, with an endpoint for each usable preset; `revision` is written
    into it.

    With `authors` it also has the page that makes presets, with `operators` the Servers page, with
    `has_login` a button to log out. `title` is for the tab and for screen readers; the visible
    headings are below it. `page_sessions` and `job_streams` outlive a page that is drawn
    anew.
    """
    page_sessions = page_sessions or PageSessions(service.clock)
    job_streams = job_streams or JobStreams(service.limits.streams, service.queue.outputs)
    skip_unserved_apps()
    blocks: gr.Blocks
    with (
        DRAWING,
        FileGuardedBlocks(
            title=title, analytics_enabled=False, delete_cache=(3600, 86400)
        ) as blocks,
    ):
        # With a Space's id, Gradio's page would fetch the likes of the Space from huggingface.co,
        # and show them above ours.
        blocks.space_id = None
        page_data = _write_page_data(service, revision) + _write_cards(service)
        banner = DEMO_BANNER if service.is_demo else ""
        heading = f'<h1 class="cg-unseen">{escape(title)}</h1>'
        gr.HTML(page_data + heading + banner, elem_id="cg-banner", js_on_load=None)
        if service.trouble:
            authors = None
        has_sweeps = service.limits.sweep_points > 0
        pages = _list_pages(authors is not None, operators is not None, has_sweeps)
        hidden_pages = ("new", "status") if has_login else ("status",)
        build_navigation(pages, hidden_pages, has_login)
        if authors:
            build_author_page(AuthorApi(service), authors)
        history = HistoryApi(service, page_sessions)
        history_view = build_history_page(history)
        sweep = SweepApi(service, page_sessions)
        sweep_view = build_sweep_page(sweep)
        if operators:
            build_status_page(StatusApi(service, operators), blocks)
        if authors and has_login:
            reveal_author_link(blocks, authors)
        if service.trouble:
            _build_unavailable(service)
        elif not service.forms:
            note = build_note("There is no preset to show.", *service.errors, ADVICE)
            gr.HTML(note, js_on_load=None)
        else:
            lacking_models = LackingModels(service, operators, authors)
            form_tools = FormTools(service, page_sessions)
            maintainer_notes = MaintainerNotes(operators, authors)
            panels, chooser = _build_forms(
                blocks,
                service,
                job_streams,
                sweep_view,
                lacking_models,
                maintainer_notes,
                history,
                form_tools,
            )
            listen_history_page(history_view, history, panels, chooser)
            listen_sweep_page(sweep_view, sweep, panels, chooser)
            if has_sweeps:
                _build_sweep_endpoints(blocks, service, panels)
            # The last events of all: most pages have none, and their numbers must not differ.
            lacking_models.listen(blocks)
            maintainer_notes.listen(blocks)
    use_guarded_client(blocks, service.web_files)
    return blocks


def _free_name(blocks: gr.Blocks, name: str) -> None:
    """Rename an event of the page that is called like an endpoint to come.

    Gradio names an event after its function, and adds a number to a name that is taken: a preset
    called "generate" would have the endpoint /generate_1. The endpoints cannot come first: an open
    page calls its events by their numbers, which must not change with the presets. No program sees
    the names of events.
    """
    for number, function in blocks.fns.items():
        if function.api_name == name and function.api_visibility == "private":
            function.api_name = f"_{number}_{name}"


def _build_sweep_endpoints(blocks: gr.Blocks, service: Service, panels: Sequence[Panel]) -> None:
    for panel in panels:
        if panel.footer:
            _free_name(blocks, f"{panel.form.name}_sweep")
            build_sweep_endpoint(service, panel.form)


def _write_page_data(service: Service, revision: int) -> str:
    """Write what the scripts read out of the page: its revision, the form that is shown if an
    address names none, and the fields that take a picture.
    """
    default = ""
    if service.forms:
        forms = list(service.forms.values())
        default = find_default_form(forms).name
    targets = json.dumps(list_targets(service.forms))
    return (
        f'<i id="cg-revision" data-revision="{revision}" data-landing="{escape(default)}" '
        f'data-targets="{escape(targets)}" hidden></i>'
    )


def _list_pages(has_author: bool, has_status: bool, has_sweeps: bool) -> dict[str, str]:
    """Map the name of each page in an address to its title."""
    pages = {}
    if has_author:
        pages["new"] = "Make a form"
    if has_status:
        pages["status"] = "Servers"
    if has_sweeps:
        pages["sweep"] = "Comparisons"
    pages["history"] = "History"
    return pages


def build_navigation(
    pages: Mapping[str, str], hidden: Collection[str] = (), has_login: bool = False
) -> gr.HTML:
    """Draw the links to pages (name in the address → title) inside the current Blocks.

    The links to `hidden` pages are shown to those who may see the pages; with `has_login` there is
    also a button to log out. Without it there may be a login all the same, which is not ours to
    end; the name is shown then, too.

    A page is a child of the same Blocks with the class `cg-page-NAME`; its script gets the event
    `comfygradio-page`.
    """
    links = ""
    for name, text in pages.items():
        mark = " hidden" if name in hidden else ""
        links += f'<a data-page="{name}" href="?{name}=1"{mark}>{escape(text)}</a>'
    links += '<a data-page="" href="?">← Back to the forms</a>'
    links += LOGIN_NAME
    if has_login:
        links += LOG_OUT
    return gr.HTML(
        None,
        html_template=f'<nav class="cg-nav" aria-label="Pages">{links}</nav>',
        js_on_load=build_mount_script("page/navigation.js"),
        elem_id="cg-nav",
    )


def _build_unavailable(service: Service) -> None:
    """Draw what is wrong with the servers, and a button to try again, which reloads the page."""
    note = build_note("ComfyUI cannot be used right now.", service.trouble)
    gr.HTML(note, js_on_load=None)
    again = gr.Button("Try again", variant="primary", elem_id="cg-again")
    clicked = again.click(lambda: service.reconnect(), None, None, **QUICK)
    clicked.then(None, None, None, js="() => location.reload()", **PRIVATE)


def _build_forms(
    blocks: gr.Blocks,
    service: Service,
    job_streams: JobStreams,
    sweep_view: gr.HTML,
    lacking_models: LackingModels,
    maintainer_notes: MaintainerNotes,
    history: HistoryApi,
    form_tools: FormTools,
) -> tuple[list[Panel], gr.Radio | gr.Dropdown]:
    """Draw the chooser, the panels and the job view, and connect them."""
    person = build_person()
    forms = list(service.forms.values())
    job_view = JobView(service, job_streams)
    default = find_default_form(forms)
    chooser = _build_chooser(service, default)
    with gr.Row(equal_height=False, elem_id="cg-main"):
        with gr.Column(scale=5, min_width=320, elem_id="cg-form"):
            panels = []
            for form in forms:
                is_visible = form is default
                panel = build_panel(
                    form, service, is_visible, lacking_models, form_tools, maintainer_notes
                )
                panels.append(panel)
            build_restore_panel(service, panels, chooser, sweep_view)
            refresh = gr.Button(
                "New models? Look again", elem_id="cg-refresh", size="sm", min_width=110, scale=0
            )
            refreshed = gr.HTML("", js_on_load=None, elem_id="cg-refreshed")
            if service.errors:
                maintainer_notes.draw(
                    build_note("Some presets could not be read.", *service.errors)
                )
        with gr.Column(scale=7, min_width=320, elem_id="cg-side"):
            view = job_view.build()
            build_looking(history)
    view.attach(
        job_view.attach,
        person,
        view,
        concurrency_limit=None,
        trigger_mode="multiple",
        **PRIVATE,
    )
    view.vary(
        job_view.vary,
        person,
        view,
        concurrency_limit=None,
        trigger_mode="multiple",
        **PRIVATE,
    )
    for panel in panels:
        listen_panel(panel, service, job_view, view, person)
        if panel.tools:
            form_tools.listen(panel.tools, panel.form, panel.components)
        if panel.footer:
            _free_name(blocks, panel.form.name)
            build_endpoint(service, panel.form)
    listen_refusals(view, panels, service)
    listen_smaller(view, panels, service)
    read_picture = make_picture_reader(service)
    connect_form_updates(view, view.input_picture, read_picture, panels, chooser)
    _listen_chooser(blocks, chooser, panels, view)
    _listen_refresh(refresh, refreshed, service, panels)
    return panels, chooser


def find_default_form(forms: Sequence[Form]) -> Form:
    """Find the form that is shown if an address names none: the first that can be used."""
    for form in forms:
        if not form.problems:
            return form
    return forms[0]


def _build_chooser(service: Service, default: Form) -> gr.Radio | gr.Dropdown:
    is_long = len(service.forms) > MAX_BUTTONS
    has_cards = shows_cards(service.forms)
    choices = []
    for form in service.forms.values():
        # A card's icon comes from its style.
        label = form.title if has_cards else _name_choice(form, is_long)
        choices.append((label, form.name))
    component = gr.Dropdown if is_long else gr.Radio
    return component(
        choices,
        value=default.name,
        label="What would you like to do?",
        show_label=is_long,
        container=is_long,
        interactive=True,
        elem_id="cg-chooser",
        elem_classes="cg-cards" if has_cards else None,
        visible=len(choices) > 1,
    )


def shows_cards(forms: Collection[str]) -> bool:
    """Whether the chooser shows these forms as cards."""
    return MAX_PLAIN_BUTTONS < len(forms) <= MAX_BUTTONS


def _write_cards(service: Service) -> str:
    """Write the style of the chooser's cards; "" without cards."""
    if not shows_cards(service.forms):
        return ""
    cards = []
    for form in service.forms.values():
        cover = service.find_cover(form.name)
        address = make_cover_url(form.name, cover) if cover else ""
        cards.append(PresetCard(form.title, form.file.icon, address))
    return write_card_style(cards)


def _name_choice(form: Form, is_long: bool) -> str:
    """Write the name of a preset in the chooser; in a long list, with its group."""
    name = f"{form.file.icon} {form.title}"
    group = form.file.group
    if is_long and group:
        name = f"{group} · {name}"
    return name.strip()


def _listen_chooser(
    blocks: gr.Blocks, chooser: gr.Radio | gr.Dropdown, panels: list[Panel], view: gr.HTML
) -> None:
    """Connect the chooser. The page itself shows the chosen form (chooser.js): a late answer of the
    server would undo a later choice.
    """
    shown: list[Block] = []
    names: list[str] = []
    for panel in panels:
        for block in (panel.column, *panel.late):
            shown.append(block)
            names.append(panel.form.name)
    places = json.dumps(names)
    open_addressed = f"async () => (await comfygradioPage).openAddressed({places})"
    load = f"() => {{ {SHOW_WHOLE} return ({open_addressed})(); }}"
    if isinstance(chooser, gr.Dropdown):
        # The script listens to radio buttons by itself, and gets their events sooner.
        set_address = "async (name) => { (await comfygradioPage).address(name); return []; }"
        chooser.input(None, chooser, None, js=set_address, **PRIVATE)
        # Nor can it choose in a list as it presses a radio button.
        view.addressed(None, None, [chooser, *shown], js=open_addressed, **PRIVATE)
    show = f"async (name) => (await comfygradioPage).showForm(name, {places})"
    chooser.change(None, chooser, shown, js=show, **PRIVATE)
    blocks.load(None, None, [chooser, *shown], js=load, **PRIVATE)


def _listen_refresh(
    refresh: gr.Button, refreshed: gr.HTML, service: Service, panels: list[Panel]
) -> None:
    """Connect the button that reads the server's lists again; `refreshed` says what came of it.

    Gradio 6.31 shows the error of an event outside of its queue at the event's outputs alone, and
    a text of `gr.Info` not at all.
    """
    names: list[tuple[str, str]] = []
    lists: list[Component] = []
    for panel in panels:
        for name, component in panel.components.items():
            field = panel.form.fields[name]
            if isinstance(component, gr.Dropdown) and field.choices:
                names.append((panel.form.name, name))
                lists.append(component)

    def reread() -> list[Any]:
        try:
            changed = service.refresh()
        except ComfyGradioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if changed:
            said = "The forms have changed: reload this page to see them."
        else:
            said = "The lists are up to date."
        updates: list[Any] = [f'<p role="status">{said}</p>']
        for (preset, name), component in zip(names, lists, strict=True):
            form = service.forms[preset]
            field = form.fields.get(name)
            if field:
                updates.append(refresh_component(field, component))
            else:
                updates.append(gr.skip())
        return updates

    refresh.click(reread, None, [refreshed, *lists], **QUICK)
