"""Check parts of a model: files that have to be of the same family as the model itself.

A VAE, a text encoder or a ControlNet of another family produces garbage. People who fill in a form
do not know which one fits, so a missing file is never replaced by another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from comfygradio.comfy.object_info import InputSpec, ObjectInfo
from comfygradio.comfy.workflow import Node, Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.model_name import find_near, guess_folder, is_model_name, match_name
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.preset_file import FieldEntry
from comfygradio.forms.problem import BindError
from comfygradio.forms.slots import Slot, get_slot_value

STANDALONE_TYPES = frozenset({"MODEL", "UPSCALE_MODEL", "LATENT_UPSCALE_MODEL"})
"""Output types of loaders whose files are independent models, so that any of them works."""


def check_model_parts(
    field: Field,
    entry: FieldEntry,
    pairs: Iterable[tuple[Slot, InputSpec]],
    workflow: Workflow,
    object_info: ObjectInfo,
) -> tuple[Field, tuple[str, ...]]:
    """Check that a field does not start with another file than the workflow's for a part of the
    model.

    If its nodes are bypassed while it is empty, it starts empty, with a note. Raises BindError
    otherwise. A default or choices of the preset itself are left alone, and so is an input that
    names no file.
    """
    if entry.default is not None or entry.fixed is not None or entry.choices is not None:
        return field, ()
    for slot, spec in pairs:
        node = workflow.nodes[slot.node_id]
        own = get_slot_value(workflow, slot)
        if not isinstance(own, str) or not own:
            continue
        if not _is_missing(field, spec, own):
            continue
        if not _is_part(node, slot.input, own, object_info):
            continue
        if field.optional and field.bypass:
            note = f"this ComfyUI does not have {own}; the form starts without it."
            return replace(field, default=None), (note,)
        raise _describe_missing(node, slot.input, own, spec)
    return field, ()


def _is_missing(field: Field, spec: InputSpec, own: str) -> bool:
    """Whether the server lists a file under no spelling."""
    if spec.choices is None or spec.media or spec.options.get("remote"):
        return False
    offered = [choice.value for choice in field.choices or ()]
    if own in offered:
        return False
    return match_name(own, offered) is None


def _is_part(node: Node, input_name: str, own: str, object_info: ObjectInfo) -> bool:
    """Whether an input names a file that belongs to a model, and is no model of its own."""
    if not is_model_name(own) and not guess_folder(node.class_type, input_name):
        return False
    # A node that is fed by others works on their model.
    if node.links:
        return True
    known = object_info.get(node.class_type)
    if known is None:
        return True
    return not any(_is_model(kind.upper()) for kind in known.output_types)


def _is_model(kind: str) -> bool:
    """Whether an output type is that of a whole model, which node packs call WANVIDEOMODEL and the
    like.
    """
    if kind in STANDALONE_TYPES:
        return True
    # STYLE_MODEL and the like end in MODEL as well, and are parts.
    if kind.startswith(("STYLE", "CONTROL", "CLIP")):
        return False
    return kind.endswith("MODEL")


def _describe_missing(node: Node, input_name: str, own: str, spec: InputSpec) -> BindError:
    near = find_near(own, spec.choices or ())
    folder = guess_folder(node.class_type, input_name)
    where = f"models/{folder} on its machine" if folder else "its models folder"
    hint = f" (it has {', '.join(near)})" if near else ""
    text = (
        f"{node.title} needs {shorten(own)} for {input_name}, which this ComfyUI does not "
        f"have{hint}. "
        f"Another file would not fit the model: put this one into {where}, or give the field a "
        "default that fits."
    )
    return BindError(
        "missing_model", text, node.id, input_name, value=own, folder=folder, near=near
    )
