"""What the page says in each state of a job, and of a form with something wrong in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from comfygradio.demo import DemoServer
from comfygradio.forms.kinds.size import parse_size
from comfygradio.jobs.worker import NOT_RESPONDING
from comfygradio.ui.page import MAX_BUTTONS
from tests.browser.conftest import QUICK_SECONDS, SLOW_SECONDS
from tests.browser.settling import find_form, settle, write_prompt
from tests.browser.widgets import INPAINT, PAINT, TEXT_TO_IMAGE
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, run_app, stop_all

pytestmark = pytest.mark.browser

TROUBLE_GRAPH: Mapping[str, Any] = {
    **{key: TEXT_TO_IMAGE[key] for key in ("4", "10", "5", "6", "7", "3", "8")},
    "20": {"class_type": "LabRaise", "inputs": {"message": "no luck", "value": ["8", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["20", 0]}},
}

TROUBLE = """
title: Trouble
order: 1
workflow: trouble.json
fields:
  prompt: {slot: 6.text, label: What do you want to see?}
  trouble: {slot: 20.message, label: Trouble}
  size: {slots: {width: 5.width, height: 5.height}, label: Picture size,
    choices: [64x64, 128x64, 64x128, 128x128]}
"""

BOXES = """
title: Boxes
order: 2
workflow: boxes.json
fields:
  prompt: {slot: 6.text, label: What do you want to see?}
  size: {slots: {width: 5.width, height: 5.height}, label: Picture size, min: 64, max: 512}
  steps: {slot: 3.steps, max: 60}
  seed: {slot: 3.seed, advanced: true}
"""

SAYING_GRAPH: Mapping[str, Any] = {
    "1": {"class_type": "LabText", "inputs": {"text": "", "seconds": 600.0}},
}

SAYING = """
title: Saying
order: 4
workflow: saying.json
fields:
  prompt: {slot: 1.text, label: What do you want to hear?}
