"""Values of axes other than numbers: choices, texts, switches, sizes, colors, LoRAs and files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from comfygradio.errors import AxisError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.value import Lora
from comfygradio.sweeps.axes.axis_parser import format_values, parse_axis
from comfygradio.sweeps.axes.syntax_help import describe_syntax

from .axis_form import (
    BASE,
    FIELDS,
    FORM,
    MODELS,
    list_choices,
    list_labels,
    list_values,
    make_form,
    read,
    save_picture,
)

GRAIN, SOFT, ODD = (
    "film-grain.safetensors",
    "styles/soft, light.safetensors",
    "styles/x:1.safetensors",
)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("sampler", "euler, Heun", ["euler", "Heun"]),
        ("sampler", "EULER,heun", ["euler", "Heun"]),
        ("sampler", "DPM_2, dpm_2", ["DPM_2", "dpm_2"]),
        ("sampler", 'euler, ""', ["euler", ""]),
        ("sampler", "euler*", ["euler", "euler_ancestral"]),
        ("sampler", "E?ler", ["euler"]),
        ("sampler", "[eh]*, dpm_2", ["euler", "euler_ancestral", "Heun", "dpm_2"]),
        ("model", "*", [*MODELS]),
        ("model", "sdxl/*", [MODELS[0], MODELS[1]]),
        ("model", "plain, flux.safetensors, JUGGERNAUT", [MODELS[2], MODELS[3], MODELS[0]]),
        ("model", '"sdxl\\Dream, big.safetensors"', [MODELS[1]]),
        ("model", "sdxl/dream, big.safetensors || plain.ckpt", [MODELS[1], MODELS[2]]),
        ("speed", "Fast, 40", [4, 40]),
        ("speed", "slow and fine", [40]),
        ("speed", "*", [4, 40]),
        ("look", 'photo, "Comic, ink"', ["Photo", "Comic, ink"]),
        ("look", "comic*", ["Comic, ink"]),
        ("vae", 'none, a.pt, "", b', [None, "a.pt", None, "b.pt"]),
        ("tags", "red, green", [("red",), ("green",)]),
        ("tags", '"red, green", red', [("red", "green"), ("red",)]),
        (
            "tags",
            "red, green || *",
            [("red", "green"), ("red",), ("green",), ('a, "b"',), ("x || y",)],
        ),
        ("tags", "none, r*", [None, ("red",)]),
        ("tags", '"green, ""x || y""" || red,red', [("green", "x || y"), ("red",)]),
        (
            "tags",
            "red, * || green",
            [("red",), ("red", "green"), ("red", 'a, "b"'), ("red", "x || y"), ("green",)],
        ),
        ("upscale", "on, off", [True, False]),
        ("upscale", "true,FALSE , yes", [True, False, True]),
        ("upscale", "*", [False, True]),
        ("size", "512x512, 768 × 512", [(512, 512), (768, 512)]),
        ("shape", "square, 768x512", [(512, 512), (768, 512)]),
        ("shape", "*", [(512, 512), (768, 512)]),
        ("color", "#F80, rgb(255, 0, 0), rgb(0,0,1)", ["#ff8800", "#ff0000", "#000001"]),
        ("tint", "#ff8800\n255", [0xFF8800, 255]),
        ("free", 'none, 1, ""', [None, 1.0, None]),
    ],
)
def test_values(name: str, text: str, values: list[Any]) -> None:
    axis = read(name, text)
    assert list_values(axis) == values
    assert [type(value) for value in list_values(axis)] == [type(value) for value in values]
    assert read(name, axis.texts[name]).steps == axis.steps
    assert [FORM.check({**BASE, name: value})[name] for value in values] == values


