"""Which models a server has, by what it lists."""

from __future__ import annotations

import time
from typing import Any

import pytest

from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.workflow import Workflow
from comfygradio.forms.model_hashes import HashedFile, ModelHashes
from comfygradio.forms.model_presence import find_presence, list_choices
from tests.model_files.entries import ONE, TWO, make_model


@pytest.mark.parametrize(
    ("listed", "state", "name"),
    [
        (None, "unknown", ""),
        ([], "missing", ""),
        (["b.safetensors", 7, True], "missing", ""),
        (["a.safetensors"], "there", "a.safetensors"),
        (["xl\\A.safetensors"], "there", "xl\\A.safetensors"),
        (["x/a.safetensors", "y/a.safetensors"], "there", "x/a.safetensors"),
        (["xa.safetensors", "a.safetensors.part"], "missing", ""),
    ],
)
def test_a_model_is_found_by_its_name(listed: Any, state: str, name: str) -> None:
    found = find_presence(make_model(), listed)
    assert (found.state, found.name, found.is_copy) == (state, name, False)


def test_another_name_counts_only_with_the_same_hash() -> None:
    listed = ["b.safetensors", "c.safetensors"]
    other = [make_model("b.safetensors", hash=ONE), make_model("c.safetensors", hash=TWO)]
    hashes = ModelHashes.from_entries(other)
    found = find_presence(make_model(hash=TWO), listed, hashes)
    assert (found.state, found.name, found.is_copy) == ("there", "c.safetensors", True)
    assert find_presence(make_model(), listed, hashes).state == "missing"
    assert find_presence(make_model(hash="3" * 64), listed, hashes).state == "missing"
    assert find_presence(make_model(hash=TWO), ["b.safetensors"], hashes).state == "missing"


@pytest.mark.parametrize(
    ("own_folder", "other_name", "other_folder", "listed"),
    [
        ("checkpoints", "xl/b.safetensors", "checkpoints", "xl\\b.safetensors"),
        ("checkpoints", "b.safetensors", "checkpoints/xl", "xl/b.safetensors"),
        ("checkpoints/xl", "b.safetensors", "checkpoints", "b.safetensors"),
        ("text_encoders", "b.safetensors", "clip/xl", "xl/b.safetensors"),
    ],
)
def test_a_copy_is_found_however_its_folders_are_written(
    own_folder: str, other_name: str, other_folder: str, listed: str
) -> None:
    """A server lists all files below a folder as one, and on Windows with backslashes."""
    hashes = ModelHashes.from_entries([make_model(other_name, other_folder, hash=ONE)])
    found = find_presence(make_model(folder=own_folder, hash=ONE), [listed], hashes)
    assert (found.state, found.name, found.is_copy) == ("there", listed, True)


@pytest.mark.parametrize(
    "other",
    [
        make_model("b.safetensors", hash=ONE, hash_type="BLAKE3"),
        make_model("b.safetensors", folder="loras", hash=ONE),
        make_model("b.safetensors"),
    ],
)
def test_another_type_or_folder_or_no_hash_proves_nothing(other: Any) -> None:
    hashes = ModelHashes.from_entries([other])
    assert hashes.find_copies(make_model(hash=ONE)) == ()


def test_two_hashes_of_one_file_prove_nothing() -> None:
    hashes = ModelHashes.from_entries([make_model("b.safetensors", hash=ONE)])
    model = make_model(hash=ONE)
    assert hashes.find_copies(model) == ("b.safetensors",)
    told = HashedFile("checkpoints", "b.safetensors", "SHA256", TWO)
    assert hashes.add([told]).find_copies(model) == ()
    other_type = HashedFile("checkpoints", "b.safetensors", "BLAKE3", TWO)
    assert hashes.add([other_type]).find_copies(model) == ("b.safetensors",)


def test_copies_are_found_in_linear_time() -> None:
    many = [make_model(f"{number}.safetensors", hash=ONE) for number in range(1000)]
    hashes = ModelHashes.from_entries(many)
    began = time.thread_time()
    assert len(hashes.find_copies(make_model(hash=ONE))) == len(many)
    assert time.thread_time() - began < 1


def test_a_renamed_folder_is_the_same_folder() -> None:
    hashes = ModelHashes.from_entries([make_model("b.pt", folder="clip", hash=ONE)])
    assert hashes.find_copies(make_model(folder="text_encoders", hash=ONE)) == ("b.pt",)


def describe(**inputs: Any) -> dict[str, Any]:
    return {"input": {"required": inputs}, "output": [], "output_node": True}


INFO = ObjectInfo.from_json(
    {
        "CheckpointLoaderSimple": describe(ckpt_name=[["x.pt", "y.pt"]]),
        "CLIPLoader": describe(clip_name=[["t.pt"]], type=[["sd3"]]),
        "OtherLoader": describe(model=[["p.pt"]], mode=[["a.safetensors-like"]]),
        "LoadImage": describe(image=[["a.png"], {"image_upload": True}]),
        "Remote": describe(ckpt_name=["COMBO", {"remote": {"route": "/x"}}]),
    }
)

WORKFLOW = Workflow.from_json(
    {
        "1": {"class_type": "OtherLoader", "inputs": {"model": "sub/m.pt"}},
        "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x.pt"}},
    }
)


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        ("a.pt", "checkpoints", ("x.pt", "y.pt")),
        ("a.pt", "checkpoints/xl", ("x.pt", "y.pt")),
        ("a.pt", "text_encoders", ("t.pt",)),
        ("a.pt", "clip", ("t.pt",)),
        # The input is found by the model that the workflow has there.
        ("m.pt", "packs_own_folder", ("p.pt",)),
        # An input that lists another folder has another file of that name.
        ("x.pt", "loras", None),
        ("other.pt", "packs_own_folder", None),
        ("a.png", "input", None),
    ],
)
def test_the_list_of_a_folder_is_found_among_the_inputs(
    name: str, folder: str, expected: Any
) -> None:
    assert list_choices(make_model(name, folder), WORKFLOW, INFO) == expected
