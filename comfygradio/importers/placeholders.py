"""Import placeholders: values such as `%prompt%` that another app replaces before it posts a
workflow.

Their author meant them to be filled in, and a server could not run with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from comfygradio.forms.slots import TEXT_CONTROLS, Slot
from comfygradio.forms.text_expansion import find_placeholders
from comfygradio.importers.annotation import Annotation
from comfygradio.importers.ui_workflow import UiWorkflow
from comfygradio.importers.values import fit_literal, slugify
from comfygradio.importers.workflow_editor import WorkflowEditor

WORDS = ("prompt", "positive_prompt", "positive", "user_prompt", "input_prompt", "text")
UNWANTED = ("negative_prompt", "negative", "neg_prompt", "negativeprompt")
ADVANCED_NAMES = (
    "steps",
    "scale",
    "cfg",
    "cfg_scale",
    "guidance",
    "clip_skip",
    "vae",
    "sampler",
    "sampler_name",
    "scheduler",
    "denoise",
    "batch_size",
)
"""Names of placeholders that become advanced fields."""

SETTINGS = (
    *ADVANCED_NAMES,
    "seed",
    "noise_seed",
    "width",
    "height",
    "image",
    "image_name",
    "filename",
    "strength",
    "model",
    "checkpoint",
    "ckpt",
    "ckpt_name",
    "lora",
    "fps",
    "frames",
    "length",
    "duration",
)
"""Names of placeholders in apps (SillyTavern, Open WebUI, chat bots, scripts)."""

PERCENT = re.compile(r"(?<![\w%])%([A-Za-z]\w{0,39})%(?![\w%])")
"""The form that is a placeholder wherever it occurs, whatever its name."""

KNOWN = frozenset({*WORDS, *UNWANTED, *SETTINGS})

OTHER = re.compile(
    r"\{\{\s*([A-Za-z]\w{0,39})\s*\}\}|\$\{([A-Za-z]\w{0,39})\}|\{([A-Za-z]\w{0,39})\}"
    r"|\$([A-Za-z]\w{0,39})\$|__([A-Za-z]\w{0,39})__|<([A-Za-z]\w{0,39})>|\[([A-Za-z]\w{0,39})\]"
    r"|@([A-Za-z]\w{0,39})@"
)
"""Forms that may mean something else in a text. Alone in an input and with a known name, they are
placeholders.
"""

INSIDE = frozenset({*WORDS, *UNWANTED}) - {"text", "positive", "negative"}
"""Names that are placeholders in the other forms inside a text, too."""

WORKING = TEXT_CONTROLS | {"search", "old", "old_text", "placeholder", "from", "text_find"}
"""Inputs of nodes that replace texts: the workflow itself fills in what they look for."""

FORMATS = frozenset({"template", "format", "format_string", "f_string", "fstring", "expression"})
"""Inputs whose node fills in names itself."""


@dataclass(frozen=True)
class Placeholder:
    """A placeholder in an input: its name, its notation, and the text before and after it."""

    slot: Slot
    name: str
    written: str
    before: str = ""
    after: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the input contains nothing else."""
        return self.around == ""

    @property
    def around(self) -> str:
        """The text of the input without the placeholder."""
        return self.before + self.after


