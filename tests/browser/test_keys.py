"""What the keyboard does, and what is said to those who do not see the page.

One page for all tests, of a visitor whose browser is German.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.demo import DemoServer
from comfygradio.jobs.job import Job
from comfygradio.settings import shipped_presets
from tests.browser.conftest import QUICK_SECONDS
from tests.browser.contrast import find_contrast
from tests.browser.settling import find_form, settle, write_prompt
from tests.chromium import PATIENCE_MS
from tests.clocks import ShiftedClock
from tests.jobs.lines import wait
from tests.ui.running import RunningApp, occupy_server, run_app, stop_all

pytestmark = pytest.mark.browser

FROZEN_SECONDS = 3600.0
"""The pace of a picture that stays as it is until the test goes on."""

LAPTOP = ViewportSize(width=1366, height=650)
PHONE = ViewportSize(width=390, height=844)

PROMPT = "What do you want to see?"

COUNT_PRESSES = """() => {
  window.presses = 0;
  document.addEventListener("click", ({ target }) => {
    if (target.closest(".cg-generate")) window.presses++;
  });
}"""

RECORD_SAID = """() => {
  window.said = [];
  const node = document.querySelector(".cg-said");
  new MutationObserver(() => window.said.push(node.textContent))
    .observe(node, { childList: true });
}"""

COMPOSE = """(node, key) => {
  const pressed = { key, ctrlKey: key === "Enter", isComposing: true, bubbles: true };
  node.dispatchEvent(new KeyboardEvent("keydown", pressed));
}"""
"""A key of somebody who is choosing letters of Chinese, say."""

OPEN_DIALOG = """() => {
  const dialog = Object.assign(document.createElement("div"), { className: "test-dialog" });
  dialog.setAttribute("role", "dialog");
  dialog.textContent = "What Gradio opens, say how programs use the page.";
  document.body.append(dialog);
}"""

SELECT = "(field, [start, end]) => field.setSelectionRange(start, end)"

SELECTED = "field => field.value.slice(field.selectionStart, field.selectionEnd)"

READ_RING = """node => {
  const style = getComputedStyle(node);
  const ground = getComputedStyle(document.body).backgroundColor;
  const inside = style.backgroundColor;
  const isThere = style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
  const colors = [style.outlineColor, ground, inside];
  return isThere ? colors.map((color) => color.match(/\\d+/g).slice(0, 3).map(Number)) : null;
}"""


@pytest.fixture(scope="module")
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture(scope="module")
def app(
    demo: DemoServer, clock: ShiftedClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """With a further preset, whose size is typed."""
    presets = tmp_path_factory.mktemp("keys") / "presets"
    shutil.copytree(shipped_presets(), presets)
    text = (presets / "text_to_image.yaml").read_text(encoding="utf-8")
    text = text.replace(", choices: [512x512, 768x512, 512x768, 1024x1024]", "")
    text = text.replace("slot: 6.text,", "slot: 6.text, embeddings: true,")
    (presets / "text_to_image.yaml").write_text(text, encoding="utf-8")
    fields = text.split("examples:")[0].replace("order: 1", "order: 9")
    free = fields.replace("title: Text to image", "title: Any size")
    (presets / "any_size.yaml").write_text(free, encoding="utf-8")
    outputs = tmp_path_factory.mktemp("outputs")
    with run_app(demo.url, outputs, presets, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def window(browser: Browser, app: RunningApp) -> Iterator[Page]:
    """Errors of the page's scripts and breaches of its policy fail the test that comes last."""
    context = browser.new_context(viewport=LAPTOP, locale="de-DE", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(f"Error: {error}"))
    page.goto(app.url)
    page.get_by_role("button", name="Generate").wait_for()
    settle(page)
    page.evaluate(COUNT_PRESSES)
    page.evaluate(RECORD_SAID)
    yield page
    context.close()
    assert [line for line in said if "Content Security Policy" in line or "Error:" in line] == []


@pytest.fixture
def page(window: Page, app: RunningApp, demo: DemoServer, clock: ShiftedClock) -> Iterator[Page]:
    """The page while nothing runs, with the cursor in the prompt."""
    clock.ahead_seconds = 0.0
    window.evaluate("() => { window.presses = 0; window.said.length = 0; }")
    find_prompt(window).focus()
    yield window
    stop_all(app.app.service)
    demo.set_step_seconds(QUICK_SECONDS)
    expect(window.locator(".cg-progress")).to_be_hidden()


