"""An author makes a preset in a real browser: drops a workflow, ticks and names fields, saves it
and uses it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.browser.settling import settle
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

WORKFLOW = shipped_presets() / "text_to_image.json"


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of presets with one in it."""
    folder = tmp_path_factory.mktemp("author") / "presets"
    folder.mkdir()
    for path in shipped_presets().glob("upscale.*"):
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
    """The author's page, reached from the forms."""
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("link", name="Make a form").click()
    page.get_by_role("heading", name="Make a form").wait_for()
    return page


def drop(page: Page, file: Path) -> None:
    """Add a file to the drop zone."""
    page.locator("#cg-drop input[type=file]").set_input_files(file)


def preview(page: Page, label: str) -> None:
    """Wait until the form that is shown has a field with this label."""
    expect(page.locator("#cg-preview .cg-label").get_by_text(label, exact=True)).to_have_count(1)


def name_preset(page: Page, name: str) -> None:
    """Type the preset's name and wait until the page has taken it."""
    page.locator(".cg-about").get_by_label("Name").fill(name)
    expect(page.locator(".cg-save-bar")).to_contain_text(f"{name}.yaml")


def test_a_dropped_workflow_becomes_a_form_that_paints(page: Page, presets: Path) -> None:
    drop(page, WORKFLOW)
    preview(page, "Sampler")
    page.get_by_label("Sampler is in the form").uncheck()
    page.get_by_label("Label of prompt").fill("Say it in your words")
    preview(page, "Say it in your words")
    expect(page.locator("#cg-preview .cg-label", has_text="Sampler")).to_have_count(0)
    page.get_by_role("button", name="Move Seed up").click()
    name_preset(page, "my_first")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_role("link", name="Open the form").click()
    page.get_by_role("heading", name="Text to image").wait_for()
    assert "preset=my_first" in page.url
    labels = page.locator("#cg-panel-my_first .cg-seed, #cg-my_first-checkpoint").all()
    assert "cg-seed" in str(labels[0].get_attribute("class"))
    expect(page.get_by_label("Sampler")).to_have_count(0)
    settle(page)
    page.get_by_label("Say it in your words").fill("a lighthouse")
    page.locator("#cg-panel-my_first").get_by_role("button", name="Generate").click()
    page.locator(".cg-card img").wait_for()
    assert (presets / "my_first.json").is_file()


def test_the_page_works_on_after_the_forms_have_changed(
    page: Page, presets: Path, app: RunningApp
) -> None:
    drop(page, WORKFLOW)
    name_preset(page, "again")
    page.get_by_role("button", name="Save preset").click()
    page.get_by_role("link", name="Open the form").wait_for()
    assert app.app.revision > 0
    page.get_by_label("Title").fill("Second edition")
    expect(page.locator(".cg-form-card h2")).to_contain_text("Second edition")
    expect(page.get_by_label("again exists already: overwrite it")).to_be_checked()
    page.get_by_role("button", name="Save preset").click()
    page.get_by_role("link", name="Open the form").wait_for()
    assert "title: Second edition" in (presets / "again.yaml").read_text()


def test_a_preset_of_somebody_else_is_not_overwritten_unasked(page: Page, presets: Path) -> None:
    before = (presets / "upscale.yaml").read_bytes()
    drop(page, WORKFLOW)
    name_preset(page, "upscale")
    box = page.get_by_label("upscale exists already: overwrite it")
    expect(box).not_to_be_checked()
    page.get_by_role("button", name="Save preset").click()
    expect(page.locator(".cg-save-bar .cg-note")).to_contain_text("upscale.yaml exists already")
    assert (presets / "upscale.yaml").read_bytes() == before


def test_the_file_edited_by_hand_counts_and_the_form_follows(page: Page) -> None:
    drop(page, WORKFLOW)
    preview(page, "Seed")
    page.get_by_role("button", name="The preset file").click()
    editor = page.locator("#cg-source .cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        "title: By hand\nworkflow: text_to_image.json\nfields:\n  a: {slot: 6.text, lable: A}"
    )
    expect(page.locator(".cg-messages")).to_contain_text(
        "text_to_image.yaml:4: fields.a: unknown key lable; did you mean label?"
    )
    expect(page.get_by_role("button", name="Save preset")).to_be_disabled()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        "title: By hand\nworkflow: text_to_image.json\nfields:\n  a: {slot: 6.text, label: My A}"
    )
    preview(page, "My A")
    expect(page.get_by_text("You have changed the preset file by hand")).to_be_visible()
    page.get_by_role("button", name="Use the list again").click()
    preview(page, "Seed")


def test_a_picture_brings_its_workflow(page: Page, tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("prompt", WORKFLOW.read_text())
    Image.new("RGB", (8, 8)).save(tmp_path / "ComfyUI_00001_.png", pnginfo=info)
    drop(page, tmp_path / "ComfyUI_00001_.png")
    preview(page, "What do you want to see?")
    expect(page.locator(".cg-about").get_by_label("Name")).to_have_value("text_to_image")


def test_a_broken_file_is_explained_and_the_next_one_works(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    drop(page, tmp_path / "broken.png")
    expect(page.locator("#cg-desk .cg-note")).to_contain_text("broken.png")
    (tmp_path / "ui.json").write_text('{"nodes": [], "links": []}')
    drop(page, tmp_path / "ui.json")
    expect(page.locator("#cg-desk .cg-note")).to_contain_text("Workflow → Export (API)")
    drop(page, WORKFLOW)
    preview(page, "Seed")


def test_names_out_of_the_workflow_are_shown_as_text(page: Page, tmp_path: Path) -> None:
    graph = json.loads(WORKFLOW.read_text())
    evil = "<img src=x onerror=document.body.remove()>"
    graph["6"]["_meta"]["title"] = evil
    (tmp_path / "evil.json").write_text(json.dumps(graph))
    drop(page, tmp_path / "evil.json")
    expect(page.locator("#cg-desk")).to_contain_text(evil[:20])
    expect(page.locator("#cg-author img")).to_have_count(0)


def test_a_draft_outlives_a_reload(page: Page) -> None:
    drop(page, WORKFLOW)
    page.get_by_label("Label of seed").fill("Lucky number")
    preview(page, "Lucky number")
    page.reload()
    preview(page, "Lucky number")
    page.get_by_role("link", name="Back to the forms").click()
    expect(page.get_by_role("button", name="Generate").first).to_be_visible()
    expect(page.locator("#cg-author")).to_be_hidden()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    drop(page, WORKFLOW)
    preview(page, "Seed")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="More about Seed").click()
    page.get_by_label("Name of Seed").fill("number")
    expect(page.get_by_label("Name of Seed")).to_be_visible()
