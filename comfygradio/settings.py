"""Settings: flags and environment variables become one frozen value.

A flag beats the environment beats the default. Each setting is declared once, as a field of
`Settings`: the command line's flags, their help and the table in `cli/README.md` are made from it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfygradio.comfy.limited_download import MAX_RESULT_MB
from comfygradio.errors import SettingsError
from comfygradio.jobs.limits import (
    DEFAULT_JOB_STREAMS,
    DEFAULT_JOBS_IN_ALL,
    DEFAULT_JOBS_PER_PERSON,
    DEFAULT_SWEEP_POINTS,
)
from comfygradio.jobs.naming import DEFAULT_PATTERN, check_pattern
from comfygradio.setting_declaration import (
    CLUSTER,
    EVERY_COMMAND,
    JOBS,
    KEY,
    SERVER,
    Setting,
    setting,
)
from comfygradio.setting_values import (
    parse_amount,
    parse_count,
    parse_file,
    parse_folders,
    parse_headers,
    parse_host,
    parse_hosts,
    parse_key,
    parse_line,
    parse_log,
    parse_names,
    parse_on_disconnect,
    parse_origins,
    parse_origins_or_all,
    parse_outputs,
    parse_port,
    parse_proxies,
    parse_root_path,
    parse_seconds,
    parse_servers,
    parse_switch,
    parse_whole,
)

DEFAULT_SERVER = "http://127.0.0.1:8188"
"""Where a ComfyUI is looked for when no server was named."""

DEFAULT_TITLE = "comfygradio"
"""What the page is called."""

SPACE_PROXIES = ("10.0.0.0/8",)
"""Where the requests of a Hugging Face Space come from: proxies of its own."""

COMMAS = "separated by commas"
"""How several values stand in an environment variable."""


@dataclass(frozen=True)
class Settings:
    """Everything that flags and environment decide, in the order in which --help lists it.

    `server` None means that nobody named one: DEFAULT_SERVER is tried. `more_servers` share the
    page's jobs with it; commands use the first alone. `jobs_per_person` counts waiting jobs without
    the points of sweeps. `space` is set on a Hugging Face Space, `space_host` its name, or several
    separated by commas.
    """

    # Which server makes the pictures, and out of what.
    server: str | None = setting(
        None,
        "--server",
        "COMFYGRADIO_SERVER",
        "COMFYUI_URL",
        parse=parse_servers,
        metavar="URL",
        is_repeatable=True,
        is_secret=True,
        commands=SERVER,
        help="The ComfyUI server",
        help_for={"serve": "A ComfyUI server; repeatable", "sweep": "A ComfyUI server; repeatable"},
        default_text=DEFAULT_SERVER,
        variable_note="several, separated by spaces",
        readme="{default}; only the page falls back to the demo server",
    )
    more_servers: tuple[str, ...] = field(default=(), repr=False)
    demo: bool = setting(
        False,
        "--demo",
        "COMFYGRADIO_DEMO",
        parse=parse_switch,
        commands=("serve", "run", "sweep", "check", "new", "convert", "api", "models"),
        help="Use an embedded demo server instead of ComfyUI",
        readme="off",
    )
    presets: tuple[Path, ...] = setting(
        (),
        "--presets",
        "COMFYGRADIO_PRESETS",
        parse=parse_folders,
        metavar="DIR",
        is_repeatable=True,
        commands=("serve", "run", "sweep", "check", "new", "presets", "models"),
        help="A folder of presets; repeatable",
        default_text="./presets, else our own",
        variable_note="folders, separated as in `PATH`",
        readme="`./presets`, else those that ship",
    )
    outputs: Path = setting(
        Path("outputs"),
        "--outputs",
        "COMFYGRADIO_OUTPUTS",
        parse=parse_outputs,
        metavar="DIR",
        commands=JOBS,
        help="Where results are kept",
        readme="`{default}`",
    )
    # Where the page is, and what may reach it there.
    host: str = setting(
        "127.0.0.1",
        "--host",
        "COMFYGRADIO_HOST",
        "GRADIO_SERVER_NAME",
        parse=parse_host,
        metavar="HOST",
        commands=("serve", "demo"),
        help="Address to listen on",
        readme="{default}; on a Space 0.0.0.0",
    )
    port: int = setting(
        7860,
        "--port",
        "COMFYGRADIO_PORT",
        "GRADIO_SERVER_PORT",
        parse=parse_port,
        metavar="PORT",
        help="Port of the page",
        readme="{default}; 0 takes a free one",
    )
    auth: Path | None = setting(
        None,
        "--auth",
        "COMFYGRADIO_AUTH",
        parse=parse_file,
        metavar="FILE",
        help="Who may log in: lines that comfygradio password writes",
        readme="nobody has to log in",
    )
    root_path: str = setting(
        "",
        "--root-path",
        "COMFYGRADIO_ROOT_PATH",
        parse=parse_root_path,
        metavar="PATH",
        help="Where a proxy shows the page, such as /forms",
        readme="none; the path that a proxy adds",
    )
    allow_hosts: tuple[str, ...] = setting(
        (),
        "--allow-host",
        "COMFYGRADIO_ALLOW_HOSTS",
        parse=parse_hosts,
        metavar="NAME",
        is_repeatable=True,
        help="Another name of the page's host; repeatable",
        variable_note=COMMAS,
        readme="none; the page answers under the address it listens on, names of this machine, "
        "the host of `--root-path` and the name of its Space",
    )
    allow_origins: tuple[str, ...] = setting(
        (),
        "--allow-origin",
        "COMFYGRADIO_ALLOW_ORIGINS",
        parse=parse_origins_or_all,
        metavar="URL",
        is_repeatable=True,
        help="A website whose scripts may call the page; repeatable, * for all",
        variable_note=COMMAS,
        readme="none: scripts of other websites are refused; `*` lets all of them in, without "
        "their visitors' login",
    )
    allow_frames: tuple[str, ...] = setting(
        (),
        "--allow-frame",
        "COMFYGRADIO_ALLOW_FRAMES",
        parse=parse_origins,
        metavar="URL",
        is_repeatable=True,
        help="A website that may frame the page; repeatable",
        variable_note=COMMAS,
        readme="none but the page itself; on a Space huggingface.co too",
    )
    trust_proxies: tuple[str, ...] = setting(
        (),
        "--trust-proxy",
        "COMFYGRADIO_TRUST_PROXIES",
        parse=parse_proxies,
        metavar="ADDRESS",
        is_repeatable=True,
        help="A proxy whose X-Forwarded headers count; repeatable",
        variable_note=COMMAS,
        readme="none: what `X-Forwarded-For` and `X-Forwarded-Host` say is not believed; on a "
        "Space its own, 10.0.0.0/8",
    )
    space: bool = False
    space_host: str = ""
    # What the page is called.
    title: str = setting(
        DEFAULT_TITLE,
        "--title",
        "COMFYGRADIO_TITLE",
        parse=parse_line,
        metavar="TEXT",
        help="The page's name, in tabs and shared links",
        readme="{default}",
    )
    description: str = setting(
        "",
        "--description",
        "COMFYGRADIO_DESCRIPTION",
        parse=parse_line,
        metavar="TEXT",
        help="A sentence about the page, for shared links and search engines",
        readme="none",
    )
    logo: Path | None = setting(
        None,
        "--logo",
        "COMFYGRADIO_LOGO",
        parse=parse_file,
        metavar="FILE",
        help="The page's icon: a square PNG, JPEG, WebP or GIF of 512 pixels or more",
        readme="our own; shown in tabs, shared links and where the page is installed",
    )
    # Who may do more than fill in forms.
    author: bool = setting(
        False,
        "--author",
        "COMFYGRADIO_AUTHOR",
        parse=parse_switch,
        help="Show the page that makes presets: on this machine, or to operators",
        readme="off: no page for making presets; on: on this machine, with `--auth` for operators",
    )
    authors: tuple[str, ...] = setting(
        (),
        "--authors",
        "COMFYGRADIO_AUTHORS",
        parse=parse_names,
        metavar="NAME",
        is_repeatable=True,
        help="A user of --auth who makes presets; repeatable",
        variable_note=COMMAS,
        readme="nobody else",
    )
    operators: tuple[str, ...] = setting(
        (),
        "--operator",
        "COMFYGRADIO_OPERATORS",
        parse=parse_names,
        metavar="NAME",
        is_repeatable=True,
        help="A user of --auth who sees the Servers page; repeatable",
        variable_note=COMMAS,
        readme="nobody",
    )
    local_operator: bool = setting(
        False,
        "--local-operator",
        "COMFYGRADIO_LOCAL_OPERATOR",
        parse=parse_switch,
        help="Without a login: show the Servers page to whoever sits at this machine",
        readme="off; on: without a login whoever sits at this machine, while the page listens "
        "there alone",
    )
    # How much one person and everybody may ask for.
    jobs_per_person: int = setting(
        DEFAULT_JOBS_PER_PERSON,
        "--jobs-per-person",
        "COMFYGRADIO_JOBS_PER_PERSON",
        parse=parse_count,
        metavar="N",
        help="Jobs of one person that may wait",
        readme="{default} may wait; without a login of one network address",
    )
    jobs_in_all: int = setting(
        DEFAULT_JOBS_IN_ALL,
        "--jobs-in-all",
        "COMFYGRADIO_JOBS_IN_ALL",
        parse=parse_count,
        metavar="N",
        help="Jobs of everybody that may wait",
        readme="{default} may wait, of everybody together",
    )
    streams: int = setting(
        DEFAULT_JOB_STREAMS,
        "--streams",
        "COMFYGRADIO_STREAMS",
        parse=parse_whole,
        metavar="N",
        help="Pages that are told of their jobs by a stream; further ones ask",
        readme="{default} pages are told of their jobs by a stream at the same time, further ones "
        "ask once a second; 0, where a proxy holds streams back: all of them ask",
    )
    max_megapixels: float | None = setting(
        None,
        "--max-megapixels",
        "COMFYGRADIO_MAX_MEGAPIXELS",
        parse=parse_amount,
        metavar="X",
        help="Largest picture, in millions of pixels",
        readme="what the nodes take",
    )
    max_steps: int | None = setting(
        None,
        "--max-steps",
        "COMFYGRADIO_MAX_STEPS",
        parse=parse_count,
        metavar="N",
        help="Most steps of a sampler",
        readme="what the nodes take",
    )
    max_sweep_points: int = setting(
        DEFAULT_SWEEP_POINTS,
        "--max-sweep-points",
        "COMFYGRADIO_MAX_SWEEP_POINTS",
        parse=parse_whole,
        metavar="N",
        help="Most points of a sweep from the page; 0 for none",
        readme="{default}; 0: no sweeps on the page",
    )
    max_upload_mb: float = setting(
        100.0,
        "--max-upload-mb",
        "COMFYGRADIO_MAX_UPLOAD_MB",
        parse=parse_amount,
        metavar="N",
        help="Largest file that is taken, in MB",
        readme="{default}; each field has its own `max_mb` too, and a person may upload 2000 "
        "files and 4 GB in an hour, all together ten times as much, and as much as one "
        "person may be fetched from the web",
    )
    max_result_mb: float = setting(
        MAX_RESULT_MB,
        "--max-result-mb",
        "COMFYGRADIO_MAX_RESULT_MB",
        parse=parse_amount,
        metavar="N",
        help="Largest result that is fetched, in MB",
        readme="{default}; a larger result is not fetched",
    )
    # What becomes of results and jobs.
    names: str = setting(
        DEFAULT_PATTERN,
        "--names",
        "COMFYGRADIO_NAMES",
        parse=check_pattern,
        metavar="PATTERN",
        help="Names of results",
        readme="`{default}`",
    )
    on_disconnect: str = setting(
        "keep",
        "--on-disconnect",
        "COMFYGRADIO_ON_DISCONNECT",
        parse=parse_on_disconnect,
        metavar="keep|cancel",
        help="What becomes of a job that nobody watches",
        readme="{default}; cancel stops a job 30 seconds after the last page that watched it has "
        "gone",
    )
    # How a server is talked to.
    headers: Mapping[str, str] = setting(
        {},
        "--header",
        "COMFYGRADIO_HEADERS",
        parse=parse_headers,
        metavar="'NAME: VALUE'",
        is_repeatable=True,
        is_secret=True,
        commands=SERVER,
        help="A header for the server, such as a token; repeatable",
        variable_note="one `Name: value` a line, or separated by `;`",
        readme="none",
    )
    step_seconds: float = setting(
        0.05,
        "--step-seconds",
        "COMFYGRADIO_STEP_SECONDS",
        parse=parse_seconds,
        metavar="SECONDS",
        commands=("serve", "demo", "run", "sweep"),
        help="Time of a step of the demo server",
        readme="{default}; the demo server's speed",
    )
    # A cluster whose workers have the servers.
    engine: str | None = setting(
        None,
        "--engine",
        "COMFYGRADIO_ENGINE",
        parse=str,
        metavar="URL",
        commands=("serve", "sweep"),
        help="A Dask scheduler, whose workers are then the servers",
        readme="none: the servers of `--server`; else the Dask scheduler whose workers are the "
        "servers",
    )
    scheduler: str | None = setting(
        None,
        "--scheduler",
        "COMFYGRADIO_SCHEDULER",
        parse=str,
        metavar="URL",
        commands=("worker",),
        help="The Dask scheduler, such as tls://gpu-head:8786",
        readme="none; the Dask scheduler that a worker joins",
    )
    tls_ca: Path | None = setting(
        None,
        "--tls-ca",
        "COMFYGRADIO_TLS_CA",
        parse=parse_file,
        metavar="FILE",
        commands=CLUSTER,
        help="The cluster's CA certificate, PEM",
        readme="none; the CA certificate of a cluster",
    )
    tls_cert: Path | None = setting(
        None,
        "--tls-cert",
        "COMFYGRADIO_TLS_CERT",
        parse=parse_file,
        metavar="FILE",
        commands=CLUSTER,
        help="Our certificate in the cluster, PEM",
        readme="none; our certificate in it",
    )
    tls_key: Path | None = setting(
        None,
        "--tls-key",
        "COMFYGRADIO_TLS_KEY",
        parse=parse_file,
        metavar="FILE",
        commands=CLUSTER,
        help="The key of that certificate, PEM",
        readme="none; the key of that",
    )
    # The account at comfy.org, and the log.
    api_key: str = setting(
        "",
        "--api-key",
        "COMFYGRADIO_API_KEY",
        parse=parse_key,
        metavar="KEY",
        is_secret=True,
        commands=KEY,
        help="A key of comfy.org, for nodes that ask for it",
        readme="none; a key of comfy.org for nodes that work there: it goes to the server with "
        "the prompts that have such nodes, and is kept nowhere; in a cluster each worker "
        "has its own (ComfyUI before 0.6.0 shows it in its queue while the prompt waits or "
        "runs)",
    )
    verbose: bool = setting(
        False,
        "--verbose",
        "COMFYGRADIO_LOG",
        parse=parse_log,
        commands=EVERY_COMMAND,
        help="Tell every call of ComfyUI and every message, on stderr",
        variable_note="`debug`",
        readme="off; on: what passes between us and ComfyUI, on stderr",
    )


def list_settings() -> dict[str, Setting]:
    """All settings by the names of their fields."""
    found: dict[str, Setting] = {}
    for one in dataclasses.fields(Settings):
        if "setting" in one.metadata:
            found[one.name] = one.metadata["setting"]
    return found


def load_settings(
    environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings from flags (`overrides`: field name → value; None and empty lists: not given)
    and the environment.

    Raises SettingsError with one sentence that names the flag or variable.
    """
    if environ is None:
        environ = os.environ
    flags = _list_given(overrides or {})
    found: dict[str, Any] = {}
    for name, declared in list_settings().items():
        value = _find_value(name, declared, environ, flags)
        if value is not None:
            found[name] = value
    # Only after all of them are found, since a flag may undo what a variable says.
    found |= _settle_server(flags, found)
    found |= _split_servers(found.get("server"))
    # Hugging Face sets SPACE_ID in its Spaces. Whatever was set by hand counts more than what suits
    # a Space.
    if "SPACE_ID" in environ:
        found.setdefault("host", "0.0.0.0")
        found["space"] = True
        found["space_host"] = environ.get("SPACE_HOST", "").strip()
        found.setdefault("trust_proxies", SPACE_PROXIES)
    found.setdefault("presets", (_default_presets(),))
    return Settings(**found)


