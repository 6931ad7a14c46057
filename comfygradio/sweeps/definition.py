"""Definitions of sweeps, the same for forms, command lines, files, HTTP and Python."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from comfygradio.comfy.outputs import write_file
from comfygradio.errors import DefinitionError
from comfygradio.forms.kinds.value import shorten
from comfygradio.forms.plain_scalar import PlainScalar, coerce_boolean, coerce_text
from comfygradio.forms.strict_yaml import Dumper, FileLimits, load_yaml
from comfygradio.sweeps.axes.axis import Entry

KEYS = ("preset", "values", "axes", "carry", "title")
EXAMPLE = "for example {cfg: 1-10 (+3)}"

MAX_SIZE = FileLimits(8_000_000, 100_000)
"""How large a file may be: some people write every value of an axis down."""

Place = tuple[str, ...]
"""The keys on the way to a part of a definition."""


@dataclass(frozen=True)
class Definition:
    """A preset, values of its form, and axes over some of its fields.

    Fields without a value keep the form's. With `carry`, nodes whose results later points need are
    pinned (see `planner.cache_pinning`). Without a `title` one is made. Values and axes from a YAML
    file may be `PlainScalar`: the form decides what they mean.
    """

    preset: str
    values: Mapping[str, Any] = field(default_factory=dict)
    axes: tuple[Entry, ...] = ()
    carry: bool = True
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the definition as JSON that `load_definition` takes. Files become the texts of
        their paths.
        """
        data = {
            "preset": self.preset,
            "values": dict(self.values),
            "axes": [dict(entry) for entry in self.axes],
            "carry": self.carry,
            "title": self.title,
        }
        # By way of the text, in which tuples become lists and paths texts.
        written: dict[str, Any] = json.loads(json.dumps(data, default=_value_to_json))
        return written


def load_definition(source: Path | Mapping[str, Any]) -> Definition:
    """Load a definition from a file (YAML or JSON) or from decoded JSON.

    Raises DefinitionError, and no other error, whatever is in there.
    """
    if isinstance(source, Mapping):
        return _DefinitionParser("", {}).read(source)
    data, lines = _load_file(source)
    return _DefinitionParser(str(source), lines).read(data)


def is_definition(path: Path) -> bool:
    """Whether a file defines a sweep, and not a preset: it names a preset.

    Raises DefinitionError if it cannot be parsed.
    """
    data, _ = _load_file(path)
    return "preset" in data


def write_definition(definition: Definition, path: Path) -> None:
    """Write a YAML file that loads as the same definition. It is written whole or not at all.

    Raises OSError.
    """
    data = {}
    for key, value in definition.to_json().items():
        if value not in ("", {}):
            data[key] = value
    text = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    header = f"# A sweep; run it with: comfygradio sweep {path.name}\n"
    content = (header + text).encode()
    write_file(path, iter([content]))


