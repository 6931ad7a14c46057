"""A model that the server has under another name is used only where hashes prove it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygradio.binding.preset import Preset, load_preset, load_presets
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.forms.form import Form
from comfygradio.forms.model_hashes import HashedFile, ModelHashes
from tests.model_files.entries import ONE, TWO

from .preset_folder import PresetFolder, change_workflow

NODE = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "mine.safetensors"}}
WORKFLOW = change_workflow(n4=NODE, n10=None, n11=None, n12=None, n13=None)
NOTE = "mine.safetensors is called tiny-b.safetensors on this ComfyUI, by its SHA256."


def list_model(name: str, digits: str = ONE, folder: str = "checkpoints") -> str:
    url = f"https://example.org/{name}"
    return f"  - {{name: {name}, folder: {folder}, url: '{url}', hash: '{digits}'}}\n"


def write(presets: PresetFolder, *models: str, more: str = "", name: str = "test") -> Preset:
    """A preset over the workflow whose checkpoint no server of these tests has."""
    text = f"title: Test\nworkflow: workflow.json\n{more}models:\n{''.join(models)}"
    return load_preset(presets.write(text, WORKFLOW, name))


def name_checkpoint(form: Form) -> Any:
    return form.workflow.nodes["4"].inputs["ckpt_name"]


def list_texts(form: Form) -> list[str]:
    return [str(problem) for problem in form.problems]


def test_a_copy_that_the_preset_itself_lists_is_used(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    preset = write(presets, list_model("mine.safetensors"), list_model("tiny-b.safetensors"))
    form = preset.bind(new_info)
    assert (form.problems, form.notes) == ((), (NOTE,))
    assert name_checkpoint(form) == "tiny-b.safetensors"
    assert form.lacking_models == ()


def test_a_copy_that_another_preset_lists_is_used(
    presets: PresetFolder, new_info: ObjectInfo
) -> None:
    write(presets, list_model("tiny-b.safetensors"), name="other")
    write(presets, list_model("mine.safetensors"), name="test")
    found, errors = load_presets([presets.folder])
    assert errors == []
    by_name = {preset.name: preset for preset in found}
    assert by_name["test"].bind(new_info).notes == (NOTE,)


def test_a_hash_that_the_server_tells_is_used(presets: PresetFolder, new_info: ObjectInfo) -> None:
    told = HashedFile("checkpoints", "tiny-b.safetensors", "SHA256", ONE)
    preset = write(presets, list_model("mine.safetensors"))
    assert preset.bind(new_info, hashes=ModelHashes(frozenset({told}))).notes == (NOTE,)


def test_nothing_is_guessed(presets: PresetFolder, new_info: ObjectInfo) -> None:
    """Another hash, another folder, or a file that the server does not have."""
    for other in (
        list_model("tiny-b.safetensors", TWO),
        list_model("tiny-b.safetensors", folder="loras"),
        list_model("gone.safetensors"),
        list_model("TINY-B.safetensors"),
    ):
        preset = write(presets, list_model("mine.safetensors"), other)
        form = preset.bind(new_info)
        assert name_checkpoint(form) == "mine.safetensors"
        (problem,) = form.problems
        assert problem.kind == "missing_model" and problem.value == "mine.safetensors"
        lacking = [model.name for model in form.lacking_models]
        assert "mine.safetensors" in lacking


def test_a_model_that_is_there_keeps_its_name(presets: PresetFolder, new_info: ObjectInfo) -> None:
    node = {**NODE, "inputs": {"ckpt_name": "tiny-a.safetensors"}}
    models = list_model("tiny-a.safetensors") + list_model("tiny-b.safetensors")
    text = f"title: Test\nworkflow: workflow.json\nmodels:\n{models}"
    workflow: Mapping[str, Any] = {**WORKFLOW, "4": node}
    form = load_preset(presets.write(text, workflow)).bind(new_info)
    assert form.notes == () and name_checkpoint(form) == "tiny-a.safetensors"


def test_values_of_fields_are_renamed_too(presets: PresetFolder, new_info: ObjectInfo) -> None:
    fields = (
        "fields:\n"
        "  a: {slot: 4.ckpt_name, default: mine.safetensors, choices: [mine.safetensors]}\n"
        "  b: {choices: {X: {4.ckpt_name: mine.safetensors}, Y: {4.ckpt_name: mine.safetensors}}}\n"
        "  c: {slot: 6.text, fixed: mine.safetensors}\n"
        "examples:\n"
        "  - {title: One, a: mine.safetensors}\n"
    )
    for entry in ("  b: ", "  a: "):
        lines = [line for line in fields.splitlines(keepends=True) if not line.startswith(entry)]
        if entry == "  a: ":
            lines = [line for line in lines if "examples" not in line and "One" not in line]
        models = [list_model("mine.safetensors"), list_model("tiny-b.safetensors")]
        form = write(presets, *models, more="".join(lines)).bind(new_info)
        assert list_texts(form) == [] and form.notes == (NOTE,)
        filled = form.fill({"b": "X"} if entry == "  a: " else {})
        assert filled.graph["4"]["inputs"]["ckpt_name"] == "tiny-b.safetensors"


def test_a_lacking_model_is_found(presets: PresetFolder, new_info: ObjectInfo) -> None:
    form = write(presets, list_model("mine.safetensors")).bind(new_info)
    assert [model.path for model in form.lacking_models] == ["checkpoints/mine.safetensors"]


def test_an_open_form_may_lack_a_model_too(presets: PresetFolder, new_info: ObjectInfo) -> None:
    """Its field starts with another one."""
    more = "fields:\n  model: {slot: 4.ckpt_name}\n"
    form = write(presets, list_model("mine.safetensors"), more=more).bind(new_info)
    assert form.problems == () and "does not have mine.safetensors" in form.notes[0]
    assert [model.name for model in form.lacking_models] == ["mine.safetensors"]
