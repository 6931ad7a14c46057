"""The READMEs say what is there, all of it, their commands and programs work, and their links lead
somewhere.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from PIL import Image

from comfygradio.binding.preset import load_presets
from comfygradio.cli.app import commands, run_command
from comfygradio.cli.typer_app import build_typer
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.forms.kinds.registry import Widget
from comfygradio.forms.preset_file import FieldEntry, PresetFile
from comfygradio.forms.preset_yaml import load_preset_file
from comfygradio.service.preset_watcher import collect_signature
from comfygradio.settings import list_settings, shipped_presets
from comfygradio.sweeps.definition import KEYS
from tests import readmes
from tests.clocks import PROCESS_SECONDS
from tests.readme_settings import replace_table
from tests.readmes import ROOT, take_blocks, take_section
from tests.test_architecture import MAY_IMPORT
from tests.ui.running import run_app
from tests.ui_workflow import UI_WORKFLOW

FIRST = readmes.read_body(readmes.FIRST)
PRESETS = readmes.read_body(readmes.PRESETS)
PACKAGE = readmes.read_body(readmes.PACKAGE)
CLI = readmes.read_body(readmes.CLI)
UI = readmes.read_body(readmes.UI)
SWEEPS = readmes.read_body(readmes.SWEEPS)
CLUSTER = readmes.read_body(readmes.CLUSTER)
DEMO = readmes.read_body(readmes.DEMO)
FOR_USERS = "\n".join(readmes.read_body(path) for path in readmes.FOR_USERS)

COMMANDS = (
    "serve",
    "demo",
    "run",
    "sweep",
    "worker",
    "scheduler",
    "check",
    "new",
    "convert",
    "api",
    "presets",
    "models",
    "watch",
    "schema",
    "password",
)

DASK = ("--preload", "--dashboard-address", "--gres")
"""Flags of Dask's worker and of Slurm."""


def take_keys(text: str, heading: str) -> list[str]:
    """The `names` in the first column of the table with this heading."""
    table = text.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
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
    text = readmes.FIRST.read_text(encoding="utf-8")
    front, _, _ = text.removeprefix("---\n").partition("\n---\n")
    front = yaml.safe_load(front)
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    assert front["title"] and front["emoji"] and front["python_version"] == "3.11"
    assert len(front["short_description"]) <= 60
    major, minor, _ = front["sdk_version"].split(".")
    bound = f'"gradio>={major}.{minor},<{major}.{int(minor) + 1}"'
    assert bound in (ROOT / "pyproject.toml").read_text()


def test_there_are_exactly_two_setup_commands_and_ci_uses_the_second() -> None:
    install, tests = (block.strip() for block in take_blocks(take_section(FIRST, "Set up"), "sh"))
    assert "\n" not in install + tests
    assert install == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/comfygradio"
    assert f"({tests})" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_key_of_presets_and_fields_is_explained() -> None:
    keys = take_keys(PRESETS, "Key of a preset")
    assert keys == sorted(PresetFile.model_fields, key=keys.index)
    assert set(take_keys(PRESETS, "Key of a field")) == set(FieldEntry.model_fields)
    widgets = PRESETS.split("\nWidgets: ", 1)[1].split("\n\n", 1)[0]
    assert tuple(re.findall(r"`(\w+)`", widgets)) == get_args(Widget)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_is_listed_and_every_listed_flag_exists(command: str) -> None:
    row = next(
        row
        for row in take_section(CLI, "Commands").splitlines()
        if row.startswith(f"| `comfygradio {command}")
    )
    assert set(re.findall(r"`(--[\w-]+)`", row)) == list_flags(command) - {"--help"}


def test_every_command_is_listed() -> None:
    group: Any = typer.main.get_command(build_typer(commands))
    assert tuple(group.commands) == COMMANDS


