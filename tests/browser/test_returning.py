"""Forms that are left and come back: to another form, to another page, over a reload."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.settling import find_form, open_settings, settle, write_prompt
from tests.browser.widgets import TEXT_TO_IMAGE, search_models
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

MODELS = tuple(f"model {number:03}.safetensors" for number in range(300))
"""More than a plain list shows, so that the server searches."""

PRESET = """
title: {title}
workflow: paint.json
fields:
  prompt: {{slot: 6.text, label: Words}}
  model: {{slot: 4.ckpt_name, label: Model}}
  steps: {{slot: 3.steps, label: Steps, advanced: true}}
  my_seed: {{slot: 3.seed, label: My seed}}
"""


def write(folder: Path, *titles: str) -> Path:
    """Presets of one workflow."""
    folder.mkdir()
    graph = json.loads(json.dumps(TEXT_TO_IMAGE))
    graph["4"]["inputs"]["ckpt_name"] = MODELS[0]
    (folder / "paint.json").write_text(json.dumps(graph))
    for title in titles:
        (folder / f"{title.lower()}.yaml").write_text(PRESET.format(title=title))
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A demo server with many models."""
    with DemoServer(DemoOptions(step_seconds=0, checkpoints=MODELS)) as server:
        yield server


@pytest.fixture(scope="module")
def two(server: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with two forms."""
    folder = tmp_path_factory.mktemp("two")
    with run_app(
        server.url, folder / "outputs", write(folder / "presets", "First", "Second")
    ) as app:
        yield app


def show(page: Page, title: str) -> None:
    """Change to a form."""
    page.locator("#cg-chooser").get_by_text(title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    settle(page)


def open_first(context: BrowserContext, app: RunningApp) -> Page:
    """The page with its first form."""
    page = context.new_page()
    page.goto(app.url)
    page.get_by_label("Words").wait_for()
    return page


def test_a_model_of_a_long_list_is_still_named_when_its_form_comes_back(
    context: BrowserContext, two: RunningApp, server: DemoServer
) -> None:
    page = open_first(context, two)
    model = find_form(page).get_by_role("button", name="Model: ")
    model.click()
    search_models(page, "model 123")
    show(page, "Second")
    expect(model).to_have_accessible_name("Model: model 000")
    show(page, "First")
    expect(model).to_have_accessible_name("Model: model 123")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-card img")).to_have_count(1)
    page.get_by_role("link", name="History").click()
    page.locator(".cg-past-thumb").first.click()
    expect(page.locator(".cg-past-values")).to_contain_text(MODELS[123])


def test_a_refusal_is_said_again_when_its_form_comes_back(
    context: BrowserContext, two: RunningApp
) -> None:
    page = open_first(context, two)
    page.get_by_label("My seed").fill("many")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(find_form(page).locator(".block.cg-problem")).to_contain_text("use digits only")
    show(page, "Second")
    show(page, "First")
    expect(find_form(page).locator(".block.cg-problem")).to_contain_text("use digits only")
    find_form(page).get_by_label("My seed").fill("7")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-summary")).to_contain_text("seed 7")
    expect(find_form(page).locator(".block.cg-problem")).to_have_text("")


def test_the_used_seed_goes_into_a_field_of_any_name(
    context: BrowserContext, two: RunningApp
) -> None:
    page = open_first(context, two)
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Keep this seed").click()
    expect(page.get_by_label("My seed")).to_have_value(
        page.locator(".cg-summary").inner_text().split("seed ")[1]
    )


def test_what_was_typed_into_every_form_outlasts_a_reload(
    context: BrowserContext, two: RunningApp
) -> None:
    page = open_first(context, two)
    page.get_by_label("Words").fill("first words")
    show(page, "Second")
    form = find_form(page)
    form.get_by_label("Words").fill("second words")
    open_settings(page)
    form.get_by_label("Steps").fill("11")
    page.reload()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    expect(form.get_by_label("Words")).to_have_value("second words")
    slowness = context.new_cdp_session(page)
    slowness.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    form.get_by_text("More settings").click()
    expect(form.get_by_label("Steps")).to_have_value("11")
    slowness.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    show(page, "First")
    expect(form.get_by_label("Words")).to_have_value("first words")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".cg-card img")).to_have_count(1)
    page.get_by_role("link", name="History").click()
    expect(page.locator(".cg-past-card").first).to_contain_text("first words")


def test_back_from_another_page_keeps_the_only_form_as_it_was(
    context: BrowserContext, server: DemoServer, tmp_path: Path
) -> None:
    with run_app(server.url, tmp_path / "outputs", write(tmp_path / "presets", "Only")) as app:
        page = open_first(context, app)
        page.get_by_label("Words").fill("still here")
        page.evaluate("window.isSame = true")
        page.get_by_role("link", name="History").click()
        page.get_by_role("heading", name="History").wait_for()
        page.go_back()
        expect(page.get_by_label("Words")).to_have_value("still here")
        page.evaluate("history.pushState({}, '', '?preset=only')")
        page.go_back()
        expect(page.get_by_label("Words")).to_have_value("still here")
        assert page.evaluate("window.isSame") is True
