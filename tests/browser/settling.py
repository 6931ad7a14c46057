"""Waits until a form can be typed into, as a person would."""

from __future__ import annotations

from playwright.sync_api import Page

FRAMES = """() => new Promise((done) => {
  const wait = (left) => requestAnimationFrame(() => (left ? wait(left - 1) : done()));
  wait(10);
})"""


def settle(page: Page) -> None:
    """Let ten frames pass: Gradio 6.31 sets what it reveals once more a frame later, over what was typed meanwhile."""
    page.evaluate(FRAMES)


def open_settings(page: Page) -> None:
    """Unfold what is under *More settings*."""
    page.get_by_text("More settings").click()
    page.get_by_label("Steps").first.wait_for()
    settle(page)


def set_steps(page: Page, steps: int) -> None:
    """Unfold the settings and type a number of steps."""
    open_settings(page)
    page.get_by_role("spinbutton", name="number input for Steps").fill(str(steps))
