"""The command line: flags in, a command called, and every error as one line with an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from comfygradio.errors import ComfyGradioError, SettingsError, ValuesRefused
from comfygradio.jobs.naming import DEFAULT_PATTERN
from comfygradio.settings import Settings, load_settings

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

UsageError = typer.BadParameter.__bases__[0]
"""What typer raises for flags it does not take; it comes from click, or from typer's own copy of click (0.26)."""

USAGE_ERRORS = (UsageError, SettingsError, ValuesRefused)
"""Errors of the person who typed; everything else is work that failed."""

GLOBAL_FLAGS = ("--help", "--version")
"""Flags that may stand where no command was named and still do not mean serve."""

app = typer.Typer(
    name="comfygradio",
    help="ComfyUI workflows as simple web forms. Without a command: serve, with the flags of serve.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Server = Annotated[
    list[str] | None, typer.Option("--server", metavar="URL", help="The ComfyUI server [http://127.0.0.1:8188].")
]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="A header for the server, such as a token; repeatable."),
]
Demo = Annotated[bool, typer.Option("--demo", help="Use an embedded demo server instead of ComfyUI.")]
Presets = Annotated[
    list[str] | None,
    typer.Option("--presets", metavar="DIR", help="A folder of presets; repeatable [./presets, else our own]."),
]
Outputs = Annotated[str | None, typer.Option("--outputs", metavar="DIR", help="Where results are kept [outputs].")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
StepSeconds = Annotated[
    str | None, typer.Option("--step-seconds", metavar="SECONDS", help="Time of a step of the demo server [0.05].")
]
Host = Annotated[str | None, typer.Option("--host", metavar="HOST", help="Address to listen on [127.0.0.1].")]


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
        bool, typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """What goes before any command."""


@app.command()
def serve(
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    outputs: Outputs = None,
    host: Host = None,
    port: Annotated[str | None, typer.Option("--port", metavar="PORT", help="Port of the page [7860].")] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", metavar="FILE", help="Who may log in: lines of user:password.")
    ] = None,
    root_path: Annotated[
        str | None, typer.Option("--root-path", metavar="PATH", help="Where a proxy shows the page, such as /forms.")
    ] = None,
    author: Annotated[
        bool, typer.Option("--author", help="Show the page that makes presets, to everybody who gets in.")
    ] = False,
    operator: Annotated[
        list[str] | None,
        typer.Option("--operator", metavar="NAME", help="A user of --auth who sees the Status page; repeatable."),
    ] = None,
    jobs_per_person: Annotated[
        str | None, typer.Option("--jobs-per-person", metavar="N", help="Jobs of one person that may wait [100].")
    ] = None,
    max_megapixels: Annotated[
        str | None, typer.Option("--max-megapixels", metavar="X", help="Largest picture, in millions of pixels.")
    ] = None,
    max_steps: Annotated[str | None, typer.Option("--max-steps", metavar="N", help="Most steps of a sampler.")] = None,
    max_upload_mb: Annotated[
        str | None, typer.Option("--max-upload-mb", metavar="N", help="Largest file that is taken, in MB [100].")
    ] = None,
    names: Annotated[
        str | None, typer.Option("--names", metavar="PATTERN", help=f"Names of results [{DEFAULT_PATTERN}].")
    ] = None,
    on_disconnect: Annotated[
        str | None,
        typer.Option(
            "--on-disconnect", metavar="keep|cancel", help="What becomes of a job that nobody watches [keep]."
        ),
    ] = None,
    header: Header = None,
    step_seconds: StepSeconds = None,
) -> int:
    """The web page: a form for every preset."""
    settings = _load(
        server=server,
        demo=demo,
        presets=presets,
        outputs=outputs,
        host=host,
        port=port,
        auth=auth,
        root_path=root_path,
        author=author,
        operators=operator,
        jobs_per_person=jobs_per_person,
        max_megapixels=max_megapixels,
        max_steps=max_steps,
        max_upload_mb=max_upload_mb,
        names=names,
        on_disconnect=on_disconnect,
        headers=header,
        step_seconds=step_seconds,
    )
    from comfygradio.ui.serve import serve as serve_page

    serve_page(settings)
    return OK


