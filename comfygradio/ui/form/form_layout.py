"""The layout of a form: simple fields, then what is folded away, each in the form's order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from comfygradio.forms.field import Choice, Field
from comfygradio.forms.form import Form
from comfygradio.service.service import Service
from comfygradio.ui.form.field_component import build_component, find_choices

Drawn = tuple[dict[str, Component], dict[str, Block]]


def build_fields(form: Form, service: Service) -> Drawn:
    """Draw all fields; the components and, for fields with `show_if`, what is shown and hidden, in
    the form's order.
    """
    artist = _FieldDrawer(form, service)
    simple = [one for one in form.fields.values() if not one.advanced]
    artist.draw_grouped(simple)
    advanced = [one for one in form.fields.values() if one.advanced]
    if advanced:
        with gr.Accordion("More settings", open=False):
            artist.draw_grouped(advanced)
    return {name: artist.components[name] for name in form.fields}, artist.holders


class _FieldDrawer:
    """Draws fields into whatever block is open, and remembers them."""

    def __init__(self, form: Form, service: Service) -> None:
        self._form = form
        self._service = service
        self._visible = form.find_visible({})
        self.components: dict[str, Component] = {}
        self.holders: dict[str, Block] = {}

    def draw_grouped(self, fields: Sequence[Field]) -> None:
        """Draw these fields in their order; a group stands where its first field does."""
        drawn: set[str] = set()
        for field in fields:
            if not field.group:
                self._draw_all([field])
            elif field.group not in drawn:
                drawn.add(field.group)
                with gr.Accordion(field.group, open=True, elem_classes="cg-group"):
                    self._draw_all(one for one in fields if one.group == field.group)

    def _draw_all(self, fields: Iterable[Field]) -> None:
        """Draw these fields one below the other."""
        for field in fields:
            if not field.show_if:
                self._draw(field)
                continue
            with gr.Column(
                visible=self._visible[field.name], elem_classes="cg-conditional"
            ) as holder:
                self._draw(field)
            self.holders[field.name] = holder

    def _draw(self, field: Field) -> None:
        preset = self._form.name

        def list_newest_choices() -> Sequence[Choice]:
            newest = self._service.find_field(preset, field.name)
            return find_choices(newest)

        self.components[field.name] = build_component(field, preset, list_newest_choices)