def parse_flag(name: str, value: Any) -> Any:
    """What a flag says that a command takes in place of a setting's, checked as that setting.

    Raises SettingsError, which names the flag.
    """
    declared = list_settings()[name]
    return _parse(declared.flag, declared, value)


def shipped_presets() -> Path:
    """The folder of presets that come with comfygradio: inside the installed package, else at the
    top of a checkout.
    """
    package = Path(__file__).parent
    installed = package / "presets"
    if installed.is_dir():
        return installed
    return package.parent / "presets"


def _list_given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in overrides.items():
        # A switch that is False was given: `in` finds only None and the empty lists.
        if value not in (None, [], ()):
            given[name] = value
    return given


def _find_value(
    name: str, declared: Setting, environ: Mapping[str, str], flags: Mapping[str, Any]
) -> Any:
    if name in flags:
        return _parse(declared.flag, declared, flags[name])
    for variable in declared.variables:
        # An empty variable counts as one that is not set.
        text = environ.get(variable, "").strip()
        if text:
            return _parse(variable, declared, text)
    return None


def _settle_server(flags: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Demo server, real ones or an engine, never two: the flag decides, and in the environment the
    demo server.
    """
    names_server = "server" in flags
    wants_demo = bool(flags.get("demo"))
    if wants_demo and names_server:
        raise SettingsError("--demo and --server exclude each other; leave one of them out.")
    if "engine" in flags and (names_server or wants_demo):
        raise SettingsError("--engine brings its own servers; leave out --server and --demo.")
    settled: dict[str, Any] = {}
    # The flag beats COMFYGRADIO_ENGINE.
    if names_server or wants_demo:
        settled["engine"] = None
    # --server beats COMFYGRADIO_DEMO; otherwise the demo server beats COMFYGRADIO_SERVER.
    if found.get("demo"):
        if names_server:
            settled["demo"] = False
        else:
            settled["server"] = None
    return settled


def _parse(origin: str, declared: Setting, value: Any) -> Any:
    try:
        return declared.parse(value)
    except (ValueError, SettingsError) as error:
        raise SettingsError(f"{origin}: {error}") from error


def _split_servers(servers: tuple[str, ...] | None) -> dict[str, Any]:
    if not servers:
        return {"server": None}
    return {"server": servers[0], "more_servers": servers[1:]}


def _default_presets() -> Path:
    own = Path("presets")
    if own.is_dir():
        return own
    return shipped_presets()