@app.command()
def demo(
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 8188,
    host: Host = None,
    step_seconds: StepSeconds = None,
) -> int:
    """Only the demo server, for any ComfyUI client."""
    settings = _load(host=host, step_seconds=step_seconds)
    from comfygradio.commands.demo import run_demo

    run_demo(settings, port)
    return OK


@app.command()
def run(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="A preset's name, or the path of its YAML file.")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="Field values; pictures as paths.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to save [OUTPUTS/YYYY-MM-DD/PRESET].")
    ] = None,
    as_json: Json = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    outputs: Outputs = None,
    header: Header = None,
    step_seconds: StepSeconds = None,
) -> int:
    """One job: saves results, prints their paths."""
    settings = _load(
        server=server, demo=demo, presets=presets, outputs=outputs, headers=header, step_seconds=step_seconds
    )
    from comfygradio.commands.run import run_preset

    return run_preset(settings, preset, values or [], out, as_json)


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="PRESET", help="Names or YAML files [all].")] = None,
    as_json: Json = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    header: Header = None,
) -> int:
    """Every problem of every preset on the server."""
    settings = _load(server=server, demo=demo, presets=presets, headers=header)
    from comfygradio.commands.check import check_presets

    return check_presets(settings, names or [], as_json)


@app.command()
def new(
    source: Annotated[
        Path, typer.Argument(metavar="WORKFLOW|PNG", help="API-format JSON, or a picture or video that ComfyUI made.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The preset's name [from the file's name].")
    ] = None,
    saved: Annotated[
        Path | None,
        typer.Option("--saved", metavar="FILE", help="The same workflow as ComfyUI saves it, for App mode's choices."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a preset of that name.")] = False,
    as_json: Json = False,
    server: Server = None,
    demo: Demo = False,
    presets: Presets = None,
    header: Header = None,
) -> int:
    """Drafts a preset: finds prompt, seed, size, models and files."""
    settings = _load(server=server, demo=demo, presets=presets, headers=header)
    from comfygradio.commands.new import new_preset

    return new_preset(settings, source, name, None, force, saved, as_json)


@app.command(name="presets")
def list_presets(presets: Presets = None, as_json: Json = False) -> int:
    """The presets that are there; needs no server."""
    settings = _load(presets=presets)
    from comfygradio.commands.presets import list_presets

    return list_presets(settings, as_json)


@app.command()
def schema(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write preset.schema.json into this folder.")
    ] = None,
) -> int:
    """The JSON Schema of preset files, for editors."""
    from comfygradio.commands.schema import print_schema

    return print_schema(out)


def main() -> int:
    """Entry point of the console script; SIGTERM ends a command like Ctrl-C, so that its job is cancelled."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_command(sys.argv[1:])


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors become one line on stderr."""
    try:
        code = app(add_command(arguments), prog_name="comfygradio", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _complain(describe_error(error), USAGE if isinstance(error, USAGE_ERRORS) else FAILED)
    return _complain("Interrupted.", INTERRUPTED) if code == INTERRUPTED else code or OK


def add_command(arguments: Sequence[str]) -> list[str]:
    """The arguments, with `serve` before them where they name no command."""
    bare = not arguments or (arguments[0].startswith("-") and arguments[0] not in GLOBAL_FLAGS)
    return ["serve", *arguments] if bare else list(arguments)


def describe_error(error: Exception) -> str:
    """What to say about an error, in one line."""
    if isinstance(error, UsageError):
        return f"{cast(Any, error).format_message().rstrip('.')}; see comfygradio --help."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'This machine'}: {error.strerror}."
    if isinstance(error, ComfyGradioError):
        return str(error)
    return f"This should not have happened ({type(error).__name__}: {error}); PYTHONDEVMODE=1 shows where it did."


def _complain(text: str, code: int) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return code


def _load(**flags: Any) -> Settings:
    return load_settings(overrides={name: None if value is False else value for name, value in flags.items()})
