"""Files of other names in a folder on this machine, compared by their hashes."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from comfygradio.forms.model_presence import find_presence
from comfygradio.model_files.file_hashes import FileHashes

from .entries import make_model

SAME = hashlib.sha256(b"same").hexdigest()
NAMES = ["other.safetensors", "sub\\copy.safetensors", "last.safetensors"]


def fill(folder: Path) -> None:
    """Files of other names; one of them is the model."""
    checkpoints = folder / "models" / "checkpoints"
    (checkpoints / "sub").mkdir(parents=True)
    (checkpoints / "other.safetensors").write_bytes(b"other")
    (checkpoints / "sub" / "copy.safetensors").write_bytes(b"same")
    (checkpoints / "last.safetensors").write_bytes(b"last")
    (checkpoints / "same.txt").write_bytes(b"same")
    (folder / "models" / "out.safetensors").write_bytes(b"same")


def test_the_same_file_is_found_under_another_name(tmp_path: Path) -> None:
    fill(tmp_path)
    told: list[Path] = []
    model = make_model(hash=SAME)
    hashes = FileHashes(tmp_path, told.append).hash_candidates(model, NAMES)
    found = find_presence(model, NAMES, hashes)
    assert (found.state, found.name, found.is_copy) == ("there", NAMES[1], True)
    # The search ends there.
    assert [path.name for path in told] == ["other.safetensors", "copy.safetensors"]


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("checkpoints/xl", "checkpoints"),
        # ComfyUI reads a folder that it has renamed, too.
        ("text_encoders", "clip"),
        ("unet", "diffusion_models"),
    ],
)
def test_the_folder_is_found_by_all_its_names(tmp_path: Path, folder: str, place: str) -> None:
    (tmp_path / "models" / place).mkdir(parents=True)
    (tmp_path / "models" / place / "b.safetensors").write_bytes(b"same")
    names = ["b.safetensors"]
    model = make_model(folder=folder, hash=SAME)
    hashes = FileHashes(tmp_path, lambda path: None).hash_candidates(model, names)
    assert find_presence(model, names, hashes).state == "there"


def test_two_files_that_a_server_lists_as_one_prove_nothing(tmp_path: Path) -> None:
    for place, content in (("clip", b"same"), ("text_encoders", b"other")):
        (tmp_path / "models" / place).mkdir(parents=True)
        (tmp_path / "models" / place / "b.safetensors").write_bytes(content)
    names = ["b.safetensors"]
    model = make_model(folder="clip", hash=SAME)
    hashes = FileHashes(tmp_path, lambda path: None).hash_candidates(model, names)
    assert find_presence(model, names, hashes).state == "missing"


def test_a_file_is_read_once_for_several_models(tmp_path: Path) -> None:
    fill(tmp_path)
    told: list[Path] = []
    files = FileHashes(tmp_path, told.append)
    for digits in ("1" * 64, "2" * 64):
        assert files.hash_candidates(make_model(hash=digits), NAMES).files != frozenset()
    assert len(told) == len(NAMES)


def test_many_files_are_searched_in_linear_time(tmp_path: Path) -> None:
    checkpoints = tmp_path / "models" / "checkpoints"
    checkpoints.mkdir(parents=True)
    names = [f"{number}.safetensors" for number in range(1000)]
    for name in names:
        (checkpoints / name).write_bytes(b"other")
    files = FileHashes(tmp_path, lambda path: None)
    # From here on each file has been read.
    assert len(files.hash_candidates(make_model(hash="1" * 64), names).files) == len(names)
    began = time.thread_time()
    files.hash_candidates(make_model(hash="2" * 64), names)
    assert time.thread_time() - began < 1


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    fill(tmp_path)
    outside = str(tmp_path / "models" / "out.safetensors")
    names: list[object] = ["../out.safetensors", outside, "gone.safetensors", "same.txt", 7, ""]
    names += ["a" * 5000 + ".safetensors", "a\0.safetensors"]
    told: list[Path] = []
    assert (
        FileHashes(tmp_path, told.append).hash_candidates(make_model(hash=SAME), names).files
        == frozenset()
    )
    assert told == []


def test_a_model_without_a_sha256_is_not_looked_for(tmp_path: Path) -> None:
    fill(tmp_path)
    told: list[Path] = []
    for model in (make_model(), make_model(hash=SAME, hash_type="BLAKE3")):
        assert FileHashes(tmp_path, told.append).hash_candidates(model, NAMES).files == frozenset()
    assert told == []