"""

WHITE = "rgb(255, 255, 255)"

MEMORY = "CUDA out of memory. Tried to allocate 2.00 GiB."


def write_preset(folder: Path, name: str, text: str, graph: Mapping[str, Any]) -> None:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / f"{name}.json").write_text(json.dumps(graph), encoding="utf-8")


@pytest.fixture(scope="module")
def app(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """Forms of which one always fails, with the words that are typed into it."""
    folder = tmp_path_factory.mktemp("presets")
    write_preset(folder, "trouble", TROUBLE, TROUBLE_GRAPH)
    write_preset(folder, "boxes", BOXES, TEXT_TO_IMAGE)
    write_preset(folder, "inpaint", PAINT, INPAINT)
    write_preset(folder, "saying", SAYING, SAYING_GRAPH)
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), folder) as running:
        yield running


@pytest.fixture(autouse=True)
def rest(demo: DemoServer, app: RunningApp) -> Iterator[None]:
    """Leave nothing running to the next test."""
    yield
    stop_all(app.app.service)
    demo.set_step_seconds(QUICK_SECONDS)


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One page for all tests; an error of its scripts fails the one that comes last."""
    page = browser.new_page(viewport={"width": 1366, "height": 650}, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert said == []


def open_form(page: Page, app: RunningApp, preset: str) -> Locator:
    """Come to the page anew."""
    # Where no script of ours runs: a page that is left writes what was typed.
    page.goto(f"{app.url}theme.css")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.goto(f"{app.url}?preset={preset}")
    page.locator(f"#cg-panel-{preset} .cg-generate").wait_for()
    settle(page)
    return find_form(page)


def press_generate(page: Page) -> None:
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()


def fail(page: Page, app: RunningApp, message: str, size: str = "64 × 64") -> Locator:
    """Let a job fail so; returns what the page says then."""
    form = open_form(page, app, "trouble")
    form.get_by_label("Trouble").fill(message)
    form.get_by_role("radio", name=size).check()
    press_generate(page)
    expect(page.locator(".cg-view")).to_have_attribute("data-phase", "failed")
    return page.locator(".cg-failure")


def await_other_job(page: Page, token: str | None, phase: str) -> None:
    expect(page.locator(".cg-view")).not_to_have_attribute("data-token", token or "")
    expect(page.locator(".cg-view")).to_have_attribute("data-phase", phase)


def find_order(app: RunningApp, page: Page) -> Mapping[str, Any]:
    """The values of the job that is shown."""
    token = page.locator(".cg-view").get_attribute("data-token") or ""
    job = app.app.service.queue.find(token)
    assert job is not None
    return job.order.values


def test_painting_is_told_in_words_and_the_node_on_hover(
    window: Page, app: RunningApp, demo: DemoServer
) -> None:
    form = open_form(window, app, "boxes")
    form.get_by_role("spinbutton", name="number input for Steps").fill("60")
    demo.set_step_seconds(SLOW_SECONDS)
    press_generate(window)
    line = window.locator(".cg-line")
    expect(line).to_have_text("Painting")
    expect(line).to_have_attribute("title", re.compile(r"^KSampler · step \d+ of 60$"))
    expect(window.locator(".cg-time")).to_contain_text("%")
    window.get_by_role("button", name="Stop").click()
    expect(window.locator(".cg-summary")).to_contain_text("stopped early")
    expect(window.locator(".cg-failure")).to_be_hidden()


def test_what_a_node_says_is_one_line_of_text_whatever_it_is(window: Page, app: RunningApp) -> None:
    form = open_form(window, app, "saying")
    said = "<img src=x onerror=alert(1)>\n" + "word " * 60
    form.get_by_label("What do you want to hear?").fill(said)
    press_generate(window)
    line = window.locator(".cg-line")
    expect(line).to_have_text(re.compile(r"^<img src=x onerror=alert\(1\)> word .+…$"))
    expect(line).to_have_attribute("title", re.compile(r"^<img .+…\nLabText$"))
    assert line.locator("img").count() == 0
    heights = "one => [one.clientHeight, parseFloat(getComputedStyle(one).lineHeight)]"
    height, one_line = line.evaluate(heights)
    assert height < 1.5 * one_line
    held: list[Route] = []
    is_late = [True]
    window.route(
        "**/component_server/**",
        lambda route: held.append(route) if is_late else route.continue_(),
    )
    window.get_by_role("button", name="Stop").click()
    expect(line).to_have_text("Stopping")
    is_late.clear()
    for route in held:
        route.continue_()
    expect(window.locator(".cg-summary")).to_contain_text("stopped early")


def test_a_killed_server_is_told_of_and_no_time_is_left(
    window: Page, app: RunningApp, demo: DemoServer
) -> None:
    form = open_form(window, app, "boxes")
    press_generate(window)  # the second time it is known how long it takes
    expect(window.locator(".cg-view")).to_have_attribute("data-phase", "done")
    form.get_by_role("spinbutton", name="number input for Steps").fill("60")
    demo.set_step_seconds(SLOW_SECONDS)
    press_generate(window)
    expect(window.locator(".cg-time")).to_contain_text("left")
    demo.kill()
    try:
        expect(window.locator(".cg-line")).to_have_text(NOT_RESPONDING)
        expect(window.locator(".cg-time")).to_be_empty()
        expect(window.locator(".cg-warnings")).to_be_hidden()
    finally:
        demo.start()


@pytest.mark.parametrize("size", [(1366, 650), (390, 844)], ids=["laptop", "phone"])
def test_a_failure_is_in_view_with_what_can_be_done(
    window: Page, app: RunningApp, size: tuple[int, int]
) -> None:
    window.set_viewport_size({"width": size[0], "height": size[1]})
    failure = fail(window, app, MEMORY, "128 × 128")
    for name in (".cg-headline", ".cg-smaller", ".cg-again", ".cg-details summary"):
        expect(failure.locator(name)).to_be_in_viewport(ratio=1)
    for name in (".cg-headline", ".cg-again", ".cg-details summary"):
        expect(failure.locator(name)).to_have_css("color", WHITE)  # on a dark ground, in light too
    window.set_viewport_size({"width": 1366, "height": 650})


def test_a_failure_is_a_headline_with_the_details_folded_away(
    window: Page, app: RunningApp
) -> None:
    failure = fail(window, app, "no luck today")
    expect(failure.locator(".cg-headline")).to_have_text("It could not be finished.")
    expect(failure.get_by_role("button", name="Try smaller")).to_be_hidden()
    expect(failure.locator(".cg-error")).to_be_hidden()
    failure.get_by_text("Details").click()
    expect(failure.locator(".cg-error")).to_contain_text("LabRaise (node 20) failed: no luck today")
    expect(window.locator(".cg-summary")).to_contain_text("not finished")


def test_another_try_takes_the_form_as_it_is_now(window: Page, app: RunningApp) -> None:
    failure = fail(window, app, "no luck")
    failure.get_by_text("Details").click()
    find_form(window).get_by_label("What do you want to see?").fill("an owl")
    token = window.locator(".cg-view").get_attribute("data-token")
    failure.get_by_role("button", name="Try again").click()
    await_other_job(window, token, "failed")
    assert find_order(app, window)["prompt"] == "an owl"
    expect(failure.locator(".cg-error")).to_be_hidden()


def test_another_try_goes_back_to_its_form(window: Page, app: RunningApp) -> None:
    failure = fail(window, app, "no luck")
    window.get_by_role("radio", name="Boxes").check()
    window.get_by_role("heading", name="Boxes").wait_for()
    token = window.locator(".cg-view").get_attribute("data-token")
    failure.get_by_role("button", name="Try again").click()
    await_other_job(window, token, "failed")
    expect(window.get_by_role("heading", name="Trouble")).to_be_visible()
    assert find_order(app, window)["trouble"] == "no luck"


def test_another_try_goes_back_to_its_form_in_a_list_too(
    window: Page, demo: DemoServer, tmp_path: Path
) -> None:
    presets = tmp_path / "presets"
    presets.mkdir()
    write_preset(presets, "trouble", TROUBLE, TROUBLE_GRAPH)
    write_preset(presets, "boxes", BOXES, TEXT_TO_IMAGE)
    for number in range(MAX_BUTTONS):
        (presets / f"other{number}.yaml").write_text(BOXES, encoding="utf-8")
    with run_app(demo.url, tmp_path / "outputs", presets) as app:
        failure = fail(window, app, MEMORY, "128 × 64")
        chooser = window.get_by_label("What would you like to do?")
        chooser.click()
        window.get_by_role("option", name="Boxes").first.click()
        window.get_by_role("heading", name="Boxes").wait_for()
        token = window.locator(".cg-view").get_attribute("data-token")
        failure.get_by_role("button", name="Try smaller").click()
        await_other_job(window, token, "failed")
        expect(window.get_by_role("heading", name="Trouble")).to_be_visible()
        expect(chooser).to_have_value("Trouble")
        expect(window).to_have_url(f"{app.url}?preset=trouble")
        expect(find_form(window).get_by_role("radio", name="64 × 64")).to_be_checked()


def test_what_is_too_large_is_tried_smaller_until_nothing_is(window: Page, app: RunningApp) -> None:
    failure = fail(window, app, MEMORY, "128 × 64")
    said = "The picture is too large for this graphics card."
    expect(failure.locator(".cg-headline")).to_have_text(said)
    token = window.locator(".cg-view").get_attribute("data-token")
    failure.get_by_role("button", name="Try smaller").click()
    await_other_job(window, token, "failed")
    expect(find_form(window).get_by_role("radio", name="64 × 64")).to_be_checked()
    assert parse_size(find_order(app, window)["size"]) == (64, 64)
    expect(failure.get_by_role("button", name="Try again")).to_be_visible()
    expect(failure.get_by_role("button", name="Try smaller")).to_be_hidden()


def test_nothing_is_tried_where_no_smaller_size_is_known(window: Page, app: RunningApp) -> None:
    failure = fail(window, app, MEMORY, "128 × 64")
    token = window.locator(".cg-view").get_attribute("data-token") or ""
    service = app.app.service
    job = service.queue.find(token)
    assert job is not None
    service.store.delete(job.id)
    service.queue.forget(token)
    failure.get_by_role("button", name="Try smaller").click()
    problem = find_form(window).locator(".block.cg-problem")
    expect(problem).to_contain_text("No smaller size is known for this picture")
    expect(find_form(window).get_by_role("radio", name="128 × 64")).to_be_checked()
    expect(window.locator(".cg-view")).to_have_attribute("data-token", token)


def unfold_settings(page: Page) -> None:
    """Unfold what is under *More settings*, and wait until it can be typed into."""
    form = find_form(page)
    form.get_by_text("More settings").click()
    form.get_by_label("Seed").wait_for()
    settle(page)


def test_an_error_goes_as_soon_as_its_field_changes(window: Page, app: RunningApp) -> None:
    form = open_form(window, app, "boxes")
    seed, note = form.get_by_label("Seed"), form.locator(".cg-note")
    unfold_settings(window)
    seed.fill("many")
    width = form.get_by_label("Picture size: width")
    width.fill("")
    width.blur()
    press_generate(window)
    wrong = form.locator("#cg-boxes-size .cg-field-error")
    expect(wrong).to_have_text("fill in both the width and the height, in whole pixels.")
    expect(note.locator("p")).to_have_count(2)
    expect(width).to_be_focused()
    width.fill("128")
    width.blur()
    expect(wrong).to_have_count(0)
    expect(note.locator("p")).to_have_count(1)
    expect(note).to_contain_text("Seed: use digits only")
    seed.fill("7")
    expect(form.locator(".cg-field-error")).to_have_count(0)
    expect(note).to_be_hidden()
    expect(form.locator("[aria-invalid]")).to_have_count(0)


def test_the_same_mistake_is_told_again(window: Page, app: RunningApp) -> None:
    form = open_form(window, app, "boxes")
    unfold_settings(window)
    seed, error = form.get_by_label("Seed"), form.locator("#cg-boxes-seed .cg-field-error")
    for _ in range(2):
        seed.fill("many")
        press_generate(window)
        expect(error).to_have_count(1)
        expect(seed).to_be_focused()
        seed.fill("m")
        expect(error).to_have_count(0)


def test_a_wrong_field_that_is_folded_away_is_unfolded(window: Page, app: RunningApp) -> None:
    form = open_form(window, app, "boxes")
    seed = form.get_by_label("Seed")
    unfold_settings(window)
    seed.fill("many")
    form.get_by_text("More settings").click()
    expect(seed).to_be_hidden()
    press_generate(window)
    expect(seed).to_be_focused()
    expect(form.locator("#cg-boxes-seed .cg-field-error")).to_be_visible()


def test_a_picture_that_was_missing_is_added(window: Page, app: RunningApp, tmp_path: Path) -> None:
    form = open_form(window, app, "inpaint")
    press_generate(window)
    error = form.locator(".cg-field-error")
    expect(error).to_contain_text("add a picture")
    form.locator(".cg-mask").hover()
    settle(window)
    expect(error).to_contain_text("add a picture")
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    form.locator("#cg-inpaint-picture input[type=file]").first.set_input_files(picture)
    expect(error).to_have_count(0)
    expect(form.locator(".cg-note")).to_be_hidden()
