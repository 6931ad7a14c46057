"""Waits until a form can be typed into, as a person would."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.clocks import HANG_SECONDS

FRAMES = """() => new Promise((done) => {
  const wait = (left) => requestAnimationFrame(() => (left ? wait(left - 1) : done()));
  wait(10);
})"""


def settle(page: Page) -> None:
    """Let ten frames pass: Gradio 6.31 sets what it reveals once more a frame later, over what was
    typed meanwhile.
    """
    page.evaluate(FRAMES)


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """Let the page go on until something has come to its routes."""
    ends = time.monotonic() + HANG_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "the page asked nothing"
        page.wait_for_function("() => true")


def say_in_passing(page: Page, dialog: str) -> None:
    """Put into an open dialog what the page puts there when it says something in passing."""
    page.locator(dialog).evaluate(
        """dialog => {
          const toast = document.createElement("div");
          toast.className = "cg-toast";
          toast.textContent = "Said in passing.";
          dialog.append(toast);
        }"""
    )


def find_form(page: Page) -> Locator:
    """The form that is shown; others that were shown before are still there."""
    return page.locator(".cg-panel").filter(visible=True)


def open_settings(page: Page) -> None:
    """Unfold what is under *More settings*."""
    form = find_form(page)
    form.get_by_text("More settings").click()
    form.get_by_label("Steps").first.wait_for()
    settle(page)


def set_steps(page: Page, steps: int) -> None:
    """Unfold the settings and type a number of steps."""
    open_settings(page)
    page.get_by_role("spinbutton", name="number input for Steps").fill(str(steps))


def write_prompt(page: Page, words: str = "a lighthouse") -> None:
    """Write these words into the main prompt of the form that is shown, if it has one and it is
    empty: it starts so.
    """
    find_form(page).locator(".cg-generate").wait_for()
    box = find_form(page).locator(".cg-prompt textarea").filter(visible=True).first
    if box.count() and not box.input_value():
        box.fill(words)
