"""Exposure: which inputs a field fills in place of a marker node, and what becomes of
the marker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.binding.specs import has_widget
from comfygradio.forms.drafting.markers.graph import Graph
from comfygradio.forms.drafting.markers.values import to_text
from comfygradio.forms.slots import Slot

Medium = Literal["image", "video", "audio"]

LOADERS: Mapping[Medium, tuple[str, str, str]] = {
    "image": ("LoadImage", "image", "example.png"),
    "video": ("LoadVideo", "file", "example.mp4"),
    "audio": ("LoadAudio", "audio", "example.wav"),
}
"""Medium → ComfyUI's own loader, its input, and a file name for servers that list none."""


def expose_value(
    graph: Graph, node: Node, input: str, value: Any, may_stay: bool = True
) -> tuple[Slot, ...]:
    """The inputs that a field fills in place of a marker's own `input`, whose value is `value`.

    A marker that the server has stays if it may, unless its value is any text and goes where the
    server offers a list: there the list is the better field. Otherwise every input that the marker
    fed gets the value, and the marker goes. Empty, with a note, where there is nothing to fill.
    """
    fed = [slot for slot, _ in graph.follow(node.id)]
    own = Slot(node.id, input)
    link = Link.parse(value)
    if link and link.node_id in graph.nodes:
        return _bypass(graph, node, input, link)
    if not fed:
        graph.notes.append(
            f"{graph.call(node.id)} feeds no other node, so that it became no field."
        )
        _remove_unknown(graph, node)
        return ()
    return (own,) if may_stay and _can_stay(graph, own, fed) else _inline(graph, node, fed, value)


def expose_file(graph: Graph, node: Node, medium: Medium, file: Any) -> Slot:
    """Put ComfyUI's own loader in the place of a marker with the same outputs; the slot is the
    loader's file.
    """
    fed = graph.follow(node.id)
    slot = place_loader(graph, node, medium, file)
    outputs = (0, 1) if medium == "image" else (0,)
    graph.rewire(fed, {output: [node.id, output] for output in outputs})
    return slot


def place_loader(graph: Graph, node: Node, medium: Medium, file: Any) -> Slot:
    """Put ComfyUI's own loader in the place of a marker, links as they are; `file` is the marker's
    own file name.
    """
    class_type, input, example = LOADERS[medium]
    graph.replace(
        node.id, class_type, {input: choose_file(graph, class_type, input, file) or example}
    )
    return Slot(node.id, input)


def choose_file(graph: Graph, class_type: str, input: str, file: Any) -> str:
    """A marker's own file name unless it is a web address; else the first that the server lists, or
    "".
    """
    if isinstance(file, str) and file and "://" not in file and len(file) < 500:
        return file
    spec = graph.info.spec(class_type, input)
    return str(next(iter(spec.choices or ()), "")) if spec else ""


def find_loader(graph: Graph, value: Any) -> Slot | None:
    """The file input of the loader that a link comes from, if it comes straight from one."""
    link = Link.parse(value)
    node = graph.nodes.get(link.node_id) if link else None
    found = next(
        (input for kind, input, _ in LOADERS.values() if node and node.class_type == kind), None
    )
    return Slot(node.id, found) if node and found else None


def _bypass(graph: Graph, node: Node, input: str, link: Link) -> tuple[Slot, ...]:
    graph.notes.append(
        f"{graph.call(node.id)}: its {input} is fed by {graph.call(link.node_id)}, so that it "
        "became no field."
    )
    if node.class_type not in graph.info:
        graph.rewire(
            [(slot, 0) for slot, _ in graph.follow(node.id)], {0: [link.node_id, link.slot]}
        )
        graph.remove(node.id)
    return ()


def _can_stay(graph: Graph, own: Slot, fed: list[Slot]) -> bool:
    spec = graph.spec(own)
    if spec is None or not has_widget(spec):
        return False
    lists = (graph.spec(slot) for slot in fed)
    return spec.choices is not None or not any(
        target and target.choices is not None for target in lists
    )


def _inline(graph: Graph, node: Node, fed: list[Slot], value: Any) -> tuple[Slot, ...]:
    sockets = [slot for slot in fed if _is_socket(graph, slot)]
    primitive = _choose_primitive(value)
    if not sockets or primitive not in graph.info:
        sockets = []
    filled = [slot for slot in fed if slot not in sockets]
    for slot in filled:
        graph.put(slot, value)
    if not sockets:
        graph.remove(node.id)
        return tuple(filled)
    graph.replace(
        node.id,
        primitive,
        {"value": value if isinstance(value, bool | int | float) else to_text(value)},
    )
    for slot in sockets:
        graph.put(slot, [node.id, 0])
    return (*filled, Slot(node.id, "value"))


def _is_socket(graph: Graph, slot: Slot) -> bool:
    """Whether an input of a class that the server has takes no plain value, as far as its spec
    tells.
    """
    spec = graph.spec(slot)
    return graph.nodes[slot.node_id].class_type in graph.info and not (spec and has_widget(spec))


def _choose_primitive(value: Any) -> str:
    if isinstance(value, bool):
        return "PrimitiveBoolean"
    if isinstance(value, int | float):
        return "PrimitiveInt" if isinstance(value, int) else "PrimitiveFloat"
    return "PrimitiveStringMultiline"


def _remove_unknown(graph: Graph, node: Node) -> None:
    if node.class_type not in graph.info:
        graph.remove(node.id)
