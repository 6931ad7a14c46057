"""The corpus: API-format workflows of many kinds, and what a person would call their prompt, seed,
size and model.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from PIL import Image

from comfygradio.binding.preset import load_preset
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Prompt, Workflow, load_workflow
from comfygradio.drafting.draft import draft_preset
from comfygradio.drafting.writer import write_draft
from comfygradio.forms.form import Form

DATA = Path(__file__).parent.parent / "data"
FOLDER = DATA / "workflows"
INFO = DATA / "object_info" / "corpus-v0.33.0.json"


@dataclass(frozen=True)
class Expected:
    """What truly is in a workflow: slots as NODE.INPUT by their role, and the ids of the output
    nodes.

    A text or number that comes from a primitive node is found at that node. `size` has width and
    height, or nothing where the size comes from a picture.
    """

    kind: str
    title: str
    outputs: frozenset[str]
    size: Mapping[str, str]
    prompt: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    seed: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    video: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()

    @property
    def media(self) -> frozenset[str]:
        """The slots that take a file."""
        return frozenset(self.images + self.masks + self.video + self.audio)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expected:
        """Parse one value of expected.json."""
        roles = {
            key: tuple(value)
            for key, value in data.items()
            if isinstance(value, list) and key != "outputs"
        }
        return cls(
            data["kind"], data["title"], frozenset(data["outputs"]), data.get("size", {}), **roles
        )


@dataclass(frozen=True)
class Case:
    """One workflow of the corpus; `name` is its file's name."""

    name: str
    workflow: Workflow
    expected: Expected

    def __str__(self) -> str:
        return self.name


def list_cases() -> list[Case]:
    """Every workflow of the corpus, by name."""
    told: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    found = sorted(path for path in FOLDER.glob("*.json") if path.name != "expected.json")
    return [
        Case(path.stem, load_workflow(path), Expected.from_json(told[path.stem])) for path in found
    ]


def corpus_json() -> dict[str, Any]:
    """The classes that the corpus uses, as ComfyUI v0.33.0 describes them, with invented lists of
    models.
    """
    data: dict[str, Any] = json.loads(INFO.read_text(encoding="utf-8"))
    return data


def corpus_info() -> ObjectInfo:
    """The same, parsed."""
    return ObjectInfo.from_json(corpus_json())


def draft_form(case: Case, info: ObjectInfo, folder: Path) -> Form:
    """The form of a case as an author gets it: drafted, written into a folder, read again and
    bound.
    """
    draft = draft_preset(case.workflow, info)
    (folder / "workflow.json").write_text(json.dumps(draft.workflow.to_json()), encoding="utf-8")
    path = folder / f"{case.name}.yaml"
    path.write_text(write_draft(draft, "workflow.json"), encoding="utf-8")
    return load_preset(path).bind(info)


def make_media(folder: Path) -> dict[str, Path]:
    """A small file for each widget that takes one: a picture, a painted mask, a video, a sound."""
    files = {
        "image": folder / "picture.png",
        "video": folder / "film.mp4",
        "audio": folder / "sound.wav",
    }
    picture = Image.new("RGBA", (64, 64), (40, 90, 160, 255))
    picture.paste((0, 0, 0, 0), (16, 16, 48, 48))
    picture.save(files["image"])
    with av.open(str(files["video"]), "w") as film:
        stream = film.add_stream("mpeg4", rate=8)
        stream.width = stream.height = 64
        frame = av.VideoFrame(64, 64, "rgb24")
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        for index in range(8):
            frame.pts = index
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    with wave.open(str(files["audio"]), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))
    return {**files, "mask": files["image"]}


def fill_defaults(form: Form, media: Mapping[str, Path]) -> Prompt:
    """The prompt of a form in which nothing but files was put in."""
    return form.fill(
        {name: media[one.widget] for name, one in form.fields.items() if one.kind.is_media}
    )
