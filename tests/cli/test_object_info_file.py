"""`--object-info FILE`: what a server said, in place of the server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets

from .shell import Shell

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def object_info(shell: Shell, demo: DemoServer, tmp_path: Path) -> Path:
    """The file as the README makes it."""
    path = tmp_path / "object_info.json"
    answer = shell("api", "GET", "/object_info", "--server", demo.url)
    path.write_text(answer.out, encoding="utf-8")
    return path


def test_check_asks_no_server(shell: Shell, object_info: Path) -> None:
    answer = shell("check", "--object-info", object_info, "--server", NOWHERE)
    assert answer == (0, "text_to_image: ok\nimage_to_image: ok\ninpaint: ok\nupscale: ok\n", "")


def test_check_says_the_same_as_with_the_server(
    shell: Shell, demo: DemoServer, object_info: Path
) -> None:
    shutil.copytree(shipped_presets(), "presets")
    path = Path("presets/upscale.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("1.image", "1.nope"), encoding="utf-8")
    Path("presets/broken.yaml").write_text("title: a: b", encoding="utf-8")
    for more in ((), ("--json",)):
        asked = shell("check", *more, "--server", demo.url)
        told = shell("check", *more, "--object-info", object_info)
        assert asked.code == 1 and told == asked


def test_a_class_that_the_file_lacks_is_named(shell: Shell, object_info: Path) -> None:
    classes = json.loads(object_info.read_text(encoding="utf-8"))
    del classes["KSampler"]
    # Windows PowerShell writes a mark before the text.
    object_info.write_text(json.dumps(classes), encoding="utf-8-sig")
    answer = shell("check", "text_to_image", "--object-info", object_info)
    assert answer.code == 1 and "This ComfyUI has no node class KSampler" in answer.out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"<html>Login</html>", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"{}", "describes no node classes, as a ComfyUI does"),
        (b'[{"input": {}}]', "describes no node classes, as a ComfyUI does"),
        (b'{"1": {"class_type": "KSampler", "inputs": {}}}', "describes no node classes"),
    ],
)
def test_a_file_of_something_else_is_refused_in_a_sentence(
    shell: Shell, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "object_info.json"
    if content is not None:
        path.write_bytes(content)
    answer = shell("check", "--object-info", path)
    assert (answer.code, answer.out) == (2, "") and answer.err.count("\n") == 1
    assert sentence in answer.err
    assert answer.err.startswith(f"--object-info: the file {path} ")
    assert answer.err.endswith("; make it with comfygradio api GET /object_info > FILE.\n")
