"""`run --print-prompt` and `run --print-curl` print what a run posts, and run nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from comfygradio.cli.printing import write_curl
from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.demo import DemoOptions, DemoServer
from tests.clocks import HANG_SECONDS, PROCESS_SECONDS
from tests.comfy.gateway import Call, Gateway, Reply

from .shell import Shell

TOKEN = 'tok\'en $HOME `id` "x"'
"""A secret that a shell would love to make something of."""

LISTING = "curl() { printf '%s\\0' \"$@\"; printf '\\n\\0'; }"
"""In place of curl: writes its arguments, a zero behind each, and a line behind the last."""


def run_in_shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a person's shell would."""
    return subprocess.run(
        ["sh", "-c", line],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )


def read_calls(line: str, **environ: str) -> list[list[str]]:
    """The arguments of each curl of a line."""
    ended = run_in_shell(f"{LISTING}\n{line}", **environ)
    assert ended.returncode == 0, ended.stderr
    calls = ended.stdout.split("\n\0")
    return [call.split("\0")[:-1] for call in calls[:-1]]


def take(arguments: list[str], flag: str) -> str:
    """What follows a flag."""
    return arguments[arguments.index(flag) + 1]


def list_prompts(server: DemoServer) -> list[Any]:
    """The graphs that a server was given."""
    history = httpx.get(f"{server.url}/history").json()
    return [entry["prompt"][2] for entry in history.values()]


