"""The README says what is there, all of it, and its commands and programs work."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml

from comfygradio.cli.app import commands, run_command
from comfygradio.cli.typer_app import build_typer
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.preset_file import FieldEntry, PresetFile
from comfygradio.forms.preset_yaml import load_preset_file
from comfygradio.settings import list_settings, shipped_presets
from tests.clocks import PROCESS_SECONDS
from tests.readme_settings import replace_table
from tests.ui.running import run_app

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FRONT, _, BODY = TEXT.removeprefix("---\n").partition("\n---\n")
COMMANDS = (
    "serve",
    "demo",
    "run",
    "sweep",
    "worker",
    "scheduler",
    "check",
    "new",
    "api",
    "presets",
    "watch",
    "schema",
    "password",
)

DASK = ("--preload", "--dashboard-address", "--gres")
"""Flags of Dask's worker and of Slurm."""


def take_section(title: str) -> str:
    """What stands under a heading."""
    return BODY.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def take_blocks(language: str, text: str = BODY) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def take_keys(heading: str) -> list[str]:
    """The `names` in the first column of the table with this heading."""
    table = BODY.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [
        name
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]


def list_flags(command: str) -> set[str]:
    """The flags that a command takes."""
    group: Any = typer.main.get_command(build_typer(commands))
    return {
        flag
        for option in group.commands[command].params
        for flag in option.opts
        if flag.startswith("--")
    }


def test_the_front_matter_is_what_spaces_need() -> None:
    front = yaml.safe_load(FRONT)
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    assert front["title"] and front["emoji"] and front["python_version"] == "3.11"
    assert len(front["short_description"]) <= 60
    major, minor, _ = front["sdk_version"].split(".")
    bound = f'"gradio>={major}.{minor},<{major}.{int(minor) + 1}"'
    assert bound in (ROOT / "pyproject.toml").read_text()


def test_there_are_exactly_two_setup_commands_and_ci_uses_the_second() -> None:
    install, tests = (block.strip() for block in take_blocks("sh", take_section("Set up")))
    assert "\n" not in install + tests
    assert install == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/comfygradio"
    assert f"({tests})" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_key_of_presets_and_fields_is_explained() -> None:
    assert take_keys("Key of a preset") == sorted(
        PresetFile.model_fields, key=take_keys("Key of a preset").index
    )
    assert set(take_keys("Key of a field")) == set(FieldEntry.model_fields)
    widgets = BODY.split("\nWidgets: ", 1)[1].split("\n\n", 1)[0]
    assert tuple(re.findall(r"`(\w+)`", widgets)) == get_args(Widget)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_is_listed_and_every_listed_flag_exists(command: str) -> None:
    row = next(
        row
        for row in take_section("Commands").splitlines()
        if row.startswith(f"| `comfygradio {command}")
    )
    assert set(re.findall(r"`(--[\w-]+)`", row)) == list_flags(command) - {"--help"}


def test_every_command_is_listed() -> None:
    group: Any = typer.main.get_command(build_typer(commands))
    assert tuple(group.commands) == COMMANDS


def test_every_setting_is_listed() -> None:
    rows = [
        row.split("|") for row in take_section("Settings").splitlines() if row.startswith("| `--")
    ]
    listed = {row[1].strip(" `"): tuple(re.findall(r"`([A-Z_]{5,})`", row[2])) for row in rows}
    assert listed == {source.flag: source.variables for source in list_settings().values()}


def test_the_table_of_settings_is_the_declared_one() -> None:
    assert replace_table(TEXT) == TEXT, "Run python -m tests.readme_settings, which writes it anew."


def test_flags_in_the_prose_exist() -> None:
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", BODY)) - {"--version", "--help", *DASK}
    assert flags <= {flag for command in COMMANDS for flag in list_flags(command)}


def test_the_preset_of_the_readme_is_valid(tmp_path: Path) -> None:
    whole, fields, *_ = take_blocks("yaml")
    path = tmp_path / "text_to_image.yaml"
    path.write_text(whole, encoding="utf-8")
    assert set(load_preset_file(path).fields) >= {"prompt", "size", "seed"}
    path.write_text(f"title: More\nworkflow: w.json\n{fields}", encoding="utf-8")
    assert set(load_preset_file(path).fields) >= {"look", "loras", "enlarge"}


