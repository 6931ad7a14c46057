"""Drafts as JSON for the author's page: describes a draft as rows to tick and name, and parses the
rows back into a draft.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfygradio.binding.field_binding import bind_field
from comfygradio.comfy.envelope import is_ui_format
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.writer import write_draft
from comfygradio.errors import PresetError
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.model_entry import ModelEntry
from comfygradio.forms.preset_file import FieldEntry, SlotEntry, list_addresses

INTERCHANGEABLE_WIDGETS: tuple[tuple[Widget, ...], ...] = (
    ("textarea", "text"),
    ("slider", "number"),
    ("seed", "number"),
    ("dropdown", "radio"),
    ("image", "mask"),
)
"""Widgets that can often replace one another."""

MAX_SOURCE_LENGTH = 8_000_000
"""Most characters of a workflow, which the page sends with every call."""

MAX_NODES = 1000
"""Most nodes of a workflow that can be edited on the page."""

TOO_LARGE = "This workflow is too large for this page; draft its preset with comfygradio new."

UNREADABLE = "What the page sent cannot be read; add the workflow again."

Json = dict[str, Any]


@dataclass(frozen=True)
class EditedDraft:
    """A draft as the author edited it; with `by_hand`, the text of the file counts instead."""

    name: str
    draft: Draft
    by_hand: bool = False

    @property
    def text(self) -> str:
        """The preset file for the ticked rows."""
        workflow_name = f"{self.name}.json"
        return write_draft(self.draft, workflow_name)


def describe_draft(draft: Draft, name: str, object_info: ObjectInfo) -> Json:
    """Describe a draft as JSON for the page: what can be edited, and the rest as one text, so that
    JavaScript rounds no number in it.

    Raises PresetError for a workflow that is too large.
    """
    fields = [*draft.fields, *draft.left_out]
    text = _dump_source(draft, fields)
    if len(text) > MAX_SOURCE_LENGTH:
        raise PresetError(TOO_LARGE)
    rows = []
    for place, field in enumerate(fields):
        row = _describe_row(str(place), field, draft, object_info)
        # What was left out of the draft comes last, unticked.
        if place < len(draft.fields):
            row["on"] = True
            row["suggested"] = True
        rows.append(row)
    return {
        "name": name,
        "title": draft.title,
        "description": draft.description,
        "icon": draft.icon,
        "notes": list(draft.notes),
        "rows": rows,
        "byHand": False,
        "source": text,
    }


def _dump_source(draft: Draft, fields: Sequence[DraftField]) -> str:
    """Write the parts of a draft that the page does not edit as JSON."""
    described_fields = []
    for field in fields:
        described_fields.append([field.name, field.role, dump_line(field.entry), field.why])
    source: Json = {
        "workflow": draft.workflow.to_json(),
        "outputs": list(draft.outputs),
        "examples": [dict(example) for example in draft.examples],
        "models": [model.model_dump(exclude_unset=True) for model in draft.models],
        "fields": described_fields,
    }
    if draft.saved is not None:
        source["saved"] = draft.saved
    return json.dumps(source, ensure_ascii=False)


def parse_edited_draft(value: Any) -> EditedDraft:
    """Parse what the page sent back: a draft with the ticked rows, in their order.

    Raises PresetError.
    """
    try:
        return _parse_edited_draft(value)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise PresetError(UNREADABLE) from error


def _parse_edited_draft(value: Any) -> EditedDraft:
    """Parse what the page sent back; raises Python's own errors for any other value."""
    source = json.loads(value["source"])
    workflow = Workflow.from_json(source["workflow"], "The workflow")
    ticked = [row for row in value["rows"] if row["on"]]
    simple = [row for row in ticked if not row["advanced"]]
    advanced = [row for row in ticked if row["advanced"]]
    fields = []
    names = {}
    for row in [*simple, *advanced]:
        field = source["fields"][int(row["id"])]
        fields.append(_parse_row(field, row))
        drafted_name = field[0]
        names[drafted_name] = str(row["name"])
    draft = Draft(
        title=str(value["title"]).strip(),
        description=str(value["description"]).strip(),
        icon=str(value["icon"]).strip(),
        workflow=workflow,
        fields=tuple(fields),
        outputs=tuple(map(str, source["outputs"])),
        examples=_parse_examples(source["examples"], names),
        # A page that was open before the app was updated sends none.
        models=tuple(map(ModelEntry.model_validate, source.get("models", []))),
        saved=_parse_saved(source.get("saved")),
    )
    name = str(value["name"]).strip()
    return EditedDraft(name, draft, bool(value["byHand"]))


