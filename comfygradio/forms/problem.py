"""Problems that make a form unusable, as data for the page, the command line and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from comfygradio.errors import PresetError

ProblemKind = Literal[
    "missing_class",  # the server lacks a node class
    "missing_model",  # the server lacks a file, or another choice, that the workflow itself sets
    "missing_choice",  # what the preset offers or starts with is not in the server's list
    "missing_input",  # a node lacks an input that nothing can fill
    "missing_key",  # nodes work at comfy.org, and there is no API key for it
    "slot",  # no such node or input, or an input fed by another node
    "value",  # a value that its input does not take
    "widget",  # a widget that does not suit its input
    "preset",  # the preset contradicts itself
]


@dataclass(frozen=True)
class Problem:
    """A problem that has to be fixed before the form can be used. `message` is a sentence for
    people.

    `field` is the name of a field; `node` and `input` are the place in the workflow, if there is
    one. `folder` is the models folder of a missing file, and `near` lists the server's most similar
    names. `key` is the key of the field that caused the problem, and `line` its line in the preset
    file, from 1, if known.
    """

    kind: ProblemKind
    message: str
    field: str = ""
    node: str = ""
    input: str = ""
    value: Any = None
    folder: str = ""
    near: tuple[str, ...] = ()
    key: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.field:
            return f"Field {self.field}: {self.message}"
        return self.message

    def to_json(self) -> dict[str, Any]:
        """Convert to what `comfygradio check --json` prints. Empty parts are left out."""
        parts: dict[str, Any] = dict(vars(self))
        parts["message"] = str(self)
        parts["near"] = list(self.near)
        parts["value"] = _write(self.value)
        empty: tuple[Any, ...] = ("", [], None)
        filled: dict[str, Any] = {}
        for name, value in parts.items():
            if value not in empty:
                filled[name] = value
        return filled


def _write(value: Any) -> Any:
    """Convert a value to JSON, which has no NaN."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)[:60]
    return value


class BindError(PresetError):
    """Raised when a preset's field cannot be bound to the workflow or the server.

    `kind` is the kind of the resulting Problem; `key` is the key of the field at fault, if any.
    """

    def __init__(
        self,
        kind: ProblemKind,
        message: str,
        node: str = "",
        input: str = "",
        *,
        key: str = "",
        value: Any = None,
        folder: str = "",
        near: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind: ProblemKind = kind
        self.node = node
        self.input = input
        self.key = key
        self.value = value
        self.folder = folder
        self.near = near

    def to_problem(self, field: str) -> Problem:
        """Make the problem for the form's line `field`."""
        return Problem(
            self.kind,
            str(self),
            field,
            self.node,
            self.input,
            self.value,
            self.folder,
            self.near,
            key=self.key,
        )