def test_every_setting_is_listed() -> None:
    rows = [
        row.split("|")
        for row in take_section(CLI, "Settings").splitlines()
        if row.startswith("| `--")
    ]
    listed = {row[1].strip(" `"): tuple(re.findall(r"`([A-Z_]{5,})`", row[2])) for row in rows}
    assert listed == {source.flag: source.variables for source in list_settings().values()}


def test_the_table_of_settings_is_the_declared_one() -> None:
    assert replace_table(CLI) == CLI, "Run python -m tests.readme_settings, which writes it anew."


def test_flags_in_the_prose_exist() -> None:
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", FOR_USERS)) - {"--version", "--help", *DASK}
    assert flags <= {flag for command in COMMANDS for flag in list_flags(command)}


def test_the_preset_of_the_readme_is_valid(tmp_path: Path) -> None:
    whole, fields, extension, *_ = take_blocks(PRESETS, "yaml")
    path = tmp_path / "text_to_image.yaml"
    path.write_text(whole, encoding="utf-8")
    assert set(load_preset_file(path).fields) >= {"prompt", "size", "seed"}
    other = tmp_path / "quick.yaml"
    other.write_text(extension, encoding="utf-8")
    extended = load_preset_file(other)
    assert extended.fields.keys() >= {"prompt", "size", "steps", "denoise"}
    assert "seed" not in extended.fields
    assert extended.fields["steps"].slot == "3.steps"
    path.write_text(f"title: More\nworkflow: w.json\n{fields}", encoding="utf-8")
    assert set(load_preset_file(path).fields) >= {"look", "loras", "enlarge"}


