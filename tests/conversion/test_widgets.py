"""Values of widgets: which of them a node has, in which order, and which are posted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conversion.ui_file import (
    CONTROL,
    Json,
    convert,
    list_inputs,
    make_class,
    make_file,
    make_info,
    make_node,
    socket,
    widget,
)

INT = ["INT", {"default": 1}]
FLOAT = ["FLOAT", {"default": 0.5}]
TEXT = ["STRING", {"default": ""}]
CHOICE = ["COMBO", {"options": ["a", "b", "c"]}]


def convert_one(node_class: Json, values: Any, *inputs: Json, **more: Any) -> Json:
    """Convert a file with one node, which gets no notes, and return the inputs of its prompt."""
    node = make_node(1, "One", values, inputs, **more)
    conversion = convert(make_file([node], []), {"One": node_class})
    assert conversion.notes == ()
    return list_inputs(conversion)["1"]


def test_required_inputs_come_before_optional_ones() -> None:
    node_class = make_class({"late": TEXT}, {"early": INT})
    node_class["input"] = dict(reversed(node_class["input"].items()))
    assert convert_one(node_class, ["text", 7]) == {"late": "text", "early": 7}


def test_the_order_of_the_server_counts() -> None:
    node_class = make_class({"a": INT, "b": INT})
    node_class["input_order"]["required"] = ["b", "a"]
    assert convert_one(node_class, [1, 2]) == {"b": 1, "a": 2}


def test_an_old_server_names_no_order() -> None:
    node_class = make_class({"b": INT, "a": INT})
    del node_class["input_order"]
    assert convert_one(node_class, [1, 2]) == {"b": 1, "a": 2}


def test_inputs_that_the_order_leaves_out_are_the_last() -> None:
    node_class = make_class({"a": INT, "b": INT}, {"c": INT})
    node_class["input_order"]["required"] = ["b"]
    assert convert_one(node_class, [1, 2, 3]) == {"b": 1, "c": 2, "a": 3}


@pytest.mark.parametrize(
    "definition",
    [
        ["INT", {"forceInput": True}],
        ["STRING", {"forceInput": True, "default": "x"}],
        ["FLOAT,INT", {"default": 25.0}],
        ["IMAGE", {}],
        ["*"],
    ],
    ids=str,
)
def test_a_socket_has_no_value(definition: Any) -> None:
    node_class = make_class({"before": INT, "socket": definition, "after": INT})
    assert convert_one(node_class, [3, 4]) == {"before": 3, "after": 4}


def test_an_optional_input_by_default_has_no_value() -> None:
    node_class = make_class({"a": ["INT", {"defaultInput": True}]}, {"b": ["INT", {}], "c": INT})
    node_class["input"]["optional"]["b"] = ["INT", {"defaultInput": True}]
    assert convert_one(node_class, [3, 4]) == {"a": 3, "c": 4}


def test_a_union_that_names_its_widget_has_a_value() -> None:
    rate = ["FLOAT,INT", {"default": 25.0, "widgetType": "FLOAT"}]
    assert convert_one(make_class({"rate": rate, "n": INT}), [24, 4]) == {"rate": 24, "n": 4}


@pytest.mark.parametrize("name", ["seed", "noise_seed"])
def test_a_control_follows_a_seed(name: str) -> None:
    node_class = make_class({name: INT, "n": INT})
    assert convert_one(node_class, [5, CONTROL, 6]) == {name: 5, "n": 6}


def test_a_control_follows_what_asks_for_it() -> None:
    number = ["INT", {"control_after_generate": True}]
    choice = ["COMBO", {"options": ["a", "b"], "control_after_generate": "fixed"}]
    seed = ["INT", {"control_after_generate": False}]
    node_class = make_class({"number": number, "choice": choice, "seed": seed, "n": INT})
    values = [1, CONTROL, "b", "fixed", 3, 4]
    assert convert_one(node_class, values) == {"number": 1, "choice": "b", "seed": 3, "n": 4}


def test_no_control_follows_the_seed_of_a_choice() -> None:
    mode = {
        "options": [
            {"key": "on", "inputs": {"required": {"seed": INT, "heat": FLOAT}}},
            {"key": "off", "inputs": {"required": {}}},
        ]
    }
    node_class = make_class({"mode": ["COMFY_DYNAMICCOMBO_V3", mode], "n": INT})
    found = convert_one(node_class, ["on", 5, 0.25, 6])
    assert found == {"mode": "on", "mode.seed": 5, "mode.heat": 0.25, "n": 6}


def test_a_choice_adds_its_own_inputs() -> None:
    inner = {
        "options": [
            {"key": "x", "inputs": {"required": {"depth": INT}}},
            {"key": "y", "inputs": {"optional": {"name": TEXT}}},
        ]
    }
    outer = {
        "options": [
            {"key": "none", "inputs": {}},
            {"key": "some", "inputs": {"required": {"inner": ["COMFY_DYNAMICCOMBO_V3", inner]}}},
        ]
    }
    node_class = make_class({"outer": ["COMFY_DYNAMICCOMBO_V3", outer], "n": INT})
    assert convert_one(node_class, ["none", 6]) == {"outer": "none", "n": 6}
    found = convert_one(node_class, ["some", "y", "cat", 6])
    assert found == {"outer": "some", "outer.inner": "y", "outer.inner.name": "cat", "n": 6}


def test_an_autogrow_input_of_sockets_has_no_values() -> None:
    template = {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1}
    node_class = make_class({"images": ["COMFY_AUTOGROW_V3", {"template": template}], "n": INT})
    assert convert_one(node_class, [6]) == {"n": 6}


def test_an_autogrow_input_of_widgets_has_one_more_than_it_needs() -> None:
    template = {"input": {"required": {"text": TEXT}}, "prefix": "text", "min": 1, "max": 9}
    node_class = make_class({"texts": ["COMFY_AUTOGROW_V3", {"template": template}]})
    found = convert_one(node_class, ["a", "b"])
    assert found == {"texts.text0": "a", "texts.text1": "b"}


def test_an_autogrow_input_may_name_its_members() -> None:
    template = {"input": {"required": {"v": INT}}, "names": ["a", "b", "c"], "min": 0}
    node_class = make_class({"values": ["COMFY_AUTOGROW_V3", {"template": template}], "n": INT})
    assert convert_one(node_class, [1, 2]) == {"values.a": 1, "n": 2}


@pytest.mark.parametrize(
    "flag", ["image_upload", "animated_image_upload", "video_upload", "audio_upload"]
)
def test_the_value_of_an_upload_button_is_not_posted(flag: str) -> None:
    node_class = make_class({"file": [["cat.png"], {flag: True}], "channel": CHOICE})
    assert convert_one(node_class, ["cat.png", "b", "image"]) == {
        "file": "cat.png",
        "channel": "b",
    }


def test_the_sides_of_a_crop_are_not_posted() -> None:
    area = {"x": 1, "y": 2, "width": 3, "height": 4}
    crop = ["BOUNDING_BOX", {"component": "ImageCrop", "socketless": True}]
    node_class = make_class({"image": ["IMAGE"], "area": crop, "n": INT})
    assert convert_one(node_class, [area, 1, 2, 3, 4, 6]) == {"area": area, "n": 6}


def test_a_list_from_elsewhere_has_a_switch_and_a_button() -> None:
    remote = ["COMBO", {"remote": {"route": "/names", "refresh_button": True}}]
    found = convert_one(make_class({"name": remote, "n": INT}), ["x", True, "refresh", 6])
    assert found == {"name": "x", "refresh": "refresh", "n": 6}


def test_options_in_the_node_itself_are_posted() -> None:
    node_class = make_class({"choice": ["COMBO", {"options": []}]}, output=("STRING",))
    node = make_node(1, "CustomCombo", ["dog", -1, "cat", "dog", ""])
    conversion = convert(make_file([node], []), {"CustomCombo": node_class})
    assert list_inputs(conversion)["1"] == {
        "choice": "dog",
        "index": 1,
        "option1": "cat",
        "option2": "dog",
        "option3": "",
    }


@pytest.mark.parametrize("form", ["list", "names", "keys"])
def test_the_number_of_a_choice_is_found_however_the_values_are_stored(form: str) -> None:
    node_class = make_class({"choice": ["COMBO", {"options": []}]}, output=("STRING",))
    named: Json = {"choice": "dog", "index": -1, "option1": "cat", "option2": "dog"}
    more: Json = {}
    if form == "names":
        named = {"gone": 1, **named}
        more["widgets_values_named"] = named
    values = named if form == "keys" else list(named.values())
    node = make_node(1, "CustomCombo", values, **more)
    conversion = convert(make_file([node], []), {"CustomCombo": node_class})
    assert list_inputs(conversion)["1"]["index"] == 1


def test_an_option_without_a_value_has_its_default() -> None:
    node_class = make_class({"choice": ["COMBO", {"options": []}]}, output=("STRING",))
    node = make_node(1, "CustomCombo", ["dog", -1, None, "dog"])
    conversion = convert(make_file([node], []), {"CustomCombo": node_class})
    assert list_inputs(conversion)["1"]["option1"] == ""


def test_an_input_that_is_called_index_keeps_its_value() -> None:
    node_class = make_class({"choice": TEXT, "index": INT, "option1": TEXT, "option2": TEXT})
    found = convert_one(node_class, ["b", 7, "a", "b"])
    assert found["index"] == 7


@pytest.mark.parametrize(
    ("class_type", "required", "values", "wanted"),
    [
        ("SaveGLB", {"prefix": TEXT}, ["3d/x", ""], {"prefix": "3d/x", "image": ""}),
        ("Preview3D", {"model": TEXT}, ["a.glb"], {"model": "a.glb", "image": ""}),
        (
            "Load3D",
            {"model": CHOICE, "image": ["LOAD_3D", {}], "n": INT},
            ["b", "upload3dmodel", "uploadExtraResources", "clear", "", 6],
            {
                "model": "b",
                "upload 3d model": "upload3dmodel",
                "upload extra resources": "uploadExtraResources",
                "clear": "clear",
                "image": "",
                "n": 6,
            },
        ),
        ("Compare", {"view": ["IMAGECOMPARE", {}]}, [], {"view": {"__value__": ["", ""]}}),
    ],
)
def test_the_page_adds_widgets_of_its_own(
    class_type: str, required: Json, values: list[Any], wanted: Json
) -> None:
    file = make_file([make_node(1, class_type, values)], [])
    conversion = convert(file, {class_type: make_class(required)})
    assert list_inputs(conversion)["1"] == wanted


def test_a_list_is_wrapped() -> None:
    boxes = [{"x": 1}, {"x": 2}]
    node_class = make_class({"boxes": ["BOUNDING_BOXES", {"default": []}]})
    assert convert_one(node_class, [boxes]) == {"boxes": {"__value__": boxes}}


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        (["INT", {"default": 7}], 7),
        (["INT", {}], 0),
        (["INT", {"default": None}], 0),
        (["STRING", {"default": None}], ""),
        (["COMBO", {"options": ["b", "a"], "default": None}], "b"),
        (["FLOAT", {"default": 0.5}], 0.5),
        (["STRING", {}], ""),
        (["BOOLEAN", {}], False),
        ([["b", "a"]], "b"),
        (["COMBO", {"options": ["b", "a"], "default": "a"}], "a"),
        (["COMBO", {"options": []}], ""),
        (["COLORS", {}], {"__value__": []}),
    ],
    ids=str,
)
@pytest.mark.parametrize("values", [[], [None], None], ids=str)
def test_a_widget_without_a_value_has_its_default(definition: Any, value: Any, values: Any) -> None:
    assert convert_one(make_class({"input": definition}), values) == {"input": value}


def test_a_model_that_the_server_lacks_stays() -> None:
    file = make_file([make_node(1, "Loader", ["gone.ckpt"])], [])
    conversion = convert(file)
    assert list_inputs(conversion)["1"] == {"name": "gone.ckpt"}
    assert conversion.notes == ()


@pytest.mark.parametrize("text", ["a {red|blue} cat", '{"json": 1}', "x // y", "x /* y */ z"])
def test_a_text_stays_as_it_is(text: str) -> None:
    node_class = make_class({"text": ["STRING", {"multiline": True, "dynamicPrompts": True}]})
    assert convert_one(node_class, [text]) == {"text": text}


def test_a_file_prefix_stays_as_it_is() -> None:
    file = make_file([make_node(5, "Save", ["%date:yyyy%/x"], (socket("images", "IMAGE"),))], [])
    assert list_inputs(convert(file))["5"] == {"prefix": "%date:yyyy%/x"}


def test_values_may_have_names() -> None:
    """As VideoHelperSuite saves them; its page adds inputs that the server does not list."""
    values = {
        "rate": 8,
        "crf": 20,
        "choose video to upload": "image",
        "videopreview": {"hidden": False, "paused": False},
    }
    node_class = make_class({"rate": INT, "n": INT})
    assert convert_one(node_class, values) == {"rate": 8, "n": 1, "crf": 20}


def test_the_inputs_of_old_files_name_no_widgets() -> None:
    inputs = (socket("model", "MODEL"), socket("positive", "CONDITIONING"))
    named = (*inputs, widget("seed", "INT"), widget("steps", "INT"), widget("cfg", "FLOAT"))
    values = [5, CONTROL, 30, 7.5, "heun"]
    old = convert(make_file([make_node(3, "Sampler", values, inputs)], []))
    new = convert(make_file([make_node(3, "Sampler", values, named)], []))
    assert old.prompt == new.prompt


def test_a_control_of_2023_may_be_a_switch() -> None:
    file = make_file([make_node(3, "Sampler", [5, True, 30, 7.5, "heun"])], [])
    assert list_inputs(convert(file))["3"]["steps"] == 30


def test_a_pack_may_have_a_widget_for_a_type_of_its_own() -> None:
    node_class = make_class({"table": ["TABLE", {}], "n": INT})
    wanted = {"table": "1,2", "n": 6}
    assert convert_one(node_class, ["1,2", 6], widget("table", "TABLE")) == wanted
    # Files of old frontends have sockets alone among the inputs.
    assert convert_one(node_class, ["1,2", 6]) == wanted
    assert convert_one(node_class, [6], socket("table", "TABLE")) == {"n": 6}


def test_the_names_of_values_tell_the_widgets_of_a_pack() -> None:
    """An input of a type of the pack's own takes no value of another name."""
    node_class = make_class({"n": INT, "table": ["TABLE", {}], "text": TEXT})
    named = {"n": 6, "gone": 0.5, "text": "x"}
    node = make_node(1, "One", list(named.values()), widgets_values_named=named)
    conversion = convert(make_file([node], []), {"One": node_class})
    assert list_inputs(conversion)["1"] == {"n": 6, "text": "x"}
    assert [note.value for note in conversion.notes] == [None, 0.5]


