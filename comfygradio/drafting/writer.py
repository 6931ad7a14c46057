"""Write a draft as a preset file that looks hand-written: one line a field, with a reason
above it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from comfygradio.drafting.draft import Draft
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.naming import one_line
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.preset_schema import SCHEMA_COMMENT
from comfygradio.forms.strict_yaml import Dumper

INTRODUCTION = (
    "Drafted by comfygradio new. Change what you like; comfygradio check tells what does not fit."
)

PLAIN = re.compile(r"\w[\w /()+-]*(?:\.\w[\w /()+-]*)*")
"""Texts that look good without quotes. PyYAML decides whether they can do without."""

UNPRINTABLE = re.compile(
    "[^\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)
"""Characters that YAML does not allow unescaped, or takes for a line break."""

MAX_PADDED_NAME = 20
"""Names up to this length are padded, so that the fields line up in a column."""


def write_draft(draft: Draft, workflow_file: str) -> str:
    """Write the text of a preset file. `workflow_file` is the path of the workflow,
    relative to it.
    """
    head = {
        "title": draft.title,
        "description": draft.description,
        "icon": draft.icon,
        "workflow": workflow_file,
    }
    lines = [SCHEMA_COMMENT, f"# {INTRODUCTION}"]
    lines += [f"# {one_line(note)}" for note in draft.notes]
    lines += [f"{key}: {write_value(value)}" for key, value in head.items() if value]
    lines.append("fields:" if draft.fields else "fields: {}")
    lines += _write_fields(draft.fields)
    if draft.outputs:
        lines.append(f"outputs: {write_value(list(draft.outputs))}")
    if draft.examples:
        lines.append("examples:")
        lines += [f"  - {write_value(example)}" for example in draft.examples]
    if draft.models:
        lines.append("models:")
        lines += [f"  - {write_value(_list_model_keys(model))}" for model in draft.models]
    return "\n".join(lines) + "\n"


def write_value(value: Any) -> str:
    """Write a value as YAML on one line. Texts are quoted if a reader might take them for something
    else.
    """
    if isinstance(value, Mapping):
        pairs = []
        for key, item in value.items():
            pairs.append(f"{write_value(str(key))}: {write_value(item)}")
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        items = [write_value(item) for item in value]
        return "[" + ", ".join(items) + "]"
    if isinstance(value, str):
        return _write_text(value)
    return _dump(value)


def _write_fields(fields: Iterable[DraftField]) -> Iterator[str]:
    listed = list(fields)
    lengths = [len(field.name) for field in listed]
    # One long name would push all the others far to the right.
    padded = [length for length in lengths if length <= MAX_PADDED_NAME]
    width = max(padded, default=0)
    is_first_advanced = True
    for field in listed:
        if field.entry.advanced and is_first_advanced:
            is_first_advanced = False
            yield "  # More settings"
        name = f"{write_value(field.name)}:"
        keys = write_value(_list_keys(field))
        yield f"  # {one_line(field.why)}"
        yield f"  {name:{width + 1}} {keys}"


def _list_keys(field: DraftField) -> dict[str, Any]:
    """List the non-empty keys of an entry, with slots in their long form."""
    data = field.entry.model_dump(mode="json", by_alias=True, exclude_unset=True)
    keys = {}
    for key, value in data.items():
        if value is not None:
            keys[key] = value
    return keys


def _list_model_keys(model: ModelEntry) -> dict[str, Any]:
    """List the keys that the entry of a model has."""
    keys: dict[str, Any] = model.model_dump(exclude_unset=True)
    return keys


def _write_text(text: str) -> str:
    """Write a text plain if it looks good and reads back the same, else quoted as in JSON, which is
    also YAML.
    """
    if PLAIN.fullmatch(text) and _dump(text) == text:
        return text
    # Lone surrogates, which JSON allows, cannot be encoded.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    quoted = json.dumps(whole, ensure_ascii=False)
    return UNPRINTABLE.sub(_escape, quoted)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}"


def _dump(value: Any) -> str:
    """Write one scalar with PyYAML's emitter. The list around it makes it quote what a flow mapping
    requires.
    """
    text: str = yaml.dump(
        [value],
        Dumper=Dumper,
        default_flow_style=True,
        allow_unicode=True,
        # PyYAML would break long lines.
        width=10**9,
    )
    inner = text.strip().removeprefix("[").removesuffix("]")
    return inner.strip()
