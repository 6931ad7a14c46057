"""The scripts and styles of the page as browsers get them, and how a part of the page is made."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import gradio as gr
import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from comfygradio.ui import static
from comfygradio.ui.static import (
    BUNDLERS,
    STATIC_PREFIX,
    build_importer,
    build_mount_script,
    build_preload,
    list_static,
    name_address,
    name_version,
    read_static,
)
from comfygradio.ui.static.bundle import bundle_chunks
from comfygradio.ui.static.comments import remove_comments
from comfygradio.ui.static.entries import CHUNKS, PRELOADED, find_chunk
from comfygradio.ui.static.imports import IMPORT, list_imported
from comfygradio.ui.static.static_route import accepts_gzip, make_static_route
from comfygradio.version import VERSION
from tests.clocks import PROCESS_SECONDS
from tests.ui.running import RunningApp

PATH = "forms.js"

MODULES = [path for path in list_static() if path.endswith(".js")]


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A client of an app with nothing but the route; it follows no hint to compress."""
    app = Starlette(routes=[make_static_route()])
    return TestClient(app, headers={"accept-encoding": "identity"})


def show_served(chunk: str) -> str:
    """The text of a file as browsers get it."""
    return bundle_chunks(CHUNKS)[chunk]


async def fetch_status(app: ASGIApp, path: str) -> int:
    """The status of an answer. No client may tidy the path up."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize("chunk", list(CHUNKS))
def test_a_file_is_served_without_comments_and_kept_for_ever(
    client: TestClient, chunk: str
) -> None:
    answer = client.get(name_address(chunk))
    assert answer.status_code == 200
    assert answer.text == show_served(chunk) == remove_comments(answer.text)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in answer.headers


def test_no_module_comes_twice_and_none_is_missing() -> None:
    defined: list[str] = []
    expected: set[str] = set()
    for chunk, entries in CHUNKS.items():
        defined += re.findall(r'^define\("([^"]+)", ', show_served(chunk), re.MULTILINE)
        expected |= {*list_imported(*entries)}
        # What a file needs is in it or in one before it.
        assert {*defined} == expected
    assert len(set(defined)) == len(defined)


def test_the_first_page_lacks_no_file_and_needs_no_more() -> None:
    names = list(CHUNKS)
    assert names[: len(PRELOADED)] == list(PRELOADED)
    for name in names[len(PRELOADED) :]:
        assert name not in build_preload()


def test_it_is_compressed_for_those_who_take_it(client: TestClient) -> None:
    with client.stream("GET", name_address(PATH), headers={"accept-encoding": "gzip, br"}) as sent:
        body = b"".join(sent.iter_raw())
    assert sent.headers["content-encoding"] == "gzip"
    assert int(sent.headers["content-length"]) == len(body)
    assert len(body) < 0.4 * len(show_served(PATH))
    assert gzip.decompress(body).decode() == show_served(PATH)


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5, br", True),
        ("", False),
        ("br", False),
        ("x-gzip", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
    ],
)
def test_who_takes_gzip(accepted: str, is_taken: bool) -> None:
    assert accepts_gzip(accepted) == is_taken


@pytest.mark.parametrize(
    "path",
    [
        "",
        "library",
        "library/",
        "library/nothing.js",
        "library/globals.d.ts",
        "__init__.py",
        "static_route.py",
        "../page.py",
        "library/elements.js",
        "library/../forms.js",
        "/forms.js",
        "forms.js/",
        "FORMS.JS",
        "forms.js\0",
        "x" * 3000,
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    address = f"/{STATIC_PREFIX}{name_version()}/{path}"
    assert asyncio.run(fetch_status(client.app, address)) == 404


@pytest.mark.parametrize("version", ["x", VERSION, f"{name_version()}0", "%2e%2e"])
def test_another_version_is_not_served(client: TestClient, version: str) -> None:
    assert client.get(f"/{STATIC_PREFIX}{version}/{PATH}").status_code == 404


def test_nothing_can_be_sent_there(client: TestClient) -> None:
    assert client.post(name_address(PATH)).status_code == 405
    assert client.head(name_address(PATH)).status_code == 200


def test_the_version_names_the_apps_and_the_content() -> None:
    version = name_version()
    assert version.startswith(VERSION)
    assert re.fullmatch(r"[\w.+-]+", version)


def test_the_version_changes_with_what_bundles_the_files() -> None:
    """A browser would keep what an app before it has bundled otherwise."""
    folder = Path(str(static.__file__)).parent
    others = {"__init__.py", "static_route.py"}
    assert {path.name for path in folder.glob("*.py")} - others == set(BUNDLERS)
    digest = hashlib.sha256()
    for path in list_static():
        digest.update(f"{path}\0{read_static(path)}\0".encode())
    for name in BUNDLERS:
        digest.update((folder / name).read_bytes())
    assert name_version() == f"{VERSION}-{digest.hexdigest()[:12]}"


IMPORTING = """
globalThis.window = globalThis;
globalThis.location = new URL("http://a.example/");
globalThis.gradio_config = {{ root: {root} }};
globalThis.document = {{ getElementById: () => ({{}}) }};
globalThis.setTimeout = (next) => next();
{importer}
comfygradioImport("file.mjs", "part.js").catch((error) => console.log(error.message));
"""
"""Imports a file as a page does, where nobody waits for the next try."""


def run_importer(folder: Path) -> str:
    """What a script in Node prints that imports `file.mjs`, which is in this folder of a page."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine to run the script with")
    script = IMPORTING.format(root=json.dumps(folder.as_posix()), importer=build_importer())
    command = [node, "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_that_fails_is_run_once(tmp_path: Path) -> None:
    file = tmp_path / name_address("file.mjs")
    file.parent.mkdir(parents=True)
    file.write_text("export function load(path) { console.log(path); throw new Error('broken'); }")
    assert run_importer(tmp_path) == "part.js\nbroken\n"


@pytest.mark.parametrize("path", MODULES)
def test_what_a_module_imports_is_there(path: str) -> None:
    """And it is named as browsers want it: relative, and with its suffix."""
    text = read_static(path)
    specifiers = IMPORT.findall(text)
    for specifier in specifiers:
        assert specifier.startswith(("./", "../")), specifier
        assert httpx.URL(f"http://x/{path}").join(specifier).path[1:] in MODULES, specifier
    # No other form of an import, which nobody would follow.
    statements = re.findall(r"^(?:import\b|export (?:\*|\{[^}]*\}) from\b)", text, re.MULTILINE)
    assert len(specifiers) == len(statements)
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)  # In comments it names a type.
    assert not re.search(r"\bimport ?\(", code)


