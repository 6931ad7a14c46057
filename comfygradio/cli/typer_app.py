"""The commands as an app of typer, which prints --help and names the mistakes of a command line."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, get_args

import typer

from comfygradio.cli.command import (
    Argument,
    CommandList,
    Function,
    Option,
    list_parameters,
    set_signature,
)
from comfygradio.errors import SettingsError
from comfygradio.version import VERSION

UsageError: Any = typer.BadParameter.__bases__[0]
"""What typer raises for flags it does not take; it comes from click, or from typer's own copy of
click (0.26).
"""


def run_typer(commands: CommandList, given: Sequence[str]) -> int | None:
    """Run one command line; return None or an exit code, as the command does.

    Raises KeyboardInterrupt, also where standard input has ended, and SettingsError for a command
    line that cannot be understood.
    """
    app = build_typer(commands)
    try:
        # Without standalone_mode, mistakes come here as exceptions, and typer ends no process.
        code: int | None = app(list(given), prog_name="comfygradio", standalone_mode=False)
        return code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except UsageError as error:
        sentence = error.format_message().rstrip(".")
        raise SettingsError(f"{sentence}; see comfygradio --help.") from error


def build_typer(commands: CommandList) -> typer.Typer:
    """Build the app with all commands."""
    app = typer.Typer(
        name="comfygradio",
        help="ComfyUI workflows as simple web forms. Without a command: serve, with the flags of "
        "serve.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(start)
    for name in commands:
        function = commands.get(name)
        app.command(name=name)(_translate(function))
    return app


def show_version(wanted: bool) -> None:
    """Print the version and end, if `--version` was given."""
    if wanted:
        print(f"comfygradio {VERSION}")
        raise typer.Exit


def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """What goes before any command."""


def _translate(function: Function) -> Function:
    """Declare the parameters of a command's function as typer has them."""

    def call(**given: Any) -> int:
        return function(**given)

    parameters: list[inspect.Parameter] = []
    for parameter in list_parameters(function):
        kind: Any
        kind, declared = get_args(parameter.annotation)
        annotation = Annotated[kind, _declare(declared)]
        parameters.append(parameter.replace(annotation=annotation))
    set_signature(call, parameters)
    call.__doc__ = function.__doc__
    return call


def _declare(declared: Argument | Option) -> Any:
    if isinstance(declared, Argument):
        return typer.Argument(metavar=declared.metavar, help=declared.help)
    return typer.Option(
        declared.flag,
        metavar=declared.metavar or None,
        help=declared.help,
        min=declared.min,
        max=declared.max,
    )
