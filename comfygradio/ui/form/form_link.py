"""Links to a form that carry values: `?preset=NAME&field=value`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from comfygradio.errors import LimitReached
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.ui.form.form_values import CheckedValues, check_values

MAX_LINK_LENGTH = 2_500
"""Most characters of a link's query: proxies and mail programs cut longer ones."""

TOO_LONG = f"This is too long for a link, which has at most {MAX_LINK_LENGTH:,} characters."

PAGE_PARAMETERS = frozenset(
    {"preset", "new", "status", "sweep", "history", "view", "deep_link", "logs"}
)
"""What else an address may say: the form, the page beside the forms, and what Gradio reads."""

FOREIGN_PREFIXES = ("__", "utm_")
"""How parameters begin that websites add to the links that people share there."""

FOREIGN_PARAMETERS = frozenset({"fbclid", "gclid", "ref"})
"""Such parameters with a whole name."""


def write_link(form: Form, values: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Write the query of a link that carries these values, which `find_changed` found; also list
    the labels of the fields that a link cannot carry.

    Raises LimitReached.
    """
    pairs = [("preset", form.name)]
    left = []
    for name, value in values.items():
        if _is_reserved(name):
            left.append(form.fields[name].label)
        else:
            pairs.append((name, _write_text(value)))
    query = urlencode(pairs)
    if len(query) > MAX_LINK_LENGTH:
        raise LimitReached(TOO_LONG)
    return query, left


def read_link(form: Form, parameters: Mapping[str, Any]) -> CheckedValues:
    """Check the values that an address carries for this form.

    What a page or another website adds to addresses is left out. Raises LimitReached.
    """
    texts: dict[str, str] = {}
    length = 0
    for name, text in parameters.items():
        if not isinstance(text, str):
            continue
        length += len(name) + len(text)
        if not is_foreign(form, name):
            texts[name] = text
    if length > MAX_LINK_LENGTH:
        raise LimitReached(TOO_LONG)
    values = {}
    refused = {}
    for name, text in texts.items():
        one = form.fields.get(name)
        if one is not None and one.kind.is_media:
            refused[name] = "a link carries no files; please add it here."
        else:
            values[name] = _read_text(one, text)
    checked = check_values(form, values)
    return CheckedValues(checked.values, {**checked.refused, **refused})


def is_foreign(form: Form, name: str) -> bool:
    """Whether a parameter of an address concerns something else than the values of a form."""
    if _is_reserved(name):
        return True
    if name in form.fields:
        return False
    return name in FOREIGN_PARAMETERS or name.startswith(FOREIGN_PREFIXES)


def _is_reserved(name: str) -> bool:
    return name in PAGE_PARAMETERS or name.startswith("__")


def _write_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read_text(one: Field | None, text: str) -> Any:
    """Read the value of a field; lists may be JSON, or written as programs write them."""
    if one is None or not one.kind.holds_list(one) or not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
