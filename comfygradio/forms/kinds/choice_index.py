"""Finds a field's choices by what people type: value, label, another spelling, or a pattern."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping

from comfygradio.forms.kinds.model_name import FILE_END, MAX_NAME, find_near, fold_file_name
from comfygradio.forms.kinds.numerals import parse_numeral
from comfygradio.forms.kinds.value import Choice, InvalidValue, list_choices, shorten

OPENED = re.compile(r"\[[^\]]")
"""The beginning of `[…]` with something in it."""


class ChoiceIndex:
    """A field's choices, indexed once, so that thousands of values can be looked up among thousands
    of choices.
    """

    def __init__(self, choices: tuple[Choice, ...]) -> None:
        self._choices = choices
        self._exact: dict[str, Choice] = {}
        self._labels: dict[tuple[bool, object], str] = {}
        self._numbers: dict[object, Choice] = {}
        # In reverse, so that the first of several choices with one value is the one that is found.
        for choice in reversed(choices):
            value = choice.value
            is_switch = isinstance(value, bool)
            self._labels[(is_switch, value)] = choice.label
            if isinstance(value, str):
                self._exact[value] = choice
            elif isinstance(value, int | float) and not is_switch:
                self._numbers[value] = choice
        for choice in choices:
            # A value counts more than the label of another choice.
            self._exact.setdefault(choice.label, choice)
            self._exact.setdefault(str(choice.value), choice)
        loose_names: dict[int, set[str]] = {}
        short_names: dict[int, set[str]] = {}
        for place, choice in enumerate(choices):
            loose_names[place] = {_fold(choice.label), _fold(str(choice.value))}
            short_names[place] = set(_list_short_names(choice))
        self._loose = _index(loose_names)
        self._short = _index(short_names)

    def find_exact(self, text: str) -> Choice | None:
        """Find the choice with this value or label."""
        return self._exact.get(text)

    def find_candidates(self, text: str) -> list[Choice]:
        """Find the choices that match a text.

        It is compared with values and labels: exactly, then ignoring case, then ignoring folders
        and file suffix, then as a number (`1.50` for 1.5). The first comparison that matches
        counts.
        """
        exact = self.find_exact(text)
        if exact is not None:
            return [exact]
        places = self._loose.get(_fold(text)) or self._short.get(fold_file_name(text))
        if places:
            return [self._choices[place] for place in places]
        same = self._numbers.get(parse_numeral(text))
        return [] if same is None else [same]

    def find(self, text: str) -> Choice:
        """Find the only choice that matches. Raises InvalidValue, which names all matches, or
        similar choices.
        """
        found = self.find_candidates(text)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(choice.label for choice in found[:5])
            raise InvalidValue(f"{shorten(text)} may be any of {names}; write one of them whole.")
        raise InvalidValue(f"{shorten(text)} is not in the list; {self._suggest(text)}")

    def find_all(self, pattern: str) -> list[Choice]:
        """Find the choices whose value or label fits a pattern of `*`, `?` and `[…]`, ignoring
        case.

        Raises InvalidValue if there are none.
        """
        found = self._list_fitting(pattern[:MAX_NAME])
        if not found or len(pattern) > MAX_NAME:
            raise InvalidValue(
                f"nothing in the list fits {shorten(pattern)}; {self._suggest(pattern)}"
            )
        return found

    def _list_fitting(self, pattern: str) -> list[Choice]:
        try:
            expression = fnmatch.translate(_fold(pattern))
            fits = re.compile(expression).match
        except re.error:
            return []
        found = []
        for choice in self._choices:
            value = _fold(str(choice.value))
            if fits(value) or fits(_fold(choice.label)):
                found.append(choice)
        return found

    def get_label(self, value: object) -> str:
        """Return the label of a value."""
        # As a key alone, True would be 1.
        key = (isinstance(value, bool), value)
        return self._labels.get(key, str(value))

    def format_value(self, value: object) -> str:
        """Return a text that finds this value again: its label, if that finds no other value."""
        label = self.get_label(value)
        found = self._exact.get(label)
        if found is not None and found.value == value:
            return label
        return str(value)

    def _suggest(self, text: str) -> str:
        labels = [choice.label for choice in self._choices]
        near = find_near(text, labels)
        if near:
            return f"did you mean {' or '.join(near)}?"
        return list_choices(self._choices)


def is_pattern(text: str) -> bool:
    """Whether a text holds characters that stand for others: `*`, `?` or `[…]`."""
    if "*" in text or "?" in text:
        return True
    last = text.rfind("]")
    return last > 0 and OPENED.search(text, 0, last) is not None


def _fold(text: str) -> str:
    return text.strip().replace("\\", "/").casefold()


def _list_short_names(choice: Choice) -> Iterator[str]:
    """List a file's name without folders, with and without its suffix."""
    name = fold_file_name(str(choice.value))
    if FILE_END.search(name):
        yield name
        yield name.rpartition(".")[0]


def _index(keys: Mapping[int, set[str]]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for place, names in keys.items():
        for name in names:
            index.setdefault(name, []).append(place)
    return index
