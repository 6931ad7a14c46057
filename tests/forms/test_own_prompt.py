"""The workflow's own prompt: what programs leave out, and what people write anew."""

from __future__ import annotations

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.errors import ValuesRefused
from comfygradio.forms.fill import FROM_FORM

from .preset_folder import PresetFolder

BOTH = """
  prompt: {slot: 6.text}
  negative: {slot: 7.text}
"""


def test_programs_keep_the_workflows_own_prompt(presets: PresetFolder, info: ObjectInfo) -> None:
    form = presets.bind(BOTH, info)
    own = form.fields["prompt"].default
    assert own
    assert form.check({})["prompt"] == own
    assert form.check({"prompt": ""})["prompt"] == ""


@pytest.mark.parametrize("text", ["", "  \n"])
def test_people_have_to_write_the_main_prompt(
    presets: PresetFolder, info: ObjectInfo, text: str
) -> None:
    form = presets.bind(BOTH, info)
    with pytest.raises(ValuesRefused) as refused:
        form.check({FROM_FORM: True, "prompt": text, "negative": ""})
    assert refused.value.problems == {"prompt": "please write a few words."}
    form.check({FROM_FORM: True, "prompt": "a fox", "negative": ""})


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ("{prompt: {slot: 6.text}, negative: {slot: 7.text}}", ["prompt"]),
        ("{negative: {slot: 7.text}, prompt: {slot: 6.text}}", ["prompt"]),
        ("{prompt: {slot: 6.text, default: a fox}}", []),
        ("{prompt: {slot: 6.text, optional: true}}", []),
        ("{prompt: {slot: 6.text, advanced: true}}", []),
        ("{negative: {slot: 7.text}}", []),
    ],
)
def test_only_the_main_prompt_starts_empty(
    presets: PresetFolder, info: ObjectInfo, fields: str, started: list[str]
) -> None:
    form = presets.bind(fields, info)
    assert [one.name for one in form.fields.values() if one.starts_empty] == started
