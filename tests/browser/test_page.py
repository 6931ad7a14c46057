"""What a person does on the page, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from comfygradio.demo import DemoServer
from tests.browser.conftest import SLOW_SECONDS
from tests.browser.settling import set_steps, write_prompt
from tests.ui.running import RunningApp

pytestmark = pytest.mark.browser

PROMPT = "What do you want to see?"


ENDLESS = (
    "document.getAnimations().filter((one) => one.effect.getTiming().iterations === "
    "Infinity).length"
)


def start(page: Page, prompt: str, steps: int = 20) -> None:
    """Type a prompt and press Generate."""
    page.get_by_label(PROMPT).fill(prompt)
    if steps != 20:
        set_steps(page, steps)
    page.get_by_role("button", name="Generate").click()


def frame_source(page: Page) -> str | None:
    """The address of the preview that is shown."""
    return page.locator("img.cg-frame").get_attribute("src")


def wait_for_frame(page: Page, other_than: str | None = None) -> str:
    """Wait until a preview is shown that is another one."""
    page.wait_for_function(
        "old => { const f = document.querySelector('img.cg-frame'); return f && !f.hidden && "
        "f.src && f.src !== old; }",
        arg=other_than,
    )
    return frame_source(page) or ""


def wait_for_result(page: Page) -> None:
    """Wait until a finished picture is shown."""
    page.wait_for_function(
        "() => { const i = document.querySelector('.cg-card img'); return i && i.complete && "
        "i.naturalWidth > 0; }"
    )


def test_generate_shows_previews_then_the_picture_and_stop_ends_a_second_run(
    page: Page, slow: DemoServer
) -> None:
    start(page, "a lighthouse at dusk")
    first = wait_for_frame(page)
    second = wait_for_frame(page, first)
    assert second != first
    slow.set_step_seconds(0)
    wait_for_result(page)
    expect(page.locator(".cg-summary")).to_contain_text(
        re.compile(r"Text to image · in .+ · seed \d+")
    )
    expect(page.locator("img.cg-frame")).to_be_hidden()

    slow.set_step_seconds(SLOW_SECONDS)
    start(page, "a fox", steps=60)
    wait_for_frame(page)
    assert page.evaluate(ENDLESS) == 0, (
        "previews show that it goes on; an animation behind them only costs"
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".cg-summary")).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Generate")).to_be_enabled()
    assert httpx.get(f"{slow.url}/queue").json()["queue_running"] == []


def test_the_download_is_the_original_file(page: Page) -> None:
    start(page, "a lake")
    wait_for_result(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(b"\x89PNG") and b"comfygradio" in data


def test_a_reload_shows_the_running_job_again(page: Page, slow: DemoServer) -> None:
    start(page, "a mountain", steps=80)
    wait_for_frame(page)
    page.reload()
    wait_for_frame(page)
    slow.set_step_seconds(0)
    wait_for_result(page)
    page.reload()
    wait_for_result(page)


def test_a_new_tab_shows_the_running_job(
    page: Page, context: BrowserContext, app: RunningApp, slow: DemoServer
) -> None:
    start(page, "a river", steps=80)
    wait_for_frame(page)
    other = context.new_page()
    other.goto(app.url)
    wait_for_frame(other)
    slow.set_step_seconds(0)
    wait_for_result(other)


def test_a_hidden_tab_lets_go_and_shows_the_end_when_it_comes_back(
    page: Page, slow: DemoServer
) -> None:
    start(page, "a forest", steps=40)
    wait_for_frame(page)
    set_hidden(page, True)
    slow.set_step_seconds(0)
    page.wait_for_function("() => document.title.includes('✓')")
    set_hidden(page, False)
    wait_for_result(page)


def test_a_refused_value_is_explained_under_the_button(page: Page) -> None:
    page.get_by_label("Seed").fill("many")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".block.cg-problem")).to_contain_text(
        "Seed: use digits only, or leave it empty."
    )
    page.get_by_label("Seed").fill("18446744073709551615")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    wait_for_result(page)
    expect(page.locator(".cg-summary")).to_contain_text("seed 18446744073709551615")
    expect(page.locator(".block.cg-problem")).to_have_text("")


def test_the_seed_that_was_used_can_be_kept_and_let_go(page: Page) -> None:
    start(page, "a field")
    wait_for_result(page)
    page.get_by_role("button", name="Keep this seed").click()
    kept = page.get_by_label("Seed").input_value()
    assert kept.isdigit() and f"seed {kept}" in page.locator(".cg-summary").inner_text()
    page.get_by_role("button", name="A new seed every time").click()
    expect(page.get_by_label("Seed")).to_have_value("")


def test_a_result_leads_to_another_one_and_to_a_form(page: Page) -> None:
    start(page, "a harbour")
    wait_for_result(page)
    first = page.locator(".cg-summary").inner_text()
    star = page.get_by_role("button", name="Favourite")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_label(PROMPT).fill("typed meanwhile")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator(".cg-summary")).not_to_have_text(first)
    wait_for_result(page)
    # It is another job, and the form was left alone.
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_label(PROMPT)).to_have_value("typed meanwhile")
    page.get_by_label("Use this picture in a form").select_option(label="Enlarge")
    expect(page.get_by_role("heading", name="Enlarge")).to_be_visible()
    expect(page.locator("#cg-panel-upscale img[src*='comfygradio-history']")).to_be_visible()
    expect(page.locator(".cg-toast")).to_have_text("The picture is in the form.")


def test_the_address_names_the_preset_and_back_returns(page: Page, app: RunningApp) -> None:
    page.get_by_label(PROMPT).fill("kept while away")
    page.get_by_text("Enlarge").first.click()
    expect(page.get_by_role("heading", name="Enlarge")).to_be_visible()
    assert "preset=upscale" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Text to image")).to_be_visible()
    expect(page.get_by_label(PROMPT)).to_have_value("kept while away")
    page.goto(f"{app.url}?preset=image_to_image")
    expect(page.get_by_role("heading", name="Change a picture")).to_be_visible()


def test_an_example_fills_the_form(page: Page) -> None:
    page.get_by_role("button", name="Fox").click()
    expect(page.get_by_label(PROMPT)).to_have_value(re.compile("fox in a knitted scarf"))
    expect(page.get_by_role("radio", name="512 × 768")).to_be_checked()


def set_hidden(page: Page, hidden: bool) -> None:
    """Make the page believe that its tab is in the background, or in front again."""
    page.evaluate(
        """hidden => {
          const state = hidden ? "hidden" : "visible";
          Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
          const visibility = { get: () => state, configurable: true };
          Object.defineProperty(document, "visibilityState", visibility);
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
