"""The `models:` of a preset: what may stand there, and what is said of anything else."""

from __future__ import annotations

from typing import Any

import pytest

from comfygradio.binding.preset import load_preset
from comfygradio.errors import PresetError
from comfygradio.forms.model_entry import ModelEntry, parse_listed_model

from .preset_folder import PresetFolder

HEAD = "title: Test\nworkflow: workflow.json\n"
DIGITS = "0123456789abcdef" * 4
MODEL = "name: a.safetensors, folder: checkpoints, url: 'https://example.org/a'"


def refuse(presets: PresetFolder, text: str) -> str:
    """What is said of this text below the head of a preset, without the folder."""
    path = presets.write(HEAD + text, name="test")
    with pytest.raises(PresetError) as caught:
        load_preset(path)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_models_are_read_from_a_preset(presets: PresetFolder) -> None:
    listed = f"models:\n  - {{{MODEL}}}\n  - {{{MODEL.replace('a.s', '1.1.s')}, hash: {DIGITS}}}\n"
    models = load_preset(presets.write(HEAD + listed, name="test")).file.models
    assert [model.path for model in models] == [
        "checkpoints/a.safetensors",
        "checkpoints/1.1.safetensors",
    ]
    assert [model.identity for model in models] == [None, ("SHA256", DIGITS)]


def test_an_unquoted_number_is_a_name(presets: PresetFolder) -> None:
    path = presets.write(
        f"{HEAD}models: [{{name: 1.10, folder: loras, url: http://a/b}}]", name="test"
    )
    assert load_preset(path).file.models[0].name == "1.10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("models: a.safetensors", "test.yaml:3: models: write a list of models, each with its"),
        ("models: [a.safetensors]", "test.yaml:3: models.0: write a list of models, each with"),
        ("models: [{name: a, folder: vae}]", "test.yaml:3: models.0 needs the key url."),
        (
            f"models:\n  - {{{MODEL}, directory: x}}",
            "test.yaml:4: models.0: unknown key directory; there are name, folder, url, hash,",
        ),
        (
            f"models: [{{{MODEL}, hash_tpe: SHA256}}]",
            "models.0: unknown key hash_tpe; did you mean hash_type?",
        ),
        (f"models: [{{{MODEL}, hash: abc}}]", "models.0.hash: a hash has 64 hexadecimal digits."),
        (
            f"models: [{{{MODEL}, hash: {DIGITS}, hash_type: MD5}}]",
            "models.0.hash_type: this has to be 'SHA256' or 'BLAKE3'.",
        ),
        (
            f"models: [{{{MODEL}, hash_type: SHA256}}]",
            "models.0: has a hash_type without a hash; add the hash, or remove hash_type.",
        ),
        (
            f"models: [{{{MODEL}}}, {{{MODEL}}}]",
            "models: checkpoints/a.safetensors stands twice in this list; remove one of them.",
        ),
        (
            "models: [{name: ../a, folder: vae, url: https://a/b}]",
            "models.0.name: this has to be a name inside of ComfyUI's folder, without .. and //.",
        ),
    ],
)
def test_mistakes_are_told_with_line_and_key(
    presets: PresetFolder, text: str, expected: str
) -> None:
    assert expected in refuse(presets, text)


def make(**keys: Any) -> ModelEntry:
    return ModelEntry.model_validate(
        {"name": "a.safetensors", "folder": "vae", "url": "https://example.org/a", **keys}
    )


@pytest.mark.parametrize("key", ["name", "folder"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../../b",
        "a//b",
        "a/",
        "/etc/passwd",
        "a/ .. /b",
        "a/. /b",
        "...",
        "a/.. ./b",
        "..\\a",
        "C:\\a",
        "C:a",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x1b[2Jb",
        "a\u2028b",
        "a\u202eb",
        "x" * 401,
    ],
)
def test_a_path_that_leaves_the_folder_or_the_line_is_refused(key: str, text: str) -> None:
    with pytest.raises(ValueError, match="this has to be a name"):
        make(**{key: text})


@pytest.mark.parametrize("name", ["sdxl/a b.safetensors", "ä'\"$(id);`id`&.pt", "-rf", "..a"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert make(name=name).name == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "//example.org/a",
        "https:///a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:word@example.org/a",
        "https://user@example.org/a",
        "https://example.org:99999/a",
        "https://example.org:0/a",
        "https://example.org/a b",
        "https://example.org\\.example.com/a",
        "https://example.org/a\n--config x",
        "https://[::1/a",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        make(url=url)


def test_digits_of_a_hash_are_lower_case() -> None:
    assert make(hash=DIGITS.upper()).hash == DIGITS


def test_an_entry_of_a_workflow_becomes_a_model() -> None:
    data = {
        "name": "a.safetensors",
        "url": "https://example.org/a",
        "directory": "vae",
        "hash": DIGITS.upper(),
        "hash_type": "sha256",
        "other": [1],
    }
    assert parse_listed_model(data) == make(hash=DIGITS)
    assert parse_listed_model({**data, "hash_type": "blake3"}).hash_type == "BLAKE3"


@pytest.mark.parametrize(
    ("digits", "hash_type"), [(DIGITS[:10], "AutoV2"), (DIGITS, "CRC32"), (7, "SHA256"), ("", None)]
)
def test_a_hash_that_does_not_tell_one_file_from_all_others_is_dropped(
    digits: Any, hash_type: Any
) -> None:
    data = {"name": "a", "url": "https://a/b", "directory": "vae"}
    assert parse_listed_model({**data, "hash": digits, "hash_type": hash_type}).identity is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"directory": None}, "its folder is not a text"),
        ({"name": ["a"]}, "its name is not a text"),
        ({"url": "data:,a"}, "url: this has to be an address that begins with https:// or http://"),
    ],
)
def test_an_entry_that_is_none_is_described(change: dict[str, Any], expected: str) -> None:
    data = {"name": "a", "url": "https://a/b", "directory": "vae"}
    with pytest.raises(ValueError) as caught:
        parse_listed_model({**data, **change})
    assert str(caught.value) == expected
