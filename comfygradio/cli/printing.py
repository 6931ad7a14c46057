"""`comfygradio run --print-prompt` and `--print-curl`: print what would be posted; run nothing."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus
from urllib.request import getproxies

from comfygradio.cli.presets import find_preset
from comfygradio.cli.run import fill_preset, parse_assignments
from comfygradio.cli.server import open_client
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.http_responses import API_KEY
from comfygradio.comfy.transport import Access
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import SettingsError
from comfygradio.settings import Settings

MAX_ARGUMENT_CHARACTERS = 100_000
"""Characters of a body that one argument of a program may hold; Linux takes 131,071 bytes."""

JSON_HEADER = "Content-Type: application/json"


@dataclass
class Placeholders:
    """Variables of the shell that stand for secrets → what they have to be set to."""

    meanings: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, name: str, meaning: str) -> str:
        """Add a variable; return it as a word of the shell that ends the line if it is not set."""
        words = f"{kind} {name}".strip()
        variable = "COMFYUI_" + re.sub(r"[^0-9A-Za-z]", "_", words).upper()
        while variable in self.meanings:
            variable += "_2"
        self.meanings[variable] = meaning
        return f'"${{{variable}:?}}"'


def print_prompt(settings: Settings, name: str, assignments: Sequence[str]) -> int:
    """Print the filled workflow in API format. Raises ComfyGradioError."""
    values = parse_assignments(assignments)
    preset = find_preset(settings, name)
    with open_client(settings) as client:
        prompt = fill_preset(client, preset, values, settings)
    for upload in prompt.uploads:
        print(
            f"Upload {upload.path} as {upload.name} before this prompt is posted.",
            file=sys.stderr,
        )
    is_unicode = "utf" in sys.stdout.encoding.lower()
    print(json.dumps(list_upload_names(prompt), indent=2, ensure_ascii=not is_unicode))
    return 0


def print_curl(settings: Settings, name: str, assignments: Sequence[str]) -> int:
    """Print a line for a shell that uploads the files and posts the prompt; secrets are variables.

    Raises ComfyGradioError.
    """
    if settings.demo:
        raise SettingsError(
            "--print-curl is for a server that stays: name one with --server, or start one with "
            "comfygradio demo."
        )
    values = parse_assignments(assignments)
    preset = find_preset(settings, name)
    with open_client(settings) as client:
        prompt = fill_preset(client, preset, values, settings)
        line, meanings = write_curl(client, prompt)
    for variable, meaning in meanings.items():
        print(f"Set {variable} to {meaning}: the line holds no secret.", file=sys.stderr)
    print(line)
    return 0


def write_curl(client: ComfyClient, prompt: Prompt) -> tuple[str, Mapping[str, str]]:
    """Write the line; return it, and for each variable in it what it stands for."""
    secrets = Placeholders()
    options = _list_options(client.access, secrets)
    query = _write_query(client.access, secrets)
    base = client.access.address.base + client.transport.prefix
    calls = []
    for upload in prompt.uploads:
        calls.append(_write_upload(f"{base}/upload/image", query, options, upload))
    body = _write_body(client, prompt, secrets)
    calls.append(_write_post(f"{base}/prompt", query, options, body))
    return " && ".join(calls), secrets.meanings


def list_upload_names(prompt: Prompt) -> dict[str, Any]:
    """Return the graph with the names that its files have once they are uploaded."""
    graph = {}
    for key, node in prompt.graph.items():
        inputs = dict(node.get("inputs") or {})
        graph[key] = {**node, "inputs": inputs}
    for upload in prompt.uploads:
        for node_id, name in upload.slots:
            graph[node_id]["inputs"][name] = upload.name
    return graph


def _list_options(access: Access, secrets: Placeholders) -> list[str]:
    """List the options of every call: the headers, the login, and whether a proxy is passed by."""
    options = []
    for name in access.headers:
        variable = secrets.add("header", name, f"the value of the header {name}")
        before = shlex.quote(f"{name}: ")
        options.append(f"-H {before}{variable}")
    is_named = any(name.lower() == "authorization" for name in access.headers)
    if access.address.authorization and not is_named:
        login = secrets.add("login", "", "user:password of the server's address")
        options.append(f"-u {login}")
    if access.address.loopback and getproxies():
        # comfygradio itself asks this machine without a proxy (`trust_env` in comfy.transport).
        options.append("--noproxy '*'")
    return options


def _write_query(access: Access, secrets: Placeholders) -> str:
    words = []
    for number, name in enumerate(access.address.params):
        meaning = f"the value of {name} in the server's address, as it stands there"
        mark = "&" if number else "?"
        before = shlex.quote(f"{mark}{quote_plus(name)}=")
        variable = secrets.add("query", name, meaning)
        words.append(before + variable)
    return "".join(words)


def _write_upload(url: str, query: str, options: Sequence[str], upload: Upload) -> str:
    path = str(upload.path.resolve())
    # The path goes in quotes: without them, curl takes a comma or a semicolon in it for its end.
    path = path.replace("\\", "\\\\").replace('"', '\\"')
    form = f'image=@"{path}";filename={upload.name}'
    return " ".join(
        [
            # -f fails for an error of the server, so that the prompt is not posted without its
            # file.
            "curl -fsS -o /dev/null",
            *options,
            f"-F {shlex.quote(form)}",
            "-F type=input",
            _write_url(url) + query,
        ]
    )


def _write_body(client: ComfyClient, prompt: Prompt, secrets: Placeholders) -> str:
    """Write what is posted as a word of the shell; an API key in it is a variable."""
    graph = list_upload_names(prompt)
    extra: dict[str, Any] = {"extra_pnginfo": prompt.make_pnginfo(graph)}
    if not client.choose_api_key(graph):
        body = json.dumps({"prompt": graph, "extra_data": extra})
        return shlex.quote(body)
    # The key comes last, so that its variable can be put between the two halves of the body.
    body = json.dumps({"prompt": graph, "extra_data": {**extra, API_KEY: ""}})
    end = '"}}'
    key = secrets.add("api key", "", "the API key of comfy.org")
    beginning = body.removesuffix(end)
    return shlex.quote(beginning) + key + shlex.quote(end)


def _write_post(url: str, query: str, options: Sequence[str], body: str) -> str:
    """Write the call that posts `body`, a word of the shell; one that is too long for an argument
    goes through a pipe.
    """
    header = shlex.quote(JSON_HEADER)
    call = " ".join(["curl -X POST", *options, f"-H {header}"])
    target = _write_url(url) + query
    if len(body) <= MAX_ARGUMENT_CHARACTERS:
        return f"{call} --data-raw {body} {target}"
    return f"printf %s {body} | {call} --data-binary @- {target}"


def _write_url(url: str) -> str:
    """Write the URL as a word of the shell; curl would take brackets for a list of URLs."""
    word = shlex.quote(url)
    has_brackets = re.search(r"[\[\]{}]", url)
    if has_brackets:
        return f"-g {word}"
    return word
