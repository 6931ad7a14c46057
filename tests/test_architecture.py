"""What may import what, and what may happen at import.

All of it is read from the syntax trees, imports inside functions included. A rule is one test
that looks at every file; its message names each breach and says what to do about it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.clocks import PROCESS_SECONDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "comfygradio"

ONLY_IMPORTED_BY = {
    "gradio": ("comfygradio.ui",),
    "gradio_client": ("comfygradio.ui",),
    "httpx": ("comfygradio.comfy.transport", "comfygradio.net"),
    "websocket": ("comfygradio.comfy.websocket_client",),
    "yaml": ("comfygradio.forms", "comfygradio.drafting", "comfygradio.sweeps"),
    "pydantic": ("comfygradio.forms",),
    "av": (
        "comfygradio.forms",
        "comfygradio.metadata",
        "comfygradio.sweeps.export",
        "comfygradio.demo",
    ),
    "typer": ("comfygradio.cli.typer_app",),
    "starlette": ("comfygradio.demo", "comfygradio.ui"),
    "uvicorn": ("comfygradio.demo", "comfygradio.ui"),
    "websockets": ("comfygradio.demo",),
    "sqlite3": ("comfygradio.jobs",),
    "filelock": ("comfygradio.jobs",),
    "distributed": ("comfygradio.cluster",),
    "dask": ("comfygradio.cluster",),
}
"""Library → the rooms that may import it, sub-folders included."""

COMFY_DATA = (
    "comfygradio.comfy.envelope",
    "comfygradio.comfy.nested_input",
    "comfygradio.comfy.workflow",
    "comfygradio.comfy.object_info",
    "comfygradio.comfy.node_times",
    "comfygradio.comfy.cache_control",
)
"""The parts of `comfy` that are plain data: no HTTP, no socket."""

GROUND = ("comfygradio.errors", "comfygradio.clock", "comfygradio.units", "comfygradio.version")
"""What every room but the demo server may import."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "comfygradio": (
        "comfygradio.comfy.client",
        "comfygradio.comfy.events",
        "comfygradio.comfy.messages",
        "comfygradio.binding.preset",
        "comfygradio.conversion.convert",
        "comfygradio.conversion.result",
        "comfygradio.sweeps.program",
    ),
    "comfygradio.__main__": ("comfygradio.cli.app",),
    "comfygradio.errors": (),
    "comfygradio.clock": (),
    "comfygradio.units": (),
    "comfygradio.version": (),
    "comfygradio.setting_values": ("comfygradio.comfy.address",),
    "comfygradio.setting_declaration": (),
    "comfygradio.settings": (
        "comfygradio.setting_declaration",
        "comfygradio.setting_values",
        "comfygradio.comfy.limited_download",
        "comfygradio.jobs.limits",
        "comfygradio.jobs.naming",
    ),
    "comfygradio.log": (
        "comfygradio.settings",
        "comfygradio.comfy.address",
        "comfygradio.comfy.masking",
    ),
    "comfygradio.comfy": (),
    "comfygradio.net": (),
    "comfygradio.media": (),
    "comfygradio.forms.kinds": ("comfygradio.forms", "comfygradio.media", *COMFY_DATA),
    "comfygradio.forms": ("comfygradio.forms.kinds", *COMFY_DATA),
    "comfygradio.binding": (
        "comfygradio.conversion",
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        *COMFY_DATA,
    ),
    "comfygradio.metadata": (
        "comfygradio.conversion",
        "comfygradio.forms.kinds",
        "comfygradio.forms",
        "comfygradio.binding",
        "comfygradio.media",
        *COMFY_DATA,
    ),
    "comfygradio.conversion": COMFY_DATA,
    "comfygradio.importers": (
        "comfygradio.conversion",
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        *COMFY_DATA,
    ),
    "comfygradio.drafting": (
        "comfygradio.conversion",
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        "comfygradio.binding",
        "comfygradio.metadata",
        "comfygradio.importers",
        *COMFY_DATA,
    ),
    "comfygradio.model_files": ("comfygradio.forms", "comfygradio.net"),
    "comfygradio.jobs": ("comfygradio.comfy", "comfygradio.media"),
    "comfygradio.cluster": (
        "comfygradio.log",
        "comfygradio.settings",
        "comfygradio.comfy",
        "comfygradio.jobs.backend",
    ),
    "comfygradio.sweeps": (
        "comfygradio.comfy.client",
        "comfygradio.comfy.outputs",
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        "comfygradio.binding.preset",
        "comfygradio.jobs",
        "comfygradio.sweeps.axes",
        "comfygradio.sweeps.planner",
        *COMFY_DATA,
    ),
    "comfygradio.sweeps.axes": ("comfygradio.forms", "comfygradio.forms.kinds"),
    "comfygradio.sweeps.planner": (
        "comfygradio.sweeps.axes",
        *COMFY_DATA,
    ),
    "comfygradio.sweeps.export": (
        "comfygradio.comfy.outputs",
        "comfygradio.metadata",
        "comfygradio.jobs",
        "comfygradio.media",
        "comfygradio.sweeps",
        "comfygradio.sweeps.axes",
        "comfygradio.ui.static",
    ),
    "comfygradio.demo.media": (),
    "comfygradio.demo.execution": ("comfygradio.demo.media",),
    "comfygradio.demo.nodes": ("comfygradio.demo.execution", "comfygradio.demo.media"),
    "comfygradio.demo": (
        "comfygradio.demo.execution",
        "comfygradio.demo.media",
        "comfygradio.demo.nodes",
    ),
    "comfygradio.cli": (
        "comfygradio.log",
        "comfygradio.setting_declaration",
        "comfygradio.settings",
        "comfygradio.comfy",
        "comfygradio.conversion",
        "comfygradio.forms",
        "comfygradio.binding.preset",
        "comfygradio.drafting",
        "comfygradio.jobs",
        "comfygradio.cluster",
        "comfygradio.model_files",
        "comfygradio.sweeps",
        "comfygradio.sweeps.axes",
        "comfygradio.sweeps.planner",
        "comfygradio.sweeps.export",
        "comfygradio.demo",
        "comfygradio.ui.identity.password_hash",
        "comfygradio.ui.gradio_import",
        "comfygradio.ui.serve",
    ),
    "comfygradio.service": (
        "comfygradio.binding.preset",
        "comfygradio.comfy.model_listing",
        "comfygradio.comfy.workflow",
        "comfygradio.forms",
        "comfygradio.jobs",
        "comfygradio.media",
        "comfygradio.model_files",
        "comfygradio.net",
        "comfygradio.sweeps",
    ),
    "comfygradio.ui.job": (
        "comfygradio.forms.kinds",
        "comfygradio.forms",
        "comfygradio.jobs",
        "comfygradio.media",
        "comfygradio.service",
        "comfygradio.ui.identity",
        "comfygradio.ui.static",
    ),
    "comfygradio.ui.form": (
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        "comfygradio.jobs",
        "comfygradio.metadata",
        "comfygradio.model_files",
        "comfygradio.service",
        "comfygradio.sweeps",
        "comfygradio.sweeps.axes",
        "comfygradio.sweeps.export",
        "comfygradio.ui.identity",
        "comfygradio.ui.job",
        "comfygradio.ui.static",
    ),
    "comfygradio.ui.identity": (
        "comfygradio.settings",
        "comfygradio.ui.assets",
        "comfygradio.ui.static",
    ),
    "comfygradio.ui": (
        "comfygradio.cluster.registry",
        "comfygradio.comfy.client",
        "comfygradio.demo",
        "comfygradio.forms",
        "comfygradio.jobs",
        "comfygradio.media",
        "comfygradio.service",
        "comfygradio.settings",
        "comfygradio.ui.author",
        "comfygradio.ui.form",
        "comfygradio.ui.history",
        "comfygradio.ui.identity",
        "comfygradio.ui.job",
        "comfygradio.ui.middleware",
        "comfygradio.ui.static",
        "comfygradio.ui.status",
        "comfygradio.ui.sweep",
    ),
    "comfygradio.ui.assets": (),
    "comfygradio.ui.static": (),
    "comfygradio.ui.middleware": (
        "comfygradio.service",
        "comfygradio.settings",
        "comfygradio.ui.identity.network_address",
        "comfygradio.ui.static.static_route",
    ),
    "comfygradio.ui.author": (
        "comfygradio.binding",
        "comfygradio.conversion",
        "comfygradio.drafting",
        "comfygradio.forms.kinds",
        "comfygradio.forms",
        "comfygradio.service",
        "comfygradio.ui.form",
        "comfygradio.ui.identity",
        "comfygradio.ui.static",
        *COMFY_DATA,
    ),
    "comfygradio.ui.history": (
        "comfygradio.comfy.workflow",
        "comfygradio.forms",
        "comfygradio.jobs",
        "comfygradio.service",
        "comfygradio.ui.form",
        "comfygradio.ui.identity",
        "comfygradio.ui.job",
        "comfygradio.ui.static",
    ),
    "comfygradio.ui.status": (
        "comfygradio.forms",
        "comfygradio.jobs",
        "comfygradio.service",
        "comfygradio.ui.form",
        "comfygradio.ui.identity",
        "comfygradio.ui.static",
    ),
    "comfygradio.ui.sweep": (
        "comfygradio.forms",
        "comfygradio.forms.kinds",
        "comfygradio.jobs",
        "comfygradio.service",
        "comfygradio.sweeps",
        "comfygradio.sweeps.axes",
        "comfygradio.sweeps.export",
        "comfygradio.sweeps.planner",
        "comfygradio.ui.form",
        "comfygradio.ui.history",
        "comfygradio.ui.identity",
        "comfygradio.ui.job",
        "comfygradio.ui.static",
    ),
}
"""Room → what its modules may import besides each other and the ground.

A room is a folder without its sub-folders, or a module of the top level. An entry is a room, or
one module of a room. A folder without a row fails the test.
"""

