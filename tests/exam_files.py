"""Empty files for a real ComfyUI, under every name that the exam's workflows use.

`COMFYGRADIO_EXAM=FOLDER python -m tests.exam_files BASE` writes them below the base folder of a
ComfyUI (its `--base-directory`): models, and pictures, sounds and videos of its input folder.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from tests.exam import FOLDER, NO_EXAM

MODELS = (".bin", ".ckpt", ".gguf", ".onnx", ".pt", ".pth", ".safetensors", ".sft", ".task")
"""How the name of a model ends."""

UPLOADS = ("image_upload", "audio_upload", "video_upload", "file_upload")
"""An input with one of these flags lists the files of the input folder."""

UNNAMED = {("AudioEncoderLoader", "audio_encoder_name"): "audio_encoders"}
"""Lists whose folder no workflow names."""


def list_files(exam: Path) -> Iterator[PurePosixPath]:
    """Yield the path of each file below ComfyUI's base folder."""
    named: dict[str, set[str]] = defaultdict(set)
    for path in sorted((exam / "workflows").iterdir()):
        for folder, name in _list_models(json.loads(path.read_text(encoding="utf-8"))):
            named[folder].add(name)
    for folder, names in named.items():
        for name in names:
            yield PurePosixPath("models", folder, name)
    classes = json.loads((exam / "object_info.json").read_text(encoding="utf-8"))
    for place, choices, options in _list_choices(classes):
        if any(options.get(flag) for flag in UPLOADS):
            for name in choices:
                if PurePosixPath(name).suffix:
                    yield PurePosixPath("input", name)
            continue
        models = [name for name in choices if name.endswith(MODELS)]
        found = Counter(key for key, names in named.items() for name in models if name in names)
        if found:
            folder = found.most_common(1)[0][0]
        elif place in UNNAMED:
            folder = UNNAMED[place]
        else:
            continue
        for name in models:
            yield PurePosixPath("models", folder, name)


def _list_models(data: Any) -> Iterator[tuple[str, str]]:
    """Yield folder and name of each model that a part of a workflow names as its own."""
    if isinstance(data, list):
        for item in data:
            yield from _list_models(item)
    if not isinstance(data, dict):
        return
    models = data.get("models")
    for model in models if isinstance(models, list) else ():
        if isinstance(model, dict) and "directory" in model:
            yield model["directory"], model["name"]
    for value in data.values():
        yield from _list_models(value)


def _list_choices(
    classes: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, str], list[str], Mapping[str, Any]]]:
    """Yield class and name of each input that is chosen from a list, its choices and options."""
    for class_type, described in classes.items():
        for section in described["input"].values():
            for name, declared in section.items():
                options = declared[1] if len(declared) > 1 else {}
                if not isinstance(options, dict):
                    continue
                choices = declared[0] if isinstance(declared[0], list) else options.get("options")
                texts = [one for one in choices or () if isinstance(one, str)]
                if texts:
                    yield (class_type, name), texts, options


def main() -> int:
    """Write the files; print how many there are now."""
    if not FOLDER:
        print(NO_EXAM, file=sys.stderr)
        return 2
    base = Path(sys.argv[1])
    paths = set(list_files(Path(FOLDER)))
    for path in paths:
        target = base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    print(f"{len(paths)} files below {base}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
