"""The page of sweeps, and the button below each form that begins one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.ui.form.form_update import connect_form_updates
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.form.sheet_import import open_editor
from comfygradio.ui.identity.page_function import make_enter_function
from comfygradio.ui.static import build_mount_script, read_static
from comfygradio.ui.sweep.sweep_api import SweepApi

Json = dict[str, Any]


def build_sweep_page(api: SweepApi) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author_page`)."""
    view = gr.HTML(
        None,
        html_template=read_static("sweep/sweep.html"),
        js_on_load=build_mount_script("sweep/sweep_page.js", events=("enter", "use"), page="sweep"),
        server_functions=api.list_functions(),
        elem_id="cg-sweep",
        elem_classes="cg-page-sweep",
    )
    view.enter(make_enter_function(api.page_sessions), None, view, **QUICK)
    return view


def listen_sweep_page(
    view: gr.HTML, api: SweepApi, panels: Sequence[Panel], chooser: Component
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
    connect_form_updates(view, view.use, api.read_values, panels, chooser)


def _make_compose(panel: Panel) -> Callable[..., Json]:
    """Make the function of a panel's button, which opens the editor with the panel's values."""
    names = list(panel.components)
    preset = panel.form.name

    def compose(*payloads: Any) -> Json:
        values = dict(zip(names, payloads, strict=True))
        return open_editor(preset, values)

    return compose
