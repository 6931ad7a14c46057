"""The command line: flags in, a command called, and every error as one line with an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from comfygradio.cli import arguments
from comfygradio.cli.arguments import (
    Demo,
    Header,
    Host,
    Json,
    Outputs,
    Presets,
    Server,
    StepSeconds,
    Verbose,
)
from comfygradio.cli.encoding import escape_unknown
from comfygradio.errors import (
    AxisError,
    ComfyGradioError,
    DefinitionError,
    LimitReached,
    SettingsError,
    ValuesRefused,
)
from comfygradio.log import start_logging, stop_logging
from comfygradio.settings import Settings, load_settings

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130

UsageError = typer.BadParameter.__bases__[0]
"""What typer raises for flags it does not take; it comes from click, or from typer's own copy of
click (0.26).
"""

USAGE_ERRORS = (UsageError, SettingsError, ValuesRefused, AxisError, DefinitionError, LimitReached)
"""Errors of the person who typed; everything else is work that failed."""

GLOBAL_FLAGS = ("--help", "--version")
"""Flags that may stand where no command was named and still do not mean serve."""

app = typer.Typer(
    name="comfygradio",
    help="ComfyUI workflows as simple web forms. Without a command: serve, with the flags of "
    "serve.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def show_version(wanted: bool) -> None:
    """Print the version, when `--version` was given, and end."""
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"comfygradio {version('comfygradio')}")
        except PackageNotFoundError:
            print("comfygradio, not installed")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """What goes before any command."""


@app.command()
def serve(
    server: arguments.Servers = None,
    demo: Demo = False,
    presets: Presets = None,
    outputs: Outputs = None,
    host: Host = None,
    port: arguments.Port = None,
    auth: arguments.Auth = None,
    root_path: arguments.RootPath = None,
    allow_hosts: arguments.AllowHost = None,
    allow_origins: arguments.AllowOrigin = None,
    allow_frames: arguments.AllowFrame = None,
    trust_proxies: arguments.TrustProxy = None,
    author: arguments.Author = False,
    authors: arguments.Authors = None,
    operators: arguments.Operator = None,
    local_operator: arguments.LocalOperator = False,
    jobs_per_person: arguments.JobsPerPerson = None,
    jobs_in_all: arguments.JobsInAll = None,
    streams: arguments.Streams = None,
    max_megapixels: arguments.MaxMegapixels = None,
    max_steps: arguments.MaxSteps = None,
    max_sweep_points: arguments.MaxSweepPoints = None,
    max_upload_mb: arguments.MaxUploadMb = None,
    max_result_mb: arguments.MaxResultMb = None,
    names: arguments.Names = None,
    on_disconnect: arguments.OnDisconnect = None,
    headers: Header = None,
    step_seconds: StepSeconds = None,
    engine: arguments.Engine = None,
    tls_ca: arguments.TlsCa = None,
    tls_cert: arguments.TlsCert = None,
    tls_key: arguments.TlsKey = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """The web page: a form for every preset."""
    settings = _load(**locals())
    from comfygradio.ui.serve import serve as serve_page

    serve_page(settings)
    return OK


@app.command()
def demo(
    port: Annotated[
        int,
        typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port; 0 takes a free one."),
    ] = 8188,
    host: Host = None,
    step_seconds: StepSeconds = None,
    verbose: Verbose = False,
) -> int:
    """Only the demo server, for any ComfyUI client."""
    settings = _load(host=host, step_seconds=step_seconds, verbose=verbose)
    from comfygradio.cli.demo import run_demo

    run_demo(settings, port)
    return OK


@app.command()
def run(
    preset: arguments.Preset,
    values: arguments.Values = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to save [OUTPUTS/YYYY-MM-DD/PRESET]."),
    ] = None,
    as_json: Json = False,
    print_prompt: arguments.PrintPrompt = False,
    print_curl: arguments.PrintCurl = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    outputs: Outputs = None,
    headers: Header = None,
    step_seconds: StepSeconds = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """One job: saves results, prints their paths."""
    settings = _load(**locals())
    if print_prompt and print_curl:
        raise SettingsError("--print-prompt and --print-curl: leave one of them out.")
    if print_prompt or print_curl:
        from comfygradio.cli import printing

        show = printing.print_prompt if print_prompt else printing.print_curl
        return show(settings, preset, values or [])
    from comfygradio.cli.run import run_preset

    return run_preset(settings, preset, values or [], out, as_json)


@app.command()
def sweep(
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
    server: arguments.Servers = None,
    demo: Demo = False,
    presets: Presets = None,
    outputs: Outputs = None,
    headers: Header = None,
    step_seconds: StepSeconds = None,
    engine: arguments.Engine = None,
    tls_ca: arguments.TlsCa = None,
    tls_cert: arguments.TlsCert = None,
    tls_key: arguments.TlsKey = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """Many jobs: every combination of values, in the cheapest order."""
    settings = _load(**locals())
    from comfygradio.cli.sweep import SweepCall, run_sweep

    given = tuple(values or ())
    axes = tuple(axis or ())
    call = SweepCall(preset, given, axes, carry=not no_carry, out=out, resume=resume)
    return run_sweep(settings, call, only_plan=plan, retry=retry, as_json=as_json)


@app.command()
def worker(
    scheduler: arguments.Scheduler = None,
    server: Server = None,
    name: arguments.LaneName = None,
    host: arguments.LaneHost = None,
    port: arguments.LanePort = 0,
    tls_ca: arguments.TlsCa = None,
    tls_cert: arguments.TlsCert = None,
    tls_key: arguments.TlsKey = None,
    headers: Header = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """Beside a ComfyUI of a cluster: runs jobs there."""
    settings = _load(**locals())
    from comfygradio.cli.cluster import start_worker

    return start_worker(settings, host, port, name or "")


@app.command()
def scheduler(
    address: arguments.ClusterAddress = "tcp://127.0.0.1:8786",
    tls_ca: arguments.TlsCa = None,
    tls_cert: arguments.TlsCert = None,
    tls_key: arguments.TlsKey = None,
    verbose: Verbose = False,
) -> int:
    """The scheduler of a cluster, where workers and apps meet."""
    settings = _load(**locals())
    from comfygradio.cli.cluster import start_scheduler

    return start_scheduler(settings, address)


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="PRESET", help="Names or YAML files [all].")
    ] = None,
    as_json: Json = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    header: Header = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """Every problem of every preset on the server."""
    settings = _load(
        server=server, demo=demo, presets=presets, headers=header, api_key=api_key, verbose=verbose
    )
    from comfygradio.cli.check import check_presets

    return check_presets(settings, names or [], as_json)


@app.command()
def new(
    source: arguments.Drafted,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The preset's name [from the file's name]."),
    ] = None,
    saved: arguments.Saved = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a preset of that name.")
    ] = False,
    as_json: Json = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    header: Header = None,
    api_key: arguments.ApiKey = None,
    verbose: Verbose = False,
) -> int:
    """Drafts a preset: finds prompt, seed, size, models and files."""
    settings = _load(
        server=server, demo=demo, presets=presets, headers=header, api_key=api_key, verbose=verbose
    )
    from comfygradio.cli.new import new_preset

    return new_preset(settings, source, name, None, force, saved, as_json)


@app.command()
def api(
    method: arguments.Method,
    path: arguments.Target,
    data: arguments.Data = None,
    server: Server = None,
    demo: Demo = False,
    headers: Header = None,
    verbose: Verbose = False,
) -> int:
    """One call of the server with its login, as curl makes it."""
    settings = _load(server=server, demo=demo, headers=headers, verbose=verbose)
    from comfygradio.cli.api import call_api

    return call_api(settings, method, path, data)


@app.command(name="presets")
def list_presets(presets: Presets = None, as_json: Json = False, verbose: Verbose = False) -> int:
    """The presets that are there; needs no server."""
    settings = _load(presets=presets, verbose=verbose)
    from comfygradio.cli.presets import list_presets

    return list_presets(settings, as_json)


@app.command()
def watch(
    as_json: arguments.JsonLines = False,
    server: Server = None,
    headers: Header = None,
    verbose: Verbose = False,
) -> int:
    """What happens on a server, an event a line, until Ctrl-C."""
    settings = _load(server=server, headers=headers, verbose=verbose)
    from comfygradio.cli.watch import watch_server

    return watch_server(settings, as_json)


@app.command()
def schema(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write preset.schema.json into this folder."),
    ] = None,
    verbose: Verbose = False,  # taken by every command, though this one calls nobody
) -> int:
    """The JSON Schema of preset files, for editors."""
    from comfygradio.cli.schema import print_schema

    return print_schema(out)


@app.command()
def password(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="Whose line it is [only the hash].")
    ] = "",
    verbose: Verbose = False,  # taken by every command, though this one calls nobody
) -> int:
    """A line for the --auth file: asks for the password, prints it as a hash."""
    from comfygradio.cli.password import print_password

    return print_password(user)


def main() -> int:
    """Entry point of the console script; SIGTERM ends a command like Ctrl-C, so that its job is
    cancelled.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        escape_unknown(stream)
    return run_command(sys.argv[1:])


