"""How a setting is declared: its flag, its variables, its default and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args

Command = Literal[
    "serve",
    "demo",
    "run",
    "sweep",
    "worker",
    "scheduler",
    "check",
    "new",
    "convert",
    "api",
    "presets",
    "models",
    "watch",
    "schema",
    "password",
]
"""The commands of the command line."""

# The commands that take a setting.
EVERY_COMMAND: tuple[Command, ...] = get_args(Command)
PAGE: tuple[Command, ...] = ("serve",)
JOBS: tuple[Command, ...] = ("serve", "run", "sweep")
CLUSTER: tuple[Command, ...] = ("serve", "sweep", "worker", "scheduler")
KEY: tuple[Command, ...] = ("serve", "run", "sweep", "worker", "check", "new")
SERVER: tuple[Command, ...] = (*KEY, "convert", "api", "models", "watch")

T = TypeVar("T")


class Setting(NamedTuple):
    """How a setting is given, and what is said about it.

    Of several `variables` the first that is not empty counts; `variable_note` tells `cli/README.md`
    how their text looks, where it differs from the flag's. `parse` gets the text of a flag or a
    variable, a list from a flag that `is_repeatable`, or True from a switch, which is a flag
    without a `metavar`. `help` is what --help says, `help_for` what it says in some `commands`;
    both go without the default, which is added. `readme` is the last column of its table,
    where {default} stands for the default.
    """

    flag: str
    variables: tuple[str, ...]
    parse: Callable[[Any], Any]
    help: str
    metavar: str
    is_repeatable: bool
    commands: tuple[Command, ...]
    help_for: Mapping[Command, str]
    default_text: str
    variable_note: str
    readme: str


def setting(
    default: T,
    flag: str,
    *variables: str,
    parse: Callable[[Any], Any],
    help: str,
    readme: str,
    metavar: str = "",
    is_repeatable: bool = False,
    is_secret: bool = False,
    commands: tuple[Command, ...] = PAGE,
    help_for: Mapping[Command, str] | None = None,
    default_text: str | None = None,
    variable_note: str = "",
) -> T:
    """Declare a field of `Settings`, as `dataclasses.field` does; see `Setting` for the arguments.

    `default_text` says in words what happens by default, where `default` itself does not. A secret
    is not shown by repr().
    """
    if default_text is None:
        default_text = _describe_default(default)
    declared = Setting(
        flag=flag,
        variables=variables,
        parse=parse,
        help=help,
        metavar=metavar,
        is_repeatable=is_repeatable,
        commands=commands,
        help_for=help_for or {},
        default_text=default_text,
        variable_note=variable_note,
        readme=readme,
    )
    metadata = {"setting": declared}
    is_shown = not is_secret
    # A dataclass takes no mapping as a default, since each value of the class needs its own.
    if isinstance(default, dict):
        copied = field(default_factory=default.copy, repr=is_shown, metadata=metadata)
        return cast(T, copied)
    return field(default=default, repr=is_shown, metadata=metadata)


def _describe_default(default: object) -> str:
    if isinstance(default, bool) or default in (None, "", (), {}):
        return ""
    if isinstance(default, float):
        return f"{default:g}"
    return str(default)
