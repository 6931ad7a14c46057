"""`comfygradio api`: one call of the configured server with its login, as curl would make it."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from comfygradio.cli.server import advise, open_client
from comfygradio.errors import ServerUnreachable, SettingsError, UnexpectedResponse
from comfygradio.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

EVERY_STATUS = range(300, 1000)
"""Whatever the server answers is printed, redirects and errors too."""

STDIN = "-"

KEPT_IN_PATHS = "/%:@!$&'()*+,;=~"
"""What a path may hold as it is; anything else is percent-encoded."""


def call_api(settings: Settings, method: str, path: str, data: str | None) -> int:
    """Make the call and print its answer: on a terminal JSON with indentation, else as it comes.

    `data` is a file with the body, or `-` for standard input. Raises SettingsError,
    ServerUnreachable where there is no answer, and UnexpectedResponse once one with an error status
    was printed.
    """
    target, query = split_target(path)
    options: dict[str, Any] = {"params": parse_qs(query, keep_blank_values=True)}
    if data is not None:
        options["content"] = wrap_workflow(method, target, read_body(data))
        named = any(name.lower() == "content-type" for name in settings.headers)
        # A header of the settings counts more.
        options["headers"] = {} if named else {"Content-Type": "application/json"}
    with open_client(settings) as client:
        verb = check_method(method)
        try:
            response = client.transport.request(verb, target, accept=EVERY_STATUS, **options)
        except ServerUnreachable as error:
            raise advise(error, settings) from error
    print_body(response.content)
    status = response.status_code
    if status >= 300:
        raise UnexpectedResponse(f"{client.url} answered with an error: HTTP {status}.", status)
    return 0


def check_method(method: str) -> str:
    """Return the HTTP method in capitals. Raises SettingsError."""
    verb = method.upper()
    if verb not in METHODS:
        raise SettingsError(f"{method} is not a method; write one of {', '.join(METHODS)}.")
    return verb


def split_target(text: str) -> tuple[str, str]:
    """Split a target into path and query; the server is that of the settings, so that its login
    goes nowhere else.

    Raises SettingsError.
    """
    path, _, query = text.partition("?")
    if "://" in path:
        raise SettingsError("PATH is a path such as /queue; name the server with --server.")
    target = "/" + path.removeprefix("/")
    return quote(target, safe=KEPT_IN_PATHS), query


def read_body(source: str) -> bytes:
    """Read the bytes of a file or of standard input. Raises SettingsError."""
    if source == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(source).expanduser().read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(f"--data: the file {source} cannot be read: {reason}.") from error


def wrap_workflow(method: str, target: str, body: bytes) -> bytes:
    """Put a workflow alone into the envelope that POST /prompt wants, and say so on stderr; return
    any other body as it is.
    """
    if method.upper() != "POST" or target.removeprefix("/api") != "/prompt":
        return body
    try:
        graph = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(graph, dict) or not graph or "prompt" in graph:
        return body
    # Anything but a workflow is posted as it is, for the server to judge.
    if not all(isinstance(node, dict) and "class_type" in node for node in graph.values()):
        return body
    print('This is a workflow alone; it is posted as {"prompt": …}.', file=sys.stderr)
    return json.dumps({"prompt": graph}).encode()


def print_body(body: bytes) -> None:
    """Print an answer as it came, except that a terminal gets JSON with indentation."""
    out = sys.stdout.buffer
    out.write(_lay_out(body) if sys.stdout.isatty() else body)
    out.flush()


def _lay_out(body: bytes) -> bytes:
    """Indent JSON, and end a text with a new line; return other bytes as they are."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    with contextlib.suppress(ValueError, RecursionError):  # no JSON is a text like any other
        answer = json.loads(text)
        text = json.dumps(answer, indent=2, ensure_ascii=False)
    if text and not text.endswith("\n"):
        text += "\n"
    return text.encode(sys.stdout.encoding, "backslashreplace")
