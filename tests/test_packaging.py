"""What is inside the wheel, and that it works without the checkout."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from comfygradio.version import VERSION
from tests import readmes
from tests.clocks import PROCESS_SECONDS

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def read_list(key: str) -> list[str]:
    """The texts of a list in pyproject.toml; Python 3.10 has no tomllib."""
    block = re.search(rf"^{key} = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    assert block
    return re.findall(r'^\s*"([^"]+)"', block[1], re.MULTILINE)


def test_the_code_knows_its_version() -> None:
    version = re.search(r'^version = "(.*)"$', PROJECT, re.MULTILINE)
    assert version and version[1] == VERSION


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    ended = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_SECONDS)
    assert ended.returncode == 0, ended.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.process
def test_the_wheel_holds_the_package_and_its_data(names: set[str]) -> None:
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "comfygradio").rglob("*.*")
        if "__pycache__" not in path.parts
    }
    assert package - names == set()
    presets = {f"comfygradio/{path.relative_to(ROOT)}" for path in (ROOT / "presets").iterdir()}
    assert presets and presets - names == set()


@pytest.mark.process
def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"comfygradio"}
    assert not any("__pycache__" in name or "test" in name for name in names)


@pytest.mark.process
def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        scripts = archive.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert metadata["Requires-Python"] == ">=3.10"
    assert "comfygradio = comfygradio.cli.app:main" in scripts


@pytest.mark.process
def test_the_links_of_the_long_description_lead_somewhere(wheel: Path) -> None:
    """On PyPI, where no other file is: to a heading of its own, or to the web."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert text.lstrip().startswith("# comfygradio\n")
    anchors = []
    for path in readmes.ALL:
        anchors += readmes.list_anchors(path)
        last_line = path.read_text(encoding="utf-8").rstrip().splitlines()[-1]
        assert "](" in last_line or last_line in text
    addresses = readmes.LINK.findall(text)
    assert len(addresses) > 30
    for address in addresses:
        is_here = address.startswith("#") and address[1:] in anchors
        assert is_here or address.startswith("https://"), address


@pytest.mark.parametrize(
    "source, addresses",
    [
        ("", []),
        ("https://example.org/us", ["https://example.org/us/raw/HEAD/.pictures/page.png"]),
    ],
)
def test_the_long_description_shows_the_picture_from_the_web(
    source: str, addresses: list[str]
) -> None:
    """PyPI shows no picture that lies beside a README, or inside of it."""
    spec = importlib.util.spec_from_file_location("hook", ROOT / ".ci" / "long_description.py")
    assert spec and spec.loader
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    text = hook.compose_description(ROOT, source)
    assert readmes.PICTURE.findall(text) == addresses


@pytest.mark.process
def test_a_wheel_can_be_built_from_the_source_archive(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path), "-t"]
    subprocess.run([*build, "sdist"], cwd=ROOT, check=True, timeout=PROCESS_SECONDS)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()
    subprocess.run([*build, "wheel"], cwd=source, check=True, timeout=PROCESS_SECONDS)
    assert list(tmp_path.glob("*.whl"))


@pytest.mark.process
def test_an_installed_wheel_brings_its_presets(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [
        sys.executable,
        "-P" if sys.version_info >= (3, 11) else "-s",
        "-m",
        "comfygradio",
        "presets",
    ]
    ended = subprocess.run(
        command,
        cwd=tmp_path / "empty",
        env=environ,
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == [
        "text_to_image",
        "image_to_image",
        "inpaint",
        "upscale",
    ]


def test_the_top_level_stays_as_it_was_set() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    if tracked.returncode:
        pytest.skip("not in a git checkout")
    top = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    expected = {
        "pyproject.toml",
        "app.py",
        "presets",
        "comfygradio",
        "tests",
        "README.md",
        "LICENSE",
    }
    assert {name for name in top if not name.startswith(".")} == expected


def test_the_readme_names_what_a_space_has_to_install() -> None:
    readme = (ROOT / "comfygradio" / "ui" / "README.md").read_text(encoding="utf-8")
    names = {re.split(r"[<>=]", line)[0] for line in read_list("dependencies")}
    from_sdk_version = {"gradio", "gradio-client"}
    listed = {re.split(r"[<>=]", line)[0] for line in readme.split("\n")}
    assert names - from_sdk_version <= listed


@pytest.mark.process
def test_a_broken_environment_fails_the_space_with_one_sentence(tmp_path: Path) -> None:
    environ = {**os.environ, "COMFYGRADIO_PORT": "many"}
    command = [sys.executable, str(ROOT / "app.py")]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(
        "SettingsError: COMFYGRADIO_PORT: many is not a port; use a number from 1 to 65535, or 0 "
        "for a free one."
    )


@pytest.mark.process
def test_the_app_file_builds_the_page(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import app, gradio\n"
        "assert isinstance(app.demo, gradio.Blocks)\n"
        "names = {function.api_name for function in app.demo.fns.values()}\n"
        "assert {'text_to_image', 'image_to_image', 'upscale'} <= names, names\n"
        "app.app.close()\n"
    )
    environ = {**os.environ, "COMFYGRADIO_DEMO": "1"}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert ended.returncode == 0, ended.stderr
