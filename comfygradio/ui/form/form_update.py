"""Form updates: put settings from another part of the page into a form, and show the form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import ComfyGradioError
from comfygradio.service.service import Service
from comfygradio.ui.form.panel import QUICK, Panel
from comfygradio.ui.form.reuse import FormUpdate, use_picture
from comfygradio.ui.identity.person import Person, find_person
from comfygradio.ui.job.job_view import find_record

NUMBER = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")

ReadUpdate = Callable[[gr.EventData, Person], FormUpdate]
"""Reads the settings that an event of this person names. Raises ComfyGradioError.
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
        try:
            preset, values, notes = read(event, find_person(request))
        except ComfyGradioError as error:
            failure = {"number": number, "error": str(error)}
            unchanged = list_updates(panels, "", {}, current)
            return [failure, gr.skip(), *unchanged]
        success = {"number": number, "used": preset, "notes": notes}
        updates = list_updates(panels, preset, values, current)
        return [success, preset, *updates]

    listen(fill, own, [view, chooser, *components], **QUICK)


def make_picture_reader(service: Service) -> ReadUpdate:
    """Make what reads the picture of a job that the job view shows, for a form."""

    def read(event: gr.EventData, person: Person) -> FormUpdate:
        record = find_record(service, getattr(event, "token", None), person)
        return use_picture(record, event, service.forms, service.clock)

    return read


def parse_request_number(event: gr.EventData) -> str | None:
    """Parse the number by which a view recognises the answer to its request: a time and a count, as
    asking.js writes it. Nothing else that was sent goes back.
    """
    number = getattr(event, "number", None)
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        return None
    return number


def list_components(panels: Sequence[Panel]) -> list[Component]:
    """List the components of all panels, in their order."""
    components: list[Component] = []
    for panel in panels:
        components.extend(panel.components.values())
    return components


def list_own_components(panels: Sequence[Panel]) -> list[gr.HTML]:
    """List those components of all panels that are ours, and not Gradio's."""
    own = []
    for component in list_components(panels):
        if isinstance(component, gr.HTML):
            own.append(component)
    return own


def map_current_values(own: Sequence[gr.HTML], payloads: Sequence[Any]) -> dict[int, Any]:
    """Map the `id()` of each of our components to the value that it sent."""
    current = {}
    for component, payload in zip(own, payloads, strict=True):
        current[id(component)] = payload
    return current


def list_updates(
    panels: Sequence[Panel], preset: str, chosen: Mapping[str, Any], current: Mapping[int, Any]
) -> list[Any]:
    """List an update for each component of all panels: the `chosen` values for the form of the
    preset, no change for the others.

    Our own components are set to their `current` values: in Gradio 6.31, an update without a value
    deletes the properties of a `gr.HTML`.
    """
    updates = []
    for panel in panels:
        is_of_preset = panel.form.name == preset
        for name, component in panel.components.items():
            if is_of_preset and name in chosen:
                updates.append(chosen[name])
            else:
                updates.append(current.get(id(component), gr.skip()))
    return updates
