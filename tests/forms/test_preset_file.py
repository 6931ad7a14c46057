from __future__ import annotations

from pathlib import Path

import pytest

from comfygradio.binding.preset import load_preset, load_presets
from comfygradio.errors import PresetError

from .preset_folder import WORKFLOW, PresetFolder

HEAD = "title: Test\nworkflow: workflow.json\n"


def refuse(presets: PresetFolder, text: str, name: str = "test") -> str:
    """The error text for a preset file, with the folder cut off."""
    path = presets.write(text, name=name)
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feilds: {}", "test.yaml:3: unknown key feilds; did you mean fields?"),
        (
            "zzz: 1",
            "test.yaml:3: unknown key zzz; there are title, workflow, description, icon, cover, "
            "group, order, ",
        ),
        (
            "fields:\n  a:\n    slot: 6.text\n    labl: x",
            "test.yaml:6: fields.a: unknown key labl; did you mean label?",
        ),
        (
            "fields: {a: {slot: {node: 6, input: text, ttle: x}}}",
            "test.yaml:3: fields.a.slot: unknown key ttle; did",
        ),
        ("fields: {a: {slot: {node: 6}}}", "test.yaml:3: fields.a.slot needs the key input."),
        (
            "fields: {a: {slot: 6.text, show_if: x}}",
            "fields.a.show_if: write {FIELD: VALUE} or {FIELD: [VALUE, VALUE]}",
        ),
        ("sweep: {a: 1-3}", "test.yaml:3: sweep: there is no field a; there are"),
        (
            "fields: {a: {choices: {Photo: {3.cfg: 6}}, slot: 6.text}}",
            "needs no slot where its choices set slots.",
        ),
        (
            "fields: {a: {choices: {Photo: {3.cfg: 6}, Comic: 8}}}",
            "either all choices set slots or none does.",
        ),
        (
            "fields: {a: {slot: 6.text, widget: slidr}}",
            "there is no widget slidr; there are text, textarea, number,",
        ),
        ("fields: {a: {label: x}}", "test.yaml:3: fields.a: needs either slot or slots."),
        (
            "fields: {a: {slot: 6.text, slots: {width: 5.width, height: 5.height}}}",
            "needs either slot or slots, not both.",
        ),
        (
            "fields: {a: {slots: {width: 5.width}}}",
            "needs both width and height in slots, or model (and",
        ),
        (
            "fields: {a: {slot: 6.5}}",
            "test.yaml:3: fields.a.slot: write NODE.INPUT, for example 6.text.",
        ),
        ("fields: {a: {slot: []}}", "test.yaml:3: fields.a.slot: "),
        ("fields: {a: 6.text}", "fields.a: a field is a list of keys, for example {slot: 6.text}."),
        ("fields: {a: }", "fields.a: a field is a list of keys, for example {slot: 6.text}."),
        (
            "fields: {my field: {slot: 6.text}}",
            "fields.my field: a field is named in letters, digits and _",
        ),
        (
            "fields: {a: {slot: 6.text, advanced: maybe}}",
            "fields.a.advanced: this has to be a valid boolean.",
        ),
        ("fields: {a: {slot: 3.steps, min: low}}", "fields.a.min: this has to be a valid number."),
        ("fields: {a: {slot: 3.steps, min: true}}", "fields.a.min: this has to be a valid number."),
        (
            "fields: {a: {slot: 3.steps, max: .nan}}",
            "fields.a.max: this has to be a finite number.",
        ),
        (
            "fields: {a: {slot: 3.steps, max: .inf}}",
            "fields.a.max: this has to be a finite number.",
        ),
        ("fields: {a: {slot: 3.steps, step: 0}}", "fields.a.step: this has to be greater than 0."),
        (
            "fields: {a: {slot: 10.image, max_mb: -1}}",
            "fields.a.max_mb: this has to be greater than 0.",
        ),
        (
            "fields: {a: {slot: 3.steps, default: [[1]]}}",
            "fields.a.default: [1] does not fit; texts, numbers, true and",
        ),
        ("outputs: 9", "test.yaml:3: outputs: this has to be a valid list."),
        (
            "fields: {a: {slot: 6.text}}\nexamples: [{title: x, b: 1}]",
            "test.yaml:4: examples: there is no field b; ",
        ),
        ("order: first", "test.yaml:3: order: this has to be a valid number."),
        ("title: again", "test.yaml:3: the key title stands twice."),
        (
            "fields:\n  a: {slot: 6.text}\n  a: {slot: 7.text}",
            "test.yaml:5: the key a stands twice.",
        ),
        ("fields: {on: {slot: 6.text}}", 'test.yaml:3: write the key on in quotes ("on").'),
        (
            "fields: {a: {slot: 3.cfg, default: 8,25}}",
            "test.yaml:3: write 8.25 with a point if it is one number, else write the key 25 in "
            'quotes ("25").',
        ),
        (
            "fields: {a: {slot: 3.cfg, default: 8, 25: 1}}",
            'test.yaml:3: write the key 25 in quotes ("25").',
        ),
        ("fields: &x {a: *x}", "test.yaml:3: "),
        ("description: [", "no valid YAML"),
        (
            "description: a: b",
            "test.yaml:3: no valid YAML: mapping values are not allowed in this context.",
        ),
        ("\ticon: x", "test.yaml:3: no valid YAML: found a tab character"),
        (
            "icon: !!python/object/apply:os.getcwd []",
            "test.yaml:3: no valid YAML: could not determine a constructor",
        ),
        ("icon: \x07", "no valid YAML"),
    ],
)
def test_mistakes_are_named_with_line_and_key(
    presets: PresetFolder, text: str, expected: str
) -> None:
    assert expected in refuse(presets, f"{HEAD}{text}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "test.yaml: a preset is a list of keys such as title, workflow and fields."),
        ("- title", "test.yaml: a preset is a list of keys"),
        ("workflow: workflow.json", "test.yaml:1: this preset needs the key title."),
        ("title: Test", "test.yaml:1: this preset needs the key workflow."),
        ('title: ""\nworkflow: workflow.json', "test.yaml:1: title: "),
        ("title: ~\nworkflow: workflow.json", "test.yaml:1: title: this has to be a valid string."),
        (
            "title: [5]\nworkflow: workflow.json",
            "test.yaml:1: title: this has to be a valid string.",
        ),
        (
            "title: Test\nworkflow: none.json",
            "none.json cannot be read: No such file or directory.",
        ),
        ("title: Test\nworkflow: test.yaml", "test.yaml is not valid JSON: "),
        (
            "title: Test\nworkflow: ../workflow.json",
            "lies outside of the preset's folder; put it beside the file.",
        ),
        ("title: Test\nworkflow: /etc/hosts", "lies outside of the preset's folder"),
        ("title: Test\nworkflow: .", "lies outside of the preset's folder"),
        ('title: Test\nworkflow: "a\\0b"', "is not a path"),
    ],
)
def test_heads_that_cannot_be_used(presets: PresetFolder, text: str, expected: str) -> None:
    assert expected in refuse(presets, text)


