"""What is told of values that were refused, for the note above Generate and at the fields."""

from __future__ import annotations

import re
from typing import Any

from comfygradio.errors import ComfyGradioError, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.size import SIZE_SPELLINGS
from comfygradio.ui.form.field_component import name_element

ONLY_DIGITS = "use digits only, or leave it empty."

NUMBER_REFUSED = r"-?[0-9]+ "
"""Start of a sentence about a seed that is a number, but not one that is allowed."""

FILL_BOTH = "fill in both the width and the height, in whole pixels."


def describe_problem(error: ComfyGradioError, form: Form) -> dict[str, Any]:
    """Describe a refusal for the note above the button: a line for each field, and the text for
    each field's element in the same order.
    """
    if not isinstance(error, ValuesRefused):
        return {"lines": [str(error)]}
    lines = []
    fields = []
    for name, problem in error.problems.items():
        field = form.fields.get(name)
        label = field.label if field else name
        text = _reword_for_page(field, problem)
        lines.append(f"{label}: {text}")
        fields.append([name_element(form.name, name), text])
    return {"lines": lines, "fields": fields}


def _reword_for_page(field: Field | None, problem: str) -> str:
    """Reword a problem that talks about how programs write a value, for people who see boxes."""
    is_seed = field is not None and field.kind.is_seed
    if is_seed and not re.match(NUMBER_REFUSED, problem):
        return ONLY_DIGITS
    has_two_boxes = field is not None and field.widget == "size" and field.choices is None
    if has_two_boxes and problem in SIZE_SPELLINGS:
        return FILL_BOTH
    return problem
