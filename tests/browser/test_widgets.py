"""The widgets that are not Gradio's own, conditions, restoring and refusals, in a real browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from comfygradio.demo import DemoOptions, DemoServer
from tests.browser.settling import find_form, settle, write_prompt
from tests.browser.widgets import EVERYTHING, search_models, write_presets
from tests.chromium import PATIENCE_MS
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.browser

NAMES = tuple(f"folder-{index // 100}/model-{index:05}.safetensors" for index in range(20_000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    """A quick demo server with twenty thousand checkpoints."""
    with DemoServer(
        DemoOptions(step_seconds=0.01, checkpoints=("dream-sd15.safetensors", *NAMES))
    ) as server:
        yield server


@pytest.fixture(scope="module")
def app(
    demo: DemoServer, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    with run_app(demo.url, tmp_path_factory.mktemp("outputs"), folder) as running:
        yield running


@pytest.fixture
def page(tab: Page) -> Page:
    """An empty tab: each test opens the preset that it is about."""
    return tab


def open_preset(page: Page, app: RunningApp, name: str) -> None:
    page.goto(f"{app.url}?preset={name}")
    page.get_by_role("button", name="Generate").wait_for()
    settle(page)


def generate(page: Page) -> None:
    """Press Generate, and wait until another picture than before is shown and the job is over."""
    shown = page.evaluate("() => document.querySelector('.cg-card img')?.src ?? ''")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_function(
        "old => { const i = document.querySelector('.cg-card img'); return i && i.src !== old && "
        "i.naturalWidth > 0; }",
        arg=shown,
    )
    page.wait_for_function("() => document.querySelector('.cg-view')?.dataset.phase === 'done'")


def find_lora(page: Page) -> Locator:
    """The lines of the LoRAs that are chosen."""
    return page.get_by_role("button", name="LoRA: ")


def read_prompt(demo: DemoServer) -> dict[str, Any]:
    """The graph that ran last on the server."""
    history = httpx.get(f"{demo.url}/history").json()
    newest = max(history.values(), key=lambda entry: entry["prompt"][0])
    graph: dict[str, Any] = newest["prompt"][2]
    return graph


def download(page: Page) -> bytes:
    """The picture that is shown, as the server made it."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    return Path(download.value.path()).read_bytes()