def test_every_mistake_is_said_at_once(presets: PresetFolder) -> None:
    text = refuse(presets, f"{HEAD}feilds: 1\nicn: 2\n")
    assert (
        "test.yaml:3: unknown key feilds" in text
        and "test.yaml:4: unknown key icn; did you mean icon?" in text
    )


def test_a_link_out_of_the_folder_is_refused(
    presets: PresetFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.json"
    outside.write_text("{}", encoding="utf-8")
    (presets.folder / "link.json").symlink_to(outside)
    assert "lies outside" in refuse(presets, "title: Test\nworkflow: link.json")


def test_a_workflow_may_lie_in_a_folder_below(presets: PresetFolder) -> None:
    path = presets.write("title: Test\nworkflow: sub/flow.json")
    (presets.folder / "sub").mkdir()
    (presets.folder / "workflow.json").rename(presets.folder / "sub" / "flow.json")
    assert load_preset(path).workflow.class_types >= {"KSampler", "SaveImage"}


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("Bad Name", "bad_name.yaml"), ("9x", "preset_9x.yaml"), ("x-y", "x_y.yaml")],
)
def test_presets_are_named_in_snake_case(presets: PresetFolder, name: str, suggestion: str) -> None:
    assert suggestion in refuse(presets, HEAD, name)


@pytest.mark.parametrize(
    "workflow",
    [{"nodes": [], "links": []}, {"last_node_id": 3, "nodes": [{"id": 1, "type": "KSampler"}]}],
)
def test_a_ui_format_workflow_is_said_so_with_how_to_export(
    presets: PresetFolder, workflow: object
) -> None:
    path = presets.write(HEAD, workflow)
    with pytest.raises(PresetError, match=r"UI format.*Workflow → Export \(API\)"):
        load_preset(path)


@pytest.mark.parametrize("workflow", [{}, [], 7, {"1": {"inputs": {}}}, {"1": None}])
def test_json_that_is_no_workflow(presets: PresetFolder, workflow: object) -> None:
    with pytest.raises(PresetError, match=r"workflow\.json is not an? "):
        load_preset(presets.write(HEAD, workflow))


def test_a_posted_prompt_is_taken_as_a_workflow(presets: PresetFolder) -> None:
    assert load_preset(presets.write(HEAD, {"prompt": WORKFLOW})).workflow.class_types >= {
        "KSampler"
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_does_no_harm(presets: PresetFolder, encoding: str) -> None:
    path = presets.write(HEAD)
    for file in (path, presets.folder / "workflow.json"):
        file.write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    assert load_preset(path).title == "Test"


def test_a_file_in_another_encoding(presets: PresetFolder) -> None:
    path = presets.write(HEAD)
    path.write_bytes("title: Käse\n".encode("latin-1"))
    with pytest.raises(PresetError, match=r"test\.yaml is not UTF-8 text\."):
        load_preset(path)


def test_question_marks_in_flow_style_are_text(presets: PresetFolder) -> None:
    assert (
        presets.load("f: {slot: 6.text, label: What is it?}").file.fields["f"].label
        == "What is it?"
    )


def test_a_folder_gives_presets_in_order_and_an_error_for_each_broken_file(
    presets: PresetFolder,
) -> None:
    presets.write(f"{HEAD}order: 2\n", name="late")
    presets.write("title: A\nworkflow: workflow.json\norder: 1\n", name="early")
    presets.write("title: [", name="broken")
    presets.write("title: B\n", name="half")
    loaded, errors = load_presets([presets.folder, presets.folder / "missing"])
    assert [preset.name for preset in loaded] == ["early", "late"]
    assert [Path(str(error).partition(":")[0]).name for error in errors[:2]] == [
        "broken.yaml",
        "half.yaml",
    ]
    assert "missing does not exist" in str(errors[2])


def test_a_name_is_used_once(
    presets: PresetFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = PresetFolder(tmp_path_factory.mktemp("other"))
    first = presets.write(HEAD)
    other.write(HEAD)
    loaded, errors = load_presets([presets.folder, other.folder])
    assert [preset.path for preset in loaded] == [first]
    assert "the name test is taken by" in str(errors[0])
