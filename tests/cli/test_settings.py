from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from comfygradio.errors import SettingsError
from comfygradio.settings import Settings, load_settings, shipped_presets
from comfygradio.ui.identity.users import read_auth


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "file").write_text("ann:secret\n", encoding="utf-8")
    return tmp_path


def test_nothing_said() -> None:
    assert load_settings({}) == Settings(presets=(shipped_presets(),))


@pytest.mark.parametrize(
    ("environ", "field", "expected"),
    [
        ({"COMFYGRADIO_SERVER": "http://gpu:8188"}, "server", "http://gpu:8188"),
        ({"COMFYUI_URL": " http://gpu:8188/ "}, "server", "http://gpu:8188/"),
        ({"COMFYUI_URL": "http://a:1", "COMFYGRADIO_SERVER": "http://b:2"}, "server", "http://b:2"),
        ({"COMFYGRADIO_SERVER": ""}, "server", None),
        ({"COMFYGRADIO_SERVER": "gpu:8188"}, "server", "gpu:8188"),
        ({"COMFYGRADIO_DEMO": "1"}, "demo", True),
        ({"COMFYGRADIO_DEMO": "off"}, "demo", False),
        ({"COMFYGRADIO_DEMO": "1", "COMFYUI_URL": "http://a:1"}, "server", None),
        ({"COMFYGRADIO_PRESETS": os.pathsep.join(("a", "b"))}, "presets", (Path("a"), Path("b"))),
        ({"COMFYGRADIO_OUTPUTS": "made/here"}, "outputs", Path("made/here")),
        ({"COMFYGRADIO_HOST": "::1"}, "host", "::1"),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, "host", "0.0.0.0"),
        ({"GRADIO_SERVER_NAME": "0.0.0.0", "COMFYGRADIO_HOST": "localhost"}, "host", "localhost"),
        ({"SPACE_ID": "me/forms"}, "host", "0.0.0.0"),
        ({"SPACE_ID": "me/forms", "COMFYGRADIO_HOST": "127.0.0.1"}, "host", "127.0.0.1"),
        ({"COMFYGRADIO_PORT": "8080"}, "port", 8080),
        ({"GRADIO_SERVER_PORT": "7861"}, "port", 7861),
        ({"COMFYGRADIO_AUTH": "file"}, "auth", Path("file")),
        ({"COMFYGRADIO_ROOT_PATH": "/forms/"}, "root_path", "/forms"),
        ({"COMFYGRADIO_STEP_SECONDS": "0.2"}, "step_seconds", 0.2),
        ({"COMFYGRADIO_JOBS_PER_PERSON": "5"}, "jobs_per_person", 5),
        ({"COMFYGRADIO_MAX_MEGAPIXELS": "1.5"}, "max_megapixels", 1.5),
        ({"COMFYGRADIO_MAX_MEGAPIXELS": "1.125"}, "max_megapixels", 1.125),
        ({"COMFYGRADIO_MAX_MEGAPIXELS": "2e1"}, "max_megapixels", 20.0),
        ({"COMFYGRADIO_MAX_STEPS": "40"}, "max_steps", 40),
        ({"COMFYGRADIO_API_KEY": " comfyui-1f/2+a= "}, "api_key", "comfyui-1f/2+a="),
        ({"COMFYGRADIO_LOG": "DEBUG"}, "verbose", True),
        ({"COMFYGRADIO_LOG": "off"}, "verbose", False),
        ({"COMFYGRADIO_MAX_SWEEP_POINTS": "500"}, "max_sweep_points", 500),
        ({"COMFYGRADIO_MAX_SWEEP_POINTS": "0"}, "max_sweep_points", 0),
        ({"COMFYGRADIO_MAX_UPLOAD_MB": "20"}, "max_upload_mb", 20.0),
        ({"COMFYGRADIO_MAX_RESULT_MB": "750"}, "max_result_mb", 750.0),
        ({"COMFYGRADIO_NAMES": "{preset}/{seed}-{random}"}, "names", "{preset}/{seed}-{random}"),
        ({"COMFYGRADIO_ON_DISCONNECT": "cancel"}, "on_disconnect", "cancel"),
        ({"COMFYGRADIO_OPERATORS": "ann, ben,ann,"}, "operators", ("ann", "ben")),
        ({"COMFYGRADIO_ALLOW_HOSTS": "A.example,b"}, "allow_hosts", ("a.example", "b")),
        ({"COMFYGRADIO_ALLOW_ORIGINS": "*"}, "allow_origins", ("*",)),
        ({"COMFYGRADIO_ALLOW_ORIGINS": "http://a:1"}, "allow_origins", ("http://a:1",)),
        ({"COMFYGRADIO_ALLOW_FRAMES": "https://a.b"}, "allow_frames", ("https://a.b",)),
        ({"COMFYGRADIO_TRUST_PROXIES": "::1,10.0.0.0/8"}, "trust_proxies", ("::1", "10.0.0.0/8")),
        ({"SPACE_ID": "me/forms"}, "space", True),
        ({"SPACE_ID": "me/forms", "SPACE_HOST": "a.hf.space"}, "space_host", "a.hf.space"),
        ({"COMFYGRADIO_HEADERS": "X-Key: a:b"}, "headers", {"X-Key": "a:b"}),
        ({"COMFYGRADIO_HEADERS": "A: 1; B: 2"}, "headers", {"A": "1", "B": "2"}),
        ({"COMFYGRADIO_HEADERS": "A: 1\nB: 2\n"}, "headers", {"A": "1", "B": "2"}),
        ({"COMFYGRADIO_HEADERS": "Cookie: a=1; b=2"}, "headers", {"Cookie": "a=1; b=2"}),
    ],
)
def test_the_environment(environ: Mapping[str, str], field: str, expected: Any) -> None:
    assert getattr(load_settings(environ), field) == expected


