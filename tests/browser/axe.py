"""Looks for what keeps people out of a page, by axe-core, which `npm ci` installs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / ".scripts" / "node_modules" / "axe-core" / "axe.min.js"

MISSING = "axe-core is not installed; with Node 18 or newer and npm, run: npm ci --prefix .scripts"

FIND = """async (rules) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) => {
    const node = document.querySelector(target[0]);
    return { rule: id, place: target.join(" "), html, words: failureSummary,
             classes: [...(node?.classList ?? [])] };
  }));
}"""

ALL_RULES: dict[str, object] = {}

RULES_OF_COLOR: dict[str, object] = {"runOnly": ["color-contrast"]}
"""What differs in the dark."""


@dataclass(frozen=True)
class GradioFault:
    """A rule that an element of Gradio's own breaks, and why we let it."""

    rule: str
    class_name: str
    reason: str


GRADIO_FAULTS = (
    GradioFault(
        "label-content-name-mismatch",
        "upload-container",
        "Its label, 'Drop an image file here to upload', says what its words say: 'Drop Image Here "
        "- or - Click to Upload'. Gradio 6.31 draws it anew whenever a file is taken away.",
    ),
)
"""All that may be found on our pages."""


def read_axe() -> str:
    """Read the script of axe-core; skips the test where it is missing."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    if os.environ.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


def list_faults(page: Page, allowed: set[GradioFault] | None = None) -> list[str]:
    """List what axe finds on the page as it is now, in light and in dark. Nothing moves meanwhile:
    a color that is just changing would be measured half way.

    What Gradio does, and we let it, is left out, and added to `allowed`.
    """
    faults = []
    for scheme in ("light", "dark"):
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        if page.locator(".gradio-container").count():
            page.wait_for_function(
                "isDark => document.body.classList.contains('dark') === isDark",
                arg=scheme == "dark",
            )
        for found in page.evaluate(FIND, RULES_OF_COLOR if scheme == "dark" else ALL_RULES):
            known = find_known(found["rule"], found["classes"])
            if known is None:
                faults.append(f"{scheme}: {found['rule']} at {found['place']}: {found['words']}")
            elif allowed is not None:
                allowed.add(known)
    return faults


def find_known(rule: str, classes: list[str]) -> GradioFault | None:
    """Find which fault of Gradio's this is; None if it is ours."""
    for fault in GRADIO_FAULTS:
        if fault.rule == rule and fault.class_name in classes:
            return fault
    return None
