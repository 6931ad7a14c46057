"""The page of sweeps, and the button below each form that begins one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.ui.assets import read_asset
from comfygradio.ui.filling import fill_forms
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.panel import PRIVATE, Panel
from comfygradio.ui.person import name_owner
from comfygradio.ui.studio import Studio
from comfygradio.ui.sweep.desk import SweepDesk
from comfygradio.ui.sweep.restoring import begin_sweep
from comfygradio.ui.visitors import Visitors, publish, publish_order

QUICK: dict[str, Any] = {**PRIVATE, "queue": False}

SCRIPTS = ("new", "choices", "one", "arrange", "grid", "cell", "open", "list", "save")

Json = dict[str, Any]


def build_sweeps(studio: Studio, visitors: Visitors) -> gr.HTML:
    """Draw the page inside the current Blocks, before the forms (see `build_author`)."""
    desk = SweepDesk(studio, visitors)
    drafting = (desk.prepare, desk.choices)
    ordering = {"study": desk.study, "start": desk.start}
    watching = (desk.list_all, desk.glance, desk.open, desk.news, desk.settings, desk.change)
    steering = (desk.pause, desk.resume, desk.stop, desk.retry, desk.rate, desk.delete)
    functions = [publish(one, visitors) for one in (*drafting, *watching, *steering)]
    functions += [publish_order(one, visitors, name) for name, one in ordering.items()]
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

    def admit(request: gr.Request, event: gr.EventData) -> Json:
        owner = name_owner(request, getattr(event, "person", None))
        session = find_person(request).session
        return {"access": visitors.admit(owner, session)}

    view.enter(admit, None, view, **QUICK)
    return view


def listen_sweeps(
    view: gr.HTML, studio: Studio, visitors: Visitors, panels: Sequence[Panel], chooser: Component
) -> None:
    """Connect the buttons that begin a sweep with a form's values, and what goes back into the
    forms.
    """
    for panel in panels:
        if panel.foot is None:
            continue
        inputs = list(panel.components.values())
        compose = _make_compose(panel)
        panel.foot.several.click(compose, inputs, view, preprocess=False, **QUICK)
    desk = SweepDesk(studio, visitors)
    fill_forms(view, view.use, desk.read_values, panels, chooser)


def _make_compose(panel: Panel) -> Callable[..., Json]:
    names = list(panel.components)
    preset = panel.form.name

    def compose(*payloads: Any) -> Json:
        values = dict(zip(names, payloads, strict=True))
        return begin_sweep(preset, values)

    return compose
