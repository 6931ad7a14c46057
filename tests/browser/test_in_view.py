"""Generate, the progress and the whole picture are in view without scrolling: on a laptop and on a
phone, in each state of a job, in light and in dark.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, ViewportSize, expect

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.browser.conftest import QUICK_SECONDS, SLOW_SECONDS
from tests.browser.contrast import find_contrast
from tests.browser.settling import find_form, settle, write_prompt
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, occupy_server, run_app, stop_all

pytestmark = pytest.mark.browser

FROZEN_SECONDS = 3600.0
"""The pace of a picture that stays as it is until the test goes on."""

LAPTOPS = (ViewportSize(width=1366, height=650), ViewportSize(width=1280, height=900))
PHONES = (ViewportSize(width=390, height=844), ViewportSize(width=320, height=640))

FINGER = 44
"""The least height of what a finger shall hit, in pixels."""

FIND_MISSING = """names => {
  const isShown = (node) => node.checkVisibility();
  const bars = [...document.querySelectorAll(".cg-dock, .cg-progress")].filter(
    (bar) => isShown(bar) && getComputedStyle(bar).position === "fixed");
  const floor = Math.min(innerHeight, ...bars.map((bar) => bar.getBoundingClientRect().top));
  const isMissing = (name) => {
    const node = [...document.querySelectorAll(name)].find(isShown);
    if (!node) return true;
    const box = node.getBoundingClientRect();
    const isPartOfBar = node.matches(".cg-turn") || bars.some((bar) => bar.contains(node));
    const lowest = isPartOfBar ? innerHeight : floor;
    const isInside = box.top >= 0 && box.left >= 0 && box.right <= innerWidth + 0.5
      && box.bottom <= lowest + 0.5;
    if (!isInside || !box.height || !box.width) return true;
    if (node.tagName === "IMG") {
      const isWhole = getComputedStyle(node).objectFit === "contain";
      const isLarge = box.height > 0.35 * innerHeight || box.width > 0.8 * innerWidth;
      if (!isWhole || !isLarge) return true;
    }
    const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    const isFree = node.contains(hit) || (hit !== document.body && hit.contains(node));
    return !isFree;
  };
  return names.filter(isMissing);
}"""
"""The selectors of which nothing is wholly in view and free: neither below the window nor under the
bar, and a picture not cut and not tiny."""

IS_PREVIEW = """() => {
  const frame = document.querySelector("img.cg-frame");
  return frame && !frame.hidden && frame.naturalWidth > 0;
}"""

IS_RESULT = """() => {
  const image = document.querySelector(".cg-card img");
  return image && image.naturalWidth > 0 && document.querySelector("img.cg-frame").hidden;
}"""

IS_AT_TOP = """() => {
  const top = document.querySelector("#cg-side").getBoundingClientRect().top;
  return top >= 0 && top < 20;
}"""

COVERS_MASK = """() => {
  const mask = document.querySelector(".cg-mask").getBoundingClientRect();
  return [...document.querySelectorAll(".cg-dock, .cg-progress, .cg-turn")].some((bar) => {
    const box = bar.getBoundingClientRect();
    return bar.checkVisibility() && box.top < mask.bottom && box.bottom > mask.top;
  });
}"""

READ_COLORS = """async (name) => {
  const node = [...document.querySelectorAll(name)].find((one) => one.checkVisibility());
  await Promise.all(node.getAnimations().map((fading) => fading.finished));
  const isClear = (one) => getComputedStyle(one).backgroundColor === "rgba(0, 0, 0, 0)";
  let ground = node;
  while (isClear(ground)) ground = ground.parentElement;
  const colors = [getComputedStyle(node).color, getComputedStyle(ground).backgroundColor];
  return colors.map((color) => color.match(/\\d+/g).slice(0, 3).map(Number));
}"""

SET_SEED = """text => {
  const box = document.querySelector("#cg-text_to_image-seed :is(textarea, input)");
  const kind = Object.getPrototypeOf(box);
  Object.getOwnPropertyDescriptor(kind, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}"""
"""Types without bringing the field into view, as `fill` would."""

SHOW_KEYBOARD = """height => {
  Object.defineProperty(visualViewport, "height", { get: () => height, configurable: true });
  visualViewport.dispatchEvent(new Event("resize"));
}"""
"""Makes the page believe that a keyboard leaves so much of its window."""

READ_FONT_SIZES = """() => {
  const fields = document.querySelectorAll("#cg-form :is(textarea, input:not([type=range]))");
  const shown = [...fields].filter((field) => field.checkVisibility());
  return shown.map((field) => parseFloat(getComputedStyle(field).fontSize));
}"""

FIND_SMALL = """finger => {
  const all = [...document.querySelectorAll(
    ".cg-nav a, #cg-form button, #cg-form summary, #cg-chooser label, .cg-panel fieldset label")];
  const isSmall = (one) => one.checkVisibility() && one.getBoundingClientRect().height < finger;
  return all.filter(isSmall).map((one) => one.outerHTML);
}"""

FIND_MOVING = """() => {
  const all = [...document.querySelectorAll("*")];
  const isMoving = (one) => parseFloat(getComputedStyle(one).transitionDuration) > 0;
  return all.filter(isMoving).map((one) => one.className);
}"""


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The presets that ship, and one that fails when its picture is painted."""
    folder = tmp_path_factory.mktemp("in_view") / "presets"
    shutil.copytree(shipped_presets(), folder)
    graph = json.loads((folder / "text_to_image.json").read_text(encoding="utf-8"))
    save = next(node for node in graph.values() if node["class_type"] == "SaveImage")
    message = "CUDA out of memory. Tried to allocate 2.00 GiB; 1.50 GiB are free. " * 2
    graph["20"] = {
        "class_type": "LabRaise",
        "inputs": {"message": message, "value": save["inputs"]["images"]},
    }
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
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), presets) as running:
        yield running