def find_prompt(page: Page) -> Locator:
    return find_form(page).get_by_label(PROMPT)


def find_generate(page: Page) -> Locator:
    return find_form(page).get_by_role("button", name="Generate")


def find_question(page: Page) -> Locator:
    return page.get_by_role("group", name="would be lost")


def expect_focus(node: Locator) -> None:
    """Wait until the keyboard is there."""
    expect(node).to_be_focused()


def wait_for_phase(page: Page, phase: str) -> None:
    expect(page.locator(".cg-view")).to_have_attribute("data-phase", phase)


def find_job(page: Page, app: RunningApp) -> Job:
    """The job that the page shows."""
    token = page.locator(".cg-view").get_attribute("data-token")
    job = app.app.service.queue.find(token or "")
    assert job is not None
    return job


def generate(page: Page, app: RunningApp, place: Locator, key: str = "Control+Enter") -> Job:
    """Generate by the keyboard, and wait until that job is done."""
    old = page.locator(".cg-view").get_attribute("data-token")
    place.press(key)
    page.wait_for_function(
        """old => {
          const { token, phase } = document.querySelector(".cg-view").dataset;
          return token !== old && phase === "done";
        }""",
        arg=old,
    )
    return find_job(page, app)


def begin(page: Page, app: RunningApp, demo: DemoServer) -> Job:
    """Generate by the keyboard; the job runs until the test goes on."""
    demo.set_step_seconds(FROZEN_SECONDS)
    write_prompt(page)
    find_prompt(page).focus()
    page.keyboard.press("Control+Enter")
    wait_for_phase(page, "running")
    job = find_job(page, app)
    wait(job, lambda snapshot: job.running_since is not None)
    return job


def await_message(page: Page) -> None:
    """Wait until the page has painted how its job is now: a message that was on its way, and one
    that was written after that.
    """
    for _ in range(2):
        with page.expect_request(lambda request: "painted=" in request.url):
            pass


def count_presses(page: Page) -> int:
    count: int = page.evaluate("window.presses")
    return count


def test_ctrl_enter_generates_from_wherever_the_keyboard_is(page: Page, app: RunningApp) -> None:
    prompt = find_prompt(page)
    places = [
        (prompt, "Control+Enter"),
        (find_form(page).get_by_label("Seed"), "Meta+Enter"),
        (page.get_by_role("combobox", name="Add a style word").first, "Control+Enter"),
        (page.get_by_role("region", name="Your picture"), "Control+Enter"),
    ]
    for number, (place, key) in enumerate(places, 1):
        words = f"a lighthouse, number {number}"
        prompt.fill(words)
        place.focus()
        job = generate(page, app, place, key)
        assert job.order.values["prompt"] == words
        assert count_presses(page) == number
        expect_focus(place)
    expect(prompt).to_have_value(words)


def test_ctrl_enter_takes_what_was_typed_last(page: Page, app: RunningApp) -> None:
    page.get_by_role("radio", name="Any size").check()
    page.get_by_role("heading", name="Any size").wait_for()
    settle(page)
    width = find_form(page).get_by_label("Picture size: width")
    width.press("Control+a")
    width.press_sequentially("256")
    write_prompt(page)
    assert generate(page, app, width).order.values["size"] == "256x512"
    page.get_by_role("radio", name="Text to image").check()
    page.get_by_role("heading", name="Text to image").wait_for()


def test_ctrl_enter_does_nothing_while_something_else_is_open(page: Page) -> None:
    prompt = find_prompt(page)
    prompt.evaluate(COMPOSE, "Enter")
    page.get_by_role("link", name="History").click()
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="Back to the forms").click()
    page.evaluate(OPEN_DIALOG)
    prompt.press("Control+Enter")
    page.evaluate("document.querySelector('.test-dialog').remove()")
    find_generate(page).evaluate("button => { button.disabled = true; }")
    prompt.press("Control+Enter")
    find_generate(page).evaluate("button => { button.disabled = false; }")
    assert count_presses(page) == 0