@pytest.mark.app
@pytest.mark.process
def test_the_programs_of_the_readme_run(tmp_path: Path) -> None:
    from_python, from_listening = take_blocks(PACKAGE, "python")
    (from_sweep,) = take_blocks(SWEEPS, "python")
    (from_slurm,) = take_blocks(CLUSTER, "python")
    (from_any,) = take_blocks(UI, "python")
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
    (file,) = [block for block in take_blocks(SWEEPS, "yaml") if block.startswith("preset: ")]
    (tmp_path / "my_sweep.yaml").write_text(file, encoding="utf-8")
    lines = [shlex.split(line)[1:] for line in take_blocks(SWEEPS, "sh")[0].splitlines()]
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
    sections = [take_section(CLI, "Commands"), take_section(CLI, "Debugging")]
    lines = [
        line for one in sections for block in take_blocks(one, "sh") for line in block.split("\n")
    ]
    lines = [line for line in lines if line and not line.startswith("comfygradio watch")]
    assert len(lines) == 14
    with DemoServer(DemoOptions(step_seconds=0), folder=tmp_path / "comfyui") as demo:
        (tmp_path / "comfyui" / "output").mkdir(parents=True, exist_ok=True)
        picture = ROOT / "tests" / "data" / "pictures" / "picture.png"
        shutil.copy(UI_WORKFLOW, tmp_path / "my_workflow.json")
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
    (pod,) = take_blocks(CLUSTER, "yaml")
    (_, worker) = yaml.safe_load(pod)["spec"]["template"]["spec"]["containers"]
    assert {flag for flag in worker["command"] if flag.startswith("--")} <= list_flags("worker")
    assert {entry["name"] for entry in worker["env"]} <= {
        name for one in list_settings().values() for name in one.variables
    }
    module = re.search(r"--preload (comfygradio[\w.]+)", CLUSTER)
    assert module and importlib.util.find_spec(module[1])
    lines = [
        line.split()[1:]
        for line in take_blocks(CLUSTER, "sh")[0].splitlines()
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


def test_the_same_two_commands_stand_there_for_powershell() -> None:
    section = take_section(FIRST, "Set up")
    (lines,) = take_blocks(section, "powershell")
    expected = []
    for line in take_blocks(section, "sh"):
        translated = line.replace("python3", "py").replace(" && ", "; ")
        expected.append(translated.replace(".venv/bin/", ".venv\\Scripts\\"))
    assert lines == "".join(expected)


def test_the_first_readme_is_short() -> None:
    lines = readmes.FIRST.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    long = [one for one in readmes.split_sentences(readmes.FIRST) if len(one.split()) > 30]
    assert long == []


def test_the_picture_of_the_page_is_there() -> None:
    (address,) = readmes.PICTURE.findall(FIRST)
    path = ROOT / address
    assert path.stat().st_size <= 500_000
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1000


def test_every_link_between_readmes_leads_somewhere() -> None:
    missing = []
    for path in readmes.ALL:
        for address in readmes.list_links(path):
            if address.startswith("https://"):
                continue
            file, _, anchor = address.partition("#")
            target = (path.parent / file).resolve() if file else path
            is_there = target in readmes.ALL
            if is_there and anchor:
                is_there = anchor in readmes.list_anchors(target)
            if not is_there:
                missing.append((path.relative_to(ROOT), address))
    assert missing == []


def test_every_readme_is_reached_from_the_first() -> None:
    linked = set()
    for address in readmes.list_links(readmes.FIRST):
        linked.add((ROOT / address.partition("#")[0]).resolve())
    assert linked >= set(readmes.ALL) - {readmes.FIRST}
    in_package = set((ROOT / "comfygradio").rglob("README.md"))
    assert in_package <= set(readmes.ALL)


def test_every_row_of_a_table_has_the_cells_of_its_heading() -> None:
    """A | that is not written as \\| would end a cell, and what is left over is not shown."""
    wrong = []
    for path in readmes.ALL:
        for table in re.findall(r"(?:^\|.*\n)+", readmes.read_prose(path), re.MULTILINE):
            heading, *rows = table.splitlines()
            for row in rows:
                if count_cells(row) != count_cells(heading):
                    wrong.append((path.relative_to(ROOT), row))
    assert wrong == []


def count_cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


def test_no_two_headings_of_the_readmes_are_alike() -> None:
    """So that a long description that holds all of them has one place for each anchor."""
    anchors = [anchor for path in readmes.ALL for anchor in readmes.list_anchors(path)]
    assert len(anchors) == len(set(anchors)), sorted(anchors)


@pytest.mark.parametrize("path", readmes.FOR_USERS, ids=lambda path: path.parent.name)
def test_the_commands_of_the_readmes_exist(path: Path) -> None:
    """Every line for a shell, and every command inside of a sentence or a table of doors."""
    text = readmes.read_body(path)
    lines = [line for block in take_blocks(text, "sh") for line in block.splitlines()]
    if path != readmes.CLI:  # its table of commands has a test of its own
        lines += re.findall(r"`([^`\n]+)`", readmes.read_prose(path))
    for line in lines:
        words = line.partition("#")[0].split()
        if not words or words[0] != "comfygradio":
            continue
        name, *rest = [*words[1:], ""]
        if name.startswith("--") or not name:
            name, rest = "serve", words[1:]
        assert name in COMMANDS, line
        flags = {word for word in rest if word.startswith("--")}
        assert flags <= list_flags(name), line


def test_the_variables_of_the_readmes_exist() -> None:
    named = set(re.findall(r"\b(?:COMFYGRADIO|COMFYUI)_[A-Z_]+", FOR_USERS))
    known = {name for one in list_settings().values() for name in one.variables}
    assert named <= known


@pytest.mark.process
def test_a_workflow_becomes_a_form_by_the_line_of_the_readme(tmp_path: Path) -> None:
    section = take_section(FIRST, "A workflow to a form in one minute")
    (block,) = take_blocks(section, "sh")
    (tmp_path / "presets").mkdir()
    shutil.copy(shipped_presets() / "text_to_image.json", tmp_path / "my_workflow.json")
    with DemoServer(DemoOptions(step_seconds=0)) as demo:
        line = block.strip().replace("http://127.0.0.1:8188", demo.url)
        _, *words = shlex.split(line)
        command = [sys.executable, "-m", "comfygradio", *words]
        drafted = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=PROCESS_SECONDS
        )
    assert drafted.returncode == 0, drafted.stderr
    presets, errors = load_presets([tmp_path / "presets"])
    assert [preset.name for preset in presets] == ["my_workflow"]
    assert errors == []
    (shown,) = take_blocks(section, "yaml")
    path = tmp_path / "presets" / "my_workflow.yaml"
    path.write_text(shown, encoding="utf-8")
    assert set(load_preset_file(path).fields) == {"prompt", "size", "seed", "steps"}