@pytest.mark.parametrize(
    ("name", "text", "place", "problem"),
    [
        ("sampler", "euler, huen", (2, 8, "huen"), "huen is not in the list; did you mean Heun"),
        ("sampler", "zzz*", (1, 1, "zzz*"), "nothing in the list fits zzz*"),
        ("sampler", "euler_c*", (1, 1, "euler_c*"), "did you mean euler or euler_ancestral?"),
        (
            "sampler",
            "Dpm_2",
            (1, 1, "Dpm_2"),
            "Dpm_2 may be any of dpm_2, DPM_2; write one of them whole.",
        ),
        ("sampler", "a[z-a]*", (1, 1, "a[z-a]*"), "nothing in the list fits"),
        ("sampler", '"euler*"', (1, 1, "euler*"), "euler* is not in the list"),
        ("sampler", "none", (1, 1, "none"), "none is not in the list"),
        ("speed", "Fast, 5", (2, 7, "5"), "5 is not in the list"),
        ("tags", "red || green, bleu", (2, 8, "green, bleu"), "bleu is not in the list"),
        ("vae", "*.ckpt", (1, 1, "*.ckpt"), "nothing in the list fits *.ckpt"),
        ("upscale", "on, maybe", (2, 5, "maybe"), "maybe is neither on nor off"),
        ("size", "512x512, 32x512", (2, 10, "32x512"), "the width 32 is not possible"),
        ("size", "512", (1, 1, "512"), "width x height"),
        ("shape", "1x1", (1, 1, "1x1"), "allowed: Square, Wide."),
        ("color", "#ff0000, redish", (2, 10, "redish"), "redish is not a color"),
        (
            "loras",
            "film-grain:0.5, film-gran:1",
            (2, 17, "film-gran:1"),
            "film-gran is not in the list; did you mean",
        ),
        (
            "loras",
            "film-grain:3",
            (1, 1, "film-grain:3"),
            "the strength 3.0 is not possible; numbers from -2 to 2",
        ),
        ("loras", "film-grain:x", (1, 1, "film-grain:x"), "x is neither a number nor a range"),
        ("loras", "*:0-1 (+0.0001)", (1, 1, "*:0-1 (+0.0001)"), "at most 10,000"),
        ("image", "a.png", (1, 1, "a.png"), "files cannot be named here"),
    ],
)
def test_what_cannot_be_taken_is_named(
    name: str, text: str, place: tuple[int, int, str], problem: str
) -> None:
    with pytest.raises(AxisError) as caught:
        read(name, text)
    error = caught.value
    assert (error.field, error.position, error.place, error.item) == (name, *place)
    assert problem in error.problem


def test_names_that_several_choices_share_have_to_be_whole() -> None:
    form = make_form(
        Field("m", "dropdown", "M", {}, choices=list_choices("a/x.pt", "b/x.pt", "b/y.pt"))
    )
    assert list_values(parse_axis(form, {"m": "y, b\\x.pt"}, {})) == ["b/y.pt", "b/x.pt"]
    with pytest.raises(
        AxisError, match=r"x may be any of a/x[.]pt, b/x[.]pt; write one of them whole"
    ):
        parse_axis(form, {"m": "x"}, {})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("film-grain:0.8, none, film-grain", [[(GRAIN, 0.8)], [], [(GRAIN, 1)]]),
        ('"film-grain:0.8, styles/x:1.safetensors", ""', [[(GRAIN, 0.8), (ODD, 1)], []]),
        (
            "film-grain:.5, styles/x:1.safetensors:2 || x:1.safetensors",
            [[(GRAIN, 0.5), (ODD, 2)], [(ODD, 1)]],
        ),
        ("film-grain:0-1 (+0.5)", [[(GRAIN, 0)], [(GRAIN, 0.5)], [(GRAIN, 1)]]),
        ("film*:0-1 [2], <lora:film-grain:0.3>", [[(GRAIN, 0)], [(GRAIN, 1)], [(GRAIN, 0.3)]]),
        ("styles/*:-1", [[(SOFT, -1)], [(ODD, -1)]]),
        (
            '"film-grain, styles/*:0-1 [2]"',
            [[(GRAIN, 1), (one, w)] for one in (SOFT, ODD) for w in (0, 1)],
        ),
    ],
)
def test_loras(text: str, rows: list[list[tuple[str, float]]]) -> None:
    axis = read("loras", text)
    assert list_values(axis) == [
        tuple(Lora(name, float(strength)) for name, strength in row) for row in rows
    ]
    assert read("loras", axis.texts["loras"]).steps == axis.steps


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a cat, sitting", ["a cat, sitting"]),
        (
            "a cat, sitting\n\n  a dog, (big:1.2)\r\na bird",
            ["a cat, sitting", "a dog, (big:1.2)", "a bird"],
        ),
        ("a cat, sitting || a dog\nin the sun", ["a cat, sitting", "a dog\nin the sun"]),
        ("two\nlines ||", ["two\nlines"]),
        ('"a, b", "c ""d"" || e" ,"f\ng"', ["a, b", 'c "d" || e', "f\ng"]),
        ('"a"\n"b"', ["a", "b"]),
        ('"Hello", says the cat ||', ['"Hello", says the cat']),
        ('"Hello", says the cat\n"Bye"', ['"Hello", says the cat', "Bye"]),
        ('the word "cat" on a sign', ['the word "cat" on a sign']),
        ('a || "" || " b "', ["a", "", " b "]),
        ("1-10 (+3)", ["1-10 (+3)"]),
        ('"S/R: not meant"', ["S/R: not meant"]),
        ("SKIP: a, b || c", ["c"]),
        ("none", ["none"]),
        ('"not closed', ['"not closed']),
    ],
)
def test_texts(text: str, values: list[str]) -> None:
    assert list_values(read("prompt", text)) == values
    axis = read("prompt", values)
    assert (
        list_values(axis) == values and list_values(read("prompt", axis.texts["prompt"])) == values
    )


