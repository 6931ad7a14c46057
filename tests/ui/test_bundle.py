"""The script and the style of an exported page: they are made of the files of the app's page."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import httpx
import pytest

from comfygradio.sweeps.export.gallery_page import SCRIPT, STYLES, build_gallery
from comfygradio.ui.static import read_static
from comfygradio.ui.static.bundle import bundle
from comfygradio.ui.static.imports import ModuleError, list_imported, load_modules
from comfygradio.ui.theme import read_css
from tests.clocks import PROCESS_SECONDS
from tests.sweeps.exporting import fill_grid

PAGE = "sweep/sweep_page.js"
CARD = "results/cell_card.js"
STYLE = "results/results.css"

FROM = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)";', re.MULTILINE)
"""The module that a statement imports from."""

NAMES = re.compile(r"^import \{([^}]*)\} from", re.MULTILINE)
DECLARED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def find_imports(entry: str) -> set[str]:
    """A module and all that it imports, in whatever way; a browser finds them like this."""
    found: set[str] = set()
    left = [entry]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        base = httpx.URL(f"http://page/{path}")
        left += [base.join(specifier).path[1:] for specifier in FROM.findall(read_static(path))]
    return found


def test_results_are_made_of_the_same_files_on_the_page_and_in_the_export() -> None:
    """Whoever changes how a card of a result looks, changes one file, and both show it."""
    folder = "results/"
    shown = {path for path in find_imports(PAGE) if path.startswith(folder)}
    exported = {path for path in find_imports(SCRIPT) if path.startswith(folder)}
    assert shown == exported
    assert CARD in shown
    exporting = b"".join(build_gallery(fill_grid({"Steps": ["1"]}, None))).decode()
    assert bundle(SCRIPT) in exporting
    assert STYLE in STYLES
    assert read_static(STYLE) in exporting
    assert read_static(STYLE) in read_css()


def test_neither_draws_cards_of_its_own() -> None:
    for path, text in load_modules().items():
        draws = '"gridcell"' in text or 'name("shot")' in text
        assert draws == (path == CARD), path


def test_the_script_has_every_import_and_no_name_twice() -> None:
    script = bundle(SCRIPT)
    declared = Counter(DECLARED.findall(script))
    assert [name for name, count in declared.items() if count > 1] == []
    modules = load_modules()
    paths = list_imported(SCRIPT, modules=modules)
    assert set(paths) == find_imports(SCRIPT)
    for path in paths:
        for listed in NAMES.findall(modules[path]):
            names = {name.strip() for name in listed.split(",")} - {""}
            assert names <= declared.keys(), path
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)


def test_the_script_can_stand_inside_a_page() -> None:
    script = bundle(SCRIPT)
    assert "</script" not in script and "<!--" not in script
    assert " * @param" not in script and not re.search(r"^ *//", script, re.MULTILINE)


def test_the_script_is_one_that_browsers_understand(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to check the script with")
    file = tmp_path / "script.cjs"
    file.write_text(bundle(SCRIPT), encoding="utf-8")
    command = [node, "--check", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS)
    assert checked.returncode == 0, checked.stderr


def test_modules_stand_behind_what_they_import() -> None:
    modules = {
        "a/entry.js": (
            'import { one } from "./one.js";\nimport { two } from "../two.js";\none(two);\n'
        ),
        "a/one.js": (
            "// Says it.\n"
            '\nimport { two } from "../two.js";\n'
            "\n/**\n * One.\n */\nexport function one() {\n  // It is two.\n  return two;\n}\n"
        ),
        "two.js": "export const two = 2; // Not one.\nexport {};\n",
    }
    assert bundle("a/entry.js", modules) == (
        '(() => {\n"use strict";\n'
        "const two = 2; // Not one.\n"
        "function one() {\n  return two;\n}\n"
        "one(two);\n"
        "})();\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import { a } from "./gone.js";\n', "no such module: entry.js → gone.js"),
        ('import { b } from "./other.js";\n', "imports b, which other.js does not export"),
        ('import { a } from "./other.js";\nconst c = a;\n', "entry.js and other.js both declare c"),
        ('import { d } from "./entry.js";\nexport const d = 1;\n', "imports itself"),
        ('import * as other from "./other.js";\n', r"cannot be bundled: import \* as other"),
        ("export default 1;\n", "cannot be bundled: export default"),
        ('export { a } from "./other.js";\n', "cannot be bundled: export { a }"),
        ('import { a as b } from "./other.js";\n', "imports a as b, which"),
    ],
)
def test_what_cannot_be_bundled_is_refused(text: str, message: str) -> None:
    modules = {"entry.js": text, "other.js": "export const a = 1;\nlet c;\n"}
    with pytest.raises(ModuleError, match=message):
        bundle("entry.js", modules)
