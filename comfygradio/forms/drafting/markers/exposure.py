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
    link = Link.parse(value)
    if link and link.node_id in graph.nodes:
        _bypass(graph, node, input, link)
        return ()
    fed = [slot for slot, _ in graph.follow(node.id)]
    if not fed:
        graph.notes.append(
            f"{graph.call(node.id)} feeds no other node, so that it became no field."
        )
        if node.class_type not in graph.info:
            graph.remove(node.id)
        return ()
    own = Slot(node.id, input)
    if may_stay and _can_stay(graph, own, fed):
        return (own,)
    return _inline(graph, node, fed, value)


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
    chosen = choose_file(graph, class_type, input, file)
    graph.replace(node.id, class_type, {input: chosen or example})
    return Slot(node.id, input)


def choose_file(graph: Graph, class_type: str, input: str, file: Any) -> str:
    """A marker's own file name unless it is a web address; else the first that the server lists, or
    "".
    """
    if isinstance(file, str) and file and "://" not in file and len(file) < 500:
        return file
    spec = graph.info.spec(class_type, input)
    if spec is None or not spec.choices:
        return ""
    return str(spec.choices[0])


def find_loader(graph: Graph, value: Any) -> Slot | None:
    """The file input of the loader that a link comes from, if it comes straight from one."""
    link = Link.parse(value)
    node = graph.nodes.get(link.node_id) if link else None
    if node is None:
        return None
    for class_type, input, _ in LOADERS.values():
        if node.class_type == class_type:
            return Slot(node.id, input)
    return None


def _bypass(graph: Graph, node: Node, input: str, link: Link) -> None:
    """Note that a marker is fed itself; one that the server lacks gives way to what feeds it."""
    graph.notes.append(
        f"{graph.call(node.id)}: its {input} is fed by {graph.call(link.node_id)}, so that it "
        "became no field."
    )
    if node.class_type in graph.info:
        return
    fed = [(slot, 0) for slot, _ in graph.follow(node.id)]
    graph.rewire(fed, {0: [link.node_id, link.slot]})
    graph.remove(node.id)


def _can_stay(graph: Graph, own: Slot, fed: list[Slot]) -> bool:
    spec = graph.spec(own)
    if spec is None or not has_widget(spec):
        return False
    if spec.choices is not None:
        return True
    targets = [graph.spec(slot) for slot in fed]
    return all(target is None or target.choices is None for target in targets)


def _inline(graph: Graph, node: Node, fed: list[Slot], value: Any) -> tuple[Slot, ...]:
    """Put a marker's value where it went. Inputs that take no plain value are fed by a primitive in
    the marker's place, if the server has one.
    """
    primitive = _choose_primitive(value)
    sockets: list[Slot] = []
    if primitive in graph.info:
        sockets = [slot for slot in fed if _is_socket(graph, slot)]
    filled = [slot for slot in fed if slot not in sockets]
    for slot in filled:
        graph.put(slot, value)
    if not sockets:
        graph.remove(node.id)
        return tuple(filled)
    held = value if isinstance(value, bool | int | float) else to_text(value)
    graph.replace(node.id, primitive, {"value": held})
    for slot in sockets:
        graph.put(slot, [node.id, 0])
    return (*filled, Slot(node.id, "value"))


def _is_socket(graph: Graph, slot: Slot) -> bool:
    """Whether an input of a class that the server has takes no plain value, as far as its spec
    tells.
    """
    if graph.nodes[slot.node_id].class_type not in graph.info:
        return False
    spec = graph.spec(slot)
    return spec is None or not has_widget(spec)


def _choose_primitive(value: Any) -> str:
    if isinstance(value, bool):
        return "PrimitiveBoolean"
    if isinstance(value, int):
        return "PrimitiveInt"
    if isinstance(value, float):
        return "PrimitiveFloat"
    return "PrimitiveStringMultiline"
