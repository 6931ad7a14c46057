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
SETTINGS = (
    *("seed", "noise_seed", "width", "height", "batch_size", "image", "image_name", "filename"),
    *("steps", "scale", "cfg", "cfg_scale", "guidance", "denoise", "strength", "clip_skip"),
    *("model", "checkpoint", "ckpt", "ckpt_name", "vae", "lora", "sampler", "sampler_name"),
    *("scheduler", "fps", "frames", "length", "duration"),
)
"""Names of placeholders in apps (SillyTavern, Open WebUI, chat bots, scripts)."""

ADVANCED_NAMES = frozenset(
    {"steps", "scale", "cfg", "cfg_scale", "guidance", "clip_skip", "vae"}
) | {*("sampler", "sampler_name", "scheduler", "denoise", "batch_size")}
"""Names of placeholders that become advanced fields."""

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

INSIDE = frozenset({*WORDS, *UNWANTED} - {"text", "positive", "negative"})
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
        return not (self.before or self.after)


def import_placeholders(editor: WorkflowEditor, ui_workflow: UiWorkflow | None) -> list[Annotation]:
    """Import an annotation for each placeholder. Inputs with the same placeholder become one field.

    An input that is a placeholder gets the server's default; from a text, the placeholder is
    removed.
    """
    places = list(_find_places(editor))
    groups: dict[tuple[str, str, str], list[Placeholder]] = {}
    for place in places:
        key = (place.name, place.before, place.after)
        groups.setdefault(key, []).append(place)
        _clear(editor, place)
    if places:
        shown = ", ".join(dict.fromkeys(place.written for place in places))
        editor.notes.append(f"Placeholders of another app became fields: {shown[:300]}.")
    return [_write_hint(group) for group in groups.values()]


def _find_places(editor: WorkflowEditor) -> Iterator[Placeholder]:
    """Find placeholders, except those that nodes of the workflow replace."""
    texts: dict[Slot, str] = {}
    for node in editor.nodes.values():
        for name, value in node.inputs.items():
            if isinstance(value, str):
                texts[Slot(node.id, name)] = value
    own = {text.strip() for slot, text in texts.items() if slot.last_part.lower() in WORKING}
    for slot, text in texts.items():
        name = slot.last_part.lower()
        if name in WORKING or name in FORMATS or name.endswith("prefix"):
            continue
        place = _read_place(editor, slot, text, own)
        if place is not None:
            yield place


def _read_place(editor: WorkflowEditor, slot: Slot, text: str, own: set[str]) -> Placeholder | None:
    bare = text.strip()
    if bare in own:
        return None
    alone = PERCENT.fullmatch(bare) or OTHER.fullmatch(bare)
    if alone and (alone.re is PERCENT or _read_name(alone) in KNOWN):
        return Placeholder(slot, _read_name(alone), bare)
    matches = (*PERCENT.finditer(text), *OTHER.finditer(text))
    found = [match for match in matches if _counts(match) and match[0] not in own]
    if not found:
        return None
    main = min(found, key=_rank_match)
    before, after = _leave_out(editor, slot, text, found, main)
    return Placeholder(slot, _read_name(main), main[0], before, after)


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
        editor.notes.append(
            f"{names} stood beside {main[0]} in {slot.input} of "
            f"{editor.describe_node(slot.node_id)} and "
            "was left out; the one field takes all words."
        )
    return before, after


def _counts(match: re.Match[str]) -> bool:
    """Whether a match inside a text is a placeholder."""
    return match.re is PERCENT or _read_name(match) in INSIDE


def _read_name(match: re.Match[str]) -> str:
    # Each form has a group of its own, of which one matched.
    name: str = next(group for group in match.groups() if group)
    return name.lower()


def _clear(editor: WorkflowEditor, place: Placeholder) -> None:
    """Replace a placeholder by the server's default, or remove it from its text."""
    if place.is_whole:
        editor.set_input(place.slot, fit_literal(editor.spec(place.slot), None))
    else:
        editor.set_input(place.slot, f"{place.before}{place.after}")


def _write_hint(places: list[Placeholder]) -> Annotation:
    first = places[0]
    around = f"{first.before}{first.after}"
    # A template takes every name in braces for a field's.
    has_template = not first.is_whole and not find_placeholders(around)
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
    if name in UNWANTED:
        return 1
    return 0 if name in WORDS else 2