@pytest.fixture(autouse=True)
def rest(demo: DemoServer, app: RunningApp) -> Iterator[None]:
    """Leave nothing running to the next test."""
    yield
    stop_all(app.app.service)
    demo.set_step_seconds(QUICK_SECONDS)


def open_window(browser: Browser, *, is_phone: bool) -> Iterator[Page]:
    """A page of its own for all tests of a kind; errors of its scripts and breaches of its policy
    fail the test that comes last.
    """
    context = browser.new_context(
        viewport=PHONES[0] if is_phone else LAPTOPS[0],
        has_touch=is_phone,
        is_mobile=is_phone,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(f"Error: {error}"))
    yield page
    context.close()
    assert [line for line in said if "Content Security Policy" in line or "Error:" in line] == []


@pytest.fixture(scope="module")
def laptop_window(browser: Browser) -> Iterator[Page]:
    yield from open_window(browser, is_phone=False)


@pytest.fixture(scope="module")
def phone_window(browser: Browser) -> Iterator[Page]:
    yield from open_window(browser, is_phone=True)


@pytest.fixture
def laptop(laptop_window: Page, app: RunningApp) -> Page:
    """The page on a laptop, as somebody sees it who comes for the first time."""
    return come_anew(laptop_window, app.url)


@pytest.fixture
def phone(phone_window: Page, app: RunningApp) -> Page:
    """The same on a phone."""
    return come_anew(phone_window, app.url)


def come_anew(page: Page, address: str) -> Page:
    """Open the page as a browser does that has never been there."""
    page.context.clear_cookies()
    if page.url.startswith("http"):
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.goto("about:blank")
    page.goto(address)
    page.get_by_role("button", name="Generate").wait_for()
    settle(page)
    return page


def press_generate(page: Page) -> None:
    write_prompt(page)
    find_form(page).get_by_role("button", name="Generate").click()


def wait_for_phase(page: Page, phase: str) -> None:
    expect(page.locator(".cg-view")).to_have_attribute("data-phase", phase)