def test_a_field_is_shown_while_its_condition_holds_and_bypass_takes_effect(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    open_preset(page, app, "everything")
    expect(page.get_by_label("Upscaler")).to_be_visible()
    page.get_by_label("Enlarge").uncheck()
    expect(page.get_by_label("Upscaler")).to_be_hidden()
    generate(page)
    graph = read_prompt(demo)
    assert "15" not in graph and graph["9"]["inputs"]["images"] == ["8", 0]
    page.get_by_label("Enlarge").check()
    expect(page.get_by_label("Upscaler")).to_be_visible()
    generate(page)
    assert read_prompt(demo)["9"]["inputs"]["images"] == ["15", 0]


def test_lora_rows_become_a_chain(page: Page, app: RunningApp, demo: DemoServer) -> None:
    open_preset(page, app, "everything")
    page.get_by_role("button", name="Add a LoRA").click()
    search_models(page, "soft")
    expect(find_lora(page).last).to_have_accessible_name("LoRA: soft-light")
    page.get_by_role("spinbutton", name="Strength").last.fill("0.4")
    page.keyboard.press("Tab")
    generate(page)
    graph = read_prompt(demo)
    added = graph["loras-lora-1"]["inputs"]
    assert (added["lora_name"], added["strength_model"], added["model"]) == (
        "soft-light.safetensors",
        0.4,
        ["10", 0],
    )
    assert graph["3"]["inputs"]["model"] == ["loras-lora-1", 0]
    for _ in range(2):
        page.get_by_role("button", name="Remove").first.click()
    generate(page)
    graph = read_prompt(demo)
    assert "10" not in graph and graph["3"]["inputs"]["model"] == ["4", 0]


def test_a_strength_that_is_kept_goes_to_no_other_row(page: Page, app: RunningApp) -> None:
    open_preset(page, app, "everything")
    words = page.get_by_label("What do you want to see?")
    strength = page.get_by_role("spinbutton", name="Strength")
    words.fill("kept once")
    strength.fill("0.3")
    page.get_by_role("button", name="Add a LoRA").click()
    search_models(page, "film")
    # The first row has the same name: only their number tells that the second is there.
    expect(strength).to_have_count(2)
    strength.last.fill("0.4")
    page.reload()
    expect(words).to_have_value("kept once")
    expect(strength).to_have_count(2)
    expect(find_lora(page).last).to_have_accessible_name("LoRA: film-grain")
    expect(strength.first).to_have_value("0.3")
    expect(strength.last).to_have_value("0.4")
    page.get_by_role("button", name="Add a LoRA").click()
    search_models(page, "soft")
    expect(strength).to_have_count(3)
    strength.last.fill("0.5")
    page.get_by_role("button", name="Remove").first.click()
    expect(strength).to_have_count(2)
    words.fill("kept twice")
    page.reload()
    expect(words).to_have_value("kept twice")
    expect(find_lora(page).last).to_have_accessible_name("LoRA: soft-light")
    expect(strength).to_have_count(2)
    expect(strength.first).to_have_value("0.4")
    expect(strength.last).to_have_value("0.5")
    # The page that was drawn has not sent anything yet: what the tab knows is still there.
    page.reload()
    expect(strength).to_have_count(2)
    expect(strength.last).to_have_value("0.5")


def test_twenty_thousand_names_are_searched_by_the_server(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    open_preset(page, app, "everything")
    line = page.get_by_role("button", name="Model: ")
    expect(line).to_have_accessible_name("Model: dream-sd15")
    assert page.content().count("model-04217") == 0
    line.click()
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    expect(page.get_by_role("treeitem", name="folder-0, 100")).to_be_visible()
    expect(page.get_by_role("treeitem")).to_have_count(60)
    box.fill("folder-42 model-04217")
    page.get_by_role("treeitem", name="model-04217, folder-42").wait_for()
    expect(page.get_by_role("treeitem")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(line).to_be_focused()
    generate(page)
    assert read_prompt(demo)["4"]["inputs"]["ckpt_name"] == "folder-42/model-04217.safetensors"
    line.click()
    box.fill("nothing at all")
    expect(page.get_by_text("Nothing fits.").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(line).to_have_accessible_name("Model: model-04217, folder-42")


def test_recent_models_and_favourites_come_first(page: Page, app: RunningApp) -> None:
    open_preset(page, app, "everything")
    line = page.get_by_role("button", name="Model: ")
    line.click()
    box = page.get_by_role("combobox", name="Search")
    box.fill("model-00077")
    page.get_by_role("treeitem", name="model-00077").wait_for()
    page.get_by_role("button", name="☆ Favourite", exact=True).click()
    expect(page.get_by_role("button", name="★ Favourite", exact=True)).to_be_visible()
    box.fill("model-00500")
    page.get_by_role("treeitem", name="model-00500").click()
    expect(line).to_have_accessible_name("Model: model-00500, folder-5")
    page.reload()
    settle(page)
    line.click()
    recent = page.get_by_role("group", name="Recent").get_by_role("treeitem")
    expect(recent).to_have_count(1)
    expect(recent).to_have_accessible_name("model-00500, folder-5")
    liked = page.get_by_role("group", name="Favourites").get_by_role("treeitem")
    expect(liked).to_have_accessible_name("model-00077, folder-0")


def test_folders_are_unfolded_by_keys_and_come_page_by_page(page: Page, app: RunningApp) -> None:
    open_preset(page, app, "everything")
    page.get_by_role("button", name="Model: ").click()
    folder = page.get_by_role("treeitem", name="folder-0, 100")
    expect(folder).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowRight")
    expect(folder).to_have_attribute("aria-expanded", "true")
    first = page.get_by_role("treeitem", name="model-00000", exact=True)
    expect(first).to_be_visible()
    expect(first.locator("img")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    page.get_by_role("treeitem", name="model-00059", exact=True).scroll_into_view_if_needed()
    page.get_by_role("treeitem", name="model-00099", exact=True).wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_hidden()


def test_a_size_keeps_its_area_and_can_be_swapped(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    open_preset(page, app, "everything")
    page.get_by_role("button", name="16:9").click()
    expect(page.get_by_label("Picture size: width")).to_have_value("168")
    page.get_by_role("button", name="Swap width and height").click()
    generate(page)
    latent = read_prompt(demo)["5"]["inputs"]
    assert (latent["width"], latent["height"]) == (96, 168)


def test_an_example_fills_every_kind_of_widget(
    page: Page, app: RunningApp, demo: DemoServer
) -> None:
    open_preset(page, app, "everything")
    page.get_by_role("button", name="Fox").click()
    expect(page.get_by_label("Picture size: width")).to_have_value("192")
    expect(find_lora(page)).to_have_accessible_name("LoRA: watercolor")
    generate(page)
    graph = read_prompt(demo)
    assert graph["6"]["inputs"]["text"] == "photo of a fox" and graph["3"]["inputs"]["cfg"] == 6
    assert graph["10"]["inputs"]["strength_clip"] == 0.5


def test_an_embedding_is_put_where_the_cursor_is(page: Page, app: RunningApp) -> None:
    open_preset(page, app, "everything")
    page.get_by_label("What do you want to see?").fill("a fox")
    page.get_by_role("combobox", name="Add a style word").first.click()
    page.get_by_role("option", name="tidy-hands").click()
    expect(page.get_by_label("What do you want to see?")).to_have_value(
        "a fox, embedding:tidy-hands"
    )


def test_a_refusal_stands_beside_its_field_until_the_next_try(page: Page, app: RunningApp) -> None:
    open_preset(page, app, "everything")
    page.get_by_label("Seed").fill("many")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    error = page.locator("#cg-everything-seed .cg-field-error")
    expect(error).to_contain_text("use digits only")
    expect(page.get_by_label("Seed")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Seed").fill("5")
    generate(page)
    expect(error).to_have_count(0)


def test_what_is_painted_is_painted_anew_and_nothing_else(
    page: Page, app: RunningApp, demo: DemoServer, tmp_path: Path
) -> None:
    open_preset(page, app, "inpaint")
    write_prompt(page)
    page.get_by_role("button", name="Generate").click()
    expect(find_form(page).locator(".block.cg-problem")).to_contain_text(
        "Your picture: please add a picture."
    )
    Image.new("RGB", (128, 128), (70, 130, 180)).save(tmp_path / "blue.png")
    canvas = page.locator("#cg-inpaint-picture canvas").first
    page.get_by_role("button", name="Brush").first.wait_for()
    page.wait_for_function(
        "() => document.querySelector('#cg-inpaint-picture canvas').clientWidth > 100"
    )
    page.locator("#cg-inpaint-picture input[type=file]").first.set_input_files(
        tmp_path / "blue.png"
    )
    page.get_by_text("Upload an image").wait_for(state="hidden")
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.wait_for_function(
        "() => document.querySelector('#cg-inpaint-picture canvas').clientWidth > 100"
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y, steps=4)
    page.mouse.up()
    generate(page)
    uploaded = read_prompt(demo)["10"]["inputs"]["image"]
    sent = Image.open(
        io.BytesIO(
            httpx.get(f"{demo.url}/view", params={"filename": uploaded, "type": "input"}).content
        )
    )
    assert sent.mode == "RGBA" and sent.size == (128, 128)
    assert sent.getpixel((64, 64))[3] == 0 and sent.getpixel((3, 3))[3] == 255  # type: ignore[index]
    made = Image.open(io.BytesIO(download(page))).convert("RGB")
    middle, corner = made.getpixel((64, 64)), made.getpixel((3, 3))
    assert distance(corner, (70, 130, 180)) < 12 < distance(middle, (70, 130, 180))


def distance(color: Any, other: tuple[int, int, int]) -> int:
    """The largest difference of a channel."""
    return max(abs(int(a) - b) for a, b in zip(color, other, strict=True))


def test_a_picture_fills_its_form_with_what_is_ticked(
    page: Page, app: RunningApp, browser: Browser, tmp_path: Path
) -> None:
    open_preset(page, app, "everything")
    page.get_by_label("What do you want to see?").fill("a boat")
    page.get_by_label("Seed").fill("18446744073709551615")
    page.get_by_role("button", name="3:2").click()
    generate(page)
    (tmp_path / "boat.png").write_bytes(download(page))

    # Somebody else: the form of the same person holds these settings already.
    other = browser.new_page()
    other.set_default_timeout(PATIENCE_MS)
    open_preset(other, app, "inpaint")
    other.get_by_text("Take settings from a picture").click()
    other.locator("#cg-restore input[type=file]").set_input_files(tmp_path / "boat.png")
    expect(other.locator(".cg-report tbody tr")).to_have_count(3)
    expect(other.locator(".cg-report")).to_contain_text(
        "comfygradio made this file with the form Everything."
    )
    other.get_by_label("Take over Picture size").uncheck()
    other.get_by_role("button", name="Use the ticked settings").click()
    expect(other.get_by_role("heading", name="Everything")).to_be_visible()
    expect(other.get_by_label("What do you want to see?")).to_have_value("a boat")
    expect(other.locator("#cg-everything-seed textarea, #cg-everything-seed input")).to_have_value(
        "18446744073709551615"
    )
    expect(other.get_by_label("Picture size: width")).to_have_value("128")
    other.close()


def test_a_file_without_settings_is_said(page: Page, app: RunningApp, tmp_path: Path) -> None:
    open_preset(page, app, "everything")
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    page.get_by_text("Take settings from a picture").click()
    page.locator("#cg-restore input[type=file]").set_input_files(tmp_path / "plain.png")
    expect(page.locator(".cg-report .cg-note")).to_contain_text("holds no ComfyUI settings")


def test_a_preset_with_a_missing_model_says_so_and_the_others_go_on(
    page: Page, app: RunningApp
) -> None:
    page.goto(f"{app.url}?preset=missing")
    note = page.locator("#cg-panel-missing .cg-note")
    expect(note).to_contain_text("Missing cannot be used yet.")
    expect(note).to_contain_text(
        "needs ckpt_name xl/gone.safetensors, which this ComfyUI does not have"
    )
    expect(note).to_contain_text("models/checkpoints")
    page.get_by_text("Everything").first.click()
    generate(page)


def test_a_changed_preset_is_announced_and_what_was_typed_is_kept(
    browser: Browser, demo: DemoServer, tmp_path: Path
) -> None:
    presets = tmp_path / "presets"
    presets.mkdir()
    write_presets(presets)
    with run_app(demo.url, tmp_path / "outputs", presets) as running:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        open_preset(page, running, "everything")
        page.get_by_label("What do you want to see?").fill("kept over the reload")
        (presets / "everything.yaml").write_text(
            EVERYTHING.replace("title: Everything", "title: Anew"), encoding="utf-8"
        )
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_role("heading", name="Anew")).to_be_visible()
        expect(page.get_by_label("What do you want to see?")).to_have_value("kept over the reload")
        generate(page)
        page.close()
