"""Settings: flags and environment variables become one frozen value.

A flag beats the environment beats the default.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfygradio.comfy.address import parse_url
from comfygradio.comfy.limited_download import MAX_RESULT_MB
from comfygradio.errors import SettingsError
from comfygradio.jobs.naming import DEFAULT_PATTERN, check_pattern

DEFAULT_SERVER = "http://127.0.0.1:8188"
"""Where a ComfyUI is looked for when no server was named."""

SPACE_PROXIES = ("10.0.0.0/8",)
"""Where the requests of a Hugging Face Space come from: proxies of its own."""

NUMERAL = re.compile(r"[+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""A number as everywhere: digits, a sign, one point and an exponent."""

THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{2}0")
"""A number whose point may part thousands."""


@dataclass(frozen=True)
class Settings:
    """Everything that flags and environment decide.

    `server` None means that nobody named one: DEFAULT_SERVER is tried. `more_servers` share the
    page's jobs with it; commands use the first alone. `author` opens the page that makes presets,
    `step_seconds` is the demo server's speed. `jobs_per_person` counts waiting jobs, without the
    points of sweeps, of which a sweep has `max_sweep_points` (0: no sweeps from the page).
    `streams` counts the pages that are told of their jobs by a stream (0: all of them ask, once a
    second).
    `max_upload_mb` is at first what ComfyUI takes, `max_result_mb` bounds each file that comes from
    there; `names` is the pattern of results' names, `on_disconnect` keep or cancel. `operators` are
    users of --auth who see the Status page, `authors` those who make presets; without a login
    `local_operator` lets whoever sits at this machine see it. `jobs_in_all` counts everybody's
    waiting jobs. `allow_hosts` are further names of the page, `allow_origins` the websites that may
    call it (`*`: all of them, without a login), `allow_frames` those that may show it in a frame,
    `trust_proxies` the proxies whose word about people's addresses and the page's name counts.
    `space` is set on a Hugging Face Space, `space_host` its name, or several separated by commas.
    `engine` is the Dask scheduler whose workers are the servers, `scheduler` the one that a worker
    joins. `api_key` is one of comfy.org. `verbose` writes what passes between us and ComfyUI to
    stderr.
    """

    server: str | None = field(default=None, repr=False)
    more_servers: tuple[str, ...] = field(default=(), repr=False)
    demo: bool = False
    author: bool = False
    presets: tuple[Path, ...] = ()
    outputs: Path = Path("outputs")
    host: str = "127.0.0.1"
    port: int = 7860
    auth: Path | None = None
    root_path: str = ""
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    allow_frames: tuple[str, ...] = ()
    trust_proxies: tuple[str, ...] = ()
    space: bool = False
    space_host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    step_seconds: float = 0.05
    jobs_per_person: int = 100
    jobs_in_all: int = 1000
    max_megapixels: float | None = None
    max_steps: int | None = None
    max_sweep_points: int = 10_000
    streams: int = 200
    max_upload_mb: float = 100.0
    max_result_mb: float = MAX_RESULT_MB
    names: str = DEFAULT_PATTERN
    on_disconnect: str = "keep"
    operators: tuple[str, ...] = ()
    local_operator: bool = False
    authors: tuple[str, ...] = ()
    engine: str | None = None
    scheduler: str | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    verbose: bool = False
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Source:
    """Where a setting comes from: its flag, its environment variables in order of rank, and how its
    text is read.
    """

    flag: str
    variables: tuple[str, ...]
    parse: Callable[[Any], Any]