@pytest.mark.parametrize(
    ("flags", "field", "expected"),
    [
        ({"server": ["http://flag:1"]}, "server", "http://flag:1"),
        ({"server": ["http://flag:1"]}, "demo", False),
        ({"demo": True}, "server", None),
        ({"presets": ["b"]}, "presets", (Path("b"),)),
        ({"headers": ["A: 1", "B: 2; c"]}, "headers", {"A": "1", "B": "2; c"}),
        ({"port": "0"}, "port", 0),
        ({"operators": ["ann", "ben"]}, "operators", ("ann", "ben")),
        ({"max_steps": "8"}, "max_steps", 8),
        ({"server": [], "port": None}, "port", 9),
    ],
)
def test_a_flag_beats_the_environment(flags: Mapping[str, Any], field: str, expected: Any) -> None:
    environ = {"COMFYGRADIO_DEMO": "1", "COMFYGRADIO_PRESETS": "a", "COMFYGRADIO_HEADERS": "Z: 9"}
    assert getattr(load_settings({**environ, "COMFYGRADIO_PORT": "9"}, flags), field) == expected


@pytest.mark.parametrize("title", ["Ada's posters", "می\u200cخواهم", "👩\u200d🎨 Studio"])
def test_titles_of_any_script(title: str) -> None:
    assert load_settings({}, {"title": title}).title == title
    assert load_settings({"COMFYGRADIO_TITLE": f" {title}\n"}, {}).title == title


LISTS = (
    *("server", "presets", "headers"),
    *("allow_hosts", "allow_origins", "allow_frames", "trust_proxies"),
)
"""Settings whose flags may be repeated."""


