"""Presets: load preset files and the workflows beside them, and bind them to a server."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from comfygradio.binding.cover import load_cover
from comfygradio.binding.form_binding import bind_form
from comfygradio.binding.lora_binding import list_chain_classes, list_stack_classes
from comfygradio.binding.ui_layout import LayoutFile, UiLayout, load_layout
from comfygradio.binding.wildcard_folder import FOLDER, WildcardFolder
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow, load_workflow
from comfygradio.errors import PresetError, WorkflowError
from comfygradio.forms.cover import Cover
from comfygradio.forms.form import Form
from comfygradio.forms.model_hashes import NO_HASHES, ModelHashes
from comfygradio.forms.preset_file import PresetFile
from comfygradio.forms.preset_yaml import load_preset_file_with_lines
from comfygradio.forms.strict_yaml import KeyLines
from comfygradio.forms.wildcards import NO_WILDCARDS, Wildcards

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Preset:
    """A preset file and the workflow beside it. `name` is used in URLs, commands and folders;
    `lines` tells the line of each key in the file, and `hashes` which models other presets know.
    `layout_file` is the same workflow in UI format; None without one, and if it cannot be read:
    then `notes` say why, as they do for a `cover` that cannot be shown. `wildcards` are those of
    the folder beside the file.
    """

    name: str
    path: Path
    file: PresetFile
    workflow: Workflow
    lines: KeyLines = field(default_factory=dict, repr=False, compare=False)
    hashes: ModelHashes = field(default=NO_HASHES, repr=False, compare=False)
    layout_file: LayoutFile | None = field(default=None, repr=False, compare=False)
    cover: Cover | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    wildcards: Wildcards = field(default_factory=lambda: NO_WILDCARDS, repr=False, compare=False)

    @property
    def title(self) -> str:
        """The title that people see."""
        return self.file.title

    @property
    def layout_digest(self) -> str:
        """Tells its layout from others; "" without one."""
        return "" if self.layout_file is None else self.layout_file.digest

    @property
    def ui_workflow_path(self) -> Path:
        """Where the same workflow is in UI format, if whoever drafted the preset had that."""
        return name_ui_workflow(self.path.parent / self.file.workflow)

    @property
    def class_types(self) -> frozenset[str]:
        """The node classes to fetch from a server: the workflow's, and those that LoRA
        lists add.
        """
        added = list_stack_classes(self.workflow)
        for line in self.file.fields.values():
            added |= list_chain_classes(line)
        return self.workflow.class_types | added

    def bind(
        self,
        object_info: ObjectInfo,
        embeddings: Sequence[str] = (),
        hashes: ModelHashes = NO_HASHES,
    ) -> Form:
        """Bind this preset to a server with these node classes, embeddings, and models of these
        hashes.
        """
        own = ModelHashes.from_entries(self.file.models)
        known = self.hashes.add(own.files).add(hashes.files)
        form = bind_form(
            name=self.name,
            file=self.file,
            workflow=self.workflow,
            object_info=object_info,
            embeddings=embeddings,
            lines=self.lines,
            hashes=known,
            wildcards=self.wildcards,
        )
        layout = None
        if self.layout_file is not None:
            layout = UiLayout(self.layout_file, object_info)
        return replace(form, layout=layout, notes=(*form.notes, *self.notes))


def name_ui_workflow(workflow_path: Path) -> Path:
    """Return where the same workflow is stored in UI format: NAME.ui.json beside NAME.json."""
    return workflow_path.with_suffix(".ui.json")


def load_preset(path: str | Path) -> Preset:
    """Load one preset file and its workflow. Raises PresetError, which names file, line and key."""
    path = Path(path)
    if not NAME.fullmatch(path.stem):
        raise PresetError(
            f"{path.name}: a preset is named in small letters, digits and _ (snake_case), for "
            f"example {_suggest_name(path.stem)}.yaml."
        )
    file, lines = load_preset_file_with_lines(path)
    # Resolved, so that neither `..` nor a link leads out of the folder unnoticed.
    folder = path.parent.resolve()
    try:
        workflow_path = (folder / file.workflow).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise PresetError(f"{path}: workflow {file.workflow!r} is not a path: {error}.") from error
    if folder not in workflow_path.parents:
        raise PresetError(
            f"{path}: workflow {file.workflow} lies outside of the preset's folder; put it beside "
            "the file."
        )
    try:
        workflow = load_workflow(workflow_path)
    except WorkflowError as error:
        raise PresetError(f"{path}: {error}") from error
    layout_file, layout_notes = load_layout(name_ui_workflow(workflow_path), folder)
    cover, cover_notes = load_cover(path, file.cover)
    return Preset(
        path.stem,
        path,
        file,
        workflow,
        lines,
        layout_file=layout_file,
        cover=cover,
        notes=(*layout_notes, *cover_notes),
        wildcards=WildcardFolder(path.parent / FOLDER),
    )


def load_presets(folders: Iterable[Path]) -> tuple[list[Preset], list[PresetError]]:
    """Load every preset of the folders, sorted by order and title. Also returns an error for each
    that cannot be used.
    """
    presets: dict[str, Preset] = {}
    errors: list[PresetError] = []
    for folder in folders:
        if not folder.is_dir():
            errors.append(PresetError(f"The presets folder {folder} does not exist."))
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            try:
                preset = load_preset(path)
            except PresetError as error:
                errors.append(error)
                continue
            # The first of one name counts, in the order of the folders.
            other = presets.setdefault(preset.name, preset)
            if other is not preset:
                problem = f"{path}: the name {preset.name} is taken by {other.path}."
                errors.append(PresetError(problem))
    known = share_hashes(presets.values())
    return sort_presets(known), errors


def share_hashes(presets: Iterable[Preset]) -> list[Preset]:
    """Let each of these presets know the hashes of models that any of them tells."""
    listed = list(presets)
    models = [model for preset in listed for model in preset.file.models]
    hashes = ModelHashes.from_entries(models)
    return [replace(preset, hashes=hashes) for preset in listed]


def sort_presets(presets: Iterable[Preset]) -> list[Preset]:
    """Sort presets by order, then by title; those without an order come last.

    Presets of one group stay together, at the place of the first of them.
    """
    listed = sorted(presets, key=_rank)
    own_places: dict[str, int] = {}
    group_places: dict[str, int] = {}
    for place, preset in enumerate(listed):
        own_places[preset.name] = place
        group_places.setdefault(preset.file.group, place)

    def find_place(preset: Preset) -> int:
        if preset.file.group:
            return group_places[preset.file.group]
        return own_places[preset.name]

    return sorted(listed, key=find_place)


def _rank(preset: Preset) -> tuple[float, str]:
    order = preset.file.order
    if order is None:
        order = math.inf
    return order, preset.title


def _suggest_name(stem: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    if NAME.fullmatch(name):
        return name
    return f"preset_{name}".strip("_")