BUILTIN_VALUES = ("frozenset", "tuple", "range", "enumerate", "getattr", "dict.fromkeys")
LIBRARY_VALUES = (
    *("str.maketrans", "', '.join", "re.compile", "json.dumps", "datetime.datetime", "Path"),
    *("ipaddress.IPv4Network", "ipaddress.IPv6Network", "TypeVar", "get_args", "logging.getLogger"),
    *("dataclass", "field", "fields", "dataclasses.field", "Field", "ConfigDict"),
    *("BeforeValidator", "Discriminator", "Tag", "GetPydanticSchema"),
    *("typer.Option", "uuid.UUID"),
)
MADE_ONCE = (("comfygradio.ui.page", "threading.Lock"),)
"""What one module makes for the whole process, because Gradio keeps something for it."""

OWN_VALUES = ("Clock", "PixelBudget", "setting", "CommandList", "commands.add")
KINDS_OF_FIELD = (
    *("AudioKind", "CheckboxKind", "ChoiceKind", "ColorKind", "DropdownKind", "LineKind"),
    *("LinesKind", "LorasKind", "MaskKind", "MediaKind", "NumberKind", "PictureKind", "SeedKind"),
    *("SizeKind", "VideoKind"),
)
MAKES_A_VALUE = frozenset((*BUILTIN_VALUES, *LIBRARY_VALUES, *OWN_VALUES, *KINDS_OF_FIELD))
"""What may be called while a module is imported, besides the project's own records."""