@pytest.mark.parametrize(
    ("name", "flag", "value", "expected"),
    [
        ("server", "--server", "ftp://x", "has to begin with http:// or https://."),
        (
            "server",
            "--server",
            "http://x:99999",
            "is not a URL; it looks like http://127.0.0.1:8188.",
        ),
        ("server", "--server", "http://", "is not a URL"),
        ("demo", "--demo", "maybe", "maybe is neither on nor off; write 1 or 0."),
        ("presets", "--presets", "gone", "the folder gone does not exist."),
        ("presets", "--presets", "file", "the folder file does not exist."),
        ("outputs", "--outputs", "file", "file is a file; a folder is needed."),
        ("host", "--host", "no host", "no host is not a host;"),
        (
            "port",
            "--port",
            "99999",
            "99999 is not a port; use a number from 1 to 65535, or 0 for a free one.",
        ),
        ("port", "--port", "http", "http is not a port"),
        ("port", "--port", "-1", "-1 is not a port"),
        ("auth", "--auth", "gone", "the file gone does not exist."),
        ("root_path", "--root-path", "forms", "forms is not a path; it begins with /"),
        ("title", "--title", "a\x07b", "the text holds signs that cannot be shown."),
        ("title", "--title", "a" * 201, "the text is too long; at most 200 letters."),
        ("logo", "--logo", "gone", "the file gone does not exist."),
        ("allow_hosts", "--allow-host", "http://a", "http://a is not the name of a host"),
        ("allow_hosts", "--allow-host", "a:80", "a:80 is not the name of a host"),
        (
            "allow_origins",
            "--allow-origin",
            "a.example",
            "is not an origin; write it like https://",
        ),
        ("allow_origins", "--allow-origin", "https://a/b", "is not an origin"),
        ("allow_frames", "--allow-frame", "*", "* is not an origin"),
        ("trust_proxies", "--trust-proxy", "nginx", "nginx is not an address"),
        ("trust_proxies", "--trust-proxy", "10.0.0.1/8", "10.0.0.1/8 is not an address"),
        ("headers", "--header", "no colon", 'a header is "Name: value" in plain ASCII characters'),
        ("headers", "--header", "Ä: 1", "a header is"),
        ("headers", "--header", "A: \x00", "a header is"),
        (
            "step_seconds",
            "--step-seconds",
            "soon",
            "soon is not a time; use seconds from 0 to 3600, for example 0.05.",
        ),
        ("step_seconds", "--step-seconds", "nan", "nan is not a time"),
        ("step_seconds", "--step-seconds", "-1", "-1 is not a time"),
        (
            "step_seconds",
            "--step-seconds",
            "0,5",
            "0,5 is not a time; use seconds from 0 to 3600, for",
        ),
        ("step_seconds", "--step-seconds", "1_0", "1_0 is not a time"),
        ("step_seconds", "--step-seconds", "2.000", "2.000 may mean 2000 or 2; write 2000 or 2."),
        ("max_upload_mb", "--max-upload-mb", "1_0", "1_0 is not a number"),
        ("max_upload_mb", "--max-upload-mb", "2.500", "may mean 2500 or 2.5; write 2500 or 2.5."),
        (
            "jobs_per_person",
            "--jobs-per-person",
            "0",
            "0 is not a number that can be used; write a whole number from 1.",
        ),
        ("jobs_per_person", "--jobs-per-person", "1.5", "1.5 is not a number"),
        (
            "max_megapixels",
            "--max-megapixels",
            "0",
            "0 is not a number that can be used; write one above 0",
        ),
        ("max_megapixels", "--max-megapixels", "nan", "nan is not a number"),
        ("max_megapixels", "--max-megapixels", "inf", "inf is not a number"),
        ("max_steps", "--max-steps", "many", "many is not a number"),
        ("max_upload_mb", "--max-upload-mb", "-3", "-3 is not a number"),
        ("max_result_mb", "--max-result-mb", "0", "0 is not a number"),
        ("names", "--names", "{preset}", "needs {random}, so that nobody can guess a path."),
        ("names", "--names", "../{random}", "has to be a path inside of the outputs folder."),
        ("on_disconnect", "--on-disconnect", "stop", "stop is neither keep nor cancel."),
    ],
)
def test_bad_values_name_their_flag_or_variable(
    name: str, flag: str, value: str, expected: str
) -> None:
    given = [value] if name in LISTS else value
    variable = "COMFYGRADIO_" + name.upper()
    flags: dict[str, Any] = {name: given}
    for origin, environ, overrides in ((flag, {}, flags), (variable, {variable: value}, {})):
        with pytest.raises(SettingsError, match=f"^{origin}: ") as caught:
            load_settings(environ, overrides)
        assert expected in str(caught.value)


