"""Components for fields: Gradio's own where they suit, else ours."""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from comfygradio.forms.field import Field
from comfygradio.forms.fill import FROM_FORM
from comfygradio.forms.kinds.value import Choice, InvalidValue
from comfygradio.forms.model_folder import offers_models
from comfygradio.forms.value_check import check_value
from comfygradio.forms.value_json import value_to_json
from comfygradio.metadata.inversion import escape_dynamic
from comfygradio.ui.form.custom_component import (
    ModelPlace,
    build_embeddings,
    build_loras,
    build_models,
    build_picker,
    build_size,
)
from comfygradio.ui.form.model_functions import Choices
from comfygradio.ui.form.size_label import label_sizes

MAX_EXACT_INTEGER = 2**53
"""JavaScript rounds larger integers, so fields that allow them are drawn as text."""

SEARCHED_LIST_LENGTH = 200
"""Lists with more choices are searched by the server: thousands of choices make a browser slow."""

MAX_SIZE_BUTTONS = 5
"""Most sizes that are shown as buttons; more are a list."""

MAX_PLACEHOLDER = 300
"""Most characters of a workflow's own prompt that an empty box shows."""

EMPTY_CHOICE = ("None", "")
"""The entry that leaves an optional list empty."""


@dataclass(frozen=True)
class FieldDrawing:
    """The input for drawing a field: the field, the name of its preset, a function that returns its
    newest choices, and the models folder that it offers, if any.
    """

    field: Field
    preset: str
    choices: Choices
    folder: str = ""

    @property
    def elem_id(self) -> str:
        """The id of the field's element."""
        return name_element(self.preset, self.field.name)

    @property
    def model_place(self) -> ModelPlace:
        """Where the pictures of its models are."""
        return ModelPlace(self.preset, self.field.name, self.folder)

    def list_choices(self) -> tuple[Choice, ...]:
        """List the newest choices, with the entry that leaves an optional list empty."""
        listed = tuple(self.choices())
        if not self.field.optional:
            return listed
        return (Choice(*EMPTY_CHOICE), *listed)

    @property
    def common(self) -> dict[str, Any]:
        """The arguments that every component of Gradio's takes."""
        info = self.field.help or None
        return {
            "label": self.field.label,
            "info": info,
            "elem_id": self.elem_id,
            "interactive": True,
        }


def build_component(field: Field, preset: str, choices: Choices, folder: str = "") -> Component:
    """Draw one field; `folder` is the models folder that it offers, if any.

    Gradio's own checks do not run, since our events take raw payloads: the form checks every value.
    """
    build = BUILDERS[field.widget]
    drawing = FieldDrawing(field, preset, choices, folder)
    return build(drawing)


def name_element(preset: str, field: str) -> str:
    """Return the id of a field's element on the page."""
    return f"cg-{preset}-{field}"


def to_component_value(field: Field, value: Any) -> Any:
    """Convert a preset's value to that of the component: seeds, and numbers that JavaScript would
    round, become text.
    """
    if field.kind.is_seed:
        return "" if value is None else str(value)
    try:
        checked = check_value(field, value)
        shown = value_to_json(field, checked)
    except InvalidValue:
        shown = field.kind.salvage(value)
    if shown is None:
        return _choose_empty_value(field)
    if isinstance(shown, int) and abs(shown) > MAX_EXACT_INTEGER:
        return str(shown)
    return shown


def _choose_empty_value(field: Field) -> Any:
    """Choose what the component of a field holds if there is no value."""
    if field.kind.holds_list(field):
        return []
    return "" if field.choices else None


def sent_to_component_value(field: Field, value: Any, values: Mapping[str, Any]) -> Any:
    """Convert a value of a job or a picture to that of the component; `values` are all values of
    the job.

    A text that was sent unexpanded is escaped, so that the form sends the same text again: the form
    would expand `{a|b}`.
    """
    if isinstance(value, str) and field.kind.is_text and field.expanding_slots:
        was_expanded = field.always_expands or values.get(FROM_FORM) is True
        if not was_expanded:
            value = escape_dynamic(value)
    return to_component_value(field, value)


def refresh_component(field: Field, component: Component) -> dict[str, Any] | Component:
    """Make an update with the server's newest choices; the chosen value stays."""
    if isinstance(component, gr.Dropdown):
        return gr.Dropdown(choices=_list(field))
    nothing: dict[str, Any] = gr.skip()
    return nothing