def _parse_saved(value: Any) -> Mapping[str, Any] | None:
    """Parse the workflow in UI format that a draft keeps, if it has one."""
    if value is None or is_ui_format(value):
        saved: Mapping[str, Any] | None = value
        return saved
    raise ValueError("not in UI format")


def dump_line(entry: FieldEntry) -> Json:
    """Dump a line of a preset file as JSON, with the keys that it has."""
    dumped: Json = entry.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {key: value for key, value in dumped.items() if value is not None}


def _describe_row(id: str, field: DraftField, draft: Draft, object_info: ObjectInfo) -> Json:
    line = field.entry
    widgets = list(_find_widgets(field, draft.workflow, object_info))
    return {
        "id": id,
        "on": False,
        "suggested": False,
        "name": field.name,
        "label": line.label or "",
        "advanced": line.advanced,
        "widget": widgets[0] if widgets else "",
        "widgets": widgets,
        "place": _describe_place(field, draft.workflow),
    }


def _describe_place(field: DraftField, workflow: Workflow) -> str:
    """Describe which inputs a field fills, and why it was suggested; a reason that names the node
    says both.
    """
    addresses = list_addresses(field.entry)
    places: dict[str, None] = {}  # each one once, in order
    for address in addresses:
        if isinstance(address, SlotEntry) and f"(node {address.node})" in field.why:
            return field.why
        places[_describe_address(address, workflow)] = None
    where = " and ".join(places)
    if not field.why:
        return where
    return f"{where}: {field.why}"


def _describe_address(address: SlotEntry | str, workflow: Workflow) -> str:
    """Describe a slot by its input and the title of its node."""
    if isinstance(address, str):
        return address
    title = address.title
    if not title:
        node = workflow.nodes.get(str(address.node))
        title = node.title if node else address.class_type or ""
    return f"{address.input} of {title} (node {address.node})"


def _find_widgets(
    field: DraftField, workflow: Workflow, object_info: ObjectInfo
) -> dict[Widget, None]:
    """Find the widgets that can draw a line, its own first; none if it does not fit this server."""
    own = _bind_widget(field.name, field.entry, workflow, object_info)
    if own is None:
        return {}
    keys = dump_line(field.entry)
    fitting: dict[Widget, None] = {own: None}
    for group in INTERCHANGEABLE_WIDGETS:
        if own not in group:
            continue
        for widget in group:
            line = FieldEntry.model_validate({**keys, "widget": widget})
            if widget != own and _bind_widget(field.name, line, workflow, object_info):
                fitting[widget] = None
    return fitting


def _bind_widget(
    name: str, entry: FieldEntry, workflow: Workflow, object_info: ObjectInfo
) -> Widget | None:
    try:
        return bind_field(name, entry, workflow, object_info).field.widget
    except PresetError:
        return None


def _parse_row(field: list[Any], row: Mapping[str, Any]) -> DraftField:
    """Parse a row: the line as it was drafted, with the author's changes."""
    _, role, line, why = field
    label = str(row["label"]).strip()
    is_advanced = bool(row["advanced"])
    keys = {**line, "label": label, "advanced": is_advanced}
    if not label:
        del keys["label"]
    if not is_advanced:
        del keys["advanced"]
    widgets = row["widgets"]
    if widgets and row["widget"] != widgets[0]:
        keys["widget"] = row["widget"]
    return DraftField(
        str(row["name"]).strip(),
        str(role),
        FieldEntry.model_validate(keys),
        str(why),
    )


def _parse_examples(examples: list[Json], names: Mapping[str, str]) -> tuple[Json, ...]:
    """Rename the fields in the examples, and drop those that are no longer in the draft."""
    parsed = []
    for example in examples:
        renamed = {}
        for key, value in example.items():
            if key == "title" or key in names:
                renamed[names.get(key, key)] = value
        has_values = renamed.keys() - {"title"}
        if has_values:
            parsed.append(renamed)
    return tuple(parsed)
