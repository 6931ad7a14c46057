"""The operator's title, description and logo in the page's head, its manifest and its icons."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from comfygradio.errors import SettingsError
from comfygradio.settings import Settings
from comfygradio.ui.middleware.page_head import PageHead
from comfygradio.ui.site import ICON_SIZES, load_site
from comfygradio.ui.site_route import make_site_routes
from tests.ui.running import RunningApp

PAGE = (
    '<html><head><base href="./"><meta charset="utf-8" />\n<meta property="og:title" '
    'content="Gradio" />\n<meta\n\tname="twitter:image"\n\tcontent="https://gradio.app/x.jpg"\n/>'
    '<link rel="manifest" href="/manifest.json" /></head><body>og:title</body></html>'
)


def make_picture(path: Path, width: int, height: int) -> Path:
    Image.new("RGB", (width, height), "red").save(path)
    return path


def fetch_head(settings: Settings, url: str = "http://forms.example/", root: str = "") -> str:
    """The HTML of a page with the head of these settings."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse(PAGE)(scope, receive, send)

    site = load_site(settings)
    client = TestClient(PageHead(answer, site.write_head, root))
    response = client.get(url)
    assert int(response.headers["content-length"]) == len(response.content)
    return response.text


def test_what_gradio_says_of_itself_is_replaced() -> None:
    settings = Settings(title='Ada\'s "forms" <b>', description="Pictures & more")
    page = fetch_head(settings)
    assert "Gradio" not in page and "gradio.app" not in page
    assert "<title>Ada&#x27;s &quot;forms&quot; &lt;b&gt;</title>" in page
    assert 'property="og:url" content="http://forms.example/"' in page
    assert page.count("og:description") == 1 and "Pictures &amp; more" in page
    assert page.count('rel="manifest"') == 1
    assert page.endswith("<body>og:title</body></html>")
    for address in re.findall(r'(?:href|content)="([^"]*(?:png|json))"', page):
        assert html.unescape(address).startswith("http://forms.example/")


@pytest.mark.parametrize(
    ("root", "address"),
    [
        ("/forms", "http://forms.example/forms"),
        ("https://public.example/a", "https://public.example/a"),
    ],
)
def test_addresses_hold_behind_a_proxy(root: str, address: str) -> None:
    page = fetch_head(Settings(), root=root)
    assert f'property="og:url" content="{address}/"' in page
    assert f'href="{address}/manifest.json"' in page


def test_nothing_but_the_page_is_changed() -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        response = HTMLResponse(PAGE) if scope["path"] == "/other" else PlainTextResponse(PAGE)
        await response(scope, receive, send)

    client = TestClient(PageHead(answer, load_site(Settings()).write_head))
    assert client.get("/other").text == PAGE
    assert client.get("/").text == PAGE


def test_icons_and_manifest(tmp_path: Path) -> None:
    logo = make_picture(tmp_path / "wide.png", 200, 100)
    site = load_site(Settings(title="Forms", description="About", logo=logo))
    client = TestClient(Starlette(routes=make_site_routes(site)))
    answer = client.get("/manifest.json")
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = json.loads(answer.content)
    assert (manifest["name"], manifest["description"]) == ("Forms", "About")
    assert (manifest["start_url"], manifest["scope"]) == ("./", "./")
    for icon, size in zip(manifest["icons"], ICON_SIZES, strict=True):
        picture = Image.open(io.BytesIO(client.get(f"/{icon['src']}").content))
        assert (picture.format, picture.size) == ("PNG", (size, size))
        assert icon["sizes"] == f"{size}x{size}"
        # What a wide picture lacks to a square is transparent.
        assert picture.getpixel((size // 2, 0)) == (0, 0, 0, 0)
        assert picture.getpixel((size // 2, size // 2)) == (255, 0, 0, 255)
    assert client.get("/favicon.ico").headers["content-type"] == "image/png"
    assert client.get("/comfygradio/icon-7.png").status_code == 404


def test_a_small_logo_fills_the_icon(tmp_path: Path) -> None:
    site = load_site(Settings(logo=make_picture(tmp_path / "small.png", 32, 32)))
    for icon in site.icons.values():
        picture = Image.open(io.BytesIO(icon))
        assert picture.getpixel((1, 1)) == (255, 0, 0, 255)


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (20, 20), "red")
    picture.paste("blue", (0, 10, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 3  # it was taken upside down
    picture.save(tmp_path / "photo.png", exif=exif)
    icon = load_site(Settings(logo=tmp_path / "photo.png")).icons[48]
    assert Image.open(io.BytesIO(icon)).getpixel((24, 2)) == (0, 0, 255, 255)


def test_a_logo_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    path.write_text("<svg/>", encoding="utf-8")
    with pytest.raises(SettingsError, match="is no PNG, JPEG, WebP or GIF picture"):
        load_site(Settings(logo=path))
    path.write_bytes(b"\0" * 5_000_001)
    with pytest.raises(SettingsError, match="has more than 5 MB"):
        load_site(Settings(logo=path))


@pytest.mark.app
def test_the_running_page_has_our_head(app: RunningApp) -> None:
    page = httpx.get(app.url, timeout=60).text
    head, _, _ = page.partition("</head>")
    assert '<meta property="og:title" content="comfygradio">' in head
    assert f'<meta property="og:url" content="{app.url}">' in head
    assert '"Gradio"' not in re.sub(r"<script.*?</script>", "", head, flags=re.DOTALL)
    icon = re.findall(r'<link rel="icon"[^>]*href="([^"]*)"', head)
    assert httpx.get(icon[0], timeout=60).headers["content-type"] == "image/png"
    assert httpx.get(f"{app.url}manifest.json", timeout=60).json()["name"] == "comfygradio"