def _text(drawing: FieldDrawing) -> Component:
    return _build_text(drawing, is_long=False)


def _textarea(drawing: FieldDrawing) -> Component:
    return _build_text(drawing, is_long=True)


def _build_text(drawing: FieldDrawing, *, is_long: bool) -> Component:
    field = drawing.field
    text = gr.Textbox(
        "" if field.starts_empty else field.default,
        lines=3 if is_long else 1,
        max_lines=12,
        placeholder=choose_placeholder(field) or None,
        elem_classes="cg-prompt" if is_long else None,
        **drawing.common,
    )
    if field.embeddings:
        build_embeddings(field.embeddings, drawing.elem_id)
    return text


def choose_placeholder(field: Field) -> str:
    """Choose what a text shows while it is empty: the author's words, else the workflow's own."""
    if field.placeholder or not field.starts_empty:
        return field.placeholder
    own = str(field.default)
    return textwrap.shorten(own, MAX_PLACEHOLDER, placeholder=" …")


def _number(drawing: FieldDrawing) -> Component:
    field = drawing.field
    lowest = abs(field.minimum or 0)
    highest = abs(field.maximum or 0)
    if field.is_integer and max(lowest, highest) > MAX_EXACT_INTEGER:
        default = "" if field.default is None else str(field.default)
        return gr.Textbox(default, max_lines=1, **drawing.common)
    least_step = 1 if field.is_integer else None
    limits: dict[str, Any] = {
        "minimum": field.minimum,
        "maximum": field.maximum,
        "step": field.step or least_step,
    }
    precision = 0 if field.is_integer else None
    return gr.Number(field.default, precision=precision, **limits, **drawing.common)


def _slider(drawing: FieldDrawing) -> Component:
    field = drawing.field
    if field.minimum is None or field.maximum is None or field.default is None:
        return _number(drawing)
    if field.exempt_value is not None:
        # A slider would move a value that lies between its steps.
        return _number(drawing)
    least_step = 1 if field.is_integer else 0.01
    return gr.Slider(
        field.minimum,
        field.maximum,
        field.default,
        step=field.step or least_step,
        precision=None,
        **drawing.common,
    )


def _radio(drawing: FieldDrawing) -> Component:
    field = drawing.field
    chosen = "" if field.default is None else field.default
    return gr.Radio(_list(field), value=chosen, **drawing.common)


def _dropdown(drawing: FieldDrawing) -> Component:
    field = drawing.field
    if offers_models(field, drawing.folder):
        return build_models(field, drawing.choices, drawing.elem_id, drawing.model_place)
    if len(field.choices or ()) > SEARCHED_LIST_LENGTH and not field.is_multiple:
        return build_picker(field, drawing.list_choices, drawing.elem_id)
    nothing: Any = [] if field.is_multiple else ""
    return gr.Dropdown(
        _list(field),
        value=nothing if field.default is None else field.default,
        multiselect=field.is_multiple,
        filterable=True,
        **drawing.common,
    )


def _size(drawing: FieldDrawing) -> Component:
    field = drawing.field
    if field.choices is None:
        return build_size(field, drawing.elem_id)
    if len(field.choices) > MAX_SIZE_BUTTONS:
        return gr.Dropdown(_list(field), value=field.default, **drawing.common)
    # The style page.css shows the second line of a label small.
    listed = _list(field, size_separator="\n")
    return gr.Radio(listed, value=field.default, elem_classes="cg-sizes", **drawing.common)


def _checkbox(drawing: FieldDrawing) -> Component:
    return gr.Checkbox(drawing.field.default, **drawing.common)


def _color(drawing: FieldDrawing) -> Component:
    return gr.ColorPicker(drawing.field.default, **drawing.common)


def _loras(drawing: FieldDrawing) -> Component:
    return build_loras(drawing.field, drawing.choices, drawing.elem_id, drawing.model_place)


