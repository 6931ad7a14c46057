"""Targets: what is fed with mutated input, and what has to take it without a crash."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, PngImagePlugin

from comfygradio.binding.form_binding import bind_form
from comfygradio.binding.preset import Preset, load_preset, load_presets
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow, load_workflow
from comfygradio.conversion.convert import convert_workflow
from comfygradio.drafting.draft import draft_preset
from comfygradio.drafting.writer import write_draft
from comfygradio.errors import ComfyGradioError, PresetError
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form
from comfygradio.forms.kinds.picture import check_picture
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.forms.preset_yaml import load_preset_file
from comfygradio.forms.slots import Slot
from comfygradio.forms.strict_yaml import Loader
from comfygradio.forms.value_check import check_value
from comfygradio.metadata.load import load_metadata
from comfygradio.metadata.preset_search import find_preset
from comfygradio.metadata.restore import restore_values
from tests.conversion.ui_file import make_everything, make_info
from tests.fuzz.ui_mutation import restructure
from tests.fuzz.valid_inputs import DATA, PRESET, ROOT, build_classes, build_workflow

from .mutation import TEXTS, make_value, mutate_bytes, mutate_json, mutate_text

JSON_TOKENS = ["[", "]", "{", "}", ",", "NaN", "1e999", '"', "\\ud800"]
PARTS: list[Any] = [
    *(
        "6.text",
        "3.seed",
        "3.model",
        "99.x",
        "Positive.text",
        "*",
        "loras",
        "size",
        "{value} {prompt} {nobody}",
    ),
    *(
        {"node": 6, "input": "text"},
        {"width": "5.width", "height": "5.height"},
        {"model": "3.model"},
        {"seed": 5},
    ),
    *(
        {"A": {"3.cfg": 2}},
        {"A": 1, "B": 2},
        ["512x512"],
        [{"name": "a.safetensors"}],
        ["3.steps", "3.cfg"],
        [20, "10"],
    ),
]
UI_PARTS: list[Any] = [
    *(-10, -20, 0, 1, 2, 4, "blur", "outer", "workflow>Draw", "PrimitiveNode", "Reroute"),
    *([1, 1, 0, 5, 0, "IMAGE"], [1, -10, 0, 7, 0, "*"], {"id": 1, "origin_id": -10}),
]
LINKS = [["4", 0], ["4", 9], [4, 0], ["3", 0], {"__value__": [1]}]


@dataclass
class Targets:
    """The targets by name; each takes one mutated input from the given generator.

    `folder` holds their files.
    """

    folder: Path

    @cached_property
    def by_name(self) -> Mapping[str, Callable[[random.Random], None]]:
        """Name → a function that raises nothing but the project's own errors."""
        return {
            "preset": self.try_preset,
            "workflow": self.try_workflow,
            "server": self.try_server,
            "values": self.try_values,
            "picture": self.try_picture,
            "settings": self.try_settings,
            "media": self.try_media,
            "draft": self.try_draft,
            "conversion": self.try_conversion,
        }

    def try_preset(self, chance: random.Random) -> None:
        """A preset file with mistakes: read, bound, and filled with its defaults."""
        path = self.folder / "preset.yaml"
        text = chance.choice(self._presets)
        text = mutate_text(chance, text) if chance.random() < 0.5 else _mutate_tree(chance, text)
        path.write_bytes(text.encode("utf-8", chance.choice(["replace", "surrogatepass"])))
        _use_form(load_preset(path).bind(self._info), chance)

    def try_workflow(self, chance: random.Random) -> None:
        """A workflow file with mistakes, under a good preset."""
        path = self.folder / "broken.json"
        flow = chance.choice(self._workflows)
        if chance.random() < 0.3:
            path.write_text(
                mutate_text(
                    chance,
                    json.dumps(flow),
                    ["[", "]", "{", "}", ",", "NaN", "1e999", '"', "\\ud800"],
                )
            )
        else:
            path.write_text(
                _dump(
                    mutate_json(
                        chance, flow, [["4", 0], ["4", 9], [4, 0], ["3", 0], {"__value__": [1]}]
                    )
                )
            )
        _use_form(bind_form("t", self._file, load_workflow(path), self._info), chance)

    def try_server(self, chance: random.Random) -> None:
        """An odd answer of /object_info, for a good preset; it is never an error of its own."""
        part = {name: self._classes[name] for name in sorted(self._flow.class_types)}
        odd = [
            "INT",
            "COMBO",
            ["a", 1],
            {"options": ["a"]},
            {"default": [1], "min": "x"},
            {"multiselect": True},
        ]
        info = ObjectInfo.from_json(json.loads(_dump(mutate_json(chance, part, odd))))
        _use_form(bind_form("t", self._file, self._flow, info), chance)

    def try_values(self, chance: random.Random) -> None:
        """Odd values for a good form."""
        values = {
            name: self._make_value(chance, field) for name, field in self._form.fields.items()
        }
        names = chance.sample([*values], chance.randint(1, 4))
        given = {name: values[name] for name in names}
        if chance.random() < 0.1:
            given[chance.choice(TEXTS)] = 1
        self._form.find_visible(given)
        prompt = self._form.fill(given)
        json.dumps([prompt.graph, prompt.extra_pnginfo], allow_nan=False).encode()
        written = json.loads(json.dumps(prompt.extra_pnginfo))["comfygradio"]["values"]
        if not prompt.uploads:
            assert self._form.fill(written).graph == prompt.graph, (
                "a picture's own values give another prompt"
            )

    def try_picture(self, chance: random.Random) -> None:
        """Broken pictures, as uploads and as files with settings."""
        path = self.folder / "picture"
        path.write_bytes(mutate_bytes(chance, chance.choice(self._pictures)))
        problem = check_picture(path, 5)
        assert problem is None or problem.endswith((".", "?"))
        load_metadata(path)

    def try_settings(self, chance: random.Random) -> None:
        """Whole pictures with odd settings in them, read and brought back into a form."""
        path = self.folder / "settings.png"
        info = PngImagePlugin.PngInfo()
        graph = mutate_json(chance, chance.choice([self._flow.to_json(), *self._workflows]))
        own = mutate_json(chance, self._form.fill({}).extra_pnginfo["comfygradio"])
        texts = {
            "prompt": _dump(graph),
            "comfygradio": _dump(own),
            "workflow": _dump({"nodes": make_value(chance)}),
        }
        for name, text in texts.items():
            if chance.random() < 0.7:
                text = (
                    mutate_text(chance, text, ["NaN", "]", "{", '"'])
                    if chance.random() < 0.2
                    else text
                )
                info.add_text(
                    name,
                    text.encode("utf-8", "replace").decode("latin-1", "replace"),
                    zip=chance.random() < 0.2,
                )
        Image.new("L", (2, 2)).save(path, pnginfo=info)
        metadata = load_metadata(path)
        find_preset(metadata, self._loaded)
        restored = restore_values(self._form, metadata)
        self._form.find_visible(restored.values)
        self._form.check(restored.values)

    def try_media(self, chance: random.Random) -> None:
        """Broken videos and sounds, as uploads and as files with settings."""
        path = self.folder / "media"
        name, data = chance.choice(self._media)
        path.write_bytes(mutate_bytes(chance, data))
        widget: Any = "video" if name.startswith("video") else "audio"
        field = Field(name="f", widget=widget, label="F", slots={"": (Slot("1", "x"),)})
        try:
            check_value(field, path)
        except InvalidValue as refused:
            assert str(refused).endswith(".")
        load_metadata(path)

    def try_draft(self, chance: random.Random) -> None:
        """A preset drafted for an odd workflow: what is written down can be read again."""
        flow = Workflow.from_json(
            json.loads(_dump(mutate_json(chance, chance.choice(self._workflows), LINKS)))
        )
        path = self.folder / "drafted.yaml"
        path.write_text(
            write_draft(draft_preset(flow, self._info), "workflow.json"), encoding="utf-8"
        )
        try:
            load_preset_file(path)
        except PresetError as error:
            raise AssertionError(f"a draft that is no preset: {error}") from error

    def try_conversion(self, chance: random.Random) -> None:
        """A workflow in UI format with mistakes, and sometimes a server with odd classes."""
        file: Any = make_everything()
        if chance.random() < 0.4:
            restructure(chance, file)
        for _ in range(chance.choice([0, 1, 1, 2, 5])):
            file = mutate_json(chance, file, UI_PARTS)
        info = make_info()
        if chance.random() < 0.1:
            info = mutate_json(chance, info, [["INT", {"default": []}], {"options": [1]}])
        conversion = convert_workflow(json.loads(_dump(file)), json.loads(_dump(info)))
        json.dumps(conversion.prompt)
        for told in (*conversion.notes, *conversion.missing, *conversion.unused):
            assert str(told).encode()
        for node_id, name in conversion.places:
            assert name in conversion.prompt[node_id]["inputs"]

    def _make_value(self, chance: random.Random, field: Field) -> Any:
        known = [
            field.default,
            field.minimum,
            field.maximum,
            *(choice.value for choice in (field.choices or ())[:9]),
        ]
        if chance.random() < 0.3:
            return mutate_json(chance, chance.choice([field.default, known]), known)
        return chance.choice([*known, *known, *map(str, known), make_value(chance)])

    @cached_property
    def _classes(self) -> dict[str, Any]:
        return build_classes()

    @cached_property
    def _info(self) -> ObjectInfo:
        return ObjectInfo.from_json(self._classes)

    @cached_property
    def _flow(self) -> Workflow:
        return Workflow.from_json(build_workflow())

    @cached_property
    def _presets(self) -> list[str]:
        (self.folder / "workflow.json").write_text(json.dumps(build_workflow()), encoding="utf-8")
        shipped = sorted((ROOT / "presets").glob("*.yaml"))
        for path in shipped:
            name = path.with_suffix(".json").name
            (self.folder / name).write_bytes(path.with_suffix(".json").read_bytes())
        return [PRESET, PRESET, *(path.read_text(encoding="utf-8") for path in shipped)]

    @cached_property
    def _loaded(self) -> list[Preset]:
        path = self.folder / "everything.yaml"
        path.write_text(self._presets[0], encoding="utf-8")
        return load_presets([ROOT / "presets"])[0] + [load_preset(path)]

    @cached_property
    def _file(self) -> Any:
        path = self.folder / "good.yaml"
        path.write_text(PRESET, encoding="utf-8")
        return load_preset_file(path)

    @cached_property
    def _form(self) -> Form:
        form = bind_form("t", self._file, self._flow, self._info)
        assert form.problems == (), form.problems
        return form

    @cached_property
    def _workflows(self) -> list[Any]:
        paths = sorted(
            path for path in (DATA / "workflows").glob("*.json") if path.name != "expected.json"
        )
        own = build_workflow()
        return [
            *[own] * len(paths),
            *(json.loads(path.read_text(encoding="utf-8")) for path in paths),
        ]

    @cached_property
    def _pictures(self) -> list[bytes]:
        found = [
            (DATA / "pictures" / name).read_bytes()
            for name in ("picture.png", "animated.png", "animated.webp")
        ]
        for suffix in ("jpg", "gif", "bmp", "tiff", "webp", "png"):
            path = self.folder / f"drawn.{suffix}"
            Image.effect_noise((24, 16), 60).convert("RGB").save(path)
            found.append(path.read_bytes())
        return found

    @cached_property
    def _media(self) -> list[tuple[str, bytes]]:
        names = ("video.mp4", "video.webm", "video.mkv", "sound.flac", "sound.mp3", "sound.opus")
        return [(name, (DATA / "pictures" / name).read_bytes()) for name in names]


def _use_form(form: Form, chance: random.Random) -> None:
    """What happens with a form: it is shown, checked, filled, and its problems are printed."""
    for problem in form.problems:
        json.dumps(problem.to_json(), default=str)
        str(problem).encode()
    "".join(form.notes).encode()
    form.find_visible({name: make_value(chance) for name in form.fields})
    prompt = form.fill({})
    json.dumps([prompt.graph, prompt.extra_pnginfo]).encode()


def _mutate_tree(chance: random.Random, text: str) -> str:
    """A preset file whose values were changed, and whose YAML is whole."""
    tree = mutate_json(chance, yaml.load(text, Loader), PARTS)
    try:
        return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    except (ValueError, RecursionError):
        return mutate_text(chance, text)


def _dump(data: Any) -> str:
    """JSON as odd as can be: NaN, half characters, and numbers too long to be read
    again left out.
    """
    try:
        return json.dumps(data)
    except (ValueError, RecursionError):
        return "[]"


def is_expected(error: BaseException) -> bool:
    """Whether an error is one of the project's own, with a sentence that can be shown."""
    if not isinstance(error, ComfyGradioError):
        return False
    str(error).encode()
    return bool(str(error))
