from __future__ import annotations

import datetime
import json
import shutil
import socket
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.settings import shipped_presets

from .shell import Shell


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder `presets` with copies of the shipped ones."""
    return Path(shutil.copytree(shipped_presets(), tmp_path / "presets"))


def test_run_saves_and_prints_paths(shell: Shell, demo: DemoServer) -> None:
    answer = shell(
        "run", "text_to_image", "prompt=a=b", "size=512x768", "pictures=2", "--server", demo.url
    )
    assert (answer.code, answer.err) == (0, "")
    paths = [Path(line) for line in answer.out.splitlines()]
    assert [path.parent for path in paths] == [
        Path("outputs") / datetime.date.today().isoformat() / "text_to_image"
    ] * 2
    with Image.open(paths[0]) as picture:
        assert picture.size == (512, 768)
        assert json.loads(picture.info["comfygradio"])["values"]["prompt"] == "a=b"


def test_run_never_overwrites(shell: Shell, demo: DemoServer) -> None:
    calls = [
        shell("run", "text_to_image", f"seed={seed}", "--out", "mine", "--server", demo.url)
        for seed in (1, 1, 2)
    ]
    assert [answer.code for answer in calls] == [0, 0, 0]
    paths = {answer.out.strip() for answer in calls}
    assert len(paths) == 3 and all(Path(path).parent == Path("mine") for path in paths)


def test_names_that_are_taken_get_a_counter(shell: Shell) -> None:
    for _ in range(3):
        with DemoServer(DemoOptions(step_seconds=0)) as server:
            assert shell("run", "text_to_image", "--out", "mine", "--server", server.url).code == 0
    names = {path.name for path in Path("mine").iterdir()}
    assert names == {"ComfyUI_00001_.png", "ComfyUI_00001_-2.png", "ComfyUI_00001_-3.png"}


def test_run_tells_json_with_the_seed_that_was_used(shell: Shell, demo: DemoServer) -> None:
    answer = shell("run", "text_to_image", "seed=random", "--json", "--server", demo.url)
    report = json.loads(answer.out)
    assert answer.code == 0 and set(report) == {"preset", "values", "prompt_id", "files", "seconds"}
    assert isinstance(report["values"]["seed"], int) and report["preset"] == "text_to_image"
    assert Path(report["files"][0]).is_file() and report["prompt_id"] and report["seconds"] > 0


def test_run_takes_pictures_and_a_path_of_a_preset(
    shell: Shell, demo: DemoServer, own: Path
) -> None:
    Image.new("RGB", (40, 30), "teal").save("cat.png")
    answer = shell(
        "run", own / "upscale.yaml", "image=cat.png", "--server", demo.url, "--out", "big"
    )
    assert (answer.code, answer.err) == (0, "")
    with Image.open(answer.out.strip()) as picture:
        assert picture.size[0] > 40


def test_run_with_an_embedded_demo_server(shell: Shell) -> None:
    answer = shell("run", "text_to_image", "--demo", "--step-seconds", "0")
    assert answer.code == 0 and Path(answer.out.strip()).is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["text_to_imag"], 2, "There is no preset text_to_imag; did you mean text_to_image?"),
        (
            ["zzz"],
            2,
            "There is no preset zzz; there are image_to_image, inpaint, text_to_image, upscale.",
        ),
        (
            ["text_to_image", "prompt"],
            2,
            "prompt is not of the form field=value; write for example prompt='a lighthouse'.",
        ),
        (["text_to_image", "=x"], 2, "=x is not of the form field=value"),
        (["text_to_image", "seed=1", "seed=2"], 2, "The field seed was given twice."),
        (
            ["text_to_image", "promt=x"],
            2,
            "promt: Text to image has no such field; did you mean prompt?",
        ),
        (
            ["text_to_image", "cfg=99"],
            2,
            "cfg: 99 is not possible; numbers from 1 to 20 are allowed.",
        ),
        (["upscale"], 2, "image: please add a picture."),
        (["upscale", "image=gone.png"], 2, "image: the file gone.png does not exist."),
        (["gone.yaml"], 1, "gone.yaml cannot be read: No such file or directory."),
        (
            ["text_to_image", "--outputs", "presets/upscale.json"],
            2,
            "--outputs: presets/upscale.json is a file",
        ),
        (["text_to_image", "--out", "presets/upscale.json"], 1, "presets/upscale.json"),
        (["text_to_image", "--frob"], 2, "No such option: --frob; see comfygradio --help."),
        ([], 2, "Missing argument 'PRESET'; see comfygradio --help."),
    ],
)
def test_what_run_refuses(
    shell: Shell, demo: DemoServer, own: Path, arguments: list[str], code: int, expected: str
) -> None:
    answer = shell("run", *arguments, "--server", demo.url)
    assert (answer.code, answer.out) == (code, "")
    assert expected in answer.err and answer.err.count("\n") == 1
    assert not list(Path().rglob("*.png"))


def test_a_server_that_is_not_there(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        answer = shell(
            "run", "text_to_image", "--server", f"http://127.0.0.1:{taken.getsockname()[1]}"
        )
    assert (
        answer.code == 1
        and "does not answer. Is it running?" in answer.err
        and answer.err.count("\n") == 1
    )


@pytest.mark.parametrize("command", [["run", "text_to_image"], ["check"]])
def test_no_server_named_and_none_running(shell: Shell, command: list[str]) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8188)) == 0:
            pytest.skip("something answers on port 8188 of this machine")
    answer = shell(*command)
    assert answer.code == 1 and "--server URL" in answer.err and "--demo" in answer.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            DemoOptions(html_on=("/object_info/KSampler", "/object_info")),
            "a web page instead of data",
        ),
        (DemoOptions(token="t"), "refuses access (HTTP 401)"),
        (DemoOptions(missing_classes=("KSampler",)), "This ComfyUI has no node class KSampler;"),
        (DemoOptions(step_seconds=0, fail_at_step=1), "KSampler"),
    ],
)
def test_servers_that_fail(shell: Shell, options: DemoOptions, expected: str) -> None:
    with DemoServer(options) as server:
        answer = shell("run", "text_to_image", "--server", server.url)
    assert (answer.code, answer.out) == (1, "")
    assert expected in answer.err and answer.err.count("\n") == 1


def test_headers_open_a_server_with_a_token(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with DemoServer(DemoOptions(step_seconds=0, token="t")) as server:
        arguments = ("run", "text_to_image", "--server", server.url)
        assert shell(*arguments, "--header", "Authorization: Bearer t").code == 0
        monkeypatch.setenv("COMFYGRADIO_HEADERS", "Authorization: Bearer t")
        assert shell(*arguments).code == 0


def test_check_says_ok(shell: Shell, demo: DemoServer) -> None:
    answer = shell("check", "--server", demo.url)
    assert answer == (0, "text_to_image: ok\nimage_to_image: ok\ninpaint: ok\nupscale: ok\n", "")
    assert shell("check", "upscale", "--server", demo.url) == (0, "upscale: ok\n", "")


def test_check_says_every_problem_of_every_preset(
    shell: Shell, demo: DemoServer, own: Path
) -> None:
    text = (own / "upscale.yaml").read_text(encoding="utf-8")
    (own / "upscale.yaml").write_text(
        text.replace("1.image", "1.nope").replace("2.model", "9.model"), encoding="utf-8"
    )
    (own / "broken.yaml").write_text("title: a: b", encoding="utf-8")
    answer = shell("check", "--server", demo.url)
    lines = answer.out.splitlines()
    assert answer.code == 1 and len(lines) == 6
    assert lines[0].startswith("presets/broken.yaml:1: no valid YAML")
    assert [line.partition(": ok")[0] for line in lines[1:4]] == [
        "text_to_image",
        "image_to_image",
        "inpaint",
    ]
    assert lines[4].startswith("upscale: Field image: node 1 (Load Image) has no input nope")
    assert lines[5].startswith(
        "upscale: Field model: slot 9.model_name: the workflow has no node 9"
    )
    report = json.loads(shell("check", "--json", "--server", demo.url).out)
    assert len(report["unreadable"]) == 1
    first, second = report["presets"]["upscale"]["problems"]
    assert (first["kind"], first["field"], first["node"], second["field"]) == (
        "slot",
        "image",
        "1",
        "model",
    )
    assert report["presets"]["text_to_image"] == {"problems": [], "notes": []}
    named = shell("check", "text_to_image", own / "broken.yaml", "--server", demo.url)
    assert named.code == 1 and len(named.out.splitlines()) == 2


def test_presets_need_no_server(shell: Shell) -> None:
    answer = shell("presets")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split()[0] for line in answer.out.splitlines()] == [
        "text_to_image",
        "image_to_image",
        "inpaint",
        "upscale",
    ]
    assert "Enlarge" in answer.out and "image, model" in answer.out
    listed = json.loads(shell("presets", "--json").out)
    assert listed[3]["name"] == "upscale" and listed[3]["fields"] == ["image", "model"]


def test_presets_names_the_files_that_cannot_be_read(shell: Shell, own: Path) -> None:
    (own / "broken.yaml").write_text("title: a: b", encoding="utf-8")
    answer = shell("presets", "--presets", own)
    assert (
        answer.code == 1
        and len(answer.out.splitlines()) == 4
        and "broken.yaml:1: no valid YAML" in answer.err
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["serv"], "No such command 'serv'. Did you mean 'serve'?; see comfygradio --help."),
        (["--frob"], "No such option: --frob"),
        (["--port", "x"], "--port: x is not a port"),
        (["--server", "http://a", "--server", "http://a"], "--server: http://a is named twice"),
        (["serve", "--server", "http://a", "--demo"], "--demo and --server exclude each other"),
        (["--server", "http://a", "run"], "unexpected extra argument"),
        (["demo", "--port", "99999"], "--port"),
        (["--auth", "gone"], "--auth: the file gone does not exist."),
        (["worker", "--host", "no host"], "--host: no host is not a host;"),
    ],
)
def test_usage_errors_are_one_line(shell: Shell, arguments: list[str], expected: str) -> None:
    answer = shell(*arguments)
    assert (answer.code, answer.out) == (2, "") and answer.err.count("\n") == 1
    assert expected in answer.err


def test_help_and_version(shell: Shell) -> None:
    answer = shell("--help")
    assert answer.code == 0 and all(
        name in answer.out for name in ("serve", "demo", "run", "check", "presets")
    )
    assert shell("--version").out.startswith("comfygradio")
    assert "--root-path" in shell("serve", "--help").out