def _seed(drawing: FieldDrawing) -> Component:
    default = "" if drawing.field.default is None else str(drawing.field.default)
    with gr.Row(elem_classes="cg-seed", equal_height=False):
        text = gr.Textbox(
            default,
            max_lines=1,
            placeholder="new every time",
            scale=4,
            min_width=160,
            **drawing.common,
        )
        dice = gr.Button(
            "A new seed every time", elem_classes="cg-icon cg-dice", min_width=44, scale=0
        )
        lock = gr.Button(
            "The seed of the last picture", elem_classes="cg-icon cg-lock", min_width=44, scale=0
        )
        counting = gr.Button(
            "Next picture: seed + 1",
            elem_id=f"{drawing.elem_id}-counting",
            elem_classes="cg-icon cg-counting",
            min_width=44,
            scale=0,
        )
    seed_id = json.dumps(drawing.elem_id)
    # Whoever wants a new seed every time does not count.
    empty = f"async () => {{ (await comfygradioPage).stopCounting({seed_id}); return ''; }}"
    dice.click(None, None, text, js=empty, api_visibility="private")
    toggle = f"async () => {{ (await comfygradioPage).toggleCounting({seed_id}); }}"
    counting.click(None, None, None, js=toggle, api_visibility="private")
    last = f"(await comfygradioPage).readLastSeed({json.dumps(drawing.preset)})"
    keep_last = f"async (seed) => {last} || seed"
    lock.click(None, text, text, js=keep_last, api_visibility="private")
    return text


def _image(drawing: FieldDrawing) -> Component:
    sources: list[Any] = ["upload", "clipboard"]
    common = _without_info(drawing)
    return gr.Image(
        type="filepath",
        image_mode=None,
        sources=sources,
        height=240,
        buttons=["fullscreen"],
        **common,
    )


def _mask(drawing: FieldDrawing) -> Component:
    sources: list[Any] = ["upload", "clipboard"]
    common = {**_without_info(drawing), "elem_classes": ["cg-upload", "cg-mask"]}
    brush = gr.Brush(
        default_size="auto", colors=["#f43f5eb3"], default_color="#f43f5eb3", color_mode="fixed"
    )
    editor = gr.ImageEditor(
        type="filepath",
        image_mode="RGBA",
        sources=sources,
        transforms=(),
        layers=False,
        brush=brush,
        eraser=gr.Eraser(default_size="auto"),
        height=420,
        buttons=["fullscreen"],
        **common,
    )
    # Our page never sends parts of a picture; left open, one call may take 400 MB (Gradio 6.31).
    setattr(editor, "accept_blobs", None)  # noqa: B010 - a method of the class
    return editor


def _video(drawing: FieldDrawing) -> Component:
    return gr.Video(sources=["upload"], height=280, **_without_info(drawing))


def _audio(drawing: FieldDrawing) -> Component:
    return gr.Audio(sources=["upload", "microphone"], type="filepath", **_without_info(drawing))


def _file(drawing: FieldDrawing) -> Component:
    return gr.File(type="filepath", height=120, **_without_info(drawing))


def _without_info(drawing: FieldDrawing) -> dict[str, Any]:
    """Return the common arguments for an upload component, and draw the field's help above it:
    Gradio's upload components show none.
    """
    if drawing.field.help:
        text = html.escape(drawing.field.help)
        gr.HTML(f'<p class="cg-info">{text}</p>', js_on_load=None, elem_classes="cg-help")
    common = drawing.common
    del common["info"]
    common["elem_classes"] = "cg-upload"
    return common


def _list(field: Field, size_separator: str = " · ") -> list[tuple[str, Any]]:
    choices = field.choices or ()
    listed: list[tuple[str, Any]] = [(choice.label, choice.value) for choice in choices]
    if field.widget == "size":
        listed = [*label_sizes(choices, size_separator)]
    if field.optional and not field.is_multiple:
        return [EMPTY_CHOICE, *listed]
    return listed


def find_choices(field: Field | None) -> tuple[Choice, ...]:
    """Return the choices of a field; none if the field is gone."""
    if field is None:
        return ()
    return field.choices or ()


BUILDERS: Mapping[str, Callable[[FieldDrawing], Component]] = {
    "text": _text,
    "textarea": _textarea,
    "number": _number,
    "slider": _slider,
    "dropdown": _dropdown,
    "radio": _radio,
    "checkbox": _checkbox,
    "seed": _seed,
    "size": _size,
    "color": _color,
    "loras": _loras,
    "image": _image,
    "mask": _mask,
    "video": _video,
    "audio": _audio,
    "file": _file,
}