def test_values_without_effect_are_listed_with_their_reason() -> None:
    file = make_file(
        [
            make_node(1, "Sampler", [5, CONTROL, 30, 7.5, "heun"]),
            make_node(2, "Loader", ["b.ckpt"], mode=2),
            make_node(3, "Loader", ["a.ckpt"], mode=4),
            make_node(4, "Note", ["for people"]),
        ],
        [],
    )
    conversion = convert(file)
    assert conversion.notes == ()
    assert [str(note) for note in conversion.unused] == [
        'Node 1, control_after_generate = "randomize": only ComfyUI\'s page uses it.',
        'Node 2 = "b.ckpt": the node is muted.',
        'Node 3 = "a.ckpt": the node is bypassed.',
        'Node 4 = "for people": the node exists only on ComfyUI\'s page.',
    ]


def test_a_value_behind_a_link_has_no_effect() -> None:
    file = make_file(
        [
            make_node(1, "Number", [12], (), ("INT",)),
            make_node(2, "Sampler", [5, CONTROL, 30, 7.5, "heun"], (widget("steps", "INT", 1),)),
        ],
        [[1, 1, 0, 2, 0, "INT"]],
    )
    conversion = convert(
        file, {**make_info(), "Number": make_class({"value": INT}, output=("INT",))}
    )
    assert list_inputs(conversion)["2"]["steps"] == ["1", 0]
    assert ("2", "steps") not in conversion.places
    assert "Node 2, steps = 30: a link or an instance outside gives the input its value." in [
        str(note) for note in conversion.unused
    ]
