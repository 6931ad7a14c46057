"""The page in a browser whose storage is off, so that its very name throws an error."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from comfygradio.ui import assets
from comfygradio.ui.assets import read_asset
from comfygradio.ui.static import list_static, read_static
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"

STORAGE_IS_OFF = """
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
  const get = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
  Object.defineProperty(window, name, { configurable: true, get });
}
window.BroadcastChannel = class {
  constructor() { throw new DOMException("The operation is insecure.", "SecurityError"); }
};
"""
"""As browsers do it where all cookies and site data are blocked."""

STORAGE_IS_FULL = """
Storage.prototype.setItem = () => { throw new DOMException("Full.", "QuotaExceededError"); };
"""

STORAGE_IS_MISSING = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { configurable: true, value: null });
}
"""
"""As in the web views of some apps."""

FAULTS = {"off": STORAGE_IS_OFF, "full": STORAGE_IS_FULL, "missing": STORAGE_IS_MISSING}


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of presets that an author may write to."""
    return Path(shutil.copytree(shipped_presets(), tmp_path_factory.mktemp("bare") / "presets"))


@pytest.fixture(scope="module")
def app(
    demo: DemoServer, presets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The app with all of its pages."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), presets, author=True) as running:
        yield running


def find_panel(page: Page) -> Locator:
    """The form that the tests fill; authors add others that are like it."""
    return page.locator("#cg-panel-text_to_image")


@pytest.fixture(params=FAULTS)
def page(request: pytest.FixtureRequest, context: BrowserContext, app: RunningApp) -> Page:
    """The page without storage."""
    context.add_init_script(FAULTS[request.param])
    page = context.new_page()
    page.goto(f"{app.url}?preset=text_to_image")
    find_panel(page).get_by_role("button", name="Generate").wait_for()
    return page


def test_every_page_works(page: Page, presets: Path) -> None:
    find_panel(page).get_by_label(PROMPT).fill("a lighthouse without memory")
    find_panel(page).get_by_role("button", name="Generate").click()
    page.locator(".cg-card img").wait_for()
    expect(page.locator(".cg-view")).to_have_attribute("data-phase", "done")

    page.get_by_role("link", name="History").click()
    expect(page.locator(".cg-past-card").first).to_contain_text("a lighthouse without memory")
    page.get_by_role("link", name="Back to the forms").click()

    find_panel(page).get_by_role("button", name="Compare settings").click()
    page.get_by_role("heading", name="Compare settings").wait_for()
    page.locator(".cg-sweep-offers:visible").last.get_by_role(
        "button", name="Steps", exact=True
    ).click()
    page.get_by_label("Values of Steps").fill("2, 3")
    expect(page.locator(".cg-sweep-count")).to_contain_text("2 picture")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".cg-sweep-line")).to_contain_text("2 of 2 done")
    page.get_by_label("Size of the pictures").fill("300")
    page.get_by_role("link", name="Back to the forms").click()

    page.get_by_role("link", name="Make a form").click()
    page.locator("#cg-drop input[type=file]").set_input_files(
        shipped_presets() / "text_to_image.json"
    )
    expect(page.locator("#cg-preview .cg-label").get_by_text("Sampler")).to_have_count(1)
    name = f"without_memory_{len(list(presets.glob('*.yaml')))}"
    page.locator(".cg-about").get_by_label("Name").fill(name)
    expect(page.locator(".cg-save-bar")).to_contain_text(f"{name}.yaml")
    page.get_by_role("button", name=re.compile("Save preset")).click()
    page.get_by_role("link", name="Open the form").wait_for()
    assert (presets / f"{name}.yaml").is_file()


def test_a_page_that_is_loaded_again_works(page: Page) -> None:
    page.reload()
    find_panel(page).get_by_label(PROMPT).fill("a second time")
    find_panel(page).get_by_role("button", name="Generate").click()
    page.locator(".cg-card img").wait_for()


def test_only_one_script_names_the_storage_of_the_browser() -> None:
    names = sorted(path.name for path in Path(str(assets.__file__)).parent.iterdir())
    texts = {name: read_asset(name) for name in names if name.endswith((".js", ".html"))}
    for path in list_static():
        texts[path] = read_static(path)
    naming = [
        name for name, text in texts.items() if re.search(r"(?:local|session)Storage\b", text)
    ]
    assert len(texts) > 40 and naming == ["library/storage.js"]
