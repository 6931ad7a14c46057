"""The page of sweeps, and the button below each form that begins one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.service.service import Service
from comfygradio.ui.assets import read_asset
from comfygradio.ui.form.form_update import connect_form_updates
from comfygradio.ui.form.panel import PRIVATE, Panel
from comfygradio.ui.form.sheet_import import open_editor
from comfygradio.ui.identity.page_session import (
    PageSessions,
    make_enter_function,
    make_page_function,
    make_submitting_function,
)
from comfygradio.ui.sweep.sweep_api import SweepApi

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}

SCRIPTS = ("new", "choices", "one", "arrange", "grid", "cell", "open", "list", "save")

Json = dict[str, Any]


def build_sweeps(service: Service, page_sessions: PageSessions) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author`)."""
    api = SweepApi(service, page_sessions)
    drafting = (api.prepare, api.choices)
    ordering = {"study": api.study, "start": api.start}
    watching = (api.list_all, api.glance, api.open, api.news, api.settings, api.change)
    steering = (api.pause, api.resume, api.stop, api.retry, api.rate, api.delete)
    functions = [
        make_page_function(one, page_sessions) for one in (*drafting, *watching, *steering)
    ]
    functions += [
        make_submitting_function(one, page_sessions, name) for name, one in ordering.items()
    ]
    own = [f"sweep_{name}.js" for name in SCRIPTS]
    names = ["storage.js", "person.js", "answer.js", "sweep.js", *own]
    view = gr.HTML(
        None,
        html_template=read_asset("sweep.html"),
        js_on_load="\n".join(map(read_asset, names)),
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
    """Connect the buttons that begin a sweep with a form's values, and what goes back into the
    forms.
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
    names = list(panel.components)
    preset = panel.form.name

    def compose(*payloads: Any) -> Json:
        values = dict(zip(names, payloads, strict=True))
        return open_editor(preset, values)

    return compose