def test_a_module_is_listed_after_what_it_imports() -> None:
    listed = list_imported("status/status_page.js", "page/page.js")
    assert len(listed) == len(set(listed))
    for path in listed:
        for imported in list_imported(path):
            assert listed.index(imported) <= listed.index(path)
    assert listed[-1] == "page/page.js"
    assert {"library/elements.js", "status/controls.js", "page/chooser_line.js"} < set(listed)
    assert "library/asking.js" not in listed


def test_a_part_is_one_line() -> None:
    script = build_mount_script("status/status_page.js")
    assert "\n" not in script
    assert script.startswith('comfygradioImport("further_pages.js", "status/status_page.js").then(')
    assert f'"/{name_address("")}" + chunk' in build_importer()
    assert ".mount({ element, props, trigger, watch, server, upload })" in script


def test_a_part_that_is_not_there_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match=r"status/nothing\.js is no module"):
        build_mount_script("status/nothing.js")


def test_gradio_knows_the_events_that_a_part_names() -> None:
    with gr.Blocks():
        part = gr.HTML(js_on_load=build_mount_script("page/navigation.js", events=["enter", "use"]))
        assert callable(part.enter) and callable(part.use)
        with pytest.raises(AttributeError):
            part.leave  # noqa: B018


@pytest.mark.app
def test_the_app_serves_them_with_its_headers(app: RunningApp) -> None:
    for accepted in ("gzip", "gzip, deflate, br", "br", "identity"):
        headers = {"accept-encoding": accepted}
        answer = httpx.get(f"{app.url}{name_address(PATH)}", headers=headers)
        assert answer.status_code == 200 and answer.text == show_served(PATH)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        if "gzip" in accepted:
            assert answer.headers["content-encoding"] == "gzip"
    assert httpx.get(f"{app.url}{STATIC_PREFIX}old/{PATH}").status_code == 404


@pytest.mark.parametrize("path", MODULES)
def test_no_text_of_several_lines_could_hold_what_looks_like_a_comment(path: str) -> None:
    for line in remove_comments(read_static(path)).splitlines():
        without_texts = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert without_texts.count("`") % 2 == 0, line


def test_comments_are_removed_and_nothing_else_is() -> None:
    text = """// A module.

/**
 * Add.
 *
 * @param {number} one
 */
export function add(one) {
  // Why.
  const url = "https://example.org"; // It stays.
  return one /* this too */ + url.length;
}
"""
    assert (
        remove_comments(text)
        == """
export function add(one) {
  const url = "https://example.org"; // It stays.
  return one /* this too */ + url.length;
}
"""
    )


def test_a_further_page_is_imported_only_when_it_is_needed() -> None:
    path = "history/history_page.js"
    script = build_mount_script(path, page="history")
    assert script.startswith('comfygradioImport("page.js", "page/further_page.js").then(')
    load = f'() => comfygradioImport("further_pages.js", "{path}")'
    assert f'mountWhenNeeded("history", {load}, ' in script
    assert find_chunk(path) == "further_pages.js"
