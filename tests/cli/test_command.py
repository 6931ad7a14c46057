from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from comfygradio.cli.command import with_settings
from comfygradio.setting_declaration import EVERY_COMMAND
from comfygradio.settings import Settings, list_settings


def check_twice(settings: Settings, names: int = 2, as_json: bool = False) -> int:
    """A command with arguments of its own, one of which is called like a setting of another."""
    return int(settings.outputs == Path("made")) * names


def ask(user: str = "") -> int:
    """A command without settings."""
    return len(user)


def test_a_command_takes_its_own_arguments_and_the_flags_of_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMFYGRADIO_OUTPUTS", "made")
    command = with_settings("check", first=("server", "as_json"))(check_twice)
    parameters = inspect.signature(command).parameters
    assert list(parameters) == [
        *("server", "as_json", "names"),
        *("demo", "presets", "headers", "api_key", "verbose"),
    ]
    assert parameters["names"].default == 2 and parameters["demo"].default is False
    assert parameters["headers"].default is None and command.__doc__ == check_twice.__doc__
    flags = {name: one.default for name, one in parameters.items()}
    assert command(**flags) == 2


def test_a_command_that_takes_no_settings_loads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYGRADIO_PORT", "no port")
    command = with_settings("password")(ask)
    assert list(inspect.signature(command).parameters) == ["user", "verbose"]
    assert command(user="ann", verbose=False) == 3


def test_every_setting_is_taken_by_a_command_and_logging_by_all() -> None:
    settings = list_settings()
    assert all(set(one.commands) <= set(EVERY_COMMAND) for one in settings.values())
    assert all(one.commands for one in settings.values())
    assert settings["verbose"].commands == EVERY_COMMAND


def test_the_default_is_told_in_words() -> None:
    settings = list_settings()
    told = {name: settings[name].default_text for name in ("port", "max_upload_mb", "demo", "auth")}
    assert told == {"port": "7860", "max_upload_mb": "100", "demo": "", "auth": ""}
    assert settings["server"].default_text == "http://127.0.0.1:8188"
