"""Delays the pages that the tests open: every script takes several times as long."""

from __future__ import annotations

import os

SLOWER = 6
"""How many times as long the script of a page takes, unless `TEST_SLOWER` says another number."""


def install() -> None:
    """Slow down each page from now on, before it loads anything."""
    from playwright.sync_api import BrowserContext, Page

    new_page = BrowserContext.new_page
    rate = float(os.environ.get("TEST_SLOWER", SLOWER))

    def open_slow(context: BrowserContext) -> Page:
        page = new_page(context)
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
        return page

    setattr(BrowserContext, "new_page", open_slow)  # noqa: B010 - mypy takes no method