def load_settings(
    environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings from flags (`overrides`: field name → value; None and empty lists: not given)
    and the environment.

    Raises SettingsError with one sentence that names the flag or variable.
    """
    if environ is None:
        environ = os.environ
    given = overrides or {}
    flags = {name: value for name, value in given.items() if value not in (None, [], ())}
    found = {}
    for name, source in SOURCES.items():
        value = _find_value(name, source, environ, flags)
        if value is not None:
            found[name] = value
    found |= _settle_server(flags, found)
    found |= _split_servers(found.get("server"))
    if "SPACE_ID" in environ:
        found.setdefault("host", "0.0.0.0")
        found["space"] = True
        found["space_host"] = environ.get("SPACE_HOST", "").strip()
        found.setdefault("trust_proxies", SPACE_PROXIES)
    found.setdefault("presets", (_default_presets(),))
    return Settings(**found)


def shipped_presets() -> Path:
    """The folder of presets that come with comfygradio: inside the installed package, else at the
    top of a checkout.
    """
    package = Path(__file__).parent
    installed = package / "presets"
    if installed.is_dir():
        return installed
    return package.parent / "presets"


def read_auth(path: Path) -> list[tuple[str, str]]:
    """The (user, password) pairs of an --auth file; empty lines and lines with # are left out.

    A password is a hash or stands there as it is (see `ui.identity.passwords`). Raises
    SettingsError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"The --auth file {path} cannot be read: {reason}.") from error
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, password = line.partition(":")
        user = name.strip()
        if not user or not password:
            raise SettingsError(f"{path}:{number}: a line of an --auth file is user:password.")
        if user in pairs:
            raise SettingsError(f"{path}:{number}: the user {user} stands twice.")
        pairs[user] = password
    if not pairs:
        raise SettingsError(f"The --auth file {path} names nobody; write one user:password a line.")
    return list(pairs.items())


def _find_value(
    name: str, source: Source, environ: Mapping[str, str], flags: Mapping[str, Any]
) -> Any:
    if name in flags:
        return _parse(source.flag, source, flags[name])
    for variable in source.variables:
        text = environ.get(variable, "").strip()
        if text:
            return _parse(variable, source, text)
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
    if names_server or wants_demo:
        settled["engine"] = None
    if found.get("demo"):
        if names_server:
            settled["demo"] = False
        else:
            settled["server"] = None
    return settled


def _parse(origin: str, source: Source, value: Any) -> Any:
    try:
        return source.parse(value)
    except (ValueError, SettingsError) as error:
        raise SettingsError(f"{origin}: {error}") from error


def _split_servers(servers: tuple[str, ...] | None) -> dict[str, Any]:
    if not servers:
        return {"server": None}
    return {"server": servers[0], "more_servers": servers[1:]}


def _parse_servers(value: str | Sequence[str]) -> tuple[str, ...]:
    """One address or several: repeated on the command line, separated by spaces in the
    environment.
    """
    listed = value.split() if isinstance(value, str) else value
    servers = [server.strip() for server in listed]
    urls = [str(parse_url(server)) for server in servers]
    for url in urls:
        if urls.count(url) > 1:
            raise ValueError(f"{url} is named twice.")
    return tuple(servers)


def _parse_switch(value: bool | str) -> bool:
    word = str(value).lower()
    if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
        raise ValueError(f"{value} is neither on nor off; write 1 or 0.")
    return word in ("1", "true", "yes", "on")


def _parse_folders(value: str | Sequence[str | Path]) -> tuple[Path, ...]:
    listed = value.split(os.pathsep) if isinstance(value, str) else value
    folders = tuple(Path(item).expanduser() for item in listed if str(item))
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"the folder {folder} does not exist.")
    return folders


def _parse_outputs(value: str | Path) -> Path:
    folder = Path(value).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; a folder is needed.")
    return folder


def _parse_host(value: str) -> str:
    if not re.fullmatch(r"[\w.:%-]+", value):
        raise ValueError(
            f"{value} is no host; write a name or an address such as 127.0.0.1 or 0.0.0.0."
        )
    return value


def _parse_port(value: int | str) -> int:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"{value} is no port; use a number from 1 to 65535, or 0 for a free one.")
    return int(text)


def _parse_file(value: str | Path) -> Path:
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError(f"the file {path} does not exist.")
    return path


def _parse_root_path(value: str) -> str:
    if not re.match(r"/|https?://", value):
        raise ValueError(
            f"{value} is no path; it begins with / (or is a whole URL), for example /comfygradio."
        )
    return value.rstrip("/")