def name_module(file: Path) -> str:
    """`comfygradio/forms/fill.py` is `comfygradio.forms.fill`; an `__init__.py` is its folder."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_module(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@cache
def parse(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def is_for_types(node: ast.AST) -> bool:
    """Whether this is an `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def walk_code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below this one, except what stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not is_for_types(child):
            yield from walk_code(child)


@cache
def list_imports(module: str, *, types_too: bool = True) -> frozenset[str]:
    """Every module that this one imports; `from a import b` counts as a.b where that is one."""
    tree = parse(MODULES[module])
    nodes = ast.walk(tree) if types_too else walk_code(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module}: write absolute imports."
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found.update(inner or {node.module})
    return frozenset(found)


def find_room(module: str) -> str:
    """The folder of a module; the modules of the top level are rooms of their own."""
    if MODULES[module].name == "__init__.py" or module.count(".") == 1:
        return module
    return module.rpartition(".")[0]


def list_own_imports(module: str, *, types_too: bool = True) -> list[str]:
    """The modules of this project that a module imports out of other rooms."""
    imported = list_imports(module, types_too=types_too) & MODULES.keys()
    return sorted(name for name in imported if find_room(name) != find_room(module))


def is_inside(module: str, rooms: tuple[str, ...]) -> bool:
    """Whether a module lies in one of these folders, sub-folders included."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def list_definitions(module: str) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """All classes, and the functions that are not inside of anything."""
    tree = parse(MODULES[module])
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node in tree.body)
    ]


def list_calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """The calls outside of functions; a decorator belongs to its function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from list_calls_at_import(child)


def report(breaches: list[str]) -> str:
    """The breaches, a line each."""
    return "\n" + "\n".join(breaches)


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 40
    assert "httpx" in list_imports("comfygradio.comfy.transport")
    assert find_room("comfygradio.ui.serve") == "comfygradio.ui"


def test_a_library_has_its_place() -> None:
    breaches = []
    for module in MODULES:
        imported = {name.partition(".")[0] for name in list_imports(module)}
        for library, places in ONLY_IMPORTED_BY.items():
            if library in imported and not is_inside(module, places):
                breaches.append(
                    f"{module} imports {library}: call what {' or '.join(places)} offers instead."
                )
    assert not breaches, report(breaches)


def test_a_room_imports_only_what_its_row_names() -> None:
    breaches = []
    for module in MODULES:
        room = find_room(module)
        if room not in MAY_IMPORT:
            breaches.append(f"{room} has no row in MAY_IMPORT: add one, with what lies below it.")
            continue
        for name in list_own_imports(module):
            target = find_room(name)
            stands_apart = is_inside(room, ("comfygradio.demo",))
            if target in GROUND and not stands_apart:
                continue
            allowed = {name, target} & set(MAY_IMPORT[room])
            if not allowed:
                breaches.append(
                    f"{module} imports {name}, which is not below {room}: "
                    "move the code, or pass the value in."
                )
    assert not breaches, report(breaches)


def test_every_row_is_used() -> None:
    """A row that nothing needs any more goes."""
    used = {
        (find_room(module), place)
        for module in MODULES
        for name in list_own_imports(module)
        for place in (name, find_room(name))
    }
    unused = [
        f"{room} is gone: take its row out of MAY_IMPORT."
        for room in MAY_IMPORT
        if room not in MODULES
    ]
    unused += [
        f"{room} no longer imports {place}: take it out of its row in MAY_IMPORT."
        for room, places in MAY_IMPORT.items()
        for place in places
        if (room, place) not in used and place not in COMFY_DATA
    ]
    assert not unused, report(unused)


def find_cycle(edges: dict[str, set[str]]) -> list[str]:
    """The names on one cycle, the first one again at the end; empty if there is none."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for target in sorted(edges.get(name, set())):
            cycle = visit(target, (*way, name))
            if cycle:
                return cycle
        done.add(name)
        return []

    for name in edges:
        cycle = visit(name, ())
        if cycle:
            return cycle
    return []


def test_a_cycle_is_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_modules_form_no_cycle() -> None:
    """Imports inside functions count; imports for types alone do not."""
    edges = {
        module: set(list_imports(module, types_too=False)) & MODULES.keys() - {module}
        for module in MODULES
    }
    cycle = find_cycle(edges)
    assert not cycle, f"{' → '.join(cycle)}: move what both need into a module below them."


def test_folders_form_layers() -> None:
    edges: dict[str, set[str]] = {find_room(module): set() for module in MODULES}
    for module in MODULES:
        for name in list_own_imports(module, types_too=False):
            edges[find_room(module)].add(find_room(name))
    cycle = find_cycle(edges)
    assert not cycle, f"{' → '.join(cycle)}: one of these folders has to lie below the others."


def test_only_the_command_line_and_the_page_use_the_demo_server() -> None:
    """A parser that client and stand-in shared would hide its own mistakes from the tests."""
    rooms = (
        "comfygradio.demo",
        "comfygradio.cli",
        "comfygradio.ui",
        "comfygradio.cli.app",
    )
    breaches = [
        f"{module} imports the demo server, which stands apart: only {', '.join(rooms)} may."
        for module in MODULES
        if any(is_inside(name, ("comfygradio.demo",)) for name in list_imports(module))
        and not is_inside(module, rooms)
    ]
    assert not breaches, report(breaches)


def list_records() -> set[str]:
    """The names of the project's dataclasses and named tuples."""
    return {
        node.name
        for file in MODULES.values()
        for node in ast.walk(parse(file))
        if isinstance(node, ast.ClassDef) and is_record(node)
    }


def is_record(node: ast.ClassDef) -> bool:
    """Whether a class is a dataclass or a named tuple."""
    if any(ast.unparse(base) == "NamedTuple" for base in node.bases):
        return True
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_nothing_happens_at_import() -> None:
    """Outside of functions only values are made; `__main__` alone may act."""
    values = MAKES_A_VALUE | list_records()
    breaches = []
    for module, file in MODULES.items():
        if module.endswith("__main__"):
            continue
        for call in list_calls_at_import(parse(file)):
            name = ast.unparse(call.func)
            if name not in values and (module, name) not in MADE_ONCE:
                breaches.append(
                    f"{module}, line {call.lineno}: {name}() runs at import; move it into a "
                    "function, or add it to MAKES_A_VALUE if it only makes a value."
                )
    assert not breaches, report(breaches)


@pytest.mark.process
def test_importing_everything_but_the_page_starts_nothing() -> None:
    modules = [module for module in MODULES if not is_inside(module, ("comfygradio.ui",))]
    script = (
        "import importlib, logging, signal, sys, threading\n"
        "handlers, before = logging.root.handlers[:], signal.getsignal(signal.SIGTERM)\n"
        f"[importlib.import_module(name) for name in {modules!r}]\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert logging.root.handlers == handlers\n"
        "assert signal.getsignal(signal.SIGTERM) is before\n"
        "assert 'gradio' not in sys.modules\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.process
def test_a_run_imports_no_gradio_and_help_imports_next_to_nothing() -> None:
    script = (
        "import sys\n"
        "import comfygradio.cli.app\n"
        "heavy = {'gradio', 'pydantic', 'httpx', 'rich', 'PIL', 'yaml', 'starlette', 'typer'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
        "import comfygradio.cli.run\n"
        "heavy = {'gradio', 'gradio_client', 'numpy', 'pandas', 'starlette', 'uvicorn'}\n"
        "heavy |= {'asyncio', 'PIL', 'sqlite3', 'comfygradio.conversion'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_public_names_say_what_they_are_for() -> None:
    """In the demo server, which nobody imports piece by piece, only what it exports is public."""
    silent = []
    for module in MODULES:
        if (
            is_inside(module, ("comfygradio.demo",))
            and module != "comfygradio.demo.execution.options"
        ):
            continue
        for node in list_definitions(module):
            if not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{module}.{node.name} needs a docstring: what does it do?")
    assert not silent, report(silent)


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        f"{module} needs a docstring: what is it for?"
        for module, file in MODULES.items()
        if parse(file).body and not ast.get_docstring(parse(file))
    ]
    assert not silent, report(silent)