@dataclass(frozen=True)
class _DefinitionParser:
    """Parses decoded JSON or YAML. `lines` maps each key to its line in the file."""

    file: str
    lines: Mapping[Place, int]

    def read(self, data: Mapping[Any, Any]) -> Definition:
        for key in data:
            if key not in KEYS:
                raise self._refuse_key(key)
        if "preset" not in data:
            raise self._refuse((), "this sweep needs the key preset.")
        preset = data["preset"]
        title = coerce_text(data.get("title", ""))
        carry = coerce_boolean(data.get("carry", True))
        texts = {"preset": preset, "title": title}
        for key, value in texts.items():
            if not isinstance(value, str):
                raise self._refuse((key,), f"{shorten(value)} is not a text; put it in quotes.")
        if not isinstance(carry, bool):
            raise self._refuse(("carry",), f"{shorten(carry)} is neither true nor false.")
        values = self._read_values(data.get("values"))
        axes = self._read_axes(data.get("axes"))
        return Definition(preset, values, axes, carry, title)

    def _refuse_key(self, key: Any) -> DefinitionError:
        written = shorten(key)
        near = difflib.get_close_matches(written, KEYS, 1, 0.5)
        if near:
            hint = f"did you mean {near[0]}?"
        else:
            listed = ", ".join(KEYS)
            hint = f"there are {listed}."
        place = (str(key),)
        return self._refuse(place, f"unknown key {written}; {hint}", names_key=False)

    def _read_values(self, values: Any) -> Mapping[str, Any]:
        if values is None:
            return {}
        if not isinstance(values, Mapping):
            raise self._refuse(("values",), "write field: value, a line each.")
        checked = {}
        for name, value in values.items():
            checked[self._check_name(name, ("values",))] = value
        return checked

    def _read_axes(self, axes: Any) -> tuple[Entry, ...]:
        """Parse a list of entries; a mapping is short for entries of one field each."""
        if axes is None:
            raise self._refuse((), f"this sweep needs the key axes, {EXAMPLE}.")
        entries: list[Entry] = []
        if isinstance(axes, Mapping):
            for name, given in axes.items():
                entries.append(self._read_entry({name: given}, ("axes",)))
            return tuple(entries)
        if not isinstance(axes, list | tuple):
            raise self._refuse(("axes",), f"axes are a list of fields and their values, {EXAMPLE}.")
        for number, entry in enumerate(axes):
            place = ("axes", str(number))
            entries.append(self._read_entry(entry, place))
        return tuple(entries)

    def _read_entry(self, entry: Any, place: Place) -> Entry:
        if not isinstance(entry, Mapping) or not entry:
            raise self._refuse(place, f"an axis maps fields to their values, {EXAMPLE}.")
        checked = {}
        for key, given in entry.items():
            name = self._check_name(key, place)
            checked[name] = self._check_given(given, (*place, name))
        return checked

    def _check_name(self, name: Any, place: Place) -> str:
        if not isinstance(name, str):
            raise self._refuse(place, f"{shorten(name)} is not the name of a field.")
        return name

    def _check_given(self, given: Any, place: Place) -> Any:
        """Check an axis text or a list of values. A single number, or a word that YAML knows,
        becomes a list.
        """
        if isinstance(given, str):
            return given
        if isinstance(given, bool | int | float | PlainScalar):
            return [given]
        if isinstance(given, list | tuple) and given:
            return list(given)
        raise self._refuse(place, "write its values as a text such as 1-10 (+3), or as a list.")

    def _refuse(self, place: Place, problem: str, names_key: bool = True) -> DefinitionError:
        where = ""
        if self.file:
            line = self._find_line(place)
            where = f"{self.file}:{line}: " if line else f"{self.file}: "
        key = ""
        if place and names_key:
            key = f"{'.'.join(place)}: "
        return DefinitionError(f"{where}{key}{problem}")

    def _find_line(self, place: Place) -> int | None:
        """Find the line of a key, or of the nearest key around it."""
        # An entry that a list or an alias brought in may have no line of its own.
        for length in range(len(place), 0, -1):
            around = place[:length]
            if around in self.lines:
                return self.lines[around]
        return None


def _value_to_json(value: Any) -> Any:
    if isinstance(value, PlainScalar):
        return value.to_json()
    return str(value)


def _load_file(path: Path) -> tuple[Mapping[Any, Any], Mapping[Place, int]]:
    form = "a sweep is a list of keys such as preset, values and axes."
    if path.suffix.lower() == ".json":
        return _load_json(path, form), {}
    return load_yaml(path, DefinitionError, form, MAX_SIZE)


def _load_json(path: Path, form: str) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise DefinitionError(f"{path} cannot be read: {error.strerror or error}.") from error
    except json.JSONDecodeError as error:
        raise DefinitionError(f"{path}:{error.lineno}: no valid JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{path} is no JSON text, or nested too deeply.") from error
    if not isinstance(data, dict):
        raise DefinitionError(f"{path}: {form}")
    return data
