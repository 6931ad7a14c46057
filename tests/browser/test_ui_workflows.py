"""A workflow as ComfyUI saves it, on the author's page and in *Take settings from a picture*."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.browser.settling import settle
from tests.ui.running import RunningApp, run_app
from tests.ui_workflow import (
    PACK,
    UI_WORKFLOW,
    load_ui_workflow,
    make_foreign_workflow,
    save_ui_picture,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of presets with one in it."""
    folder = tmp_path_factory.mktemp("author") / "presets"
    folder.mkdir()
    for path in shipped_presets().glob("text_to_image.*"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def app(
    demo: DemoServer, presets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The app with the author's page."""
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), presets, author=True) as running:
        yield running


@pytest.fixture
def page(context: BrowserContext, app: RunningApp) -> Page:
    """The page of forms."""
    page = context.new_page()
    page.goto(app.url)
    settle(page)
    return page


def test_a_picture_that_holds_only_this_fills_its_form(page: Page, tmp_path: Path) -> None:
    picture = save_ui_picture(tmp_path / "a.png", json.loads(UI_WORKFLOW.read_text()))
    page.get_by_text("Take settings from a picture").click()
    page.locator("#cg-restore input[type=file]").set_input_files(picture)
    expect(page.locator(".cg-report")).to_contain_text("Its workflow is that of the form")
    page.get_by_role("button", name="Use the ticked settings").click()
    words = page.get_by_role("textbox", name="What do you want to see?")
    expect(words).to_have_value("a lighthouse")


def test_an_author_makes_a_form_of_it(page: Page, presets: Path, tmp_path: Path) -> None:
    page.get_by_role("link", name="Make a form").click()
    page.get_by_role("heading", name="Make a form").wait_for()
    drop = page.locator("#cg-drop input[type=file]")
    (tmp_path / "foreign.json").write_text(json.dumps(make_foreign_workflow()))
    drop.set_input_files(tmp_path / "foreign.json")
    note = page.locator("#cg-desk .cg-note")
    expect(note).to_contain_text("foreign.json needs the node class SomebodysSampler")
    expect(note).to_contain_text(PACK)
    data = load_ui_workflow()
    data["nodes"][0]["widgets_values"].append("of another version")
    (tmp_path / "layout.json").write_text(json.dumps(data))
    drop.set_input_files(tmp_path / "layout.json")
    labels = page.locator("#cg-preview .cg-label")
    expect(labels.get_by_text("What do you want to see?", exact=True)).to_have_count(1)
    page.get_by_text("worth knowing").click()
    expect(page.locator("#cg-desk")).to_contain_text("of another version")
    expect(page.locator(".cg-about").get_by_label("Name")).to_have_value("layout")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_role("link", name="Open the form").wait_for()
    assert json.loads((presets / "layout.ui.json").read_text()) == data