def test_the_readme_beside_the_presets_is_no_preset(capsys: pytest.CaptureFixture[str]) -> None:
    presets, errors = load_presets([ROOT / "presets"])
    assert presets
    assert errors == []
    assert "README" not in {preset.name for preset in presets}
    assert readmes.PRESETS not in collect_signature([ROOT / "presets"])
    with DemoServer(DemoOptions(step_seconds=0)) as demo:
        command = ["check", "--presets", str(ROOT / "presets"), "--server", demo.url]
        assert run_command(command) == 0
    assert "README" not in capsys.readouterr().out


def test_every_key_of_a_sweep_is_explained() -> None:
    assert tuple(take_keys(SWEEPS, "Key of a sweep")) == KEYS


def test_every_option_of_the_demo_server_is_explained() -> None:
    names = [option.name for option in dataclasses.fields(DemoOptions)]
    assert take_keys(DEMO, "Option") == names


def test_the_program_of_the_demo_server_runs(tmp_path: Path) -> None:
    (program,) = take_blocks(DEMO, "python")
    ended = run_program(program, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("http://127.0.0.1:")


def test_the_hops_of_the_walks_exist() -> None:
    """Each is a file of the package, and a class, a function or a method in it."""
    walks = PACKAGE.split("\n### Five walks\n", 1)[1].split("\n## ", 1)[0]
    hops = re.findall(r"`([\w/]+\.py)` `([\w.]+)`", walks)
    assert len(hops) == walks.count(".py`")
    assert len(hops) > 60
    missing = []
    for file, name in hops:
        code = (ROOT / "comfygradio" / file).read_text(encoding="utf-8")
        for part in name.split("."):
            if not re.search(rf"^\s*(?:class|def|async def) {part}\b", code, re.MULTILINE):
                missing.append((file, name))
    assert missing == []


def test_the_modules_that_the_architecture_names_exist() -> None:
    folders = {path.name for path in (ROOT / "comfygradio").iterdir() if path.is_dir()}
    named = re.findall(r"`(\w+)((?:\.[a-z_]+)+)`", PACKAGE)
    modules = [f"comfygradio.{first}{rest}" for first, rest in named if first in folders]
    assert len(modules) > 10
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    assert missing == []


def test_the_drawing_of_the_house_shows_what_may_import_what() -> None:
    """A line uses the lines below it alone."""
    drawing = next(block for block in take_blocks(PACKAGE, "text") if "┌" in block)
    lines = [row.split("│")[1].split() for row in drawing.splitlines() if row.startswith("│")]
    floors = {"demo": len(lines)}
    for number, names in enumerate(lines):
        for name in names:
            floors[name] = number
    wrong = []
    drawn = set()
    for room, used in MAY_IMPORT.items():
        above = find_drawn(room, floors)
        if above is None:
            assert room in ("comfygradio", "comfygradio.__main__"), room
            continue
        drawn.add(above)
        for module in used:
            below = find_drawn(module, floors)
            if below is None or (below != above and floors[above] >= floors[below]):
                wrong.append((room, module))
    assert wrong == []
    assert drawn == floors.keys()


def find_drawn(module: str, floors: Mapping[str, int]) -> str | None:
    """Find the name in the drawing that a module lies in; of `ui` and `ui.static` the longer."""
    name = module.removeprefix("comfygradio").lstrip(".")
    while name and name not in floors:
        name = name.rpartition(".")[0]
    return name or None


def test_paths_of_this_machine_do_not_stand_in_them() -> None:
    for path in readmes.ALL:
        assert not re.search(r"/(home|work|tmp|root)/", path.read_text(encoding="utf-8")), path
