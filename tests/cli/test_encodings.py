"""Commands whose output goes where not every letter can be written."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
from pathlib import Path

import pytest

from comfygradio.cli.encoding import escape_unknown
from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets

from .shell import Answer, finish, start

PROMPT = "Leuchtturm über Ærø, 灯台 🏮"
TITLE = "Bild – „gemalt“ 🎨"


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    """A folder with one preset whose title has letters of many kinds."""
    folder = Path(shutil.copytree(shipped_presets(), tmp_path / "eigene"))
    for path in folder.glob("*.yaml"):
        if path.stem != "text_to_image":
            path.unlink()
    path = folder / "text_to_image.yaml"
    lines = path.read_text("utf-8").splitlines()
    lines = [f"title: {TITLE}" if line.startswith("title:") else line for line in lines]
    path.write_text("\n".join(lines), "utf-8")
    return folder


def run(encoding: str, *arguments: object, cwd: Path) -> Answer:
    environ = {"PYTHONIOENCODING": encoding}
    return finish(start(*arguments, cwd=cwd, env=environ, encoding=encoding))


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437"])
def test_a_run_ends_as_it_would_with_any_encoding(
    encoding: str, tmp_path: Path, demo: DemoServer
) -> None:
    folder = tmp_path / "Bücher 灯"
    arguments = ("run", "text_to_image", "seed=3", "--server", demo.url, "--out", folder)
    answer = run(encoding, *arguments, cwd=tmp_path)
    (made,) = folder.iterdir()
    assert answer.code == 0 and answer.err == ""
    assert answer.out.strip().endswith(f"\\u706f/{made.name}")


@pytest.mark.process
def test_json_stays_json(tmp_path: Path, demo: DemoServer) -> None:
    arguments = ("run", "text_to_image", f"prompt={PROMPT}", "--json", "--server", demo.url)
    answer = run("ascii", *arguments, cwd=tmp_path)
    assert answer.code == 0 and answer.out.isascii()
    assert json.loads(answer.out)["values"]["prompt"] == PROMPT


@pytest.mark.process
def test_a_list_and_an_error_are_told_in_any_encoding(tmp_path: Path, presets: Path) -> None:
    listed = run("ascii", "presets", "--presets", presets, cwd=tmp_path)
    assert listed.code == 0 and "Bild \\u2013 \\u201egemalt\\u201c" in listed.out
    wrong = run("ascii", "run", "灯台", "--presets", presets, cwd=tmp_path)
    assert wrong.code == 2 and "\\u706f" in wrong.err and "should not" not in wrong.err


@pytest.mark.process
def test_a_terminal_that_knows_few_letters(tmp_path: Path, presets: Path) -> None:
    leader, follower = pty.openpty()
    environ = {"PYTHONIOENCODING": "latin-1"}
    arguments = ("presets", "--presets", presets)
    process = start(*arguments, cwd=tmp_path, stdout=follower, env=environ)
    answer = finish(process)
    os.close(follower)
    shown = os.read(leader, 65536)
    os.close(leader)
    assert answer.code == 0 and b"Bild \\u2013" in shown and answer.err == ""


def write(text: str, encoding: str, errors: str) -> bytes:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding, errors)
    escape_unknown(stream)
    stream.write(text)
    stream.flush()
    return buffer.getvalue()


def test_only_unknown_letters_are_escaped() -> None:
    assert write("für 灯🎨", "latin-1", "strict") == b"f\xfcr \\u706f\\ud83c\\udfa8"
    assert write("für 灯🎨", "utf-8", "strict") == "für 灯🎨".encode()
    assert json.loads(write(json.dumps("ß🎨", ensure_ascii=False), "ascii", "strict")) == "ß🎨"


def test_half_letters_and_bytes_of_names_go_out() -> None:
    assert write("a\ud83cb", "utf-8", "strict") == b"a\\ud83cb"
    assert write("a\udcffb", "utf-8", "surrogateescape") == b"a\xffb"
    assert write("a\udcffbü", "ascii", "surrogateescape") == b"a\xffb\\u00fc"


def test_what_somebody_chose_stays() -> None:
    assert write("für", "ascii", "replace") == b"f?r"
    assert write("für", "ascii", "xmlcharrefreplace") == b"f&#252;r"
    escape_unknown(None)
    escape_unknown(io.StringIO())