def run_command(given: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors become one line on stderr."""
    try:
        code = app(add_command(given), prog_name="comfygradio", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left once more when it ends, which shall not fail again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
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


def add_command(given: Sequence[str]) -> list[str]:
    """The arguments, with `serve` before them where they name no command; those of a sweep with its
    axes joined.
    """
    given = _put_behind_command(given)
    if not given:
        return ["serve"]
    first = given[0]
    if first.startswith("-") and first not in GLOBAL_FLAGS:
        return ["serve", *given]
    return arguments.join_axes(given)


def _put_behind_command(given: Sequence[str]) -> Sequence[str]:
    """The arguments with a `--verbose` that stands before the command behind its name."""
    has_command = len(given) > 1 and not given[1].startswith("-")
    if given[:1] == ["--verbose"] and has_command:
        return [given[1], "--verbose", *given[2:]]
    return given


def describe_error(error: Exception) -> str:
    """What to say about an error, in one line."""
    if isinstance(error, UsageError):
        sentence = cast(Any, error).format_message().rstrip(".")
        return f"{sentence}; see comfygradio --help."
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


def _load(**flags: Any) -> Settings:
    # A switch that was not given is False, which leaves the setting to the environment.
    given = {name: value for name, value in flags.items() if value is not False}
    settings = load_settings(overrides=given)
    start_logging(settings)
    return settings