def import_placeholders(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each placeholder. Inputs with the same placeholder become one field.

    An input that is a placeholder gets the server's default; from a text, the placeholder is
    removed.
    """
    places = list(_find_places(editor))
    groups: dict[tuple[str, str, str], list[Placeholder]] = {}
    for place in places:
        key = (place.name, place.before, place.after)
        group = groups.setdefault(key, [])
        group.append(place)
        _clear(editor, place)
    if places:
        written = dict.fromkeys(place.written for place in places)
        shown = ", ".join(written)
        editor.notes.append(f"Placeholders of another app became fields: {shown[:300]}.")
    return [_make_annotation(group) for group in groups.values()]


def _find_places(editor: WorkflowEditor) -> Iterator[Placeholder]:
    """Find placeholders, except those that nodes of the workflow replace."""
    texts: dict[Slot, str] = {}
    replaced: set[str] = set()
    for node in editor.nodes.values():
        for name, value in node.inputs.items():
            if not isinstance(value, str):
                continue
            slot = Slot(node.id, name)
            if slot.last_part.lower() in WORKING:
                replaced.add(value.strip())
            else:
                texts[slot] = value
    # Only now, since any node may name what is replaced in the text of another.
    for slot, text in texts.items():
        name = slot.last_part.lower()
        if name in FORMATS or name.endswith("prefix"):
            continue
        place = _find_place(editor, slot, text, replaced)
        if place is not None:
            yield place


def _find_place(
    editor: WorkflowEditor, slot: Slot, text: str, replaced: set[str]
) -> Placeholder | None:
    """Find the main placeholder in a text, except those that the workflow itself replaces."""
    bare = text.strip()
    if bare in replaced:
        return None
    name = _find_only_name(bare)
    if name:
        return Placeholder(slot, name, bare)
    found = []
    for match in (*PERCENT.finditer(text), *OTHER.finditer(text)):
        if _is_placeholder(match) and match[0] not in replaced:
            found.append(match)
    if not found:
        return None
    main = min(found, key=_rank_match)
    before, after = _leave_out(editor, slot, text, found, main)
    return Placeholder(slot, _read_name(main), main[0], before, after)


def _find_only_name(text: str) -> str:
    """Return the name if the whole text is one placeholder; else ""."""
    match = PERCENT.fullmatch(text)
    if match is not None:
        return _read_name(match)
    match = OTHER.fullmatch(text)
    if match is None:
        return ""
    name = _read_name(match)
    return name if name in KNOWN else ""


def _rank_match(match: re.Match[str]) -> tuple[bool, int]:
    """Rank prompts before settings, and earlier ones before later ones."""
    name = _read_name(match)
    is_main = name in WORDS or name in UNWANTED
    return not is_main, match.start()


def _leave_out(
    editor: WorkflowEditor, slot: Slot, text: str, found: list[re.Match[str]], main: re.Match[str]
) -> tuple[str, str]:
    """Return the text before and after one placeholder without the others, which a note names."""
    before = text[: main.start()]
    after = text[main.end() :]
    others = [match[0] for match in found if match is not main]
    for written in others:
        before = before.replace(written, "")
        after = after.replace(written, "")
    if others:
        names = ", ".join(dict.fromkeys(others))
        where = f"{slot.input} of {editor.describe_node(slot.node_id)}"
        editor.notes.append(
            f"{names} stood beside {main[0]} in {where} and was left out; the one field takes all "
            "words."
        )
    return before, after


def _is_placeholder(match: re.Match[str]) -> bool:
    """Whether a match inside a text is a placeholder."""
    if match.re is PERCENT:
        return True
    return _read_name(match) in INSIDE


def _read_name(match: re.Match[str]) -> str:
    # Each form has a group of its own, and the last one that matched is the only one.
    name = match[match.lastindex or 0]
    return name.lower()


def _clear(editor: WorkflowEditor, place: Placeholder) -> None:
    """Replace a placeholder by the server's default, or remove it from its text."""
    if not place.is_whole:
        editor.set_input(place.slot, place.around)
        return
    spec = editor.spec(place.slot)
    editor.set_input(place.slot, fit_literal(spec, None))


def _make_annotation(places: list[Placeholder]) -> Annotation:
    """Make the annotation of the inputs with one placeholder. The text around it is a template."""
    first = places[0]
    # A template takes every name in braces for a field's.
    has_template = not first.is_whole and not find_placeholders(first.around)
    return Annotation(
        source=f"another app, as {first.written}",
        slots=tuple(place.slot for place in places),
        name=slugify(first.name),
        order=_rank(first.name),
        advanced=first.name in ADVANCED_NAMES,
        is_exact=True,
        template=f"{first.before}{{value}}{first.after}" if has_template else "",
        default="" if has_template else None,
    )


def _rank(name: str) -> int:
    """Rank prompts first, then negative prompts, then the rest."""
    if name in WORDS:
        return 0
    if name in UNWANTED:
        return 1
    return 2
