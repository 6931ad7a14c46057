"""Which folder of ComfyUI's models a field offers."""

from __future__ import annotations

from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.model_name import guess_folder, is_model_name


def find_model_folder(field: Field, workflow: Workflow) -> str:
    """Find the models folder whose files a field offers (`checkpoints` …); "" if it is unknown."""
    if field.widget == "loras":
        return "loras"
    for slot in field.slots.get("", ()):
        node = workflow.nodes.get(slot.node_id)
        if node is None:
            continue
        folder = guess_folder(node.class_type, slot.input)
        if folder:
            return folder
    return ""


def offers_models(field: Field, folder: str) -> bool:
    """Whether a field offers one out of several model files; `folder` is the one that it offers.

    Of a known folder, some entries are no files, as *pixel_space* of the VAEs.
    """
    if field.widget != "dropdown" or field.is_multiple or not field.choices:
        return False
    names = [is_model_name(choice.value) for choice in field.choices]
    return any(names) if folder else all(names)