def _parse_hosts(value: str | Sequence[str]) -> tuple[str, ...]:
    """Names under which the page is reached: repeated on the command line, separated by commas in
    the environment.
    """
    names = _split_names(value)
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+|(?=.*:.*:)[0-9A-Fa-f:]+", name):
            raise ValueError(f"{name} is no name of a host; write it without http:// and port.")
    return tuple(name.lower() for name in names)


def _parse_any_origins(value: str | Sequence[str]) -> tuple[str, ...]:
    names = _split_names(value)
    if names == ("*",):
        return names
    return _parse_origins(names)


def _parse_origins(value: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses of pages, without a path: repeated on the command line, separated by commas in the
    environment.
    """
    names = _split_names(value)
    for name in names:
        if not re.fullmatch(r"https?://[A-Za-z0-9_.:\[\]-]+", name):
            raise ValueError(f"{name} is no origin; write it like https://example.org.")
    return tuple(name.lower() for name in names)


def _parse_proxies(value: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses or networks of proxies: repeated on the command line, separated by commas in the
    environment.
    """
    names = _split_names(value)
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise ValueError(
                f"{name} is no address; write one such as 10.0.0.2, or a network as 10.0.0.0/24."
            ) from error
    return names


def _split_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Names: repeated on the command line, separated by commas in the environment."""
    listed = value.split(",") if isinstance(value, str) else value
    names = [name.strip() for name in listed]
    return tuple(dict.fromkeys(name for name in names if name))


def _parse_headers(value: str | Sequence[str]) -> dict[str, str]:
    if isinstance(value, str):
        value = re.split(r"[\r\n]+|;\s*(?=[\w-]+:\s)", value)
    return dict(_parse_header(line) for line in value if line.strip())


def _parse_header(line: str) -> tuple[str, str]:
    """The name and value of a header; the error shows neither, since both may be secret."""
    match = re.fullmatch(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*([\x20-\x7e]*?)\s*", line)
    if match is None:
        raise ValueError(
            'a header is "Name: value" in plain ASCII characters, for example "Authorization: '
            'Bearer …".'
        )
    return match[1], match[2]


def _parse_key(value: str) -> str:
    """One word that can stand in JSON and in a shell; the error does not show it."""
    if not re.fullmatch(r"[A-Za-z0-9_.~+/=-]+", value):
        raise ValueError("this is no API key; it is one word, as comfy.org shows it.")
    return value


def _parse_seconds(value: float | str) -> float:
    number = _parse_real(value, 3600)
    if number is None:
        raise ValueError(f"{value} is no time; use seconds from 0 to 3600, for example 0.05.")
    return number


def _parse_real(value: float | str, most: int) -> float | None:
    """A number of digits and one point from 0 to `most`, None for anything else.

    Raises ValueError for 1.000, where that may mean a thousand.
    """
    text = str(value).strip()
    if not NUMERAL.fullmatch(text) or not 0 <= float(text) <= most:
        return None
    if isinstance(value, str) and THOUSANDS.fullmatch(text):
        thousands = text.replace(".", "")
        short = text.rstrip("0").removesuffix(".")
        if int(thousands) <= most:
            raise ValueError(
                f"{text} may mean {thousands} or {short}; write {thousands} or {short}."
            )
    return float(text)


def _parse_count(value: int | str) -> int:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise ValueError(f"{value} is no number that can be used; write a whole number from 1.")
    return int(text)


def _parse_points(value: int | str) -> int:
    if str(value) == "0":
        return 0
    return _parse_count(value)


def _parse_amount(value: float | str) -> float:
    number = _parse_real(value, 1_000_000)
    if not number:
        raise ValueError(
            f"{value} is no number that can be used; write one above 0, for example 2.5."
        )
    return number


def _parse_disconnect(value: str) -> str:
    if value not in ("keep", "cancel"):
        raise ValueError(f"{value} is neither keep nor cancel.")
    return value


def _parse_log(value: bool | str) -> bool:
    """The flag, or the word of the environment: how much is written."""
    if value is True:
        return True
    word = str(value).lower()
    if word not in ("debug", "off"):
        raise ValueError(f"{value} is neither debug nor off.")
    return word == "debug"


def _default_presets() -> Path:
    own = Path("presets")
    if own.is_dir():
        return own
    return shipped_presets()


SOURCES: Mapping[str, Source] = {
    "server": Source("--server", ("COMFYGRADIO_SERVER", "COMFYUI_URL"), _parse_servers),
    "demo": Source("--demo", ("COMFYGRADIO_DEMO",), _parse_switch),
    "author": Source("--author", ("COMFYGRADIO_AUTHOR",), _parse_switch),
    "presets": Source("--presets", ("COMFYGRADIO_PRESETS",), _parse_folders),
    "outputs": Source("--outputs", ("COMFYGRADIO_OUTPUTS",), _parse_outputs),
    "host": Source("--host", ("COMFYGRADIO_HOST", "GRADIO_SERVER_NAME"), _parse_host),
    "port": Source("--port", ("COMFYGRADIO_PORT", "GRADIO_SERVER_PORT"), _parse_port),
    "auth": Source("--auth", ("COMFYGRADIO_AUTH",), _parse_file),
    "root_path": Source("--root-path", ("COMFYGRADIO_ROOT_PATH",), _parse_root_path),
    "allow_hosts": Source("--allow-host", ("COMFYGRADIO_ALLOW_HOSTS",), _parse_hosts),
    "allow_origins": Source("--allow-origin", ("COMFYGRADIO_ALLOW_ORIGINS",), _parse_any_origins),
    "allow_frames": Source("--allow-frame", ("COMFYGRADIO_ALLOW_FRAMES",), _parse_origins),
    "trust_proxies": Source("--trust-proxy", ("COMFYGRADIO_TRUST_PROXIES",), _parse_proxies),
    "headers": Source("--header", ("COMFYGRADIO_HEADERS",), _parse_headers),
    "step_seconds": Source("--step-seconds", ("COMFYGRADIO_STEP_SECONDS",), _parse_seconds),
    "jobs_per_person": Source("--jobs-per-person", ("COMFYGRADIO_JOBS_PER_PERSON",), _parse_count),
    "jobs_in_all": Source("--jobs-in-all", ("COMFYGRADIO_JOBS_IN_ALL",), _parse_count),
    "max_megapixels": Source("--max-megapixels", ("COMFYGRADIO_MAX_MEGAPIXELS",), _parse_amount),
    "max_steps": Source("--max-steps", ("COMFYGRADIO_MAX_STEPS",), _parse_count),
    "streams": Source("--streams", ("COMFYGRADIO_STREAMS",), _parse_points),
    "max_sweep_points": Source(
        "--max-sweep-points", ("COMFYGRADIO_MAX_SWEEP_POINTS",), _parse_points
    ),
    "max_upload_mb": Source("--max-upload-mb", ("COMFYGRADIO_MAX_UPLOAD_MB",), _parse_amount),
    "max_result_mb": Source("--max-result-mb", ("COMFYGRADIO_MAX_RESULT_MB",), _parse_amount),
    "names": Source("--names", ("COMFYGRADIO_NAMES",), check_pattern),
    "on_disconnect": Source("--on-disconnect", ("COMFYGRADIO_ON_DISCONNECT",), _parse_disconnect),
    "operators": Source("--operator", ("COMFYGRADIO_OPERATORS",), _split_names),
    "local_operator": Source("--local-operator", ("COMFYGRADIO_LOCAL_OPERATOR",), _parse_switch),
    "authors": Source("--authors", ("COMFYGRADIO_AUTHORS",), _split_names),
    "engine": Source("--engine", ("COMFYGRADIO_ENGINE",), str),
    "scheduler": Source("--scheduler", ("COMFYGRADIO_SCHEDULER",), str),
    "tls_ca": Source("--tls-ca", ("COMFYGRADIO_TLS_CA",), _parse_file),
    "tls_cert": Source("--tls-cert", ("COMFYGRADIO_TLS_CERT",), _parse_file),
    "tls_key": Source("--tls-key", ("COMFYGRADIO_TLS_KEY",), _parse_file),
    "api_key": Source("--api-key", ("COMFYGRADIO_API_KEY",), _parse_key),
    "verbose": Source("--verbose", ("COMFYGRADIO_LOG",), _parse_log),
}
"""Where every setting comes from."""
