"""Parses the plain command lines, which are nearly all of them, without importing typer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from comfygradio.cli.command import Argument, Option

TEXTS = (str, str | None)
PATHS = (Path, Path | None)
LISTS = (list[str], list[str] | None)


def parse_plain(
    parameters: Sequence[inspect.Parameter], given: Sequence[str]
) -> dict[str, Any] | None:
    """Parse the values of a command's parameters as typer would.

    Returns None for everything that is not plain: --help, mistakes, a number, a value that
    begins with -, and whatever else typer may see in another way. It has the last word on those.
    """
    # What may be given.
    flags: dict[str, inspect.Parameter] = {}
    arguments: list[inspect.Parameter] = []
    values: dict[str, Any] = {}
    for parameter in parameters:
        _, declared = get_args(parameter.annotation)
        if isinstance(declared, Option):
            flags[declared.flag] = parameter
        elif isinstance(declared, Argument):
            arguments.append(parameter)
        values[parameter.name] = parameter.default

    # What was given.
    words: list[str] = []
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if not word:
            return None
        if not word.startswith("-"):
            words.append(word)
            continue
        flag, has_value, value = word.partition("=")
        option = flags.get(flag)
        if option is None:
            return None
        kind, _ = get_args(option.annotation)
        if kind is bool:
            if has_value:
                return None
            values[option.name] = True
            continue
        if not has_value and rest:
            value = rest.pop(0)
        if not value or value.startswith("-") or not _set(values, option, value):
            return None
    if not _assign(values, arguments, words):
        return None
    return values


def _set(values: dict[str, Any], parameter: inspect.Parameter, text: str) -> bool:
    """Set the value of a parameter, or add it to a list; return False if that is not plain."""
    kind, _ = get_args(parameter.annotation)
    before = values[parameter.name]
    if kind in LISTS:
        values[parameter.name] = [*(before or []), text]
        return True
    if before is not parameter.default:  # given twice
        return False
    if kind in TEXTS:
        values[parameter.name] = text
        return True
    if kind in PATHS:
        values[parameter.name] = Path(text)
        return True
    return False


def _assign(
    values: dict[str, Any], arguments: Sequence[inspect.Parameter], words: Sequence[str]
) -> bool:
    """Give the words without a flag to the arguments; return False if they do not fit."""
    rest = list(words)
    for argument in arguments:
        kind, _ = get_args(argument.annotation)
        # A list comes last and takes all that are left.
        count = len(rest) if kind in LISTS else 1
        for word in rest[:count]:
            if not _set(values, argument, word):
                return False
        rest = rest[count:]
        if values[argument.name] is inspect.Parameter.empty:
            return False
    return not rest
