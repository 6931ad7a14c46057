"""Every answer says what a browser may do with it, and requests that make Gradio fail are refused
in words.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings
from comfygradio.ui.identity.person import find_person
from comfygradio.ui.identity.role import OperatorAccess, find_operators
from comfygradio.ui.middleware.compression import Compression
from tests.chromium import PATIENCE_MS
from tests.security.raw_request import TIMEOUT_SECONDS, get, post, run_settings, send_raw
from tests.ui.people import make_request
from tests.ui.running import RunningApp

pytestmark = pytest.mark.app

POLICY = [
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "style-src 'self' 'unsafe-inline'",
]


@pytest.mark.app
@pytest.mark.parametrize(
    "path", ["", "config", "gradio_api/info", "assets/x.js", "no-such", "theme.css", "?page=x"]
)
def test_every_answer_carries_the_headers(app: RunningApp, path: str) -> None:
    headers = get(f"{app.url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.app
@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info"])
def test_the_page_is_compressed(app: RunningApp, path: str) -> None:
    head = f"GET {path} HTTP/1.1\nHost: 127.0.0.1\nAccept-Encoding: gzip, deflate"
    answer = send_raw(app.url, head)
    assert answer.status == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert int(answer.headers["content-length"]) == len(answer.body)
    text = gzip.decompress(answer.body)
    assert len(answer.body) < len(text) / 3
    if path == "/":
        (nonce,) = re.findall(r"'nonce-([\w-]+)'", answer.headers["content-security-policy"])
        assert f'<script nonce="{nonce}"'.encode() in text


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/", "gzip"),
        ("/below/config", "gzip"),
        ("/gradio_api/comfygradio/result/9.txt", None),
        ("/gradio_api/queue/data", None),
        ("/config/more", None),
    ],
)
def test_only_the_page_itself_is_compressed(path: str, encoding: str | None) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("a" * 10_000)(scope, receive, send)

    client = TestClient(Compression(answer), root_path="/below")
    response = client.get(path, headers={"accept-encoding": "gzip"})
    assert response.headers.get("content-encoding") == encoding
    assert response.text == "a" * 10_000
    for refusing in ("br", "gzip;q=0"):
        answer_plain = client.get(path, headers={"accept-encoding": refusing})
        assert "content-encoding" not in answer_plain.headers


@pytest.mark.app
def test_only_the_scripts_of_the_page_itself_may_run(app: RunningApp) -> None:
    plain = {"accept-encoding": "identity"}
    first, second = get(app.url, headers=plain), get(app.url, headers=plain)
    policy = first.headers["content-security-policy"]
    parts = policy.split("; ")
    assert set(POLICY) <= set(parts)
    scripts = next(part for part in parts if part.startswith("script-src "))
    assert "unsafe-inline" not in scripts and "*" not in policy and "http:" not in policy
    (nonce,) = re.findall(r"'nonce-([\w-]{20,})'", scripts)
    tags = re.findall(r"<script\b[^>]*>", first.text)
    assert len(tags) > 4 and all(f'nonce="{nonce}"' in tag for tag in tags)
    assert nonce not in second.text
    assert len(first.content) == int(first.headers["content-length"])
    assert httpx.head(app.url, timeout=TIMEOUT_SECONDS).status_code == 200


@pytest.mark.app
def test_who_may_frame_the_page(demo: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    with run_settings(
        demo.url, tmp_path_factory.mktemp("x"), space=True, allow_frames=("https://a.example",)
    ) as running:
        headers = get(running.url).headers
    assert "x-frame-options" not in headers
    assert headers["content-security-policy"].endswith(
        "frame-ancestors 'self' https://a.example https://huggingface.co https://hf.co"
    )


@pytest.mark.browser
def test_a_script_that_gets_into_the_page_does_not_run(app: RunningApp, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(app.url)
        page.get_by_role("button", name="Generate").wait_for(timeout=60_000)
        assert [line for line in said if "Content Security Policy" in line] == []
        page.evaluate(
            """() => {
              const box = document.createElement("div");
              box.innerHTML = "<img src=x: onerror='window.ran = 1'>";
              document.body.append(box);
              const script = document.createElement("script");
              script.textContent = "window.ran = 2";
              document.body.append(script);
              const far = document.createElement("script");
              far.src = "http://127.0.0.1:1/x.js";
              document.body.append(far);
              const base = document.createElement("base");
              base.href = "http://127.0.0.1:1/";
              document.head.prepend(base);
            }"""
        )
        refused = page.evaluate(
            """() => fetch("http://127.0.0.1:1/?stolen").then(() => "sent", () => "refused")"""
        )
        assert refused == "refused" and page.evaluate("window.ran") is None
        assert page.evaluate("document.baseURI").startswith(app.url)
        assert len([line for line in said if "Content Security Policy" in line]) >= 4
    finally:
        page.close()


@pytest.mark.browser
def test_the_page_about_the_api_keeps_to_the_policy(app: RunningApp, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(app.url)
        page.get_by_role("button", name="Use via API").click(timeout=60_000)
        page.get_by_text("/text_to_image").first.wait_for(timeout=60_000)
        assert [line for line in said if "Content Security Policy" in line] == []
    finally:
        page.close()


@pytest.mark.app
@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("GET /?page=anything", 404),
        ("GET /config?page=anything", 404),
        ("GET /?deep_link=x", 404),
        (f"GET /gradio_api/comfygradio/sweep/x/{'9' * 5000}/0/m", 414),
        (f"GET /gradio_api/comfygradio/sweep/x/{'9' * 3900}/0/m", 404),
        (f"GET /gradio_api/comfygradio/sweep/x/0/{'9' * 3900}/m", 404),
        (f"GET /pwa_icon/{'9' * 3900}", 404),
        ("GET /gradio_api/proxy=http://x.hf.space/", 404),
        ("GET /gradio_api/deep_link?session_hash=x", 404),
        ("GET /gradio_api/custom_component/a/client/b/c", 404),
        ("GET /gradio_api/token", 404),
        ("GET /openapi.json", 404),
        ("GET /monitoring", 404),
        ("GET /monitoring/summary", 404),
        ("POST /gradio_api/process_recording", 404),
        ("POST /gradio_api/vibe-edit/", 404),
        ("GET /gradio_api/run-history/buckets", 404),
        ("GET /gradio_api/runs", 404),
    ],
)
def test_requests_that_gradio_cannot_answer(app: RunningApp, start: str, status: int) -> None:
    host = app.url.rstrip("/").partition("://")[2]
    answer = send_raw(app.url, f"{start} HTTP/1.1\nHost: {host}\nContent-Length: 0")
    assert answer.status == status


@pytest.mark.app
@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("call/nope", {"data": []}),
        ("call/nope", {"data": [], "fn_index": -1}),
        ("call/v2/nope", {}),
        ("call/v2/text_to_image", {"nope": 1}),
        ("run/nope", {"data": []}),
        ("api/nope", {"data": [], "fn_index": 99999}),
        ("queue/join", {"data": [], "fn_index": 99999, "session_hash": "a"}),
        ("queue/join", {"data": [], "fn_index": 10**30, "session_hash": "a"}),
        ("component_server", {"data": 1, "component_id": 9**9, "session_hash": "", "fn_name": ""}),
        ("component_server", {"data": 1, "component_id": [], "session_hash": {}, "fn_name": 5}),
    ],
)
def test_calls_of_what_is_not_there_are_refused(app: RunningApp, path: str, sent: object) -> None:
    answer = post(f"{app.url}gradio_api/{path}", json=sent)
    assert 400 <= answer.status_code < 500


@pytest.mark.app
@pytest.mark.parametrize("path", ["assets/", "static/", "svelte/", "gradio_api/file="])
def test_names_that_no_file_can_have_are_refused(app: RunningApp, path: str) -> None:
    for name in ("x" * 3900, "%00"):
        assert 400 <= get(f"{app.url}{path}{name}").status_code < 500


@pytest.mark.app
@pytest.mark.parametrize(
    "span", ["bytes=", "bytes=-", "bytes=5-1", "bytes=0-9999999999999999999", "bytes=1-2,4-5", "x"]
)
def test_odd_ranges_of_a_file_are_no_fault(app: RunningApp, span: str) -> None:
    file = app.app.settings.outputs / "p.png"
    file.write_bytes(b"x" * 100)
    for place in (f"gradio_api/file={file}", f"gradio_api/comfygradio/result/{file.name}"):
        answer = get(f"{app.url}{place}", headers={"range": span})
        assert answer.status_code < 500


@pytest.mark.app
@pytest.mark.parametrize("part", ['name="files"; filename=""', 'name="files"', 'name=""', "x"])
def test_an_upload_without_a_name_is_refused(app: RunningApp, part: str) -> None:
    body = f"--b\r\nContent-Disposition: form-data; {part}\r\n\r\nx\r\n--b--\r\n".encode()
    kind = {"content-type": "multipart/form-data; boundary=b"}
    answer = post(f"{app.url}gradio_api/upload", content=body, headers=kind)
    assert answer.status_code < 500


@pytest.mark.app
def test_the_mask_editor_takes_no_parts_of_pictures(app: RunningApp) -> None:
    blocks = app.app.blocks.blocks
    editors = [i for i, block in blocks.items() if type(block).__name__ == "ImageEditor"]
    assert editors
    for number in editors:
        data = {"type": "layer", "index": "50000000", "id": "x"}
        call = {"component_id": number, "session_hash": "a", "fn_name": "accept_blobs"}
        form = post(
            f"{app.url}gradio_api/component_server",
            data={**call, **data},
            files={"file": ("x", b"x")},
        )
        assert form.status_code == 415
        text = json.dumps({**call, "data": {"data": data, "files": [["x", "x"]]}})
        called = post(
            f"{app.url}gradio_api/component_server",
            content=text,
            headers={"content-type": "application/json"},
        )
        assert called.status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
    ],
)
def test_who_comes_by_a_proxy_is_not_at_this_machine(name: str, tmp_path: Path) -> None:
    operators = find_operators(Settings(outputs=tmp_path, local_operator=True))
    assert isinstance(operators, OperatorAccess)
    assert operators.admit(find_person(make_request("localhost")))
    sent = {name.lower().replace("-", "_"): ""}
    assert not operators.admit(find_person(make_request("localhost", **sent)))
