"""Values of settings: how the text of a flag or an environment variable is parsed.

A flag that may be repeated comes as a list, a switch as True. Every function raises ValueError or
SettingsError with a sentence that shows no secret.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path

from comfygradio.comfy.address import parse_url

WORDS_FOR_ON = ("1", "true", "yes", "on")
WORDS_FOR_OFF = ("0", "false", "no", "off")

NUMERAL = r"[+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
"""A number in plain digits, with a plus sign, one point and an exponent where wanted."""

HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
HEADER_VALUE = r"[\x20-\x7e]*"
"""What HTTP takes as a header, limited to visible ASCII characters and spaces."""

MAX_LINE = 200
"""Most characters of a text that is shown in one line."""

THOUSANDS = r"[1-9][0-9]{0,2}\.[0-9]{2}0"
"""A number whose point may part thousands."""


def parse_servers(value: str | Sequence[str]) -> tuple[str, ...]:
    """One address or several: repeated on the command line, separated by spaces in the
    environment.
    """
    listed = value.split() if isinstance(value, str) else value
    servers = [server.strip() for server in listed]
    urls = [str(parse_url(server)) for server in servers]
    # Compared as URLs, since one server may be named with and without http:// and a slash.
    for url in urls:
        if urls.count(url) > 1:
            raise ValueError(f"{url} is named twice.")
    return tuple(servers)


def parse_switch(value: bool | str) -> bool:
    """On or off, in one of the words for it."""
    word = str(value).lower()
    if word in WORDS_FOR_ON:
        return True
    if word in WORDS_FOR_OFF:
        return False
    raise ValueError(f"{value} is neither on nor off; write 1 or 0.")


def parse_folders(value: str | Sequence[str | Path]) -> tuple[Path, ...]:
    """Folders that exist: repeated on the command line, separated as in PATH in the
    environment.
    """
    listed = value.split(os.pathsep) if isinstance(value, str) else value
    folders: list[Path] = []
    for item in listed:
        # A separator at the end of the variable leaves an empty item.
        if not str(item):
            continue
        folder = Path(item).expanduser()
        if not folder.is_dir():
            raise ValueError(f"the folder {folder} does not exist.")
        folders.append(folder)
    return tuple(folders)


def parse_outputs(value: str | Path) -> Path:
    """A folder, which need not exist yet."""
    folder = Path(value).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; a folder is needed.")
    return folder


def parse_host(value: str) -> str:
    """A name or an address to listen on."""
    # A % parts an IPv6 address from its network interface: fe80::1%eth0.
    if not re.fullmatch(r"[\w.:%-]+", value):
        raise ValueError(
            f"{value} is not a host; write a name or an address such as 127.0.0.1 or 0.0.0.0."
        )
    return value


def parse_port(value: int | str) -> int:
    """A port from 0 to 65535."""
    text = str(value)
    # int() alone would also take 1_000, a sign, spaces and the digits of other scripts.
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(
            f"{value} is not a port; use a number from 1 to 65535, or 0 for a free one."
        )
    return int(text)


def parse_file(value: str | Path) -> Path:
    """A file that exists."""
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError(f"the file {path} does not exist.")
    return path


def parse_line(value: str) -> str:
    """A short text of one line."""
    text = " ".join(value.split())
    # Joiners are not printable by themselves; they join letters and emoji.
    if not text.replace("\u200c", "").replace("\u200d", "").isprintable():
        raise ValueError("the text holds signs that cannot be shown.")
    if len(text) > MAX_LINE:
        raise ValueError(f"the text is too long; at most {MAX_LINE} letters.")
    return text


def parse_root_path(value: str) -> str:
    """A path or a whole URL, without a slash at its end."""
    if not re.match(r"/|https?://", value):
        raise ValueError(
            f"{value} is not a path; it begins with / (or is a whole URL), for example "
            "/comfygradio."
        )
    return value.rstrip("/")


def parse_hosts(value: str | Sequence[str]) -> tuple[str, ...]:
    """Names under which the page is reached: repeated on the command line, separated by commas in
    the environment.
    """
    names = parse_names(value)
    for name in names:
        # At least two colons make an IPv6 address; a single one would stand before a port.
        if not re.fullmatch(r"[A-Za-z0-9_.-]+|(?=.*:.*:)[0-9A-Fa-f:]+", name):
            raise ValueError(
                f"{name} is not the name of a host; write it without http:// and port."
            )
    return tuple(name.lower() for name in names)


def parse_origins_or_all(value: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses of pages as in `parse_origins`, or `*` alone."""
    names = parse_names(value)
    if names == ("*",):
        return names
    return parse_origins(names)


