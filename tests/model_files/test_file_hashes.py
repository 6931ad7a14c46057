"""Files of other names in a folder on this machine, compared by their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from comfygradio.forms.model_presence import find_presence
from comfygradio.model_files.file_hashes import hash_candidates

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
    hashes = hash_candidates(tmp_path, model, NAMES, told.append)
    found = find_presence(model, NAMES, hashes)
    assert (found.state, found.name, found.is_copy) == ("there", NAMES[1], True)
    # The search ends there.
    assert [path.name for path in told] == ["other.safetensors", "copy.safetensors"]


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    fill(tmp_path)
    outside = str(tmp_path / "models" / "out.safetensors")
    names = ["../out.safetensors", outside, "gone.safetensors", "same.txt", 7, ""]
    told: list[Path] = []
    assert hash_candidates(tmp_path, make_model(hash=SAME), names, told.append).files == frozenset()
    assert told == []


def test_a_model_without_a_sha256_is_not_looked_for(tmp_path: Path) -> None:
    fill(tmp_path)
    told: list[Path] = []
    for model in (make_model(), make_model(hash=SAME, hash_type="BLAKE3")):
        assert hash_candidates(tmp_path, model, NAMES, told.append).files == frozenset()
    assert told == []
