"""axe-core finds nothing wrong on any page, with its dialogs and states, in light and in dark.

What Gradio's own markup does wrong, and why that stays, is the table `GRADIO_FAULTS`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from comfygradio.ui.identity.identity_middleware import render_login
from tests.browser.axe import GRADIO_FAULTS, GradioFault, list_faults, read_axe
from tests.browser.settling import find_form, settle, write_prompt
from tests.browser.test_sweep import SCALE, add_axis, start, wait_for
from tests.ui.running import RunningApp, run_app

pytestmark = [pytest.mark.browser, pytest.mark.deep]

LAPTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


class Watch:
    """Collects what axe finds in each state of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.allowed: set[GradioFault] = set()

    def look(self, state: str) -> None:
        """Look at the page as it is now."""
        for fault in list_faults(self.page, self.allowed):
            self.faults.append(f"{state}, {fault}")


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three presets that ship, and one that fails when its picture is painted."""
    folder = tmp_path_factory.mktemp("axe") / "presets"
    folder.mkdir()
    for name in ("text_to_image", "inpaint", "upscale"):
        for path in shipped_presets().glob(f"{name}.*"):
            shutil.copy(path, folder)
    graph = json.loads((folder / "text_to_image.json").read_text(encoding="utf-8"))
    save = next(node for node in graph.values() if node["class_type"] == "SaveImage")
    values = {"message": "CUDA out of memory.", "value": save["inputs"]["images"]}
    graph["20"] = {"class_type": "LabRaise", "inputs": values}
    save["inputs"]["images"] = ["20", 0]
    (folder / "broken.json").write_text(json.dumps(graph), encoding="utf-8")
    text = (folder / "text_to_image.yaml").read_text(encoding="utf-8")
    text = text.replace("text_to_image.json", "broken.json").replace("Text to image", "Broken")
    (folder / "broken.yaml").write_text(text.replace("order: 1", "order: 9"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def app(
    demo: DemoServer, presets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """The app with all of its pages."""
    outputs = tmp_path_factory.mktemp("outputs")
    with run_app(demo.url, outputs, presets, author=True, local_operator=True) as running:
        yield running


def choose(page: Page, title: str) -> None:
    """Show the form of this preset."""
    page.locator("#cg-chooser").get_by_text(title).click()
    page.get_by_role("heading", name=title).wait_for()
    settle(page)


def go_to(page: Page, link: str) -> None:
    """Go from the forms to another page."""
    page.get_by_role("link", name=link).click()
    page.get_by_role("heading", name=link).first.wait_for()


def go_back(page: Page) -> None:
    page.get_by_role("link", name="Back to the forms").click()


def look_at_jobs(watch: Watch, demo: DemoServer) -> None:
    """From the empty form to a picture, on a phone too."""
    page = watch.page
    watch.look("form")
    find_form(page).get_by_text("More settings").click()
    page.get_by_text("Take settings from a picture").first.click()
    settle(page)
    watch.look("unfolded form")
    find_form(page).get_by_role("button", name="Model: ").click()
    page.get_by_role("treeitem").first.wait_for()
    watch.look("models")
    page.get_by_role("combobox", name="Search").fill("nothing")
    page.locator(".cg-models-hint").wait_for()
    watch.look("no model that fits")
    page.keyboard.press("Escape")
    pace = demo.options.step_seconds
    demo.set_step_seconds(3600)
    write_prompt(page)
    generate = find_form(page).get_by_role("button", name="Generate")
    generate.click()
    generate.click()
    expect(page.locator(".cg-chip")).to_have_count(2)
    watch.look("two jobs")
    demo.set_step_seconds(pace)
    expect(page.locator('.cg-view[data-phase="done"] .cg-card img')).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    watch.look("picture")
    page.set_viewport_size(PHONE)
    watch.look("picture on a phone")
    page.set_viewport_size(LAPTOP)
    look_at_results(watch)


def look_at_results(watch: Watch) -> None:
    """Several pictures in a grid, what was made last, and one of them large."""
    page = watch.page
    find_form(page).get_by_label("How many pictures").first.fill("4")
    find_form(page).get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-card")).to_have_count(4)
    expect(page.locator(".cg-strip .cg-pick")).to_have_count(6)
    watch.look("four pictures")
    page.locator(".cg-more").first.click()
    page.locator(".cg-more-dialog[open]").wait_for()
    watch.look("what else can be done")
    page.keyboard.press("Escape")
    page.locator(".cg-card > a").first.click()
    page.locator(".cg-large .cg-past-values").wait_for()
    watch.look("large picture")
    page.set_viewport_size(PHONE)
    watch.look("large picture on a phone")
    page.get_by_role("button", name="Compare", exact=True).click()
    watch.look("two pictures compared")
    page.keyboard.press("Escape")
    watch.look("four pictures on a phone")
    page.set_viewport_size(LAPTOP)


def look_at_refusals(watch: Watch) -> None:
    """A picture that fails, and a form that is not filled in rightly."""
    page = watch.page
    choose(page, "Broken")
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()
    expect(page.locator('.cg-view[data-phase="failed"]')).to_be_visible()
    page.locator(".cg-details summary").click()
    watch.look("failure")
    find_form(page).get_by_label("Seed").fill("abc")
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()
    page.locator(".cg-field-error").first.wait_for()
    watch.look("field with an error")
    choose(page, "Enlarge")
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()
    page.locator(".cg-field-error").filter(visible=True).first.wait_for()
    watch.look("empty form")
    choose(page, "Repaint a part")
    watch.look("form with a mask")
    choose(page, "Text to image")


def look_at_history(watch: Watch) -> None:
    page = watch.page
    go_to(page, "History")
    page.locator(".cg-past-thumb").first.wait_for()
    watch.look("history")
    page.locator('.cg-past-card[data-phase="done"] .cg-past-thumb').first.click()
    page.locator("dialog[open]").wait_for()
    watch.look("large view of the history")
    page.locator("dialog[open]").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").wait_for()
    watch.look("offer to undo")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator(".cg-past-tick").first.check()
    watch.look("chosen jobs")
    page.get_by_role("button", name="Recently deleted").click()
    page.get_by_role("button", name="Restore").first.wait_for()
    watch.look("what was deleted")
    page.get_by_role("button", name="Delete all for good").click()
    watch.look("question of the history")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Recently deleted").click()
    page.locator(".cg-past-tick").first.wait_for()
    go_back(page)


def look_at_status(watch: Watch) -> None:
    page = watch.page
    go_to(page, "Servers")
    page.get_by_role("button", name="Interrupt").click()
    page.get_by_role("button", name="Cancel").wait_for()
    watch.look("status with a question")
    page.get_by_role("button", name="Cancel").click()
    go_back(page)


def look_at_drafts(watch: Watch) -> None:
    page = watch.page
    go_to(page, "Make a form")
    watch.look("author's page")
    workflow = shipped_presets() / "text_to_image.json"
    page.locator("#cg-drop input[type=file]").set_input_files(workflow)
    page.locator("#cg-preview .cg-label").first.wait_for()
    page.locator("#cg-preview details").first.evaluate("one => { one.open = true; }")
    watch.look("draft")
    go_back(page)


def look_at_sweeps(watch: Watch) -> None:
    page = watch.page
    go_to(page, "Comparisons")
    watch.look("no sweeps")
    go_back(page)
    find_form(page).get_by_role("button", name="Compare settings").click()
    page.get_by_role("heading", name="Compare settings").wait_for()
    add_axis(page, "Steps", "4, 5")
    add_axis(page, SCALE, "1-4 (+3)")
    expect(page.locator(".cg-sweep-count")).to_contain_text("4 picture")
    watch.look("sweep editor")
    start(page, 4)
    wait_for(page, "4 of 4 done")
    expect(page.locator(".cg-sweep-cell img")).to_have_count(4)
    watch.look("sweep")
    page.locator(".cg-sweep-shot").first.click()
    page.locator("dialog[open]").wait_for()
    watch.look("large view of a sweep")
    page.keyboard.press("Escape")
    page.locator(".cg-sweep-danger").click()
    page.locator("dialog[open]").wait_for()
    watch.look("question of a sweep")
    page.get_by_role("button", name="Cancel").click()
    go_back(page)
    go_to(page, "Comparisons")
    page.locator(".cg-sweep-cards li").first.wait_for()
    watch.look("sweeps")
    go_back(page)


def test_no_page_keeps_anybody_out(tab: Page, app: RunningApp, demo: DemoServer) -> None:
    script = read_axe()
    tab.goto(app.url)
    tab.get_by_role("button", name="Generate").wait_for()
    settle(tab)
    tab.evaluate(script)
    watch = Watch(tab)
    look_at_jobs(watch, demo)
    look_at_refusals(watch)
    look_at_history(watch)
    look_at_status(watch)
    look_at_sweeps(watch)
    look_at_drafts(watch)
    assert watch.faults == []
    assert watch.allowed == set(GRADIO_FAULTS), "what Gradio has mended leaves the table"


def test_the_login_page_keeps_nobody_out(context: BrowserContext) -> None:
    script = read_axe()
    page = context.new_page()
    page.set_content(render_login("login", "", "This name is not right.", "ann"))
    page.evaluate(script)
    assert list_faults(page) == []
