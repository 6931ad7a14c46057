"""The page behind a proxy that adds a path, as nginx does it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import BrowserContext, expect
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings, shipped_presets
from comfygradio.ui.serve import build, launch
from tests.browser.settling import write_prompt
from tests.faults.scenario import await_that
from tests.ui.running import free_port

pytestmark = pytest.mark.browser

PREFIX = "/forms"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


def build_proxy(target: str) -> Starlette:
    """Passes everything below the prefix on, without the prefix; nothing else is there."""

    @asynccontextmanager
    async def open_client(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=target, timeout=60) as client:
            app.state.client = client
            yield

    async def pass_on(request: Request) -> Response:
        client: httpx.AsyncClient = request.app.state.client
        url = httpx.URL(path="/" + request.path_params["path"], query=request.url.query.encode())
        asked = client.build_request(
            request.method, url, headers=request.headers.items(), content=await request.body()
        )
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    route = Route(PREFIX + "/{path:path}", pass_on, methods=["GET", "POST", "HEAD"])
    return Starlette(routes=[route], lifespan=open_client)


@contextmanager
def run_proxy(target: str) -> Iterator[str]:
    """A proxy on a random port; its address with the prefix."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(build_proxy(target), port=port, log_level="error", log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    await_that(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}{PREFIX}/"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def address(demo: DemoServer, tmp_path: Path) -> Iterator[str]:
    """The app behind the proxy."""
    settings = Settings(server=demo.url, presets=(shipped_presets(),), outputs=tmp_path / "outputs")
    app = build(replace(settings, port=free_port(), root_path=PREFIX))
    launch(app, block=False)
    try:
        with run_proxy(f"http://127.0.0.1:{app.blocks.server_port}") as url:
            yield url
    finally:
        app.close()
        app.blocks.close(verbose=False)


def test_a_job_is_watched_found_again_and_kept_behind_a_prefix(
    context: BrowserContext, address: str, slow: DemoServer
) -> None:
    page = context.new_page()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(address)
    write_prompt(page)
    page.locator("#cg-panel-text_to_image").get_by_role("button", name="Generate").click()
    page.locator("img.cg-frame[src^=data]").wait_for()
    page.reload()
    page.locator("img.cg-frame[src^=data]").wait_for()
    slow.set_step_seconds(0)
    page.locator(".cg-card img").wait_for(timeout=60_000)
    assert (
        page.locator(".cg-card img").evaluate(
            "image => image.decode().then(() => image.naturalWidth)"
        )
        == 512
    )
    page.get_by_role("link", name="History").click()
    expect(page.locator(".cg-past-thumb")).to_have_count(1)
    assert page.url.startswith(address) and [url for url in refused if "favicon" not in url] == []
