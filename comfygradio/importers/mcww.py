"""Import Minimalistic Comfy Wrapper WebUI: titles of the form `<Label:category[/tab]:row[/column]>
arguments`.

Categories are prompt, important, advanced, output (each also in the plural), or any other word,
which becomes a heading. A number with the arguments "min, max[, step]" is a slider (its
docs/titles.md, August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.slots import Slot
from comfygradio.importers.annotation import Annotation, number_annotations
from comfygradio.importers.titled_node import TitledNode, list_settable_inputs, list_titles
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.values import to_number
from comfygradio.importers.workflow_editor import WorkflowEditor

SOURCE = "MCWW"
CATEGORIES = ("prompt", "important", "other", "advanced", "output")
"""Categories in the order of a form. "other" stands for categories of the author's own."""

WORDS = ("", "json", "md", "markdown", "show_default")
"""Arguments that control how MCWW draws something. They are ignored here."""

PLACE = re.compile(
    r"\s*(?P<row>[0-9]{1,9})(?:/(?P<column>[0-9]{1,9}))?>(?P<arguments>.*)", re.DOTALL
)
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
LOOKS_LIKE_ONE = re.compile(r"<[^<>:]+:[^<>]*>")


@dataclass(frozen=True)
class TitleMarker:
    """A title that MCWW understands. `column` is None for a field with a row of its own."""

    label: str
    category: str
    heading: str
    tab: str
    row: int
    column: int | None
    arguments: str


def parse_title(title: str) -> TitleMarker | None:
    """Parse a title as a marker of MCWW, or return None."""
    if not title.startswith("<"):
        return None
    label, _, rest = title.removeprefix("<").partition(":")
    where, _, rest = rest.partition(":")
    category, slash, tab = where.partition("/")
    if not label or not category or "/" in tab or (slash and not tab):
        return None
    place = PLACE.fullmatch(rest)
    if place is None:
        return None
    known = category.strip().lower().removesuffix("s")
    column = place["column"]
    return TitleMarker(
        label=label.strip(),
        category=known if known in CATEGORIES else "other",
        heading=category.strip(),
        tab=tab.strip(),
        row=int(place["row"]),
        column=int(column) if column else None,
        arguments=place["arguments"].strip(),
    )


def import_mcww(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each titled node, in MCWW's order. Titled outputs are added to the
    editor.
    """
    marked = list(_find_marked(editor, ui_workflow))
    # A tab stands where the first of its rows does.
    rows: dict[tuple[str, str, str], int] = {}
    for marker, _ in marked:
        key = (marker.category, marker.heading, marker.tab)
        rows[key] = min(marker.row, rows.get(key, marker.row))

    def place(entry: tuple[TitleMarker, TitledNode]) -> tuple[int, str, int, str, int, bool, int]:
        marker, _ = entry
        return (
            CATEGORIES.index(marker.category),
            marker.heading if marker.category == "other" else "",
            rows[(marker.category, marker.heading, marker.tab)],
            marker.tab,
            marker.row,
            # In one row, fields with a column come before one that has the row to itself.
            marker.column is None,
            marker.column or 0,
        )

    annotations: list[Annotation] = []
    for marker, titled in sorted(marked, key=place):
        if marker.category == "output":
            if titled.node_id in editor.nodes:
                editor.outputs.append(titled.node_id)
            continue
        annotation = _make_annotation(editor, marker, titled)
        if annotation is not None:
            annotations.append(annotation)
    _note_optional_media(editor, annotations)
    return number_annotations(annotations)


def _find_marked(
    editor: WorkflowEditor, ui_workflow: UiWorkflow | None
) -> Iterator[tuple[TitleMarker, TitledNode]]:
    for titled in list_titles(editor, ui_workflow):
        marker = parse_title(titled.title)
        if marker is not None:
            yield marker, titled
        elif LOOKS_LIKE_ONE.match(titled.title):
            editor.notes.append(
                f"The title {titled.title:.60} looks like one for MCWW, but is not of the form "
                "<Label:category:row>."
            )


def _make_annotation(
    editor: WorkflowEditor, marker: TitleMarker, titled: TitledNode
) -> Annotation | None:
    """Make the annotation of a titled node, or note that it has no input to set and return None."""
    shown = editor.describe_node(titled.node_id)
    slots = titled.slots or _choose_slots(editor, titled)
    if not slots:
        editor.notes.append(f"{shown} is marked for MCWW, but has no input that could be set.")
        return None
    spec = editor.spec(slots[0])
    low, high, step = _parse_limits(marker.arguments, spec)
    if low is None and marker.arguments.lower() not in WORDS:
        editor.notes.append(f"{shown}: {marker.arguments:.60} is not understood and was ignored.")
    widget: Widget | None = None
    if _is_seed(marker, spec):
        widget = "seed"
    elif low is not None:
        widget = "slider"
    return Annotation(
        source=SOURCE,
        slots=slots,
        label=marker.label,
        group=_name_group(marker),
        advanced=marker.category == "advanced",
        widget=widget,
        minimum=low,
        maximum=high,
        step=step,
    )


def _is_seed(marker: TitleMarker, spec: InputSpec | None) -> bool:
    if spec is None or "INT" not in spec.types:
        return False
    return "seed" in marker.label.lower() and not marker.arguments


def _parse_limits(arguments: str, spec: InputSpec | None) -> tuple[int | float | None, ...]:
    """Parse minimum, maximum and step of "1, 10, 0.1" for a number. None for what is not given."""
    nothing = (None, None, None)
    if spec is None or spec.types.isdisjoint({"INT", "FLOAT"}):
        return nothing
    limits = [to_number(number) for number in NUMBER.findall(arguments)]
    if len(limits) == 2:
        return (*limits, None)
    if len(limits) == 3:
        return tuple(limits)
    return nothing


def _name_group(marker: TitleMarker) -> str:
    if marker.category != "other":
        return marker.tab
    if not marker.tab:
        return marker.heading
    return f"{marker.heading}: {marker.tab}"


def _choose_slots(editor: WorkflowEditor, titled: TitledNode) -> tuple[Slot, ...]:
    """Choose the one input that MCWW shows: a file, else a text, a switch or the first number; a
    list if there is nothing else.
    """
    node = editor.nodes.get(titled.node_id)
    if node is None:
        return ()
    inputs = list_settable_inputs(editor, node)
    if not inputs:
        return ()
    best = min(inputs, key=lambda name: _rank(inputs[name]))
    return (Slot(titled.node_id, best),)


def _rank(spec: InputSpec) -> int:
    if spec.media:
        return 0
    if spec.choices is not None:
        return 4
    if "STRING" in spec.types:
        return 1
    if "BOOLEAN" in spec.types:
        return 2
    return 3


def _note_optional_media(editor: WorkflowEditor, annotations: list[Annotation]) -> None:
    """Note which files may stay empty in MCWW."""
    media = []
    for annotation in annotations:
        spec = editor.spec(annotation.slots[0])
        if spec is not None and spec.media:
            media.append(annotation.label)
    if media:
        editor.notes.append(
            f"MCWW lets {', '.join(media)} stay empty and leaves out the nodes behind; "
            "where you want that too, add optional and bypass to the field."
        )
