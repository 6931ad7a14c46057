"""Keeping the files that jobs need."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import JobStoreError
from comfygradio.jobs.kept_input import drop_input, drop_inputs, get_inputs_folder, keep_inputs

SLOTS = (("1", "image"), ("2", "mask"))


def keep(outputs: Path, *paths: Path) -> list[Path]:
    """Where files are kept for a prompt."""
    prompt = Prompt({}, tuple(Upload(path, f"client {path.name}", SLOTS) for path in paths))
    kept = keep_inputs(prompt, outputs)
    assert [(u.name, u.slots) for u in kept.uploads] == [(u.name, u.slots) for u in prompt.uploads]
    return [upload.path for upload in kept.uploads]


def write(path: Path, data: bytes) -> Path:
    """A file with these bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_files_are_kept_by_content_and_each_content_once(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    first, second = write(tmp_path / "a" / "One.PNG", data), write(tmp_path / "b" / "two.png", data)
    kept = keep(tmp_path / "out", first, second, write(tmp_path / "c.png", b"other"))
    folder = get_inputs_folder(tmp_path / "out")
    assert kept[0] == kept[1] == folder / f"{sha256(data).hexdigest()}.png" and kept[2] != kept[0]
    first.unlink()
    second.unlink()
    assert kept[0].read_bytes() == data and len(list(folder.iterdir())) == 2


def test_a_kept_file_can_be_ordered_again(tmp_path: Path) -> None:
    (kept,) = keep(tmp_path, write(tmp_path / "a.png", b"x"))
    os.utime(kept, (1, 1))
    assert keep(tmp_path, kept) == [kept] and kept.read_bytes() == b"x"
    assert not drop_input(kept), "it was ordered a moment ago"


def test_a_copy_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    source = write(tmp_path / "a.png", b"whole")
    (kept,) = keep(tmp_path, source)
    kept.write_bytes(b"wh")
    assert keep(tmp_path, source) == [kept] and kept.read_bytes() == b"whole"


@pytest.mark.parametrize(
    "name", ["a", "a.tar.gz", "a.p/../ng"[:3], "a.ünï", "a.x y", "a.averylongsuffixindeed"]
)
def test_odd_suffixes_are_left_out_or_harmless(tmp_path: Path, name: str) -> None:
    (kept,) = keep(tmp_path, write(tmp_path / "in" / name, b"x"))
    assert (
        kept.parent == get_inputs_folder(tmp_path) and kept.name.isascii() and " " not in kept.name
    )
    assert len(kept.name) <= 64 + 11


def test_a_file_that_is_gone_is_said_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        JobStoreError,
        match=r"The file client gone\.png could not be kept for this job: No such file",
    ):
        keep(tmp_path, tmp_path / "gone.png")
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(JobStoreError, match="could not be kept"):
        keep(tmp_path / "out", write(tmp_path / "a.png", b"x"))


def test_only_what_is_old_and_not_needed_is_dropped(tmp_path: Path) -> None:
    paths = keep(tmp_path, *(write(tmp_path / f"{n}.png", bytes([n])) for n in range(3)))
    for path in paths[:2]:
        os.utime(path, (time.time() - 3600,) * 2)
    assert drop_inputs(tmp_path, lambda name: name == paths[0].name) == 1
    assert [path.exists() for path in paths] == [True, False, True]
    assert drop_inputs(tmp_path, lambda name: name == paths[0].name, 0.0) == 1
    assert [path.exists() for path in paths] == [True, False, False]
    assert drop_inputs(tmp_path / "nothing here", lambda name: False) == 0
