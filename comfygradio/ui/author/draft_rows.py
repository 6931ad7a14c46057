"""The author's list as JSON for the page: a draft becomes rows to tick and name, and rows become a
draft again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfygradio.binding.field_binding import bind_field
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.drafting.draft import Draft
from comfygradio.drafting.draft_field import DraftField
from comfygradio.drafting.writer import write_draft
from comfygradio.errors import PresetError
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.preset_file import FieldFile, SlotFile, list_addresses

INTERCHANGEABLE_WIDGETS: tuple[tuple[Widget, ...], ...] = (
    ("textarea", "text"),
    ("slider", "number"),
    ("seed", "number"),
    ("dropdown", "radio"),
    ("image", "mask"),
)
"""Widgets that often can stand in for one another."""

MAX_SOURCE_LENGTH = 8_000_000
"""Characters of a workflow that travels with the page."""

MAX_NODES = 1000
"""Nodes of a workflow that can be edited on the page."""

TOO_LARGE = "This workflow is too large for this page; draft its preset with comfygradio new."

UNREADABLE = "What the page sent cannot be read; add the workflow again."

Json = dict[str, Any]


@dataclass(frozen=True)
class EditedDraft:
    """A draft as edited by the author.

    With `by_hand` the text of the file counts, and not the draft.
    """

    name: str
    draft: Draft
    by_hand: bool = False

    @property
    def text(self) -> str:
        """The preset file that the ticked rows stand for."""
        return write_draft(self.draft, f"{self.name}.json")


def describe_draft(draft: Draft, name: str, object_info: ObjectInfo) -> Json:
    """A draft as the page holds it: what can be edited, and the rest as one text, in which no
    number gets rounded.

    Raises PresetError for a workflow that is too large to travel with the page.
    """
    fields = [*draft.fields, *draft.left_out]
    source = {
        "workflow": draft.workflow.to_json(),
        "outputs": list(draft.outputs),
        "examples": [dict(example) for example in draft.examples],
        "fields": [[field.name, field.role, dump_line(field.line), field.why] for field in fields],
    }
    text = json.dumps(source, ensure_ascii=False)
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


def parse_edited_draft(value: Any) -> EditedDraft:
    """What the page sent back, as a draft with the ticked rows in their order.

    Raises PresetError.
    """
    try:
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
            names[field[0]] = str(row["name"])
        draft = Draft(
            title=str(value["title"]).strip(),
            description=str(value["description"]).strip(),
            icon=str(value["icon"]).strip(),
            workflow=workflow,
            fields=tuple(fields),
            outputs=tuple(map(str, source["outputs"])),
            examples=_parse_examples(source["examples"], names),
        )
        name = str(value["name"]).strip()
        return EditedDraft(name, draft, bool(value["byHand"]))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise PresetError(UNREADABLE) from error


def dump_line(line: FieldFile) -> Json:
    """A line of a preset file as JSON, with the keys that it has."""
    keys: Json = line.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {key: value for key, value in keys.items() if value is not None}


def _describe_row(id: str, field: DraftField, draft: Draft, object_info: ObjectInfo) -> Json:
    line = field.line
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
    """Where a field goes and why it was suggested, for people; reasons that name the place say
    both.
    """
    addresses = list_addresses(field.line)
    for address in addresses:
        if isinstance(address, SlotFile) and f"(node {address.node})" in field.why:
            return field.why
    places = dict.fromkeys(_describe_address(address, workflow) for address in addresses)
    where = " and ".join(places)
    return f"{where}: {field.why}" if field.why else where


def _describe_address(address: SlotFile | str, workflow: Workflow) -> str:
    """A slot for people: the input and the node's title."""
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
    """The widgets that can draw a line, its own first; none where it does not fit this server."""
    own = _bind_widget(field.name, field.line, workflow, object_info)
    if own is None:
        return {}
    keys = dump_line(field.line)
    fitting: dict[Widget, None] = {own: None}
    for group in INTERCHANGEABLE_WIDGETS:
        if own not in group:
            continue
        for widget in group:
            line = FieldFile.model_validate({**keys, "widget": widget})
            if widget != own and _bind_widget(field.name, line, workflow, object_info):
                fitting[widget] = None
    return fitting


def _bind_widget(
    name: str, line: FieldFile, workflow: Workflow, object_info: ObjectInfo
) -> Widget | None:
    try:
        return bind_field(name, line, workflow, object_info).field.widget
    except PresetError:
        return None


def _parse_row(field: list[Any], row: Mapping[str, Any]) -> DraftField:
    """The line of a row: as it was drafted, with what the author changed."""
    _, role, line, why = field
    label = str(row["label"]).strip()
    keys = {**line, "label": label, "advanced": bool(row["advanced"])}
    for key in ("label", "advanced"):
        if not keys[key]:
            del keys[key]
    if row["widgets"] and row["widget"] != row["widgets"][0]:
        keys["widget"] = row["widget"]
    name = str(row["name"]).strip()
    return DraftField(name, str(role), FieldFile.model_validate(keys), str(why))


def _parse_examples(examples: list[Json], names: Mapping[str, str]) -> tuple[Json, ...]:
    """The examples with what is left of their fields, under the fields' new names."""
    found = []
    for example in examples:
        renamed = {}
        for key, value in example.items():
            if key == "title" or key in names:
                renamed[names.get(key, key)] = value
        if renamed.keys() - {"title"}:
            found.append(renamed)
    return tuple(found)