def test_several_servers() -> None:
    settings = load_settings({}, {"server": ["http://a:1", "http://b:2"]})
    assert (settings.server, settings.more_servers) == ("http://a:1", ("http://b:2",))
    settings = load_settings({"COMFYUI_URL": "http://a:1 http://b:2  http://c:3"})
    assert (settings.server, settings.more_servers) == ("http://a:1", ("http://b:2", "http://c:3"))
    with pytest.raises(SettingsError, match="--server: http://a:1 is named twice"):
        load_settings({}, {"server": ["http://a:1", "http://a:1/"]})


def test_demo_and_server_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="--demo and --server exclude each other"):
        load_settings({}, {"server": ["http://a:1"], "demo": True})


def test_secrets_are_not_shown() -> None:
    settings = load_settings(
        {"COMFYUI_URL": "http://me:hunter2@gpu", "COMFYGRADIO_HEADERS": "A: hunter2"}
    )
    assert "hunter2" not in repr(settings)
    for environ in ({"COMFYUI_URL": "http://me:hunter2@ gpu"}, {"COMFYGRADIO_HEADERS": "hunter2"}):
        with pytest.raises(SettingsError) as caught:
            load_settings(environ)
        assert "hunter2" not in str(caught.value)


def test_own_presets_come_before_the_shipped_ones(folder: Path) -> None:
    (folder / "presets").mkdir()
    assert load_settings({}).presets == (Path("presets"),)


def test_the_shipped_presets_are_there() -> None:
    assert {path.stem for path in shipped_presets().glob("*.yaml")} == {
        "text_to_image",
        "image_to_image",
        "inpaint",
        "upscale",
    }


def test_an_auth_file(folder: Path) -> None:
    path = folder / "users"
    path.write_text("# ours\nann:a:b \n\nben: c\n", encoding="utf-8")
    assert read_auth(path) == [("ann", "a:b "), ("ben", " c")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "names nobody; write one user:password a line."),
        (b"# nobody\n", "names nobody"),
        (b"ann:x\nhunter2\n", "users:2: a line of an --auth file is user:password."),
        (b"ann:\n", "users:1: a line of"),
        (b":hunter2\n", "users:1: a line of"),
        (b"ann:x\nann:y\n", "users:2: the user ann stands twice."),
        (b"\xff\xfe", "it is not UTF-8 text."),
    ],
)
def test_auth_files_that_cannot_be_used(folder: Path, data: bytes, expected: str) -> None:
    path = folder / "users"
    path.write_bytes(data)
    with pytest.raises(SettingsError, match=re.escape(expected)) as caught:
        read_auth(path)
    assert "hunter2" not in str(caught.value)


def test_an_auth_file_that_is_gone(folder: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file or directory"):
        read_auth(folder / "gone")


def test_a_named_server_beats_an_engine_of_the_environment() -> None:
    environ = {"COMFYGRADIO_ENGINE": "tls://head", "COMFYGRADIO_TLS_CA": "file"}
    settings = load_settings(environ)
    assert settings.engine == "tls://head" and settings.tls_ca == Path("file")
    assert load_settings(environ, {"server": ["http://a:1"]}).engine is None
    assert load_settings(environ, {"demo": True}).engine is None
    with pytest.raises(SettingsError, match="--engine brings its own servers"):
        load_settings({}, {"engine": "tls://head", "demo": True})
    with pytest.raises(SettingsError, match=r"^--tls-key: the file nowhere does not exist\.$"):
        load_settings({}, {"tls_key": "nowhere"})