def expect_in_view(page: Page, *names: str) -> None:
    """Wait until all of this is in view, first in light and then in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.wait_for_function(
            "isDark => document.body.classList.contains('dark') === isDark", arg=scheme == "dark"
        )
        try:
            page.wait_for_function(
                f"names => !({FIND_MISSING})(names).length", arg=list(names), timeout=30_000
            )
        except TimeoutError:
            missing = page.evaluate(FIND_MISSING, list(names))
            size = page.viewport_size
            pytest.fail(f"not in view at {size}, {scheme}: {', '.join(missing)}")


def expect_on_laptops(page: Page, *names: str) -> None:
    """The same on each laptop, without scrolling."""
    for size in LAPTOPS:
        page.set_viewport_size(size)
        expect_in_view(page, *names)
        assert page.evaluate("scrollY") == 0


def read_height(page: Page, selector: str) -> float:
    box = page.locator(selector).filter(visible=True).bounding_box()
    assert box is not None
    return box["height"]


def wait_in_line(page: Page, app: RunningApp, demo: DemoServer) -> None:
    """Press Generate while two jobs of somebody else are before it, and nothing goes on."""
    demo.set_step_seconds(FROZEN_SECONDS)
    occupy_server(app.app.service)
    press_generate(page)
    expect(page.locator(".cg-line")).to_contain_text("Waiting: 2 before you")


def let_others_go(page: Page, app: RunningApp, demo: DemoServer) -> None:
    """Stop the jobs of somebody else, and wait until the page's own has come to its first preview,
    where it stays.
    """
    demo.set_step_seconds(SLOW_SECONDS)
    queue = app.app.service.queue
    for job in queue.list_open("somebody"):
        queue.stop(job.token)
    hold_at_preview(page, demo)


def hold_at_preview(page: Page, demo: DemoServer) -> None:
    page.wait_for_function(IS_PREVIEW)
    demo.set_step_seconds(FROZEN_SECONDS)


def test_on_a_laptop_generate_and_the_picture_are_in_view_in_every_state(
    laptop: Page, app: RunningApp, demo: DemoServer
) -> None:
    always = (".cg-generate", ".cg-several")
    expect_on_laptops(laptop, *always, ".cg-stage")
    wait_in_line(laptop, app, demo)
    expect_on_laptops(laptop, *always, ".cg-stage", ".cg-bar", ".cg-line", ".cg-stop")
    let_others_go(laptop, app, demo)
    expect_on_laptops(laptop, *always, ".cg-frame", ".cg-bar", ".cg-line", ".cg-time", ".cg-stop")
    demo.set_step_seconds(0)
    laptop.wait_for_function(IS_RESULT)
    expect_on_laptops(laptop, *always, ".cg-card img", ".cg-save", ".cg-summary", ".cg-reuse")

    laptop.get_by_role("radio", name="512 × 768").check()
    demo.set_step_seconds(SLOW_SECONDS)
    press_generate(laptop)
    hold_at_preview(laptop, demo)
    expect_on_laptops(laptop, *always, ".cg-frame", ".cg-stop")
    laptop.get_by_role("button", name="Stop").click()
    wait_for_phase(laptop, "stopped")
    laptop.wait_for_function(IS_RESULT)
    expect_on_laptops(laptop, *always, ".cg-card img", ".cg-summary")

    demo.set_step_seconds(0)
    laptop.get_by_role("radio", name="Broken").check()
    laptop.get_by_role("heading", name="Broken").wait_for()
    settle(laptop)
    press_generate(laptop)
    wait_for_phase(laptop, "failed")
    failure = (".cg-headline", ".cg-again", ".cg-details summary")
    expect_on_laptops(laptop, *always, ".cg-stage", *failure, ".cg-summary")
    laptop.get_by_text("Details").click()
    expect_on_laptops(laptop, *always, ".cg-error", ".cg-summary")


def test_on_a_laptop_both_stay_while_the_form_is_scrolled(laptop: Page) -> None:
    laptop.set_viewport_size(LAPTOPS[0])
    press_generate(laptop)
    laptop.wait_for_function(IS_RESULT)
    form = find_form(laptop)
    form.get_by_text("More settings").click()
    form.get_by_label("Scheduler").wait_for()
    for scroll in (0, 200, 400):
        laptop.evaluate("top => scrollTo(0, top)", scroll)
        expect_in_view(laptop, ".cg-generate", ".cg-card img")
        assert laptop.evaluate("scrollY") == scroll


def test_on_a_laptop_a_refusal_is_told_in_view(laptop: Page) -> None:
    laptop.set_viewport_size(LAPTOPS[0])
    laptop.evaluate(SET_SEED, "many")
    press_generate(laptop)
    seed = "#cg-text_to_image-seed :is(textarea, input)"
    expect_in_view(laptop, ".cg-note", ".cg-generate", seed, ".cg-field-error")


@pytest.mark.parametrize("size", PHONES, ids=("390", "320"))
def test_on_a_phone_the_bar_shows_generate_then_the_progress(
    phone: Page, app: RunningApp, demo: DemoServer, size: ViewportSize
) -> None:
    phone.set_viewport_size(size)
    edit, stop = phone.get_by_role("button", name="Edit"), phone.get_by_role("button", name="Stop")
    expect_in_view(phone, ".cg-generate")
    expect(edit).to_be_hidden()
    assert read_height(phone, ".cg-generate") >= FINGER

    write_prompt(phone)
    # While something is written, Generate is not in the bar.
    phone.evaluate("document.activeElement.blur()")
    phone.evaluate("scrollTo(0, 60)")
    wait_in_line(phone, app, demo)
    phone.wait_for_function(IS_AT_TOP)
    expect_in_view(phone, ".cg-stage", ".cg-line", ".cg-stop", ".cg-turn")
    expect(find_form(phone).locator(".cg-generate")).to_be_hidden()
    shine = "getComputedStyle(document.querySelector('.cg-stage'), '::before').animationName"
    assert phone.evaluate(shine) == "none"
    for selector in (".cg-stop", ".cg-turn"):
        assert read_height(phone, selector) >= FINGER

    let_others_go(phone, app, demo)
    expect_in_view(phone, ".cg-frame", ".cg-line", ".cg-time", ".cg-stop", ".cg-turn")
    expect(phone.locator(".cg-time")).to_contain_text("%")
    edit.click()
    phone.wait_for_function("() => scrollY === 60")
    expect_in_view(phone, ".cg-turn")
    phone.get_by_role("button", name="Picture", exact=True).click()
    phone.wait_for_function(IS_AT_TOP)

    demo.set_step_seconds(0)
    phone.wait_for_function(IS_RESULT)
    expect_in_view(phone, ".cg-card img", ".cg-summary", ".cg-generate", ".cg-turn")
    demo.set_step_seconds(SLOW_SECONDS)
    press_generate(phone)
    hold_at_preview(phone, demo)
    stop.click()
    wait_for_phase(phone, "stopped")
    expect_in_view(phone, ".cg-summary", ".cg-generate", ".cg-turn")
    edit.click()
    phone.wait_for_function("() => scrollY === 60")
    expect(edit).to_be_hidden()
    expect_in_view(phone, ".cg-generate")


@pytest.mark.parametrize("size", PHONES, ids=("390", "320"))
def test_on_a_phone_a_failure_is_told_in_view(
    phone: Page, app: RunningApp, size: ViewportSize
) -> None:
    phone.set_viewport_size(size)
    phone.goto(f"{app.url}?preset=broken")
    phone.get_by_role("heading", name="Broken").wait_for()
    settle(phone)
    press_generate(phone)
    wait_for_phase(phone, "failed")
    phone.wait_for_function(IS_AT_TOP)
    failure = (".cg-headline", ".cg-again", ".cg-details summary")
    expect_in_view(phone, *failure, ".cg-generate", ".cg-turn")
    for selector in (".cg-again", ".cg-details summary"):
        assert read_height(phone, selector) >= FINGER
    phone.get_by_text("Details").tap()
    expect_in_view(phone, ".cg-error", ".cg-generate", ".cg-turn")


def test_on_a_phone_the_bar_gives_way_to_the_keyboard(phone: Page) -> None:
    phone.set_viewport_size(PHONES[0])
    bar, prompt = (
        find_form(phone).locator(".cg-dock"),
        phone.get_by_label("What do you want to see?"),
    )
    expect(bar).to_have_css("position", "fixed")
    prompt.tap()
    expect(bar).not_to_have_css("position", "fixed")
    phone.evaluate("document.activeElement.blur()")
    expect(bar).to_have_css("position", "fixed")
    prompt.tap()
    expect(bar).not_to_have_css("position", "fixed")
    prompt.fill("a lighthouse")
    find_form(phone).get_by_role("button", name="Generate").tap()
    phone.wait_for_function(IS_AT_TOP)
    phone.wait_for_function(IS_RESULT)
    expect(bar).to_have_css("position", "fixed")


def test_on_a_phone_the_bar_comes_back_when_the_keyboard_is_put_away(phone: Page) -> None:
    phone.set_viewport_size(PHONES[0])
    bar = find_form(phone).locator(".cg-dock")
    prompt = phone.get_by_label("What do you want to see?")
    prompt.tap()
    phone.evaluate(SHOW_KEYBOARD, 500)
    expect(bar).not_to_have_css("position", "fixed")
    phone.evaluate(SHOW_KEYBOARD, PHONES[0]["height"])
    expect(bar).to_have_css("position", "fixed")
    expect(prompt).to_be_focused()


def test_on_a_phone_nothing_is_too_small_to_type_into_or_to_hit(phone: Page) -> None:
    find_form(phone).get_by_text("More settings").click()
    find_form(phone).get_by_label("Scheduler").wait_for()
    sizes = phone.evaluate(READ_FONT_SIZES)
    assert len(sizes) > 5 and min(sizes) >= 16, "an iPhone zooms into smaller ones"
    assert phone.evaluate(FIND_SMALL, FINGER) == []


def test_nothing_moves_for_those_who_ask_for_that(phone: Page) -> None:
    moving = phone.evaluate(FIND_MOVING)
    assert moving == []


@pytest.mark.parametrize("size", PHONES, ids=("390", "320"))
def test_on_a_phone_the_bar_is_never_over_the_mask_editor(
    phone: Page, app: RunningApp, size: ViewportSize
) -> None:
    phone.set_viewport_size(size)
    phone.goto(f"{app.url}?preset=inpaint")
    mask = phone.locator(".cg-mask")
    expect(mask).to_be_visible()
    settle(phone)
    mask.evaluate("node => node.style.setProperty('margin-top', '40vh')")
    bar = find_form(phone).locator(".cg-dock")
    top = mask.evaluate("node => node.getBoundingClientRect().top + scrollY")
    height = mask.evaluate("node => node.offsetHeight")
    for edge in (top + 10, top + height / 2, top + height - 4):  # these come to the window's end
        phone.evaluate("end => scrollTo(0, end - innerHeight)", edge)
        expect(bar).not_to_have_css("position", "fixed")
        assert not phone.evaluate(COVERS_MASK)
    phone.evaluate("end => scrollTo(0, end - innerHeight)", top + height + 120)
    expect(bar).to_have_css("position", "fixed")
    assert not phone.evaluate(COVERS_MASK)


def test_on_a_phone_the_bar_hides_no_field(phone: Page) -> None:
    phone.set_viewport_size(PHONES[1])
    for field in ("Model", "Seed"):
        box = find_form(phone).get_by_label(field)
        phone.evaluate("scrollTo(0, 0)")
        box.evaluate("node => node.scrollIntoView({ block: 'nearest' })")
        end = box.evaluate("node => node.getBoundingClientRect().bottom")
        assert end <= find_form(phone).locator(".cg-dock").evaluate(
            "node => node.getBoundingClientRect().top"
        )
    phone.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    ends = phone.evaluate(
        """() => ["footer", "#cg-side", ".cg-dock"].map((name) => {
          const node = [...document.querySelectorAll(name)].find((one) => one.checkVisibility());
          const box = node.getBoundingClientRect();
          return name === ".cg-dock" ? box.top : box.bottom;
        })"""
    )
    assert max(ends[:2]) <= ends[2]


def test_on_a_phone_the_footer_has_no_sign_between_links(phone: Page) -> None:
    # Else there would be no sign before Gradio has drawn the footer.
    phone.locator("footer .divider").first.wait_for(state="attached")
    # A footer of which nothing is left counts as hidden.
    texts = phone.locator("footer").filter(visible=True).all_inner_texts()
    assert "".join(texts).strip() == ""


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_pale_words_and_generate_can_be_read(laptop: Page, scheme: str) -> None:
    laptop.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    laptop.wait_for_function(
        "isDark => document.body.classList.contains('dark') === isDark", arg=scheme == "dark"
    )
    for name in (".cg-heading p", ".cg-empty", ".cg-nav a", ".cg-several", ".cg-generate"):
        text, ground = laptop.evaluate(READ_COLORS, name)
        assert find_contrast(text, ground) >= 4.5, name