@pytest.mark.parametrize("text", ['"a, b", c', 'a sign, "OPEN", at night', 'a, "b"'])
def test_texts_that_may_be_meant_in_two_ways_are_refused(text: str) -> None:
    with pytest.raises(AxisError, match="put every text in quotes"):
        read("prompt", text)


def test_labels_are_for_people() -> None:
    long = "a lighthouse at dusk, " * 20
    assert list_labels(read("prompt", [long, ""])) == [long, "(empty)"]
    assert list_labels(read("speed", "4, 40")) == ["Fast", "Slow and fine"]
    assert list_labels(read("shape", "*")) == ["Square", "Wide"]
    assert list_labels(read("size", "512x768")) == ["512x768"]
    assert list_labels(read("upscale", "*")) == ["off", "on"]
    assert list_labels(read("vae", "none, a")) == ["none", "a.pt"]
    assert list_labels(read("tags", "red, green || red")) == ["red, green", "red"]
    assert list_labels(read("tint", "255")) == ["#0000ff"]
    assert list_labels(read("loras", '"film-grain:0.50, film-grain", none')) == [
        f"{GRAIN}:0.5 + {GRAIN}",
        "none",
    ]


def test_files(tmp_path: Path) -> None:
    pictures = [
        save_picture(tmp_path / "pictures" / name)
        for name in ("10.png", "2.png", "1, a.png", "x[1].png")
    ]
    (tmp_path / "pictures" / ".hidden.png").write_bytes(b"")
    (tmp_path / "pictures" / "folder.png").mkdir()
    axis = read("image", "pictures/*.png", tmp_path)
    assert list_values(axis) == [pictures[2], pictures[1], pictures[0], pictures[3]]
    assert list_labels(axis) == ["1, a.png", "2.png", "10.png", "x[1].png"]
    (tmp_path / "pictures" / "3.png").write_bytes(pictures[0].read_bytes())
    assert read("image", axis.texts["image"], tmp_path).steps == axis.steps
    assert list_values(read("image", "pictures/x[1].png, none, pictures/[0-9].png", tmp_path)) == [
        pictures[3],
        None,
        pictures[1],
        tmp_path / "pictures" / "3.png",
    ]
    assert list_values(read("image", ["pictures/1, a.png", pictures[0], None], tmp_path)) == [
        *pictures[2:1:-1],
        pictures[0],
        None,
    ]


