"""Map a marker node to the inputs its field fills, and replace or remove the marker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from comfygradio.comfy.workflow import Link, Node
from comfygradio.forms.literals import guess_type, takes_literal
from comfygradio.forms.slots import Slot
from comfygradio.importers.values import to_text
from comfygradio.importers.workflow_editor import WorkflowEditor

Medium = Literal["image", "video", "audio"]

LOADERS: Mapping[Medium, tuple[str, str, str]] = {
    "image": ("LoadImage", "image", "example.png"),
    "video": ("LoadVideo", "file", "example.mp4"),
    "audio": ("LoadAudio", "audio", "example.wav"),
}
"""Medium → ComfyUI's own loader, its input, and a file name for servers that list none."""

PRIMITIVES: Mapping[str, str] = {
    "BOOLEAN": "PrimitiveBoolean",
    "INT": "PrimitiveInt",
    "FLOAT": "PrimitiveFloat",
    "STRING": "PrimitiveStringMultiline",
}
"""Type of a value → ComfyUI's own node that holds it."""


def map_value(
    editor: WorkflowEditor, node: Node, input: str, value: Any, may_stay: bool = True
) -> tuple[Slot, ...]:
    """Find the inputs that a field fills in place of a marker's own `input`, whose value is
    `value`.

    A marker that the server has stays if it may, unless its value is free text that goes into an
    input with a list of choices: that list makes the better field. Otherwise every input that the
    marker fed gets the value, and the marker is removed. Returns () and adds a note if there is
    nothing to fill.
    """
    # A marker that is fed by another node has no value that a form could set.
    link = Link.parse(value)
    if link and link.node_id in editor.nodes:
        _bypass(editor, node, input, link)
        return ()
    fed = [slot for slot, _ in editor.find_fed_inputs(node.id)]
    if not fed:
        editor.notes.append(
            f"{editor.describe_node(node.id)} feeds no other node, so that it became no field."
        )
        if node.class_type not in editor.object_info:
            editor.remove(node.id)
        return ()
    own = Slot(node.id, input)
    if may_stay and _can_stay(editor, own, fed):
        return (own,)
    return _inline(editor, node, fed, value)


def map_file(editor: WorkflowEditor, node: Node, medium: Medium, file: Any) -> Slot:
    """Replace a marker by ComfyUI's own loader with the same outputs. Returns the loader's file
    input.
    """
    fed = editor.find_fed_inputs(node.id)
    slot = replace_with_loader(editor, node, medium, file)
    feeds = {0: [node.id, 0]}
    if medium == "image":
        feeds[1] = [node.id, 1]  # the mask
    editor.rewire(fed, feeds)
    return slot


def replace_with_loader(editor: WorkflowEditor, node: Node, medium: Medium, file: Any) -> Slot:
    """Replace a marker by ComfyUI's own loader and keep its links. `file` is the marker's own file
    name.

    Returns the loader's file input.
    """
    class_type, input, example = LOADERS[medium]
    chosen = choose_file(editor, class_type, input, file)
    if not chosen:
        chosen = example
    editor.replace(node.id, class_type, {input: chosen})
    return Slot(node.id, input)


def choose_file(editor: WorkflowEditor, class_type: str, input: str, file: Any) -> str:
    """Return a marker's own file name unless it is a URL; else the server's first file, or ""."""
    if isinstance(file, str) and file and "://" not in file and len(file) < 500:
        return file
    spec = editor.object_info.spec(class_type, input)
    if spec is None or not spec.choices:
        return ""
    return str(spec.choices[0])


def find_loader(editor: WorkflowEditor, value: Any) -> Slot | None:
    """Return the file input of the loader that directly feeds a link, or None."""
    link = Link.parse(value)
    node = editor.nodes.get(link.node_id) if link else None
    if node is None:
        return None
    for class_type, input, _ in LOADERS.values():
        if node.class_type == class_type:
            return Slot(node.id, input)
    return None


def _bypass(editor: WorkflowEditor, node: Node, input: str, link: Link) -> None:
    """Note that another node feeds a marker. A marker that the server lacks is replaced by that
    node.
    """
    feeding = editor.describe_node(link.node_id)
    editor.notes.append(
        f"{editor.describe_node(node.id)}: its {input} is fed by {feeding}, so that it became no "
        "field."
    )
    if node.class_type in editor.object_info:
        return
    # Whatever its output, each input that it fed gets the one value.
    fed = [(slot, 0) for slot, _ in editor.find_fed_inputs(node.id)]
    editor.rewire(fed, {0: [link.node_id, link.slot]})
    editor.remove(node.id)


def _can_stay(editor: WorkflowEditor, own: Slot, fed: list[Slot]) -> bool:
    """Whether a marker that the server has may stay, see `map_value`."""
    spec = editor.spec(own)
    if spec is None or not takes_literal(spec):
        return False
    if spec.choices is not None:
        return True
    for slot in fed:
        target = editor.spec(slot)
        if target is not None and target.choices is not None:
            return False
    return True


def _inline(editor: WorkflowEditor, node: Node, fed: list[Slot], value: Any) -> tuple[Slot, ...]:
    """Put a marker's value into the inputs that it fed. Inputs that take no literal are fed by a
    primitive node in the marker's place, if the server has one.
    """
    kind = guess_type(value)
    # An input that takes links alone, such as a wildcard, needs a node that holds the value.
    primitive = PRIMITIVES.get(kind or "STRING", "")
    filled: list[Slot] = []
    sockets: list[Slot] = []
    for slot in fed:
        if primitive in editor.object_info and _is_socket(editor, slot):
            sockets.append(slot)
        else:
            filled.append(slot)
    for slot in filled:
        editor.set_input(slot, value)
    if not sockets:
        editor.remove(node.id)
        return tuple(filled)
    held = to_text(value) if primitive == PRIMITIVES["STRING"] else value
    editor.replace(node.id, primitive, {"value": held})
    for slot in sockets:
        editor.set_input(slot, [node.id, 0])
    return (*filled, Slot(node.id, "value"))


def _is_socket(editor: WorkflowEditor, slot: Slot) -> bool:
    """Whether an input of a known class takes no literal, as far as its spec tells."""
    if editor.nodes[slot.node_id].class_type not in editor.object_info:
        return False
    spec = editor.spec(slot)
    return spec is None or not takes_literal(spec)
