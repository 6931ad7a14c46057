"""The command line: flags in, a command called, and every error as one line with an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, cast

from comfygradio.cli import arguments
from comfygradio.cli.arguments import Json
from comfygradio.cli.command import Argument, CommandList, Option, list_parameters
from comfygradio.cli.encoding import escape_unknown
from comfygradio.cli.plain_arguments import parse_plain
from comfygradio.errors import (
    AxisError,
    ComfyGradioError,
    DefinitionError,
    LimitReached,
    SettingsError,
    ValuesRefused,
)
from comfygradio.log import stop_logging
from comfygradio.settings import Settings, parse_flag

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130

USAGE_ERRORS = (SettingsError, ValuesRefused, AxisError, DefinitionError, LimitReached)
"""Errors of the person who typed; everything else is work that failed."""

SHORT_LIVED = ("run", "sweep", "check", "new", "convert", "api", "presets", "models", "watch")
"""Commands that do one thing and end."""

IMPORTED_OBJECTS = 100_000
"""How many new objects make Python look for cycles: more than all imports make, so that they never
start the garbage collector.
"""

GLOBAL_FLAGS = ("--help", "--version")
"""Flags that may stand where no command was named and still do not mean serve."""

commands = CommandList()


@commands.add("serve")
def serve(settings: Settings) -> int:
    """The web page: a form for every preset."""
    from comfygradio.ui.gradio_import import import_gradio

    import_gradio()
    from comfygradio.ui.serve import serve as serve_page

    serve_page(settings)
    return OK


@commands.add("demo")
def demo(
    settings: Settings,
    port: Annotated[
        int,
        Option("--port", metavar="PORT", min=0, max=65535, help="Port; 0 takes a free one."),
    ] = 8188,
) -> int:
    """Only the demo server, for any ComfyUI client."""
    from comfygradio.cli.demo import run_demo

    run_demo(settings, port)
    return OK


@commands.add("run")
def run(
    settings: Settings,
    preset: arguments.Preset,
    values: arguments.Values = None,
    out: Annotated[
        Path | None,
        Option("--out", metavar="DIR", help="Where to save [OUTPUTS/YYYY-MM-DD/PRESET]."),
    ] = None,
    as_json: Json = False,
    print_prompt: arguments.PrintPrompt = False,
    print_curl: arguments.PrintCurl = False,
) -> int:
    """One job: saves results, prints their paths."""
    if print_prompt and print_curl:
        raise SettingsError("--print-prompt and --print-curl: leave one of them out.")
    if print_prompt or print_curl:
        from comfygradio.cli import printing

        show = printing.print_prompt if print_prompt else printing.print_curl
        return show(settings, preset, values or [])
    from comfygradio.cli.run import run_preset

    return run_preset(settings, preset, values or [], out, as_json)


@commands.add("sweep")
def sweep(
    settings: Settings,
    preset: arguments.Swept = None,
    values: arguments.Values = None,
    axis: arguments.Axis = None,
    joined: arguments.With = None,
    plan: arguments.Plan = False,
    resume: arguments.Resume = None,
    retry: arguments.Retry = False,
    no_carry: arguments.NoCarry = False,
    out: arguments.Out = None,
    as_json: Json = False,
) -> int:
    """Many jobs: every combination of values, in the cheapest order."""
    from comfygradio.cli.sweep import SweepCall, run_sweep

    given = tuple(values or ())
    axes = tuple(axis or ())
    call = SweepCall(preset, given, axes, carry=not no_carry, out=out, resume=resume)
    return run_sweep(settings, call, only_plan=plan, retry=retry, as_json=as_json)


@commands.add(
    "worker",
    first=("scheduler", "server", "name", "host", "port", "tls_ca", "tls_cert", "tls_key"),
)
def worker(
    settings: Settings,
    name: arguments.WorkerName = None,
    host: arguments.WorkerHost = None,
    port: arguments.WorkerPort = 0,
) -> int:
    """Beside a ComfyUI of a cluster: runs jobs there."""
    if host is not None:
        host = parse_flag("host", host)
    from comfygradio.cli.cluster import start_worker

    return start_worker(settings, host, port, name or "")


@commands.add("scheduler")
def scheduler(
    settings: Settings, address: arguments.ClusterAddress = "tcp://127.0.0.1:8786"
) -> int:
    """The scheduler of a cluster, where workers and apps meet."""
    from comfygradio.cli.cluster import start_scheduler

    return start_scheduler(settings, address)


@commands.add("check")
def check(
    settings: Settings,
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="PRESET|WORKFLOW", help="Names or YAML files of presets, or workflows [all]."
        ),
    ] = None,
    as_json: Json = False,
    object_info: arguments.ObjectInfoFile = None,
) -> int:
    """Every problem of every preset on the server."""
    from comfygradio.cli.check import check_presets

    return check_presets(settings, names or [], as_json, object_info)


@commands.add("new")
def new(
    settings: Settings,
    source: arguments.Drafted,
    name: Annotated[
        str | None,
        Option("--name", metavar="NAME", help="The preset's name [from the file's name]."),
    ] = None,
    saved: arguments.Saved = None,
    force: Annotated[bool, Option("--force", help="Overwrite a preset of that name.")] = False,
    as_json: Json = False,
    object_info: arguments.ObjectInfoFile = None,
) -> int:
    """Drafts a preset: finds prompt, seed, size, models and files."""
    from comfygradio.cli.new import new_preset

    return new_preset(settings, source, name, None, force, saved, as_json, object_info)


@commands.add("convert")
def convert(
    settings: Settings,
    source: arguments.Drafted,
    object_info: arguments.ObjectInfoFile = None,
) -> int:
    """A workflow as ComfyUI saves it, printed in API format."""
    from comfygradio.cli.convert import convert_file

    return convert_file(settings, source, object_info)


@commands.add("api")
def api(
    settings: Settings,
    method: arguments.Method,
    path: arguments.Target,
    data: arguments.Data = None,
) -> int:
    """One call of the server with its login, as curl makes it."""
    from comfygradio.cli.api import call_api

    return call_api(settings, method, path, data)


@commands.add("presets", first=("presets",))
def list_presets(settings: Settings, as_json: Json = False) -> int:
    """The presets that are there; needs no server."""
    from comfygradio.cli.presets import list_presets

    return list_presets(settings, as_json)


@commands.add("models")
def list_models(
    settings: Settings,
    preset: arguments.Preset,
    script: arguments.DownloadScript = False,
    comfyui: arguments.ComfyFolder = None,
) -> int:
    """Which models of a preset the server has, and how to get the others."""
    from comfygradio.cli.models import list_models

    return list_models(settings, preset, script, comfyui)


@commands.add("watch")
def watch(settings: Settings, as_json: arguments.JsonLines = False) -> int:
    """What happens on a server, an event a line, until Ctrl-C."""
    from comfygradio.cli.watch import watch_server

    return watch_server(settings, as_json)


@commands.add("schema")
def schema(
    out: Annotated[
        Path | None,
        Option("--out", metavar="DIR", help="Write preset.schema.json into this folder."),
    ] = None,
) -> int:
    """The JSON Schema of preset files, for editors."""
    from comfygradio.forms.preset_schema import dump_schema, write_schema

    if out:
        print(write_schema(out))
    else:
        print(dump_schema(), end="")
    return OK


@commands.add("password")
def password(
    user: Annotated[str, Argument(metavar="USER", help="Whose line it is [only the hash].")] = "",
) -> int:
    """A line for the --auth file: asks for the password, prints it as a hash."""
    from comfygradio.cli.password import print_password

    return print_password(user)


def main() -> int:
    """Run the console script. SIGTERM ends a command like Ctrl-C, so that its job is cancelled."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        escape_unknown(stream)
    given = sys.argv[1:]
    if given and given[0] in SHORT_LIVED:
        skip_needless_work()
    code = run_command(given)
    # Python would look for cycles among all objects once more before it ends.
    gc.freeze()
    return code


