"""Fields as Gradio components, and what a browser or a program sends for them as values that a form can check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.utils import get_upload_folder

from comfygradio.forms.field import Choice, Field

EXACT = 2**53
"""Whole numbers beyond this are rounded by a JavaScript number, so such fields are drawn as text."""


def build_component(field: Field, preset: str) -> Component:
    """Draw one field. Gradio's own checks stay off (our events take raw payloads): the form checks every value."""
    common = {
        "label": field.label,
        "info": field.help or None,
        "elem_id": f"cg-{preset}-{field.name}",
        "interactive": True,
    }
    return BUILDERS[field.widget](field, common)


def read_payload(field: Field, payload: Any) -> Any:
    """The value in what Gradio received for a component, or a program sent: an uploaded file becomes its path.

    A path outside of Gradio's upload folder is nobody's upload and is dropped, whoever names it.
    """
    if field.widget != "image":
        return payload
    path = payload.get("path") if isinstance(payload, Mapping) else None
    if not isinstance(path, str) or "\0" in path:
        return None
    uploaded = Path(path).resolve()
    return uploaded if uploaded.is_relative_to(Path(get_upload_folder()).resolve()) else None


def show_value(field: Field, value: Any) -> Any:
    """A preset's value as the component holds it: seeds, and numbers that JavaScript would round, as text."""
    return str(value) if field.widget == "seed" or (isinstance(value, int) and abs(value) > EXACT) else value


def refresh_component(field: Field) -> dict[str, Any] | Component:
    """An update with the server's newest choices; the chosen value stays."""
    return gr.Dropdown(choices=_list(field.choices)) if field.widget == "dropdown" else gr.skip()


def _text(field: Field, common: dict[str, Any]) -> Component:
    lines = 3 if field.widget == "textarea" else 1
    return gr.Textbox(field.default, lines=lines, max_lines=12, placeholder=field.placeholder or None, **common)


def _number(field: Field, common: dict[str, Any]) -> Component:
    if max(abs(field.minimum or 0), abs(field.maximum or 0)) > EXACT and field.is_integer:
        return gr.Textbox(str(field.default), max_lines=1, **common)
    limits: dict[str, Any] = {
        "minimum": field.minimum,
        "maximum": field.maximum,
        "step": field.step or (1 if field.is_integer else None),
    }
    return gr.Number(field.default, precision=0 if field.is_integer else None, **limits, **common)


def _slider(field: Field, common: dict[str, Any]) -> Component:
    if field.minimum is None or field.maximum is None:
        return _number(field, common)
    step = field.step or (1 if field.is_integer else 0.01)
    return gr.Slider(field.minimum, field.maximum, field.default, step=step, precision=None, **common)


def _choice(field: Field, common: dict[str, Any]) -> Component:
    if field.widget == "radio":
        return gr.Radio(_list(field.choices), value=field.default, **common)
    return gr.Dropdown(_list(field.choices), value=field.default, filterable=True, **common)


def _size(field: Field, common: dict[str, Any]) -> Component:
    if field.choices is None:
        return gr.Textbox(field.default, max_lines=1, placeholder="768x512", **common)
    kind = gr.Radio if len(field.choices) <= 5 else gr.Dropdown
    return kind(_list(field.choices), value=field.default, **common)


def _checkbox(field: Field, common: dict[str, Any]) -> Component:
    return gr.Checkbox(field.default, **common)


def _seed(field: Field, common: dict[str, Any]) -> Component:
    with gr.Row(elem_classes="cg-seed", equal_height=False):
        default = "" if field.default is None else str(field.default)
        text = gr.Textbox(default, max_lines=1, placeholder="new every time", scale=4, min_width=160, **common)
        dice = gr.Button("🎲", elem_classes="cg-icon", min_width=44, scale=0)
        lock = gr.Button("🔒", elem_classes="cg-icon", min_width=44, scale=0)
    dice.click(None, None, text, js="() => ''", api_visibility="private")
    lock.click(None, text, text, js="(seed) => window.comfygradioSeed || seed", api_visibility="private")
    return text


def _image(field: Field, common: dict[str, Any]) -> Component:
    del common["info"]
    sources: list[Any] = ["upload", "clipboard"]
    return gr.Image(
        type="filepath",
        image_mode=None,
        sources=sources,
        height=240,
        buttons=["fullscreen"],
        elem_classes="cg-upload",
        **common,
    )


def _list(choices: tuple[Choice, ...] | None) -> list[tuple[str, Any]]:
    return [(choice.label, choice.value) for choice in choices or ()]


BUILDERS: Mapping[str, Callable[[Field, dict[str, Any]], Component]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "slider": _slider,
    "dropdown": _choice,
    "radio": _choice,
    "checkbox": _checkbox,
    "seed": _seed,
    "size": _size,
    "image": _image,
}
