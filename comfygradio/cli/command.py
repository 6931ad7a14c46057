"""Commands: a function of the command line gets the flags of the settings that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from comfygradio.log import start_logging
from comfygradio.setting_declaration import Command, Setting
from comfygradio.settings import Settings, list_settings, load_settings


def with_settings(
    command: Command, *, first: Sequence[str] = ()
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add the flags of the settings that this command takes to a function, for typer.

    The function is called with its own arguments and with `settings`, if it has such a parameter:
    without one no settings are loaded. --help lists the parameters named in `first`, then those of
    the function, then those of the settings.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        return _add_flags(function, command, first)

    return decorate


def _add_flags(
    function: Callable[..., int], command: Command, first: Sequence[str]
) -> Callable[..., int]:
    taken = {name: one for name, one in list_settings().items() if command in one.commands}
    own = dict(inspect.signature(function, eval_str=True).parameters)
    needs_settings = own.pop("settings", None) is not None

    def call(**given: Any) -> int:
        flags = {name: given.pop(name) for name in taken}
        if needs_settings:
            given["settings"] = load_flags(flags)
        return function(**given)

    flags = [_make_flag(name, one, command) for name, one in taken.items()]
    parameters = {one.name: one for one in (*own.values(), *flags)}
    shown = [parameters.pop(name) for name in first]
    shown += parameters.values()
    # typer reads the flags off the signature, and their types off the annotations.
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
    signed: Any = call
    signed.__signature__ = inspect.Signature(keyword_only)
    signed.__annotations__ = {one.name: one.annotation for one in shown}
    signed.__name__ = function.__name__
    signed.__doc__ = function.__doc__
    return call


def _make_flag(name: str, setting: Setting, command: Command) -> inspect.Parameter:
    """A setting as a parameter that typer understands; None and False mean that it is not given."""
    text = setting.help_for.get(command, setting.help)
    if setting.default:
        text = f"{text} [{setting.default}]"
    option = typer.Option(setting.flag, metavar=setting.metavar or None, help=f"{text}.")
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
    """The settings from flags and the environment; logging starts as they say."""
    # A switch that was not given is False, which leaves the setting to the environment.
    given = {name: value for name, value in flags.items() if value is not False}
    settings = load_settings(overrides=given)
    start_logging(settings)
    return settings
