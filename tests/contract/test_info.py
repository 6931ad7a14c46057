from __future__ import annotations

from typing import Any

import pytest

from tests.contract.plain_client import PlainClient

pytestmark = pytest.mark.real

EVERYWHERE = [
    "/object_info",
    "/object_info/KSampler",
    "/system_stats",
    "/embeddings",
    "/extensions",
    "/features",
    "/models",
    "/models/checkpoints",
    "/queue",
    "/prompt",
    "/history",
    "/users",
    "/settings",
]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_routes_answer_json_bare_and_below_api(comfy: PlainClient, path: str) -> None:
    for prefix in ("", "/api"):
        answer = comfy.http.get(
            prefix + path, params={"max_items": 1} if path == "/history" else None
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        answer.json()


def test_one_class_is_told_like_all(comfy: PlainClient) -> None:
    every: dict[str, Any] = comfy.http.get("/object_info").json()
    assert comfy.http.get("/object_info/KSampler").json() == {"KSampler": every["KSampler"]}
    assert comfy.http.get("/object_info/NoSuchClass").json() == {}


def test_the_sampler_is_described(comfy: PlainClient) -> None:
    sampler = comfy.http.get("/object_info/KSampler").json()["KSampler"]
    required = sampler["input"]["required"]
    assert sampler["input_order"]["required"] == list(required)
    assert (required["seed"][0], required["seed"][1]["max"]) == ("INT", 2**64 - 1)
    assert "euler" in required["sampler_name"][0]
    assert (sampler["output"], sampler["output_node"]) == (["LATENT"], False)


def test_checkpoints_are_the_same_in_both_lists(comfy: PlainClient) -> None:
    loader = comfy.http.get("/object_info/CheckpointLoaderSimple").json()["CheckpointLoaderSimple"]
    assert (
        loader["input"]["required"]["ckpt_name"][0] == comfy.http.get("/models/checkpoints").json()
    )


def test_unknown_model_folders_are_empty_404(comfy: PlainClient) -> None:
    answer = comfy.http.get("/models/nope")
    assert (answer.status_code, answer.content) == (404, b"")
    assert "checkpoints" in comfy.http.get("/models").json()


def test_models_are_listed_with_their_dates(comfy: PlainClient) -> None:
    folders = comfy.http.get("/experiment/models").json()
    assert "checkpoints" in [folder["name"] for folder in folders]
    if comfy.since(0, 33):  # 0.3.64 does not say it.
        assert all(isinstance(folder["extensions"], list) for folder in folders)
    files = comfy.http.get("/experiment/models/checkpoints").json()
    names = {entry["name"] for entry in files}
    assert set(comfy.http.get("/models/checkpoints").json()) <= names
    for entry in files:
        assert entry["pathIndex"] >= 0 and entry["modified"] > 0
    answer = comfy.http.get("/experiment/models/nope")
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_model_has_a_picture_or_none(comfy: PlainClient) -> None:
    files = comfy.http.get("/experiment/models/checkpoints").json()
    for entry in files[:4]:
        path = f"/experiment/models/preview/checkpoints/{entry['pathIndex']}/{entry['name']}"
        answer = comfy.http.get(path)
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "image/webp"
            assert answer.content[:4] == b"RIFF" and answer.content[8:12] == b"WEBP"
        else:
            assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("nope/0/a.safetensors", 404),
        ("checkpoints/99/a.safetensors", 404),
        ("checkpoints/0/no.safetensors", 404),
        ("checkpoints/first/a.safetensors", 400),
    ],
)
def test_a_picture_that_is_not_there(comfy: PlainClient, place: str, status: int) -> None:
    answer = comfy.http.get(f"/experiment/models/preview/{place}")
    if not comfy.since(0, 33) and place.startswith(("checkpoints/99", "checkpoints/first")):
        assert answer.status_code == 500  # 0.3.64 does not check the index.
    else:
        assert (answer.status_code, answer.content) == (status, b"")


def test_embeddings_are_named_without_their_suffix(comfy: PlainClient) -> None:
    files = comfy.http.get("/models/embeddings").json()
    assert files, "a server without embeddings proves nothing"
    assert comfy.http.get("/embeddings").json() == [name.rpartition(".")[0] for name in files]


def test_model_metadata(comfy: PlainClient) -> None:
    found = comfy.http.get("/view_metadata/checkpoints", params={"filename": comfy.checkpoint})
    assert found.status_code == 200
    assert isinstance(found.json(), dict)
    assert (
        comfy.http.get(
            "/view_metadata/checkpoints", params={"filename": "no.safetensors"}
        ).status_code
        == 404
    )


def test_stats_name_the_version_and_the_devices(comfy: PlainClient) -> None:
    stats = comfy.http.get("/system_stats").json()
    assert {"os", "ram_total", "ram_free", "comfyui_version", "python_version", "argv"} <= set(
        stats["system"]
    )
    device = {
        "name",
        "type",
        "index",
        "vram_total",
        "vram_free",
        "torch_vram_total",
        "torch_vram_free",
    }
    assert set(stats["devices"][0]) == device


def test_features_hold_the_upload_limit(comfy: PlainClient) -> None:
    features = comfy.http.get("/features").json()
    assert features["supports_preview_metadata"] is True
    assert isinstance(features["max_upload_size"], int)


def test_free_needs_a_json_body(comfy: PlainClient) -> None:
    assert comfy.http.post("/free", json={}).status_code == 200
    assert comfy.http.post("/free").status_code == 500


def test_history_of_an_unknown_prompt_is_an_empty_object(comfy: PlainClient) -> None:
    answer = comfy.http.get("/history/nope")
    assert (answer.status_code, answer.json()) == (200, {})
    assert comfy.http.get("/history", params={"max_items": "abc"}).status_code == 500
