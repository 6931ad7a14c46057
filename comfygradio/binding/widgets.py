"""Widgets: which one suits an input, and which keys of a preset's entry say something about it."""

from __future__ import annotations

from collections.abc import Sequence

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.registry import KINDS, Widget
from comfygradio.forms.kinds.value import Choice
from comfygradio.forms.preset_file import FieldEntry
from comfygradio.forms.problem import BindError

SLIDER_STEPS = 200
"""A number becomes a slider by itself when it has at most this many positions."""
KIND_KEYS = ("choices", "min", "max", "step", "dynamic", "template", "max_mb", "embeddings")
"""Keys of a field that only some kinds use; any other kind would silently ignore them."""


def choose_widget(
    field: Field, entry: FieldEntry, spec: InputSpec, choices: tuple[Choice, ...] | None
) -> Widget:
    """Choose the widget that suits an input by itself.

    Raises BindError where only other nodes can feed it.
    """
    if "width" in field.slots:
        return "size"
    if spec.media is not None:
        # Media are called like their widgets; this gives the text the type Widget.
        return next(widget for widget in KINDS if widget == spec.media)
    if choices is not None or spec.choices is not None:
        return "dropdown"
    # Before the types: a color may be an INT, and a seed is one.
    if "COLOR" in spec.types or spec.options.get("display") == "color":
        return "color"
    if spec.is_seed:
        return "seed"
    if spec.types & {"INT", "FLOAT"}:
        return "slider" if _is_short_range(entry, spec) else "number"
    if "BOOLEAN" in spec.types:
        return "checkbox"
    if "STRING" in spec.types:
        return "textarea" if spec.is_multiline else "text"
    raise BindError(
        "slot",
        f"input {spec.name} takes a {spec.type} from another node and cannot be set from a form.",
    )


def check_widget(
    widget: Widget,
    entry: FieldEntry,
    specs: Sequence[InputSpec],
    choices: tuple[Choice, ...] | None,
) -> None:
    """Raise BindError where a widget does not suit one of its inputs."""
    kind = KINDS[widget]
    for spec in specs:
        if not kind.can_fill(spec):
            raise _describe_unsuited(widget, spec)
        if kind.is_list and choices is None:
            message = (
                f"a {widget} widget needs choices, and the server offers none for input "
                f"{spec.name}."
            )
            raise BindError("widget", message)
        if entry.template is not None and "STRING" not in spec.types:
            raise BindError(
                "widget", f"a template makes a text; input {spec.name} is {_describe_type(spec)}."
            )


def check_keys(field: Field, entry: FieldEntry) -> None:
    """Raise BindError for a key that says nothing about the field's widget."""
    article = "an" if field.widget[0] in "aeiou" else "a"
    for key in KIND_KEYS:
        if getattr(entry, key) is not None and key not in field.kind.keys:
            raise BindError(
                "preset", f"{article} {field.widget} widget has no use for {key}; remove it."
            )
    if field.kind.is_media and entry.default is not None:
        raise BindError(
            "preset",
            f"{article} {field.widget} widget starts empty; remove default, or write fixed "
            "instead.",
        )
    if field.bypass and not field.kind.can_be_off(field):
        raise BindError("preset", "bypass is for fields that may stay empty; add optional: true.")


def _is_short_range(entry: FieldEntry, spec: InputSpec) -> bool:
    """Whether a slider over this range has few positions."""
    low = spec.minimum if entry.min is None else entry.min
    high = spec.maximum if entry.max is None else entry.max
    if low is None or high is None:
        return False
    usual = 1 if "INT" in spec.types else 0.01
    step = entry.step or spec.step or usual
    positions = (high - low) / step
    return 0 < positions <= SLIDER_STEPS


def _describe_unsuited(widget: Widget, spec: InputSpec) -> BindError:
    article = "an" if widget[0] in "aeiou" else "a"
    return BindError(
        "widget",
        f"{article} {widget} widget does not suit input {spec.name}, which is "
        f"{_describe_type(spec)}.",
    )


def _describe_type(spec: InputSpec) -> str:
    if spec.choices is not None:
        return "a list of choices"
    return f"of type {spec.type}"