def skip_needless_work() -> None:
    """Keep Python and libraries from work at the start that no command needs, and that takes longer
    than our own.

    Only for a process that is ours alone and soon over.
    """
    gc.set_threshold(IMPORTED_OBJECTS)
    # httpx imports its own command line, and with it click, rich and pygments, unless that is
    # missing. None says that it is.
    sys.modules.setdefault("httpx._main", cast(ModuleType, None))
    # pydantic reads what every installed package declares, in search of plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def run_command(given: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors become one line on stderr."""
    try:
        code = _run(add_command(given))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left once more when it ends, which must not fail again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        return FAILED
    except EOFError:  # a question that nobody answers
        # The question still stands on this line.
        print(file=sys.stderr)
        code = INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        status = USAGE if isinstance(error, USAGE_ERRORS) else FAILED
        return _complain(describe_error(error), status)
    finally:
        stop_logging()
    if code == INTERRUPTED:
        return _complain("Interrupted.", INTERRUPTED)
    return code or OK


def _run(given: Sequence[str]) -> int | None:
    """Run one command line; return None or an exit code, as the command does."""
    name, *rest = given
    if name in commands:
        function = commands.get(name)
        # Typer, whose import takes longer than most commands, gets only what this cannot parse.
        values = parse_plain(list_parameters(function), rest)
        if values is not None:
            return function(**values)
    from comfygradio.cli.typer_app import run_typer

    return run_typer(commands, given)


def add_command(given: Sequence[str]) -> list[str]:
    """Put `serve` before arguments that name no command, and join the axes of a sweep."""
    given = _put_behind_command(given)
    if not given:
        return ["serve"]
    first = given[0]
    if first.startswith("-") and first not in GLOBAL_FLAGS:
        return ["serve", *given]
    return arguments.join_axes(given)


def _put_behind_command(given: Sequence[str]) -> Sequence[str]:
    """Move a `--verbose` that stands before the command behind its name."""
    if len(given) < 2 or given[0] != "--verbose":
        return given
    _, command, *rest = given
    if command.startswith("-"):
        return given
    return [command, "--verbose", *rest]


def describe_error(error: Exception) -> str:
    """Describe an error in one line."""
    if isinstance(error, OSError) and error.strerror:
        place = error.filename or "This machine"
        return f"{place}: {error.strerror}."
    if isinstance(error, ComfyGradioError):
        return str(error)
    return (
        f"This should not have happened ({type(error).__name__}: {error}); PYTHONDEVMODE=1 "
        "shows where it did."
    )


def _complain(text: str, code: int) -> int:
    line = " ".join(text.split())
    print(line, file=sys.stderr)
    return code