@pytest.mark.app
@pytest.mark.process
def test_the_programs_of_the_readme_run(tmp_path: Path) -> None:
    from_sweep, from_slurm, from_python, from_listening, from_any = take_blocks("python")
    compile(from_slurm, "README", "exec")
    shutil.copytree(shipped_presets(), tmp_path / "presets")
    with (
        DemoServer(DemoOptions(step_seconds=0)) as demo,
        run_app(demo.url, tmp_path / "outputs") as running,
    ):
        swept = run_program(from_sweep.replace("out=", f"servers=[{demo.url!r}], out="), tmp_path)
        assert swept.returncode == 0 and swept.stdout.count("done") == 5, swept.stderr
        for program in (
            from_python.replace("http://127.0.0.1:8188", demo.url),
            from_listening.replace("http://127.0.0.1:8188", demo.url),
            from_any.replace("http://127.0.0.1:7860", running.url),
        ):
            ended = run_program(program, tmp_path)
            assert ended.returncode == 0, ended.stderr
            assert "1.0" in ended.stdout
    assert (tmp_path / "lighthouse.png").read_bytes().startswith(b"\x89PNG")


def test_the_sweeps_of_the_readme_can_be_planned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file,) = [block for block in take_blocks("yaml") if block.startswith("preset: ")]
    (tmp_path / "my_sweep.yaml").write_text(file, encoding="utf-8")
    lines = [
        shlex.split(line)[1:] for line in take_blocks("sh", take_section("Sweeps"))[0].splitlines()
    ]
    with DemoServer(DemoOptions(step_seconds=0)) as demo:
        for line in [line for line in lines if "--resume" not in line]:
            named = [str(tmp_path / word) if word == "my_sweep.yaml" else word for word in line]
            more = [
                "--server",
                demo.url,
                "--presets",
                str(shipped_presets()),
                "--out",
                str(tmp_path / "out"),
                "--plan",
            ]
            assert (
                run_command(
                    [word for word in named if word not in ("--plan", "--out", "foxes")] + more
                )
                == 0
            )
    assert re.findall(r"(\d+) pictures in", capsys.readouterr().out) == ["10", "12", "10"]


@pytest.mark.process
def test_the_lines_of_the_readme_for_a_shell_run(tmp_path: Path) -> None:
    """Those for one job and for debugging, one after the other, as somebody copies them."""
    sections = [take_section("Commands"), take_section("Debugging")]
    lines = [
        line for one in sections for block in take_blocks("sh", one) for line in block.split("\n")
    ]
    lines = [line for line in lines if line and not line.startswith("comfygradio watch")]
    assert len(lines) == 11
    with DemoServer(DemoOptions(step_seconds=0), folder=tmp_path / "comfyui") as demo:
        (tmp_path / "comfyui" / "output").mkdir(parents=True, exist_ok=True)
        picture = ROOT / "tests" / "data" / "pictures" / "picture.png"
        for name in ("photo.jpg", "comfyui/output/ComfyUI_00001_.png"):
            shutil.copy(picture, tmp_path / name)
        places = [str(Path(sys.executable).parent), os.environ["PATH"]]
        env = {
            **os.environ,
            "PATH": os.pathsep.join(places),
            "COMFYUI_URL": demo.url,
        }
        for line in lines:
            command = line.replace("http://127.0.0.1:8188", demo.url)
            ended = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env=env,
                capture_output=True,
                timeout=PROCESS_SECONDS,
            )
            assert ended.returncode == 0, (line, ended.stderr)
    assert list((tmp_path / "large").glob("*.png"))
    assert "POST /prompt 200" in (tmp_path / "run.log").read_text()
    assert (tmp_path / "picture.png").read_bytes() == picture.read_bytes()


def test_many_machines_say_what_is_there() -> None:
    text = take_section("Many machines")
    (pod,) = take_blocks("yaml", text)
    (_, worker) = yaml.safe_load(pod)["spec"]["template"]["spec"]["containers"]
    assert {flag for flag in worker["command"] if flag.startswith("--")} <= list_flags("worker")
    assert {entry["name"] for entry in worker["env"]} <= {
        name for one in list_settings().values() for name in one.variables
    }
    module = re.search(r"--preload (comfygradio[\w.]+)", text)
    assert module and importlib.util.find_spec(module[1])
    lines = [
        line.split()[1:]
        for line in take_blocks("sh", text)[0].splitlines()
        if line.startswith("comfygradio")
    ]
    for name, *words in lines:
        assert {word for word in words if word.startswith("--")} <= list_flags(name), name


def run_program(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )


def test_links_and_paths_of_this_machine_do_not_stand_in_it() -> None:
    assert not re.search(r"/(home|work|tmp|root)/", TEXT)