def test_escape_leaves_a_list_first_then_stops(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    job = begin(page, app, demo)
    line = page.locator(".cg-line")
    box = find_form(page).get_by_role("combobox", name="Add a style word").first
    box.focus()
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(line).not_to_have_text("Stopping")
    find_form(page).get_by_role("button", name="Model: ").click()
    page.get_by_role("combobox", name="Search").press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(line).not_to_have_text("Stopping")
    prompt = find_prompt(page)
    prompt.focus()
    prompt.evaluate(COMPOSE, "Escape")
    expect(line).not_to_have_text("Stopping")
    assert not job.stop_requested.is_set()
    prompt.press("Escape")
    wait_for_phase(page, "stopped")
    expect_focus(prompt)
    assert job.stop_requested.is_set()


def test_escape_asks_once_where_more_than_a_minute_would_be_lost(
    page: Page, app: RunningApp, demo: DemoServer, clock: ShiftedClock
) -> None:
    job = begin(page, app, demo)
    clock.ahead_seconds = 80.0
    wait(job, lambda snapshot: snapshot.seconds > 60)
    await_message(page)
    prompt, question = find_prompt(page), find_question(page)
    prompt.press("Escape")
    # Eighty seconds, and what a busy machine took until now.
    expect(question).to_contain_text(re.compile(r"Stop\? [1-9] min \d"))
    expect_focus(question.get_by_role("button", name="Stop"))
    expect(page.locator(".cg-line")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect_focus(prompt)
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Go on").click()
    expect(question).to_be_hidden()
    expect_focus(prompt)
    assert not job.stop_requested.is_set()
    page.keyboard.press("Escape")
    expect(question).to_be_visible()
    page.keyboard.press("Enter")
    wait_for_phase(page, "stopped")
    expect(question).to_be_hidden()
    expect_focus(prompt)


def test_the_question_goes_with_its_job(
    page: Page, app: RunningApp, demo: DemoServer, clock: ShiftedClock
) -> None:
    job = begin(page, app, demo)
    clock.ahead_seconds = 80.0
    wait(job, lambda snapshot: snapshot.seconds > 60)
    await_message(page)
    page.keyboard.press("Escape")
    expect(find_question(page)).to_be_visible()
    demo.set_step_seconds(0)
    wait_for_phase(page, "done")
    expect(find_question(page)).to_be_hidden()
    expect_focus(find_prompt(page))


def test_the_keyboard_stays_where_it_belongs(page: Page, app: RunningApp, demo: DemoServer) -> None:
    generate, stop = find_generate(page), page.get_by_role("button", name="Stop", exact=True)
    demo.set_step_seconds(FROZEN_SECONDS)
    generate.focus()
    page.keyboard.press("Enter")
    wait_for_phase(page, "running")
    expect_focus(generate)
    stop.focus()
    page.keyboard.press("Enter")
    wait_for_phase(page, "stopped")
    expect_focus(page.get_by_role("region", name="Your picture"))
    page.keyboard.press("Shift+Tab")
    expect_focus(page.get_by_role("button", name="New models? Look again"))


def test_on_a_phone_the_keyboard_goes_from_generate_to_stop(page: Page, demo: DemoServer) -> None:
    page.set_viewport_size(PHONE)
    demo.set_step_seconds(FROZEN_SECONDS)
    find_generate(page).focus()
    page.keyboard.press("Enter")
    wait_for_phase(page, "running")
    expect_focus(page.get_by_role("button", name="Stop", exact=True))
    page.keyboard.press("Enter")
    wait_for_phase(page, "stopped")
    expect_focus(page.get_by_role("region", name="Your picture"))
    page.set_viewport_size(LAPTOP)


WEIGHED = (
    ("a red fox", (9, 9), "ArrowUp", "a red (fox:1.05)"),
    ("a (red fox:1.05)", (5, 5), "ArrowUp", "a (red fox:1.1)"),
    ("a (red fox:1.05)", (5, 5), "ArrowDown", "a red fox"),
    ("a (red fox:1.05)", (3, 10), "ArrowUp", "a ((red fox:1.05):1.05)"),
    ("a (red) fox", (3, 6), "ArrowDown", "a (red:0.95) fox"),
    ("a red fox ", (2, 10), "ArrowUp", "a (red fox:1.05) "),
    ("(a) and (b)", (0, 11), "ArrowUp", "((a) and (b):1.05)"),
    ("(a:1.15), (b:0.3)", (2, 2), "ArrowUp", "(a:1.2), (b:0.3)"),
    ("((a:1.1) b:1.2)", (10, 10), "ArrowUp", "((a:1.1) b:1.25)"),
    (r"fox \(animal\)", (8, 8), "ArrowUp", r"fox \((animal:1.05)\)"),
    (", ", (1, 1), "ArrowUp", ", "),
)
"""A text, what is selected in it, the key, and what comes of it."""


def test_the_words_under_the_cursor_are_weighed(page: Page, app: RunningApp) -> None:
    prompt = find_prompt(page)
    for text, selected, key, weighed in WEIGHED:
        prompt.fill(text)
        prompt.evaluate(SELECT, list(selected))
        prompt.press(f"Control+{key}")
        expect(prompt, text).to_have_value(weighed)


def test_weighing_can_go_on_be_undone_and_is_what_is_painted(page: Page, app: RunningApp) -> None:
    prompt = find_prompt(page)
    prompt.fill("a red fox")
    prompt.press("End")
    for weighed in ("a red (fox:1.05)", "a red (fox:1.1)"):
        prompt.press("Control+ArrowUp")
        expect(prompt).to_have_value(weighed)
    prompt.press("y")
    expect(prompt).to_have_value("a red (foxy:1.1)")
    for before in ("a red (fox:1.1)", "a red (fox:1.05)", "a red fox"):
        prompt.press("Control+z")
        expect(prompt).to_have_value(before)
    prompt.evaluate(SELECT, [2, 5])
    for weighed in ("a (red:0.95) fox", "a (red:0.9) fox"):
        prompt.press("Meta+ArrowDown")
        expect(prompt).to_have_value(weighed)
    assert prompt.evaluate(SELECTED) == "(red:0.9)"
    job = generate(page, app, prompt)
    assert job.order.values["prompt"] == "a (red:0.9) fox"

    seed = find_form(page).get_by_label("Seed")
    seed.fill("12")
    seed.press("Control+ArrowUp")
    expect(seed).to_have_value("12")
    seed.fill("")


def test_progress_is_said_begun_each_quarter_and_ended(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    demo.set_step_seconds(FROZEN_SECONDS)
    occupy_server(app.app.service)
    write_prompt(page)
    page.keyboard.press("Control+Enter")
    wait_for_phase(page, "waiting")
    job = find_job(page, app)
    for percent in (5, 26, 30, 55, 80):  # by hand: nobody else tells how a job in line is
        state = PromptProgress(prompt_id="", status="running", progress=percent / 100)
        job.update(phase="running", state=state)
        expect(page.locator(".cg-bar")).to_have_attribute("aria-valuenow", str(percent))
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").get_by_text("Stopped early.")).to_be_attached()
    stop_all(app.app.service)
    begin(page, app, demo)
    demo.set_step_seconds(0)
    wait_for_phase(page, "done")
    expect(page.get_by_role("status").get_by_text("The picture is ready.")).to_be_attached()
    said = page.evaluate("window.said")
    assert said[:7] == [
        "Waiting in line.",
        "Started.",
        "25 percent.",
        "50 percent.",
        "75 percent.",
        "Stopped early.",
        "Started.",
    ]
    assert said[-1] == "The picture is ready."
    assert said.count("The picture is ready.") == 1


def test_pictures_say_what_they_are(page: Page, app: RunningApp) -> None:
    find_prompt(page).fill("a red fox")
    generate(page, app, find_prompt(page))
    expect(page.locator(".cg-card img")).to_have_attribute("alt", "a red fox")
    find_form(page).get_by_text("More settings").click()
    count = find_form(page).get_by_label("How many pictures").first
    count.wait_for()
    settle(page)
    page.get_by_role("spinbutton", name="number input for How many pictures").fill("2")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_alt_text("a red fox, picture 1 of 2")).to_be_visible()
    expect(page.get_by_alt_text("a red fox, picture 2 of 2")).to_be_visible()
    page.get_by_role("spinbutton", name="number input for How many pictures").fill("1")
    find_form(page).get_by_text("More settings").click()


def test_the_page_has_one_first_heading_and_says_that_it_is_english(page: Page) -> None:
    assert page.evaluate("navigator.language") == "de-DE"
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.get_by_role("link", name="Back to the forms").click()


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_the_box_with_the_keyboard_can_be_seen(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.wait_for_function(
        "isDark => document.body.classList.contains('dark') === isDark", arg=scheme == "dark"
    )
    for name in (PROMPT, "Seed"):
        box = find_form(page).get_by_label(name)
        box.focus()
        colors = box.evaluate(READ_RING)
        assert colors is not None, name
        ring, ground, inside = colors
        assert find_contrast(ring, ground) >= 3, name
        assert find_contrast(ring, inside) >= 3, name
