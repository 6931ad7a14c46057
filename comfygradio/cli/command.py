"""Commands: what each is called, and which arguments and flags it takes.

They are declared without typer, which is imported only where a command line needs it: importing
it takes longer than most commands.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from comfygradio.log import start_logging
from comfygradio.setting_declaration import Command, Setting
from comfygradio.settings import Settings, list_settings, load_settings


class Argument(NamedTuple):
    """A parameter without a flag, as a command's function names it in `Annotated`."""

    metavar: str
    help: str


class Option(NamedTuple):
    """A parameter with a flag; one without a `metavar` is a switch. A number lies between `min`
    and `max`.
    """

    flag: str
    help: str
    metavar: str = ""
    min: int | None = None
    max: int | None = None


Function = Callable[..., int]


class CommandList:
    """The commands in the order in which --help lists them."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[[], Function]] = {}

    def add(self, name: Command, *, first: Sequence[str] = ()) -> Callable[[Function], Function]:
        """Add a function as a command, with the flags of the settings that the command takes; see
        `with_settings`.
        """

        def add(function: Function) -> Function:
            # Most command lines need one command alone, so the flags are added when asked for.
            self._functions[name] = lambda: with_settings(name, first=first)(function)
            return function

        return add

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def get(self, name: str) -> Function:
        """Return the function of a command with the flags of its settings."""
        make = self._functions[name]
        return make()


def with_settings(command: Command, *, first: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Add the flags of the settings that this command takes to a function.

    The function is called with its own arguments and with `settings`, if it has such a parameter:
    without one no settings are loaded. --help lists the parameters named in `first`, then those of
    the function, then those of the settings.
    """

    def decorate(function: Function) -> Function:
        return _add_flags(function, command, first)

    return decorate


def list_parameters(function: Function) -> list[inspect.Parameter]:
    """List the parameters of a command's function, with their types and declarations."""
    signature = inspect.signature(function, eval_str=True)
    return list(signature.parameters.values())


def _add_flags(function: Function, command: Command, first: Sequence[str]) -> Function:
    taken: dict[str, Setting] = {}
    for name, setting in list_settings().items():
        if command in setting.commands:
            taken[name] = setting
    own = {one.name: one for one in list_parameters(function)}
    needs_settings = own.pop("settings", None) is not None

    def call(**given: Any) -> int:
        flags = {name: given.pop(name) for name in taken}
        if needs_settings:
            given["settings"] = load_flags(flags)
        return function(**given)

    # What --help and typer see of it.
    parameters = dict(own)
    for name, setting in taken.items():
        parameters[name] = _make_flag(name, setting, command)
    shown = [parameters.pop(name) for name in first]
    shown += parameters.values()
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
    set_signature(call, keyword_only)
    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    return call


def set_signature(function: Any, parameters: Sequence[inspect.Parameter]) -> None:
    """Give a function that takes `**given` the parameters that typer and others find in it."""
    function.__signature__ = inspect.Signature(parameters)
    function.__annotations__ = {one.name: one.annotation for one in parameters}


def _make_flag(name: str, setting: Setting, command: Command) -> inspect.Parameter:
    """Make the parameter of a command for a setting; None and False mean that it is not given."""
    text = setting.help_for.get(command, setting.help)
    if setting.default_text:
        text = f"{text} [{setting.default_text}]"
    option = Option(setting.flag, metavar=setting.metavar, help=f"{text}.")
    kind: Any = str | None
    default = None
    if setting.is_repeatable:
        kind = list[str] | None
    elif not setting.metavar:
        kind = bool
        default = False
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, option],
    )


def load_flags(flags: Mapping[str, Any]) -> Settings:
    """Load the settings from flags and the environment, and start logging as they say."""
    # A switch that was not given is False, which leaves the setting to the environment.
    given = {name: value for name, value in flags.items() if value is not False}
    settings = load_settings(overrides=given)
    start_logging(settings)
    return settings
