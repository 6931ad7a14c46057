"""Widgets: which controls ComfyUI's page makes for the inputs of a class, and in which order.

The order matters: files list the values of a node's widgets without names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from comfygradio.conversion.node_class import (
    AUTOGROW,
    DYNAMIC_COMBO,
    MATCH_TYPE,
    MAX_GROUPS,
    MAX_INPUTS,
    ClassInput,
    NodeClass,
    list_choices,
    list_chosen,
    parse_inputs,
)

PAGE_WIDGETS = frozenset(
    (
        "INT",
        "FLOAT",
        "STRING",
        "BOOLEAN",
        "COMBO",
        DYNAMIC_COMBO,
        "AUDIO_RECORD",
        "BOUNDING_BOX",
        "BOUNDING_BOXES",
        "CHART",
        "COLOR",
        "COLORS",
        "COMPOSITOR",
        "CURVE",
        "IMAGECOMPARE",
        "LOAD_3D",
        "LOAD_3D_ANIMATION",
        "MARKDOWN",
        "PAINTER",
        "PREVIEW_3D",
        "PREVIEW_3D_ANIMATION",
        "RANGE",
        "TEXTAREA",
        "WEBCAM",
    )
)
"""Types of inputs for which ComfyUI's page makes a widget."""

SEEDS = ("seed", "noise_seed")
"""Names of INT inputs that get a control without asking for it."""

UPLOADS = (
    "image_upload",
    "animated_image_upload",
    "video_upload",
    "audio_upload",
)
"""Options of a combo that make a button for uploads at the end of the node."""

CONTROL = "control_after_generate"

CONTROL_WORDS = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
"""What ComfyUI's page may do with a number or choice after a run."""


