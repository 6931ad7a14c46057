"""The page of sweeps, and the button below each form that begins one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.service.service import Service
from comfygradio.ui.form.form_update import connect_form_updates
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.form.sheet_import import open_editor
from comfygradio.ui.identity.page_session import (
    PageSessions,
    make_enter_function,
    make_page_function,
    make_submitting_function,
)
from comfygradio.ui.static import build_mount_script, read_static
from comfygradio.ui.sweep.sweep_api import SweepApi

Json = dict[str, Any]


def build_sweeps(service: Service, page_sessions: PageSessions) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author`)."""
    api = SweepApi(service, page_sessions)
    methods = (
        api.prepare,
        api.choices,
        api.list_all,
        api.open,
        api.settings,
        api.pause,
        api.resume,
        api.stop,
        api.retry,
        api.rate,
        api.delete,
    )
    functions = [make_page_function(method, page_sessions) for method in methods]
    functions += [
        make_page_function(api.get_card, page_sessions, "glance"),
        make_page_function(api.get_changes, page_sessions, "news"),
        make_page_function(api.edit, page_sessions, "change"),
        make_submitting_function(api.replan, page_sessions, "study"),
        make_submitting_function(api.start, page_sessions, "start"),
    ]
    view = gr.HTML(
        None,
        html_template=read_static("sweep/sweep.html"),
        js_on_load=build_mount_script("sweep/sweep_page.js", events=("enter", "use")),
        server_functions=functions,
        elem_id="cg-sweep",
        elem_classes="cg-page-sweep",
    )

    view.enter(make_enter_function(page_sessions), None, view, **QUICK)
    return view


def listen_sweeps(
    view: gr.HTML,
    service: Service,
    page_sessions: PageSessions,
    panels: Sequence[Panel],
    chooser: Component,
) -> None:
    """Connect the buttons that open the editor with a form's values, and the event that puts the
    settings of a cell into a form.
    """
    for panel in panels:
        if panel.footer is None:
            continue
        inputs = list(panel.components.values())
        compose = _make_compose(panel)
        panel.footer.sweep_button.click(compose, inputs, view, preprocess=False, **QUICK)
    api = SweepApi(service, page_sessions)
    connect_form_updates(view, view.use, api.read_values, panels, chooser)


def _make_compose(panel: Panel) -> Callable[..., Json]:
    """Make the function of a panel's button, which opens the editor with the panel's values."""
    names = list(panel.components)
    preset = panel.form.name

    def compose(*payloads: Any) -> Json:
        values = dict(zip(names, payloads, strict=True))
        return open_editor(preset, values)

    return compose
