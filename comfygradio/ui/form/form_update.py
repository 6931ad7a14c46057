"""Form updates: put settings from another page into a form, and show the form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.form.restore_panel import (
    list_components,
    list_own_components,
    list_updates,
    map_current_values,
)
from comfygradio.ui.identity.person import find_person

NUMBER = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")

ReadUpdate = Callable[[gr.EventData, str], tuple[str, dict[str, Any], list[str]]]
"""Reads the settings that an event names, in the given login session: returns the preset, field →
value, and notes. Raises ComfyGradioError.
"""


def connect_form_updates(
    view: gr.HTML,
    listen: Callable[..., Any],
    read: ReadUpdate,
    panels: Sequence[Panel],
    chooser: Component,
) -> None:
    """On the view's event, fill a form and show it; tell the view what was done, or why not."""
    components = list_components(panels)
    own = list_own_components(panels)

    def fill(request: gr.Request, event: gr.EventData, *payloads: Any) -> list[Any]:
        current = map_current_values(own, payloads)
        number = parse_request_number(event)
        session = find_person(request).session
        try:
            preset, values, notes = read(event, session)
        except ComfyGradioError as error:
            failure = {"number": number, "error": str(error)}
            unchanged = list_updates(panels, "", {}, current)
            return [failure, gr.skip(), *unchanged]
        success = {"number": number, "used": preset, "notes": notes}
        updates = list_updates(panels, preset, values, current)
        return [success, preset, *updates]

    listen(fill, own, [view, chooser, *components], **QUICK)


def parse_request_number(event: gr.EventData) -> str | None:
    """Parse the number by which a view recognises the answer to its request: a time and a count, as
    history.js writes it. Nothing else that was sent goes back.
    """
    number = getattr(event, "number", None)
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        return None
    return number