@dataclass(frozen=True)
class Widget:
    """A control of a node. `kind` is the type of its input, or "PAGE" for one that the page adds.

    `is_saved`: files hold a value for it. `is_posted`: prompts do. `grows`: it stands for any
    number of widgets of this name, which is followed by a number from 1.
    """

    name: str
    kind: str
    default: Any = None
    is_posted: bool = True
    is_saved: bool = True
    grows: bool = False
    choices: tuple[Any, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def list_added(self, value: Any) -> list[Widget]:
        """List the widgets that the choice of a dynamic combo adds behind it."""
        if self.kind != DYNAMIC_COMBO:
            return []
        chosen = list_chosen(self.name, self.options, value)
        return list(_make_all(tuple(chosen), frozenset()))


def list_widgets(
    node_class: NodeClass, linked: Set[str] = frozenset(), declared: Set[str] = frozenset()
) -> list[Widget]:
    """List the widgets of a class, before any choice of a dynamic combo adds others.

    `linked` are the inputs of the node that links feed: autogrow inputs grow with them. `declared`
    are inputs that the file calls widgets: node packs have widgets for types of their own.
    """
    widgets: list[Widget] = []
    for entry in node_class.inputs:
        if entry.name in declared and is_custom(entry):
            widgets.append(Widget(entry.name, entry.type, entry.options.get("default", "")))
        else:
            widgets.extend(_make_all((entry,), linked))
    if any(_has_upload(entry) for entry in node_class.inputs):
        widgets.append(Widget("upload", "PAGE", "image", is_posted=False))
    return _add_known(node_class.name, widgets)


def list_custom_widgets(node_class: NodeClass, in_file: Set[str]) -> frozenset[str]:
    """List the inputs that may be widgets of a node pack: they are of a type of its own, and no
    input of the node in the file. Sockets always are.
    """
    found = []
    for entry in node_class.inputs:
        if is_custom(entry) and entry.name not in in_file:
            found.append(entry.name)
    return frozenset(found)


def is_custom(entry: ClassInput) -> bool:
    """Whether an input is of a type that ComfyUI's page knows no widget for. A union of types is
    none.
    """
    if entry.is_socket:
        return False
    is_known = entry.type in PAGE_WIDGETS or entry.type in (AUTOGROW, MATCH_TYPE, "*")
    return not is_known and "," not in entry.type


def find_kind(entry: ClassInput) -> str | None:
    """Find the type of widget that an input has. Returns None for a socket."""
    if entry.is_socket:
        return None
    kind = entry.options.get("widgetType")
    if not isinstance(kind, str):
        kind = entry.type
    # Unions of types make no widget, unless they name one.
    if kind in PAGE_WIDGETS:
        return kind
    return None


def list_autogrow_names(entry: ClassInput, linked: Set[str]) -> list[tuple[str, ClassInput]]:
    """List the inputs that an autogrow input has: one more than it needs or than are linked."""
    template = entry.options.get("template")
    if not isinstance(template, dict):
        return []
    inputs = list(parse_inputs(template.get("input")))
    names = template.get("names")
    least = template.get("min", 1)
    most = template.get("max", MAX_GROUPS)
    if isinstance(names, list):
        most = len(names)
    else:
        names = None
    if not isinstance(least, int) or not isinstance(most, int):
        return []
    prefix = template.get("prefix")
    found: list[tuple[str, ClassInput]] = []
    count = max(1, least + 1)
    number = 0
    while number < min(count, most, MAX_GROUPS) and len(found) < MAX_INPUTS:
        for inner in inputs:
            if names is not None:
                base = str(names[number])
            elif len(inputs) == 1 and isinstance(prefix, str):
                base = f"{prefix}{number}"
            else:
                base = f"{inner.name}{number}"
            name = f"{entry.name}.{base}"
            found.append((name, inner))
            if name in linked:
                count = max(count, number + 2)
        number += 1
    return found


def _make_all(inputs: tuple[ClassInput, ...], linked: Set[str]) -> Iterator[Widget]:
    for entry in inputs:
        if entry.type == AUTOGROW:
            for name, inner in list_autogrow_names(entry, linked):
                grown = replace(inner, name=name)
                yield from _make(grown)
        else:
            yield from _make(entry)


def _make(entry: ClassInput) -> Iterator[Widget]:
    """Make the widgets of one input: its own, and those that the page puts behind it."""
    kind = find_kind(entry)
    if kind is None:
        return
    choices = entry.choices
    if kind == DYNAMIC_COMBO:
        choices = tuple(item.get("key") for item in list_choices(entry.options))
    yield Widget(
        name=entry.name,
        kind=kind,
        default=_find_default(kind, entry.options, choices),
        # The page has the two pictures of a comparison, and no file does.
        is_saved=kind != "IMAGECOMPARE",
        choices=choices,
        options=entry.options,
    )
    if _has_control(entry, kind):
        yield Widget(CONTROL, "CONTROL", "randomize", is_posted=False)
    remote = entry.options.get("remote")
    if isinstance(remote, dict):
        yield Widget("Auto-refresh after generation", "PAGE", False, is_posted=False)
        if remote.get("refresh_button"):
            yield Widget("refresh", "PAGE", "refresh")
    if entry.options.get("component") == "ImageCrop":
        for side in ("x", "y", "width", "height"):
            yield Widget(side, "PAGE", is_posted=False)
    if kind == "AUDIO_RECORD":
        yield Widget(f"{entry.name}#1", "PAGE", is_posted=False)


def _has_control(entry: ClassInput, kind: str) -> bool:
    flag = entry.options.get(CONTROL)
    if flag is None:
        return kind == "INT" and entry.name in SEEDS
    return bool(flag) and kind in ("INT", "COMBO")


def _has_upload(entry: ClassInput) -> bool:
    if entry.type != "COMBO":
        return False
    return any(entry.options.get(flag) for flag in UPLOADS)


def _find_default(kind: str, options: Mapping[str, Any], choices: tuple[Any, ...]) -> Any:
    """Find the value of a widget that nobody has touched."""
    if kind == DYNAMIC_COMBO:
        return choices[0] if choices else ""
    # Some packs write null for no default.
    if options.get("default") is not None:
        return options["default"]
    if kind == "COMBO":
        if options.get("multiselect") and not choices:
            return ""
        return choices[0] if choices else ""
    if kind in ("INT", "FLOAT"):
        return 0
    if kind == "BOOLEAN":
        return False
    if kind == "IMAGECOMPARE":
        return ["", ""]
    if kind in ("BOUNDING_BOXES", "COLORS"):
        return []
    return ""


def _add_known(class_type: str, widgets: list[Widget]) -> list[Widget]:
    """Add the widgets that ComfyUI's page makes for some of ComfyUI's own classes, and that
    object_info does not mention.
    """
    if class_type in ("SaveGLB", "Preview3D", "Preview3DAnimation"):
        return [*widgets, Widget("image", "LOAD_3D", "")]
    if class_type in ("Load3D", "Load3DAnimation"):
        buttons = [
            Widget("upload 3d model", "PAGE", "upload3dmodel"),
            Widget("upload extra resources", "PAGE", "uploadExtraResources"),
            Widget("clear", "PAGE", "clear"),
        ]
        return [*widgets[:1], *buttons, *widgets[1:]]
    if class_type == "CustomCombo":
        return [*widgets, Widget("index", "PAGE", -1), Widget("option", "STRING", "", grows=True)]
    if class_type in ("PreviewAny", "SaveText"):
        names = ("preview_markdown", "preview_text", "preview_mode")
        return [*widgets, *(Widget(name, "PAGE", is_posted=False) for name in names)]
    if class_type == "WebcamCapture":
        return [*widgets, Widget("waiting for camera...", "PAGE", "capture")]
    return widgets