def await_entry(server: DemoServer, token: str, prompt_id: str) -> Any:
    """What the history says of a prompt, once it does."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        headers = {"Authorization": f"Bearer {token}"}
        history = httpx.get(f"{server.url}/history/{prompt_id}", headers=headers).json()
        if prompt_id in history:
            return history[prompt_id]
    raise AssertionError("it never ended")


def test_the_printed_prompt_is_what_a_run_posts(shell: Shell) -> None:
    words = ("text_to_image", "prompt=Käse, 'quoted' $x", "seed=77", "size=768x512")
    with DemoServer(DemoOptions(step_seconds=0)) as server:
        printed = shell("run", *words, "--print-prompt", "--server", server.url)
        assert (printed.code, printed.err) == (0, "")
        assert not list_prompts(server) and not Path("outputs").exists()
        assert shell("run", *words, "--server", server.url).code == 0
        assert list_prompts(server) == [json.loads(printed.out)]


def test_the_printed_prompt_can_be_read_as_a_workflow(shell: Shell, demo: DemoServer) -> None:
    printed = shell("run", "text_to_image", "seed=78", "--print-prompt", "--server", demo.url)
    Path("mine.json").write_text(printed.out, encoding="utf-8")
    Path("presets").mkdir()
    assert shell("new", "mine.json", "--server", demo.url).code == 0


def test_files_are_named_and_not_uploaded(shell: Shell, demo: DemoServer) -> None:
    Image.new("RGB", (40, 30), "teal").save("cat.png")
    before = httpx.get(f"{demo.url}/object_info/LoadImage").json()
    printed = shell("run", "upscale", "image=cat.png", "--print-prompt", "--server", demo.url)
    assert printed.code == 0
    names = [node["inputs"].get("image") for node in json.loads(printed.out).values()]
    (name,) = [name for name in names if isinstance(name, str)]
    assert printed.err == f"Upload cat.png as {name} before this prompt is posted.\n"
    assert httpx.get(f"{demo.url}/object_info/LoadImage").json() == before


def test_a_shell_runs_the_line(shell: Shell) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    Path('it\'s; "here", $HOME').mkdir()
    picture = Path('it\'s; "here", $HOME') / "a&b;c, \"d\" 'e'.png"
    Image.new("RGB", (40, 30), "navy").save(picture)
    with DemoServer(DemoOptions(step_seconds=0, token="sesame")) as server:
        header = ("--header", "Authorization: Bearer sesame")
        given = ("upscale", f"image={picture}", "--server", server.url, *header)
        printed = shell("run", *given, "--print-curl")
        assert printed.code == 0 and printed.out.count("\n") == 1
        assert printed.out.startswith("curl ") and "sesame" not in printed.out + printed.err
        assert printed.err == (
            "Set COMFYUI_HEADER_AUTHORIZATION to the value of the header Authorization: the line "
            "holds no secret.\n"
        )
        unset = run_in_shell(printed.out)
        assert unset.returncode != 0 and "COMFYUI_HEADER_AUTHORIZATION" in unset.stderr
        ended = run_in_shell(printed.out, COMFYUI_HEADER_AUTHORIZATION="Bearer sesame")
        assert json.loads(ended.stdout)["node_errors"] == {}, ended.stderr
        entry = await_entry(server, "sesame", json.loads(ended.stdout)["prompt_id"])
        assert entry["status"]["status_str"] == "success" and entry["outputs"]


@pytest.mark.parametrize(
    ("address", "headers", "environ", "login"),
    [
        ("http://h:1/comfy", {}, {}, []),
        (
            "http://ann:secret-1@h:1/comfy",
            {},
            {"COMFYUI_LOGIN": TOKEN},
            ["-u", TOKEN],
        ),
        (
            "http://ann:secret-1@h:1/comfy",
            {"authorization": "Bearer secret-2"},
            {"COMFYUI_HEADER_AUTHORIZATION": TOKEN},
            ["-H", f"authorization: {TOKEN}"],
        ),
        (
            "http://h:1/comfy",
            {"X-`id`$'": "secret-1", "X--id---": "secret-2"},
            {"COMFYUI_HEADER_X__ID___": TOKEN, "COMFYUI_HEADER_X__ID____2": "two"},
            ["-H", f"X-`id`$': {TOKEN}", "-H", "X--id---: two"],
        ),
    ],
)
def test_secrets_are_variables(
    address: str, headers: Mapping[str, str], environ: Mapping[str, str], login: list[str]
) -> None:
    text = 'it\'s $HOME `id` "q" \\n\n%s ! é'
    prompt = Prompt({"1": {"class_type": "A", "inputs": {"t": text}}}, (), {"x": 1})
    with ComfyClient(address, headers=headers) as client:
        line, meanings = write_curl(client, prompt)
    assert set(meanings) == set(environ) and "secret" not in line and "\n" not in line
    (call,) = read_calls(line, **environ)
    body = {"prompt": prompt.graph, "extra_data": {"extra_pnginfo": {"x": 1}}}
    assert json.loads(take(call, "--data-raw")) == body
    assert call[:2] == ["-X", "POST"] and call[2 : 2 + len(login)] == login
    assert call[-1] == "http://h:1/comfy/prompt" and take(call, "-X") == "POST"
    assert "Content-Type: application/json" in call


def test_secrets_of_the_query_are_variables() -> None:
    with ComfyClient("http://h/?token=secret&a%20b=secret2&token-=secret3") as client:
        line, meanings = write_curl(client, Prompt({}))
    assert "secret" not in line
    assert list(meanings) == ["COMFYUI_QUERY_TOKEN", "COMFYUI_QUERY_A_B", "COMFYUI_QUERY_TOKEN_"]
    (call,) = read_calls(line, **dict.fromkeys(meanings, "v%20w"))
    assert call[-1] == "http://h/prompt?token=v%20w&a+b=v%20w&token-=v%20w"


def test_a_long_body_comes_through_a_pipe() -> None:
    graph = {"1": {"class_type": "A", "inputs": {"t": "it's 5% \\ " * 30_000}}}
    with ComfyClient("http://[::1]:8188") as client:
        line, _ = write_curl(client, Prompt(graph))
    assert line.startswith("printf %s '")
    script = f"curl() {{ cat; }}\n{line}"
    ended = subprocess.run(
        ["sh"], input=script, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert json.loads(ended.stdout)["prompt"] == graph
    assert line.endswith("--data-binary @- -g 'http://[::1]:8188/prompt'")


def test_files_are_uploaded_first_under_their_names(tmp_path: Path) -> None:
    path = tmp_path / 'a "b" \\c.png'
    path.write_bytes(b"x")
    upload = Upload(path, "comfygradio-1.png", (("1", "image"),))
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": ""}}}
    with ComfyClient("http://h") as client:
        line, _ = write_curl(client, Prompt(graph, (upload,)))
    first, second = read_calls(line)
    shown = str(path).replace("\\", "\\\\").replace('"', '\\"')
    assert take(first, "-F") == f'image=@"{shown}";filename=comfygradio-1.png'
    assert first[-1] == "http://h/upload/image" and second[-1] == "http://h/prompt"
    posted = json.loads(take(second, "--data-raw"))["prompt"]
    assert posted["1"]["inputs"]["image"] == "comfygradio-1.png"
    assert graph["1"]["inputs"] == {"image": ""}


def test_a_gateway_that_forwards_only_api(shell: Shell, demo: DemoServer) -> None:
    def answer(call: Call) -> Reply:
        if not call.path.startswith("/api/"):
            return Reply(404, b"nothing here")
        found = httpx.get(demo.url + call.path)
        return Reply(found.status_code, found.content, {"content-type": "application/json"})

    with Gateway(answer) as gateway:
        printed = shell("run", "text_to_image", "--print-curl", "--server", gateway.url)
    (call,) = read_calls(printed.out)
    assert call[-1] == f"{gateway.url}/api/prompt"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--print-prompt", "--print-curl", "--demo"], "leave one of them out."),
        (["--print-curl", "--demo"], "--print-curl is for a server that stays:"),
        (["--print-prompt", "--demo", "steps=-1"], "steps: -1 is not possible;"),
    ],
)
def test_what_is_refused(shell: Shell, arguments: list[str], expected: str) -> None:
    answer = shell("run", "text_to_image", *arguments)
    assert (answer.code, answer.out) == (2, "") and answer.err.count("\n") == 1
    assert expected in answer.err
