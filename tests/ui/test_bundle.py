"""The script and the style of an exported page: they are made of the files of the app's page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from comfygradio.sweeps.export.gallery_page import SCRIPT, STYLES, build_gallery
from comfygradio.ui.static import read_static
from comfygradio.ui.static.bundle import bundle, bundle_chunks
from comfygradio.ui.static.imports import ModuleError, list_imported, load_modules
from comfygradio.ui.theme import read_css
from tests.clocks import PROCESS_SECONDS
from tests.sweeps.exporting import fill_grid

PAGE = "sweep/sweep_page.js"
CARD = "results/cell_card.js"
STYLE = "results/results.css"

FROM = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)";', re.MULTILINE)
"""The module that a statement imports from."""

NAMES = re.compile(r'^import \{([^}]*)\} from "([^"]+)"', re.MULTILINE)
DEFINED = re.compile(r'^define\("([^"]+)", ', re.MULTILINE)
RETURNED = re.compile(r"^return \{(.*)\};$", re.MULTILINE)
"""The last statement of a module's function: what it exports."""


def split_names(listed: str) -> set[str]:
    """The names in a list of names."""
    return {name.strip() for name in listed.split(",")} - {""}


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


def test_the_script_has_every_import() -> None:
    script = bundle(SCRIPT)
    modules = load_modules()
    paths = list_imported(SCRIPT, modules=modules)
    assert set(paths) == find_imports(SCRIPT)
    assert DEFINED.findall(script) == paths
    returned = dict(zip(paths, RETURNED.findall(script), strict=True))
    for path in paths:
        for listed, specifier in NAMES.findall(modules[path]):
            imported = httpx.URL(f"http://page/{path}").join(specifier).path[1:]
            assert split_names(listed) <= split_names(returned[imported]), path
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


def run(script: str, file: Path) -> str:
    """What a script prints in Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to run the script with")
    file.write_text(script, encoding="utf-8")
    command = [node, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


SMALL = {
    "a/entry.js": (
        'import * as words from "../words.js";\n'
        'import { count, say } from "./say.js";\n'
        'export { say } from "./say.js";\n'
        "export { twice };\n"
        "const twice = 2 * count;\n"
        "console.log(say(words.hello), twice, words.left);\n"
    ),
    "a/say.js": (
        "// Says it.\n"
        '\nimport {\n  hello,\n} from "../words.js";\n'
        "\n/**\n * Say.\n */\nexport function say(text) {\n  // Loudly.\n  return `${text}!`;\n}\n"
        "export const count = hello.length; // Five.\n"
    ),
    "words.js": (
        'console.log("once");\nexport const hello = "hello";\nconst left = "its own";\nexport {};\n'
    ),
}


def test_modules_run_once_and_keep_their_names_to_themselves(tmp_path: Path) -> None:
    script = bundle("a/entry.js", SMALL)
    assert run(script, tmp_path / "script.cjs") == "once\nhello! 10 undefined\n"
    assert "Loudly" not in script and "Five" in script


def test_a_chunk_beside_another_holds_only_what_that_lacks(tmp_path: Path) -> None:
    chunks = {"first.mjs": ["a/say.js"], "second.mjs": ["a/entry.js"]}
    first, second = bundle_chunks(chunks, SMALL).values()
    assert DEFINED.findall(first) == ["words.js", "a/say.js"]
    assert DEFINED.findall(second) == ["a/entry.js"]
    (tmp_path / "first.mjs").write_text(first, encoding="utf-8")
    (tmp_path / "second.mjs").write_text(second, encoding="utf-8")
    page = """
import { load as loadFirst } from "./first.mjs";
import { load } from "./second.mjs";
console.log("nothing ran");
console.log(Object.keys(loadFirst("a/say.js")));
console.log(load("a/entry.js") === load("a/entry.js"), load("a/entry.js").twice);
"""
    assert run(page, tmp_path / "page.mjs").splitlines() == [
        "nothing ran",
        "once",
        "[ 'say', 'count' ]",
        "hello! 10 undefined",
        "true 10",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import { a } from "./gone.js";\n', "no such module: entry.js → gone.js"),
        ('import { b } from "./other.js";\n', "imports b, which other.js does not export"),
        ('import { c } from "./other.js";\n', "imports c, which other.js does not export"),
        ('export { b } from "./other.js";\n', "imports b, which other.js does not export"),
        ('import { d } from "./entry.js";\nexport const d = 1;\n', "imports itself"),
        ('import other from "./other.js";\n', "cannot be bundled: import other"),
        ('export * from "./other.js";\n', r"cannot be bundled: export \*"),
        ("export default 1;\n", "cannot be bundled: export default"),
        ("export let changing = 1;\n", "cannot be bundled: export let"),
        ('import { a as b } from "./other.js";\n', "name that cannot be bundled: a as b"),
    ],
)
def test_what_cannot_be_bundled_is_refused(text: str, message: str) -> None:
    modules = {"entry.js": text, "other.js": "export const a = 1;\nlet c;\n"}
    with pytest.raises(ModuleError, match=message):
        bundle("entry.js", modules)
