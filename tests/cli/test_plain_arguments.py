"""Command lines that are parsed without typer get the values that typer would give them."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.cli.app import commands
from comfygradio.cli.command import (
    CommandList,
    Function,
    Option,
    list_parameters,
    set_signature,
)
from comfygradio.cli.plain_arguments import parse_plain
from comfygradio.cli.typer_app import UsageError, build_typer
from tests.effort import scale

NAMES = tuple(commands)
WORDS = (
    *("slow", "color=5", "a b", "x=", "=", "", "-", "--", "-5", "--none", "0", "1e3", "é", "$HOME"),
    *("--help", "-h", "~/x", "a=--out", "@file", "None", "True", "false"),
)


def list_flags(name: str) -> list[str]:
    """The flags of a command."""
    declared = [one.annotation.__metadata__[0] for one in list_parameters(commands.get(name))]
    return [one.flag for one in declared if isinstance(one, Option)]


FLAGS = {name: list_flags(name) for name in NAMES}


class RecordedCommands(CommandList):
    """The commands, but each only keeps the values that it is called with."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def get(self, name: str) -> Function:
        def keep(**values: Any) -> int:
            self.values = values
            return 0

        set_signature(keep, list_parameters(commands.get(name)))
        return keep


RECORDED = RecordedCommands()
APP = build_typer(RECORDED)


def parse_with_typer(name: str, arguments: list[str]) -> dict[str, Any] | None:
    """The values that typer calls a command with; None for a mistake."""
    RECORDED.values = None
    with suppress(UsageError), redirect_stdout(io.StringIO()):
        APP([name, *arguments], standalone_mode=False)
    return RECORDED.values


def parse(name: str, *arguments: str) -> dict[str, Any] | None:
    """The values as they are without typer."""
    return parse_plain(list_parameters(commands.get(name)), arguments)


@st.composite
def draw_line(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A command and arguments, right ones and wrong ones."""
    name = draw(st.sampled_from(NAMES))
    flags = st.sampled_from(FLAGS[name])
    words = st.sampled_from(WORDS)
    joined = st.builds("{}={}".format, flags, words)
    shortened = st.builds(lambda flag: flag[:-1], flags)
    return name, draw(st.lists(st.one_of(words, flags, flags, joined, shortened), max_size=7))


@settings(max_examples=scale(1000))
@given(draw_line())
def test_it_is_parsed_as_typer_does_it_or_left_to_typer(line: tuple[str, list[str]]) -> None:
    name, arguments = line
    plain = parse(name, *arguments)
    if plain is not None:
        assert plain == parse_with_typer(name, arguments)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run slow", {"preset": "slow", "values": None, "out": None, "as_json": False}),
        ("run slow a=1 --json b=2", {"values": ["a=1", "b=2"], "as_json": True}),
        ("run --out made slow", {"out": Path("made"), "preset": "slow"}),
        ("run slow --server=http://a:1", {"server": ["http://a:1"]}),
        ("presets --presets a --presets b", {"presets": ["a", "b"]}),
        ("sweep slow --axis a=1 --axis b=2 --no-carry", {"axis": ["a=1", "b=2"], "no_carry": True}),
        ("schema", {"out": None}),
        ("serve --port 80 --demo", {"port": "80", "demo": True, "server": None}),
        ("password", {"user": ""}),
    ],
)
def test_plain_lines_do_without_typer(line: str, expected: dict[str, Any]) -> None:
    name, *arguments = line.split()
    plain = parse(name, *arguments)
    assert plain and plain == parse_with_typer(name, arguments)
    assert {key: plain[key] for key in expected} == expected


@pytest.mark.parametrize(
    "line",
    [
        *("run", "run --help", "run slow --nope", "run slow --out", "run slow --out=", "run -x"),
        *("run slow --out -5", "run slow --out a --out b", "run slow --json=1", "run -- slow"),
        *("presets extra", "demo --port 1", "api GET", "password a b", "run slow --jso"),
    ],
)
def test_everything_else_is_left_to_typer(line: str) -> None:
    name, *arguments = line.split()
    assert parse(name, *arguments) is None


@pytest.mark.process
def test_a_plain_command_imports_no_typer(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from comfygradio.cli.app import run_command\n"
        f"assert run_command(['schema', '--out', {str(tmp_path)!r}]) == 0\n"
        "assert not {'typer', 'click'} & sys.modules.keys()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.process
def test_a_run_imports_no_command_line_of_a_library(tmp_path: Path) -> None:
    """httpx would import its own, and whoever wants that in a process of their own gets it."""
    script = (
        "import sys\n"
        "from comfygradio.cli.app import main\n"
        "sys.argv = ['comfygradio', 'run', 'text_to_image', '--server', 'http://127.0.0.1:1']\n"
        "assert main() == 1\n"
        "assert 'httpx' in sys.modules\n"
        "assert not {'click', 'rich', 'pygments', 'typer'} & sys.modules.keys()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.returncode == 0 and "does not answer" in ended.stderr, ended.stderr