def parse_origins(value: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses of pages, without a path: repeated on the command line, separated by commas in the
    environment.
    """
    names = parse_names(value)
    for name in names:
        if not re.fullmatch(r"https?://[A-Za-z0-9_.:\[\]-]+", name):
            raise ValueError(f"{name} is not an origin; write it like https://example.org.")
    return tuple(name.lower() for name in names)


def parse_proxies(value: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses or networks of proxies: repeated on the command line, separated by commas in the
    environment.
    """
    names = parse_names(value)
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise ValueError(
                f"{name} is not an address; write one such as 10.0.0.2, or a network as "
                "10.0.0.0/24."
            ) from error
    return names


def parse_names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Names: repeated on the command line, separated by commas in the environment."""
    listed = value.split(",") if isinstance(value, str) else value
    names: list[str] = []
    for item in listed:
        name = item.strip()
        if name and name not in names:
            names.append(name)
    return tuple(names)


def parse_headers(value: str | Sequence[str]) -> dict[str, str]:
    """Headers by their names: repeated on the command line, separated by line ends or `;` in the
    environment.
    """
    if isinstance(value, str):
        # A semicolon may also stand inside of a value, as in cookies: it separates only before
        # "Name: ".
        value = re.split(r"[\r\n]+|;\s*(?=[\w-]+:\s)", value)
    headers: dict[str, str] = {}
    for line in value:
        if line.strip():
            name, text = _parse_header(line)
            headers[name] = text
    return headers


def _parse_header(line: str) -> tuple[str, str]:
    """The name and value of a header; the error shows neither, since both may be secret."""
    name, colon, value = line.partition(":")
    name = name.strip()
    value = value.strip()
    is_valid = colon and re.fullmatch(HEADER_NAME, name) and re.fullmatch(HEADER_VALUE, value)
    if not is_valid:
        raise ValueError(
            'a header is "Name: value" in plain ASCII characters, for example "Authorization: '
            'Bearer …".'
        )
    return name, value


def parse_key(value: str) -> str:
    """One word that can stand in JSON and in a shell; the error does not show it."""
    if not re.fullmatch(r"[A-Za-z0-9_.~+/=-]+", value):
        raise ValueError("this is not an API key; it is one word, as comfy.org shows it.")
    return value


def parse_seconds(value: float | str) -> float:
    """A time from 0 to 3600 seconds."""
    number = _parse_real(value, 3600)
    if number is None:
        raise ValueError(f"{value} is not a time; use seconds from 0 to 3600, for example 0.05.")
    return number


def _parse_real(value: float | str, most: int) -> float | None:
    """A number of digits and one point from 0 to `most`, None for anything else.

    Raises ValueError for 1.000, where that may mean a thousand.
    """
    text = str(value).strip()
    if not re.fullmatch(NUMERAL, text) or not 0 <= float(text) <= most:
        return None
    # A float of a program has no spelling that could be misread.
    if isinstance(value, str) and re.fullmatch(THOUSANDS, text):
        thousands = text.replace(".", "")
        short = text.rstrip("0").removesuffix(".")
        if int(thousands) <= most:
            raise ValueError(
                f"{text} may mean {thousands} or {short}; write {thousands} or {short}."
            )
    return float(text)


def parse_count(value: int | str) -> int:
    """A whole number from 1."""
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise ValueError(f"{value} is not a number that can be used; write a whole number from 1.")
    return int(text)


def parse_whole(value: int | str) -> int:
    """A whole number from 0."""
    if str(value) == "0":
        return 0
    return parse_count(value)


def parse_amount(value: float | str) -> float:
    """A number above 0."""
    number = _parse_real(value, 1_000_000)
    # None, which is no number, or 0.
    if not number:
        raise ValueError(
            f"{value} is not a number that can be used; write one above 0, for example 2.5."
        )
    return number


def parse_on_disconnect(value: str) -> str:
    """`keep` or `cancel`."""
    if value not in ("keep", "cancel"):
        raise ValueError(f"{value} is neither keep nor cancel.")
    return value


def parse_log(value: bool | str) -> bool:
    """Whether to log: True from the flag, `debug` or `off` from the environment."""
    if value is True:
        return True
    word = str(value).lower()
    if word not in ("debug", "off"):
        raise ValueError(f"{value} is neither debug nor off.")
    return word == "debug"
