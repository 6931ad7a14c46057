"""The line of tools at a form: *Reset*, *Copy link*, and what a link brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import LimitReached, PresetError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.ui.form.form_link import is_foreign, read_link, write_link
from comfygradio.ui.form.form_values import CheckedValues, find_changed, list_defaults
from comfygradio.ui.form.problem_text import describe_problem
from comfygradio.ui.identity.page_function import (
    PageFunction,
    make_enter_function,
    make_owner_function,
)
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.static import build_mount_script

Json = dict[str, Any]

EVENTS = ("enter", "read", "put")

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class FormTools:
    """What the lines of tools of all forms call; each call names its form."""

    def __init__(self, service: Service, page_sessions: PageSessions) -> None:
        self._service = service
        self._page_sessions = page_sessions

    def draw(self, form: Form) -> gr.HTML:
        """Draw the line of a form inside the current Blocks."""
        return gr.HTML(
            None,
            html_template='<div class="cg-tools"></div>',
            js_on_load=build_mount_script("form/form_tools.js", EVENTS),
            server_functions=self.list_functions(),
            elem_classes="cg-tools-block",
            preset=form.name,
        )

    def listen(self, line: gr.HTML, form: Form, components: Mapping[str, Component]) -> None:
        """Connect a line with the fields of its form. The page itself reads the values and puts
        others in their place.
        """
        line.enter(make_enter_function(self._page_sessions), None, line, queue=False, **PRIVATE)
        readable = {}
        for name, component in components.items():
            # A mask editor would send parts of its picture whenever it is read (Gradio 6.31).
            if not isinstance(component, gr.ImageEditor):
                readable[name] = component
        preset = json.dumps(form.name)
        names = json.dumps(list(readable))
        tell = (
            f"async (...values) => {{ (await comfygradioPage).tellValues({preset}, {names}, "
            "values); }"
        )
        line.read(None, list(readable.values()), None, js=tell, **PRIVATE)
        all_names = json.dumps(list(components))
        take = f"async () => (await comfygradioPage).takeValues({preset}, {all_names})"
        line.put(None, None, list(components.values()), js=take, **PRIVATE)

    def list_functions(self) -> list[PageFunction]:
        """List what the script of a line calls."""
        methods = (self.arrive, self.link, self.reset)
        return [make_owner_function(method, self._page_sessions) for method in methods]

    def arrive(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return what belongs into a form that is shown for the first time: what the address
        carries, and what was wrong with that; `taken` names the parts of the address that are done
        with.
        """
        form = self._find_form(asked)
        parameters = _read_mapping(asked, "link")
        taken = [name for name in parameters if not is_foreign(form, name)]
        try:
            linked = read_link(form, parameters)
        except LimitReached as error:
            return {"values": {}, "taken": taken, "problem": describe_problem(error, form)}
        return {
            "values": linked.values,
            "taken": taken,
            "linked": list(linked.values),
            "problem": _describe_refused(linked, form),
        }

    def link(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Write a link of the values that differ from the defaults; return its query, and the
        labels of the fields that it lacks.
        """
        form = self._find_form(asked)
        sent = _read_mapping(asked, "values")
        changed = find_changed(form, sent)
        query, left = write_link(form, changed.values)
        for name, one in form.fields.items():
            has_file = one.kind.is_media and bool(sent.get(name))
            if has_file or name in changed.refused:
                left.append(one.label)
        return {"query": query, "left": left}

    def reset(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return the default values of a form."""
        form = self._find_form(asked)
        return {"values": list_defaults(form)}

    def _find_form(self, asked: Mapping[str, Any]) -> Form:
        """Find the form that a call names. Raises PresetError."""
        name = asked.get("preset")
        form = self._service.find_form(name if isinstance(name, str) else "")
        if form.problems:
            raise PresetError(f"{form.title} cannot be used at the moment.")
        return form


def _describe_refused(checked: CheckedValues, form: Form) -> Json | None:
    """Describe what was wrong for the note of the form; None if nothing was."""
    if not checked.refused:
        return None
    problem = describe_problem(ValuesRefused(checked.refused), form)
    return {**problem, "late": True}


def _read_mapping(asked: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = asked.get(key)
    return value if isinstance(value, Mapping) else {}
