"""Help for axes: one line that says what may be typed for a field."""

from __future__ import annotations

from collections.abc import Mapping

from comfygradio.forms.field import MEDIA, Field
from comfygradio.forms.preset_file import Widget

TEXT = (
    'one text a line, or texts with || between them, or all in "quotes"; S/R: cat, dog, bird '
    "replaces cat in the text"
)
SYNTAX: Mapping[Widget, str] = {
    "text": TEXT,
    "textarea": TEXT,
    "dropdown": "choices with commas between them; * for all, or a pattern such as {pattern}",
    "radio": "choices with commas between them; * for all, or a pattern such as {pattern}",
    "checkbox": "on, off",
    "size": "512x512, 768x512",
    "color": "#ff8800, #0088ff",
    "loras": 'name:0.8, other:0.2-1 (+0.2); several at once in quotes ("name:0.8, other"); none '
    "for no LoRA",
    **dict.fromkeys(
        MEDIA, "file names with commas between them, or a pattern such as pictures/*.png"
    ),
}
WHOLE = "1-10 (+3) is 1, 4, 7, 10; 1-10 [4] is four values with both ends; also 1, 2, .., 10"
REAL = "1-3 (+0.5) goes by 0.5; 1-10 [4] is four values with both ends; also 0.1, 0.2, .., 1"
SEEDS = "1, 2, 3 or 1-10; random x4 draws four; +3 is the form's seed and the three after it"


def describe_syntax(field: Field) -> str:
    """What may be typed as the values of an axis over this field, in one line."""
    if field.widget == "seed":
        line = SEEDS
    elif field.widget in ("number", "slider"):
        line = WHOLE if field.is_integer else REAL
    else:
        pattern = _find_pattern(field)
        line = SYNTAX[field.widget].replace("{pattern}", pattern)
    several = "; several at once in quotes" if field.is_multiple else ""
    none = "; none for no value" if _may_be_empty(field) else ""
    return f"{line}{several}{none}"


def _find_pattern(field: Field) -> str:
    """A pattern that fits some of the field's own choices: a folder's, or those that
    begin alike.
    """
    labels = [choice.label for choice in field.choices or ()]
    for label in labels:
        folder, slash, _ = label.rpartition("/")
        if slash:
            return f"{folder}/*"
    if labels:
        return f"{labels[0][:4]}*"
    return "a*"


def _may_be_empty(field: Field) -> bool:
    return field.optional and field.widget not in ("text", "textarea", "checkbox", "loras")
