"""The layout of a form: simple fields, then groups under their headings, then what is
folded away.
"""

from __future__ import annotations

from collections.abc import Iterable

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.ui.fields import build_component, find_choices
from comfygradio.ui.studio import Studio

Drawn = tuple[dict[str, Component], dict[str, Block]]


def build_fields(form: Form, studio: Studio) -> Drawn:
    """Draw all fields; the components and, for fields with `show_if`, what is shown and hidden, in
    the form's order.
    """
    artist = _Artist(form, studio)
    simple = [one for one in form.fields.values() if not one.advanced]
    artist.draw_all(one for one in simple if not one.group)
    for group in dict.fromkeys(one.group for one in simple if one.group):
        with gr.Accordion(group, open=True, elem_classes="cg-group"):
            artist.draw_all(one for one in simple if one.group == group)
    advanced = [one for one in form.fields.values() if one.advanced]
    if advanced:
        with gr.Accordion("More settings", open=False):
            artist.draw_all(one for one in advanced if not one.group)
            for group in dict.fromkeys(one.group for one in advanced if one.group):
                with gr.Accordion(group, open=True, elem_classes="cg-group"):
                    artist.draw_all(one for one in advanced if one.group == group)
    return {name: artist.components[name] for name in form.fields}, artist.holders


class _Artist:
    """Draws fields into whatever block is open, and remembers them."""

    def __init__(self, form: Form, studio: Studio) -> None:
        self._form = form
        self._studio = studio
        self._visible = form.find_visible({})
        self.components: dict[str, Component] = {}
        self.holders: dict[str, Block] = {}

    def draw_all(self, fields: Iterable[Field]) -> None:
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
        name, preset, studio = field.name, self._form.name, self._studio
        self.components[name] = build_component(
            field, preset, lambda: find_choices(studio.find_field(preset, name))
        )
