"""How well a value fits a widget: told by its type, and by the choices of a combo."""

from __future__ import annotations

from typing import Any

from comfygradio.comfy.object_info import is_number
from comfygradio.conversion.node_class import DYNAMIC_COMBO
from comfygradio.conversion.widget import CONTROL_WORDS, Widget

UNFIT = -3.0
"""The score of a value that its widget cannot take."""

TEXT_KINDS = ("STRING", "MARKDOWN", "TEXTAREA", "COLOR")


def is_fit(widget: Widget, value: Any) -> bool:
    """Whether a widget can take a value. No value fits every widget."""
    return score_fit(widget, value) > UNFIT


def score_fit(widget: Widget, value: Any) -> float:
    """Score how well a value fits a widget; the higher, the less likely by chance."""
    if value is None:
        return 0.0
    if widget.kind == "CONTROL":
        is_word = isinstance(value, str) and value in CONTROL_WORDS
        return 4.0 if is_word or isinstance(value, bool) else UNFIT
    if widget.kind in ("INT", "FLOAT"):
        return _score_number(widget, value)
    if widget.kind == "BOOLEAN":
        return 3.0 if isinstance(value, bool) else UNFIT
    if widget.kind in ("COMBO", DYNAMIC_COMBO):
        return _score_choice(widget, value)
    if widget.kind in TEXT_KINDS:
        if not isinstance(value, str):
            return UNFIT
        return 0.5 if value in CONTROL_WORDS else 1.0
    if widget.kind == "PAGE":
        return 0.5
    # The other widgets of the page have lists and objects, or a text that names a file.
    return 2.0 if isinstance(value, list | dict) else 0.5


def _score_number(widget: Widget, value: Any) -> float:
    if not is_number(value):
        return UNFIT
    low = widget.options.get("min")
    high = widget.options.get("max")
    if is_number(low) and value < low:
        return 0.2
    if is_number(high) and value > high:
        return 0.2
    is_whole = isinstance(value, int) or value.is_integer()
    if widget.kind == "INT" and not is_whole:
        return 0.2
    return 2.0


def _score_choice(widget: Widget, value: Any) -> float:
    if isinstance(value, list | dict):
        return 1.0 if widget.options.get("multiselect") else UNFIT
    if value in widget.choices:
        # True is equal to 1, and no choice of that number.
        return UNFIT if isinstance(value, bool) and not _has_bool(widget) else 4.0
    if not widget.choices:
        return 1.0
    kinds = {type(choice) for choice in widget.choices}
    # A file that this server lacks is a choice as well.
    return 0.8 if type(value) in kinds else UNFIT


def _has_bool(widget: Widget) -> bool:
    return any(isinstance(choice, bool) for choice in widget.choices)
