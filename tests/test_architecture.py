"""What may import what, and how large things may get: read from the syntax trees, lazy imports included."""

from __future__ import annotations

import ast
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "comfygradio"
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in FILES}

ONLY_IMPORTED_BY = {
    "gradio": ("comfygradio.ui",),
    "gradio_client": ("comfygradio.ui",),
    "httpx": ("comfygradio.comfy.http",),
    "websocket": ("comfygradio.comfy.socket",),
    "yaml": ("comfygradio.forms", "comfygradio.sweeps"),
    "pydantic": ("comfygradio.forms",),
    "av": ("comfygradio.forms", "comfygradio.sweeps.showing.drawing", "comfygradio.demo"),
    "typer": ("comfygradio.cli", "comfygradio.commands.arguments"),
    "starlette": ("comfygradio.demo", "comfygradio.ui"),
    "uvicorn": ("comfygradio.demo", "comfygradio.ui"),
    "websockets": ("comfygradio.demo",),
    "sqlite3": ("comfygradio.jobs",),
    "distributed": ("comfygradio.cluster",),
    "dask": ("comfygradio.cluster",),
}

MAY_IMPORT = {
    "comfygradio.errors": (),
    "comfygradio.comfy": ("comfygradio.errors", "comfygradio.comfy"),
    "comfygradio.forms": (
        "comfygradio.errors",
        "comfygradio.forms",
        "comfygradio.comfy.workflow",
        "comfygradio.comfy.object_info",
        "comfygradio.comfy.carried",
    ),
    "comfygradio.jobs": ("comfygradio.errors", "comfygradio.jobs", "comfygradio.comfy"),
    "comfygradio.cluster": (
        "comfygradio.errors",
        "comfygradio.settings",
        "comfygradio.cluster",
        "comfygradio.comfy",
        "comfygradio.jobs.lane",
    ),
    "comfygradio.demo": ("comfygradio.demo",),
    "comfygradio.settings": ("comfygradio.errors", "comfygradio.comfy.address", "comfygradio.jobs.naming"),
}

CALLS_AT_IMPORT = frozenset(
    {
        *("open", "print", "exec", "eval", "input", "basicConfig", "load_settings", "load_preset", "load_presets"),
        *("Thread", "start", "run", "mkdir", "write_text", "write_bytes", "unlink", "urlopen", "request", "connect"),
        *("ComfyClient", "DemoServer", "launch", "register", "signal", "setdefault", "Popen", "sleep", "mkdtemp"),
    }
)


@cache
def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def walk_code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node, except what stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from walk_code(child)


def list_imports(module: str, *, types_too: bool = True) -> set[str]:
    """Every module that this one imports anywhere; `from a import b` counts as a.b where that is a module."""
    found: set[str] = set()
    for node in ast.walk(parse(NAMES[module])) if types_too else walk_code(parse(NAMES[module])):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & NAMES.keys()
            found.update(inner or {node.module})
    return found


def is_inside(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def list_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module, file in NAMES.items():
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module}.{node.name}", node


def test_there_is_something_to_look_at() -> None:
    assert len(NAMES) > 40 and "comfygradio.ui.serve" in NAMES and "httpx" in list_imports("comfygradio.comfy.http")


@pytest.mark.parametrize("library", ONLY_IMPORTED_BY)
def test_a_library_has_its_place(library: str) -> None:
    users = {module for module in NAMES if any(is_inside(name, (library,)) for name in list_imports(module))}
    assert {user for user in users if not is_inside(user, ONLY_IMPORTED_BY[library])} == set()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_lies_below_them(room: str) -> None:
    breaches = {
        f"{module} imports {name}"
        for module in NAMES
        if is_inside(module, (room,))
        for name in list_imports(module)
        if is_inside(name, ("comfygradio",)) and not is_inside(name, MAY_IMPORT[room])
    }
    assert breaches == set()


def test_only_the_command_line_and_the_page_use_the_demo_server() -> None:
    users = {module for module in NAMES if any(is_inside(name, ("comfygradio.demo",)) for name in list_imports(module))}
    rooms = ("comfygradio.demo", "comfygradio.commands", "comfygradio.ui", "comfygradio.cli")
    assert all(is_inside(user, rooms) for user in users)


def test_there_are_no_cycles() -> None:
    """Lazy imports count; imports for types alone do not."""
    edges = {module: list_imports(module, types_too=False) & NAMES.keys() - {module} for module in NAMES}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join((*way[way.index(module) :], module))
        if module not in done:
            for name in edges.get(module, set()):
                visit(name, (*way, module))
            done.add(module)

    for module in edges:
        visit(module, ())


@pytest.mark.parametrize("module", NAMES)
def test_nothing_happens_at_import(module: str) -> None:
    """No call of a function that acts, outside of functions; decorators and values are fine."""

    def list_calls(node: ast.AST) -> Iterator[ast.Call]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.Call):
                yield child
            yield from list_calls(child)

    called = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in list_calls(parse(NAMES[module]))}
    assert called & CALLS_AT_IMPORT == set()


def test_importing_everything_but_the_page_starts_nothing() -> None:
    modules = [module for module in NAMES if not is_inside(module, ("comfygradio.ui",))]
    script = (
        "import importlib, logging, signal, sys, threading\n"
        "handlers, before = logging.root.handlers[:], signal.getsignal(signal.SIGTERM)\n"
        f"[importlib.import_module(name) for name in {modules!r}]\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert logging.root.handlers == handlers and signal.getsignal(signal.SIGTERM) is before\n"
        "assert 'gradio' not in sys.modules\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_run_imports_no_gradio_and_help_imports_next_to_nothing() -> None:
    script = (
        "import sys\n"
        "import comfygradio.cli\n"
        "heavy = {'gradio', 'pydantic', 'httpx', 'rich', 'PIL', 'yaml', 'starlette'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "import comfygradio.commands.run\n"
        "heavy = {'gradio', 'gradio_client', 'numpy', 'pandas', 'starlette', 'uvicorn'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("module", NAMES)
def test_modules_stay_readable(module: str) -> None:
    assert len(NAMES[module].read_text(encoding="utf-8").splitlines()) <= 300


def test_functions_stay_short() -> None:
    lengths = sorted((node.end_lineno or 0) - node.lineno + 1 for _, node in list_functions())
    assert lengths[len(lengths) * 9 // 10] <= 25


def test_public_names_say_what_they_are_for() -> None:
    """In the demo server, which nobody imports piece by piece, only what it exports is public."""
    silent = [
        f"{module}.{node.name}"
        for module, file in NAMES.items()
        if not is_inside(module, ("comfygradio.demo",)) or module == "comfygradio.demo.options"
        for node in ast.walk(parse(file))
        if isinstance(node, ast.ClassDef) or node in parse(file).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [m for m, file in NAMES.items() if parse(file).body and not ast.get_docstring(parse(file))]
    assert silent == []


def test_comments_are_rare() -> None:
    comments = lines = 0
    for file in FILES:
        lines += len(file.read_text(encoding="utf-8").splitlines())
        with file.open("rb") as source:
            comments += sum(token.type == tokenize.COMMENT for token in tokenize.tokenize(source.readline))
    assert comments / lines < 0.05
