"""What is imported is declared, what is declared says why, and a Space gets the same."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
README = (ROOT / "comfygradio" / "ui" / "README.md").read_text(encoding="utf-8")
OWN = {"comfygradio", "tests", "app"}


def read_lines(key: str) -> list[str]:
    """The lines of a list in pyproject.toml; Python 3.10 has no tomllib."""
    block = re.search(rf"^{key} = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    assert block, key
    return block[1].splitlines()


def read_requirements(key: str) -> dict[str, Requirement]:
    """What a list in pyproject.toml requires, by name."""
    found = [re.match(r'\s*"([^"]+)"', line) for line in read_lines(key)]
    listed = [Requirement(match[1]) for match in found if match]
    return {normalize(one.name): one for one in listed}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def list_foreign_imports(file: Path) -> set[str]:
    """The top-level names that a file imports and that are neither Python's nor ours."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OWN


def find_undeclared(files: list[Path], declared: set[str]) -> dict[str, str]:
    """Imported name → a file that imports it, where nothing of what is declared brings it."""
    brought_by = metadata.packages_distributions()
    undeclared = {}
    for file in files:
        for name in list_foreign_imports(file):
            packages = {normalize(package) for package in brought_by.get(name, [])}
            if not packages & declared:
                undeclared[name] = str(file.relative_to(ROOT))
    return undeclared


def test_what_the_program_imports_is_declared() -> None:
    files = [*(ROOT / "comfygradio").rglob("*.py"), ROOT / "app.py"]
    cluster = [file for file in files if "cluster" in file.parts]
    rest = [file for file in files if file not in cluster]
    declared = set(read_requirements("dependencies"))
    assert len(rest) > 200 and cluster
    assert find_undeclared(rest, declared) == {}
    assert find_undeclared(cluster, declared | set(read_requirements("dask"))) == {}


def test_what_the_tests_import_is_declared() -> None:
    declared = set(read_requirements("dependencies")) | set(read_requirements("test"))
    assert find_undeclared(list((ROOT / "tests").rglob("*.py")), declared) == {}


def test_each_dependency_says_in_a_line_what_it_is_for() -> None:
    for key in ("dependencies", "dask", "test"):
        for line in read_lines(key):
            assert re.fullmatch(r'  "[^"]+", +# .{8,}', line), line


def test_what_is_installed_is_what_the_bounds_ask_for() -> None:
    """So that the tests run on versions that are allowed."""
    for key in ("dependencies", "dask", "test"):
        for name, requirement in read_requirements(key).items():
            if requirement.marker is None or requirement.marker.evaluate():
                assert requirement.specifier.contains(metadata.version(name)), name


def test_gradio_is_bound_to_the_minor_version_that_the_tests_run_on() -> None:
    major, minor, *_ = metadata.version("gradio").split(".")
    bound = str(read_requirements("dependencies")["gradio"].specifier)
    assert set(bound.split(",")) == {f">={major}.{minor}", f"<{major}.{int(minor) + 1}"}


def test_a_space_is_told_to_install_the_same() -> None:
    """All but Gradio itself, which the version at the top of the first README brings."""
    block = README.split("## On a Hugging Face Space", 1)[1].split("```text\n", 1)[1]
    listed = [Requirement(line) for line in block.split("```", 1)[0].splitlines()]
    expected = read_requirements("dependencies")
    del expected["gradio"], expected["gradio-client"]
    assert {one.name: one.specifier for one in listed} == {
        one.name: one.specifier for one in expected.values()
    }