def test_files_are_checked_before_the_start(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(AxisError, match="not a picture that can be read") as caught:
        read("image", "a.png, *.png", tmp_path)
    assert (caught.value.position, caught.value.place) == (2, 8)
    for text, problem in (
        ("c.png", "c.png does not exist"),
        ("c*", "no file fits"),
        ("**/*.png", "name the folder"),
    ):
        with pytest.raises(AxisError, match=problem.replace("*", "[*]")):
            read("image", text, tmp_path)
    for text in ("a\0.png", "*\0", "\ud800*", "/" * 3000, "[" * 300, "a" * 5000):
        with pytest.raises(AxisError):
            read("image", text, tmp_path)


def test_files_outside_of_the_folder_cannot_be_named(tmp_path: Path) -> None:
    outside, root = save_picture(tmp_path / "secret.png"), tmp_path / "root"
    root.mkdir()
    (root / "link.png").symlink_to(outside)
    for text in (
        "../secret.png",
        "../*.png",
        str(outside),
        f"{tmp_path}/*.png",
        "link.png",
        "*.png",
        "x/../../*",
    ):
        with pytest.raises(
            AxisError, match=r"only files in the folder root|leads out of the folder root"
        ):
            read("image", text, root)
    with pytest.raises(AxisError, match="only files in the folder root"):
        read("image", ["../secret.png"], root)
    for text in ("../secret.png", str(outside), f"{tmp_path}/s*.png", "../s*.png"):
        axis = parse_axis(FORM, {"image": text}, BASE, root=root, is_confined=False)
        assert [value.resolve() for value in list_values(axis)] == [outside]
        assert (
            parse_axis(FORM, dict(axis.texts), BASE, root=root, is_confined=False).steps
            == axis.steps
        )


def test_lists_hold_values_and_no_syntax() -> None:
    assert list_values(read("cfg", [1, 2.5, "3"])) == [1.0, 2.5, 3.0]
    assert dict(read("cfg", [1, 2.5, "3"]).texts) == {"cfg": "1, 2.5, 3"}
    assert list_values(read("prompt", ["a, b || c", "S/R: x"])) == ["a, b || c", "S/R: x"]
    assert list_values(read("tags", [["red", "green"], "red", []])) == [
        ("red", "green"),
        ("red",),
        None,
    ]
    assert list_values(read("size", [[512, 768], "64x64"])) == [(512, 768), (64, 64)]
    assert list_values(read("loras", [[], [{"name": GRAIN, "strength": 0.5}]])) == [
        (),
        (Lora(GRAIN, 0.5),),
    ]
    assert list_values(read("speed", [4, "slow and fine"])) == [4, 40]
    assert (
        list_values(read("upscale", (True, False)))
        == list_values(read("upscale", [1, 0]))
        == [True, False]
    )
    assert format_values(FORM, "prompt", ["a", 'b "c"']) == '"a", "b ""c"""'
    for given, position in (
        ([1, "1-3"], 2),
        ([None], 1),
        ([[1]], 1),
        ([True], 1),
        ([float("nan")], 1),
    ):
        with pytest.raises(AxisError) as caught:
            read("cfg", given)
        assert (caught.value.position, caught.value.place) == (position, 0)


def test_open_seeds_in_a_list_are_drawn() -> None:
    axis = read("seed", [-1, "random", 3])
    assert len(set(list_values(axis))) == 3 and list_values(axis)[2] == 3
    assert list_values(read("seed", axis.texts["seed"])) == list_values(axis)


@pytest.mark.deep
def test_many_values_among_many_choices_are_read_quickly() -> None:
    names = [f"folder{i % 7}/sub/model-{i}.safetensors" for i in range(10_000)]
    form = make_form(Field("m", "dropdown", "M", {}, choices=list_choices(*names)))
    assert list_values(parse_axis(form, {"m": "*"}, {})) == names
    assert (
        list_values(parse_axis(form, {"m": ", ".join(f"MODEL-{i}" for i in range(10_000))}, {}))
        == names
    )


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("loras", '"' + "*, " * 50_000 + '"'),
        ("tags", '"' + "*, " * 50_000 + '"'),
        ("tags", '"' + "red, " * 50_000 + '"'),
        ("model", "*a" * 150 + "?"),
        ("model", "*[a-z]" * 50_000),
        ("cfg", "1-" + "1" * 1_000_000),
        ("cfg", "1" + " " * 1_000_000 + "2"),
        ("color", "rgb(" + "1," * 50_000),
        ("seed", '"1' + '""' * 500_000),
        ("steps", "," * 1_000_000),
        ("prompt", '"a",' * 300_000),
        ("prompt", "a" * 5_000_001),
        ("prompt", "a" * 100_001),
    ],
)
def test_large_texts_are_refused_soon(name: str, text: str) -> None:
    started = time.process_time()
    with pytest.raises(AxisError):
        read(name, text)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_has_a_line_of_help(field: Field) -> None:
    line = describe_syntax(field)
    assert 0 < len(line) < 200 and "\n" not in line and "{" not in line
