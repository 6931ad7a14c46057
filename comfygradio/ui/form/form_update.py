"""Form updates: put settings from another page into a form and show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.ui.form.panel import PRIVATE, Panel
from comfygradio.ui.form.restore_panel import list_updates
from comfygradio.ui.identity.person import find_person

NUMBER = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")

ReadUpdate = Callable[[gr.EventData, str], tuple[str, dict[str, Any], list[str]]]
"""Preset, field → value, and notes, for what an event names, in the session that it comes from.
Raises ComfyGradioError.
"""


def connect_form_updates(
    view: gr.HTML,
    listen: Callable[..., Any],
    read: ReadUpdate,
    panels: Sequence[Panel],
    chooser: Component,
) -> None:
    """When the view's event comes, fill a form and show it; the view is told what was done, or why
    not.
    """
    components: list[Component] = []
    for panel in panels:
        components.extend(panel.components.values())
    own = [component for component in components if isinstance(component, gr.HTML)]

    def fill(request: gr.Request, event: gr.EventData, *payloads: Any) -> list[Any]:
        stay = dict(zip(map(id, own), payloads, strict=True))
        answer: dict[str, Any] = {"number": parse_request_number(event)}
        try:
            name, values, notes = read(event, find_person(request).session)
        except ComfyGradioError as error:
            told = {**answer, "error": str(error)}
            nothing = list_updates(panels, "", {}, stay)
            return [told, gr.skip(), *nothing]
        told = {**answer, "used": name, "notes": notes}
        updates = list_updates(panels, name, values, stay)
        return [told, name, *updates]

    listen(fill, own, [view, chooser, *components], queue=False, **PRIVATE)


def parse_request_number(event: gr.EventData) -> str | None:
    """The number by which a view knows its question: its time and a count, as history.js writes
    it. Nothing else that was sent goes back.
    """
    number = getattr(event, "number", None)
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        return None
    return number
