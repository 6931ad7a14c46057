"""Minimalistic Comfy Wrapper WebUI: titles of the form `<Label:category[/tab]:row[/column]>
arguments`.

Categories are prompt, important, advanced, output (each also in the plural), or any other word,
which becomes a heading. A number takes "min, max[, step]" for arguments and is a slider then (its
docs/titles.md, August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.drafting.hint import Hint
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.saved import SavedWorkflow
from comfygradio.forms.drafting.markers.titles import Titled, list_inputs, list_titles
from comfygradio.forms.drafting.markers.values import to_number
from comfygradio.forms.preset_file import Widget
from comfygradio.forms.slots import Slot

SOURCE = "MCWW"
CATEGORIES = ("prompt", "important", "other", "advanced", "output")
"""In the order in which they come in a form; "other" stands for categories of the author's own."""

WORDS = ("", "json", "md", "markdown", "show_default")
"""Arguments that say how MCWW draws something; a form of ours has no use for them."""

PLACE = re.compile(
    r"\s*(?P<row>[0-9]{1,9})(?:/(?P<column>[0-9]{1,9}))?>(?P<arguments>.*)", re.DOTALL
)
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
LOOKS_LIKE_ONE = re.compile(r"<[^<>:]+:[^<>]*>")


@dataclass(frozen=True)
class Marker:
    """A title that MCWW understands; `column` is None for what has a row of its own."""

    label: str
    category: str
    heading: str
    tab: str
    row: int
    column: int | None
    arguments: str


def parse_title(title: str) -> Marker | None:
    """What a title says to MCWW, or None where it says nothing."""
    label, _, rest = title.removeprefix("<").partition(":")
    where, _, rest = rest.partition(":")
    place = PLACE.fullmatch(rest)
    category, slash, tab = where.partition("/")
    if (
        not title.startswith("<")
        or not place
        or not label
        or not category
        or "/" in tab
        or (slash and not tab)
    ):
        return None
    known = category.strip().lower().removesuffix("s")
    column = place["column"]
    return Marker(
        label.strip(),
        known if known in CATEGORIES and known != "other" else "other",
        category.strip(),
        tab.strip(),
        int(place["row"]),
        int(column) if column else None,
        place["arguments"].strip(),
    )


def read_mcww(graph: Graph, saved: SavedWorkflow | None) -> list[Hint]:
    """A hint for each titled node, in the order in which MCWW shows them; titled outputs go to the
    graph.
    """
    marked = list(_find_marked(graph, saved))
    rows: dict[tuple[str, str, str], int] = {}
    for marker, _ in marked:
        key = (marker.category, marker.heading, marker.tab)
        rows[key] = min(marker.row, rows.get(key, marker.row))

    def sort(entry: tuple[Marker, Titled]) -> tuple[int, str, int, str, int, bool, int]:
        marker = entry[0]
        first = rows[(marker.category, marker.heading, marker.tab)]
        heading = marker.heading if marker.category == "other" else ""
        rank = CATEGORIES.index(marker.category)
        return (
            rank,
            heading,
            first,
            marker.tab,
            marker.row,
            marker.column is None,
            marker.column or 0,
        )

    hints: list[Hint] = []
    for marker, titled in sorted(marked, key=sort):
        if marker.category == "output":
            graph.outputs += [titled.node_id] if titled.node_id in graph.nodes else []
        elif hint := _make_hint(graph, marker, titled):
            hints.append(replace(hint, order=len(hints)))
    _note_optional_media(graph, hints)
    return hints


def _find_marked(graph: Graph, saved: SavedWorkflow | None) -> Iterator[tuple[Marker, Titled]]:
    for titled in list_titles(graph, saved):
        if marker := parse_title(titled.title):
            yield marker, titled
        elif LOOKS_LIKE_ONE.match(titled.title):
            graph.notes.append(
                f"The title {titled.title:.60} looks like one for MCWW, but is not of the form "
                "<Label:category:row>."
            )


def _make_hint(graph: Graph, marker: Marker, titled: Titled) -> Hint | None:
    slots = titled.slots or _choose_slots(graph, titled)
    if not slots:
        graph.notes.append(
            f"{graph.call(titled.node_id)} is marked for MCWW, but has no input that could be set."
        )
        return None
    spec = graph.spec(slots[0])
    low, high, step = _read_limits(marker.arguments, spec)
    if marker.arguments.lower() not in WORDS and low is None:
        graph.notes.append(
            f"{graph.call(titled.node_id)}: {marker.arguments:.60} is not understood and was "
            "ignored."
        )
    is_seed = (
        "seed" in marker.label.lower()
        and not marker.arguments
        and spec is not None
        and "INT" in spec.types
    )
    widget: Widget | None = "seed" if is_seed else "slider" if low is not None else None
    return Hint(
        SOURCE,
        slots,
        label=marker.label,
        group=_name_group(marker),
        advanced=marker.category == "advanced",
        widget=widget,
        minimum=low,
        maximum=high,
        step=step,
    )


def _read_limits(arguments: str, spec: InputSpec | None) -> tuple[int | float | None, ...]:
    """Least, largest and step of "1, 10, 0.1" for a number; None for what is not said."""
    numbers = NUMBER.findall(arguments) if spec and spec.types & {"INT", "FLOAT"} else []
    return (*map(to_number, numbers), None)[:3] if len(numbers) in (2, 3) else (None, None, None)


def _name_group(marker: Marker) -> str:
    if marker.category != "other":
        return marker.tab
    return f"{marker.heading}: {marker.tab}" if marker.tab else marker.heading


def _choose_slots(graph: Graph, titled: Titled) -> tuple[Slot, ...]:
    """The one input that MCWW shows: a file, else a text, a switch, the first number; a list if
    there is no other.
    """
    node = graph.nodes.get(titled.node_id)
    inputs = list_inputs(graph, node) if node else {}

    def rank(name: str) -> int:
        spec = inputs[name]
        if spec.media:
            return 0
        if spec.choices is not None:
            return 4
        return 1 if "STRING" in spec.types else 2 if "BOOLEAN" in spec.types else 3

    best = min(inputs, key=rank, default=None)
    return (Slot(titled.node_id, best),) if best is not None else ()


def _note_optional_media(graph: Graph, hints: list[Hint]) -> None:
    media = [hint.label for hint in hints if (spec := graph.spec(hint.slots[0])) and spec.media]
    if media:
        graph.notes.append(
            f"MCWW lets {', '.join(media)} stay empty and leaves out the nodes behind; "
            "where you want that too, add optional and bypass to the field."
        )
