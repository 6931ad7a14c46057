"""The line of tools at a form: *Reset*, *Copy link*, saved settings; it also brings what is kept of
the form, or what a link carries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.errors import LimitReached, PresetError, ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.jobs.kept_form_store import MAX_NAME
from comfygradio.service.service import Service
from comfygradio.ui.form.form_link import is_foreign, read_link, write_link
from comfygradio.ui.form.form_values import (
    CheckedValues,
    check_values,
    find_changed,
    list_defaults,
)
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
        methods = (
            self.arrive,
            self.keep,
            self.link,
            self.reset,
            self.save,
            self.choose,
            self.delete,
        )
        return [make_owner_function(method, self._page_sessions) for method in methods]

    def arrive(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return what belongs into a form that is shown for the first time: what is kept of it for
        its person, over that what the tab had not sent before a reload (`custom`), and over that
        what the address carries. `taken` names the parts of the address that are done with,
        `linked` the fields that it fills.

        Nothing that is kept comes into a form that has been filled already, as from History.
        """
        form = self._find_form(asked)
        is_untouched = not find_changed(form, _read_mapping(asked, "present")).values
        kept = self._check_kept(owner, form) if is_untouched else CheckedValues()
        custom = check_values(form, _read_mapping(asked, "custom") if is_untouched else {})
        parameters = _read_mapping(asked, "link")
        taken = [name for name in parameters if not is_foreign(form, name)]
        linked = CheckedValues()
        problem = None
        try:
            linked = read_link(form, parameters)
            problem = _describe_refused(linked, form)
        except LimitReached as error:
            problem = {**describe_problem(error, form), "late": True}
        return {
            "values": {**kept.values, **custom.values, **linked.values},
            "left": _list_labels(form, {**kept.refused, **custom.refused}),
            "taken": taken,
            "linked": list(linked.values),
            "isUntouched": is_untouched,
            "problem": problem,
            "names": self._service.kept_forms.list_names(owner, form.name),
        }

    def keep(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Keep a form as its person left it: what differs from the defaults, and the form takes."""
        form = self._find_form(asked)
        changed = find_changed(form, _read_mapping(asked, "values"))
        self._service.kept_forms.keep(owner, form.name, changed.values)
        return {}

    def save(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Save the values of a form under a name; return all names."""
        form = self._find_form(asked)
        name = _read_name(asked)
        if not name:
            raise PresetError("Please give these settings a name.")
        store = self._service.kept_forms
        changed = find_changed(form, _read_mapping(asked, "values"))
        store.keep(owner, form.name, changed.values, name)
        left = _list_labels(form, changed.refused) + _list_files(form, asked)
        return {"names": store.list_names(owner, form.name), "name": name, "left": left}

    def choose(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return the values that were saved under a name; fields that it does not name have their
        defaults, and files stay as they are.
        """
        form = self._find_form(asked)
        name = _read_name(asked)
        saved = self._service.kept_forms.read(owner, form.name, name) if name else None
        if saved is None:
            raise PresetError("These settings are no longer there.")
        checked = check_values(form, saved)
        values = {}
        for field_name, default in list_defaults(form).items():
            if not form.fields[field_name].kind.is_media:
                values[field_name] = checked.values.get(field_name, default)
        return {"values": values, "left": _list_labels(form, checked.refused)}

    def delete(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Delete the settings with a name; return the names that are left, and the values, by which
        they can be saved again.
        """
        form = self._find_form(asked)
        name = _read_name(asked)
        store = self._service.kept_forms
        saved = None
        if name:
            saved = store.read(owner, form.name, name)
            store.delete(owner, form.name, name)
        return {"names": store.list_names(owner, form.name), "values": saved}

    def link(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Write a link of the values that differ from the defaults; return its query, and the
        labels of the fields that it lacks.
        """
        form = self._find_form(asked)
        sent = _read_mapping(asked, "values")
        changed = find_changed(form, sent)
        query, left = write_link(form, changed.values)
        left += _list_labels(form, changed.refused) + _list_files(form, asked)
        return {"query": query, "left": left}

    def reset(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return the default values of a form."""
        form = self._find_form(asked)
        self._service.kept_forms.delete(owner, form.name)
        return {"values": list_defaults(form)}

    def _check_kept(self, owner: str, form: Form) -> CheckedValues:
        """Check what is kept of a form: its preset, or the server, may have changed."""
        kept = self._service.kept_forms.read(owner, form.name)
        return check_values(form, kept or {})

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


def _list_labels(form: Form, refused: Mapping[str, str]) -> list[str]:
    """Name the fields whose values were left out."""
    labels = []
    for name in refused:
        one = form.fields.get(name)
        labels.append(one.label if one else name)
    return labels


def _list_files(form: Form, asked: Mapping[str, Any]) -> list[str]:
    """Name the fields with a file, which is left out."""
    sent = _read_mapping(asked, "values")
    return [one.label for one in form.fields.values() if one.kind.is_media and sent.get(one.name)]


def _read_name(asked: Mapping[str, Any]) -> str:
    """Read the name of settings; "" if there is none."""
    name = asked.get("name")
    if not isinstance(name, str):
        return ""
    printable = "".join(one if one.isprintable() else " " for one in name[: 10 * MAX_NAME])
    return " ".join(printable.split())


def _read_mapping(asked: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = asked.get(key)
    return value if isinstance(value, Mapping) else {}
