"""Each route once, on a demo server or on the real one that COMFYUI_URL names."""

from __future__ import annotations

import io
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import NotFound, PromptRejected, ServerError, UnexpectedResponse

from .conftest import Connect, Serve
from .gate import Gate
from .graphs import Graph, make_empty_graph, make_text_to_image_graph


def make_png(shade: int, size: int = 32) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (size, size), (shade, 0, 0, 255)).save(buffer, "PNG")
    return buffer.getvalue()


def finish(client: ComfyClient, graph: Graph) -> str:
    *_, state = client.run(graph)
    return state.prompt_id


def test_what_a_server_is(comfy: ComfyClient) -> None:
    assert isinstance(comfy.system_stats()["devices"], list)
    version = comfy.server_version()
    assert version is not None and len(version) == 3
    assert comfy.queue_remaining() >= 0
    assert "max_upload_size" in comfy.features()
    assert all(isinstance(name, str) for name in comfy.embeddings() + comfy.extensions())
    assert "checkpoints" in comfy.models()


def test_models_of_a_folder(comfy: ComfyClient) -> None:
    assert comfy.models("checkpoints")
    with pytest.raises(NotFound):
        comfy.models("no such folder")


def test_dates_and_pictures_of_models(comfy: ComfyClient) -> None:
    assert "checkpoints" in [folder.name for folder in comfy.model_folders()]
    files = comfy.model_files("checkpoints")
    assert {one.name for one in files} >= set(comfy.models("checkpoints"))
    assert all(one.path_index >= 0 and one.modified > 0 for one in files)
    for one in files[:4]:
        with suppress(NotFound):
            assert comfy.model_preview("checkpoints", one.path_index, one.name)
    with pytest.raises(NotFound):
        comfy.model_files("no such folder")
    with pytest.raises(NotFound):
        comfy.model_preview("checkpoints", 0, "no such file.safetensors")


def test_pictures_of_models_with_odd_names() -> None:
    name = "a b/100% #1?.safetensors"
    with DemoServer(DemoOptions(checkpoints=(name, "fox.safetensors"))) as server:
        client = ComfyClient(server.url)
        assert client.model_preview("checkpoints", 0, name).startswith(b"RIFF")
        client.close()


def test_a_server_that_fails_at_pictures_of_models() -> None:
    with DemoServer(DemoOptions(model_previews="broken")) as server:
        client = ComfyClient(server.url)
        with pytest.raises(UnexpectedResponse):
            client.model_preview("checkpoints", 0, "photo-xl.safetensors")
        client.close()


def test_metadata_of_a_model(comfy: ComfyClient, checkpoint: str) -> None:
    with suppress(NotFound):
        assert isinstance(comfy.view_metadata("checkpoints", checkpoint), dict)
    with pytest.raises(NotFound):
        comfy.view_metadata("checkpoints", "no such file.safetensors")


BROKEN = {"/object_info/VAEDecode": 500, "/object_info/LoadImage": 500}


def test_a_class_that_cannot_describe_itself_leaves_the_others_alone() -> None:
    names = ("KSampler", "VAEDecode", "LoadImage", "Absent", "a/b")
    options = DemoOptions(fail_on={**BROKEN, "/object_info": 500})
    with DemoServer(options) as server, ComfyClient(server.url) as client:
        found = client.object_info(*names)
    assert set(found.nodes) == {"KSampler"}
    assert found.broken == {"VAEDecode", "LoadImage", "a/b"}


def test_the_list_of_all_classes_stands_in_for_one() -> None:
    options = DemoOptions(fail_on=BROKEN, missing_classes=("LoadImage",))
    with DemoServer(options) as server, ComfyClient(server.url) as client:
        found = client.object_info("KSampler", "VAEDecode", "LoadImage", "Absent")
    assert set(found.nodes) == {"KSampler", "VAEDecode"}
    assert found.broken == {"LoadImage"}


@pytest.mark.parametrize("status", [503, 401, 418])
def test_other_failures_are_those_of_the_server(status: int) -> None:
    options = DemoOptions(fail_on={"/object_info/VAEDecode": status})
    with (
        DemoServer(options) as server,
        ComfyClient(server.url) as client,
        pytest.raises(ServerError),
    ):
        client.object_info("KSampler", "VAEDecode")


def test_a_server_that_describes_nothing_is_in_trouble() -> None:
    options = DemoOptions(fail_on={**BROKEN, "/object_info": 500})
    with (
        DemoServer(options) as server,
        ComfyClient(server.url) as client,
        pytest.raises(UnexpectedResponse, match="HTTP 500"),
    ):
        client.object_info("VAEDecode", "LoadImage")


def test_object_info_of_all_and_of_some(comfy: ComfyClient) -> None:
    whole = comfy.object_info()
    some = comfy.object_info("KSampler", "SaveImage", "KSampler", "No such class ü|x")
    assert sorted(some.nodes) == ["KSampler", "SaveImage"]
    assert some.get("KSampler") == whole.get("KSampler")
    assert list(comfy.object_info("a/b", "SaveImage").nodes) == ["SaveImage"]


def test_posting_and_the_history(comfy: ComfyClient) -> None:
    prompt_id = finish(comfy, make_empty_graph())
    entry = comfy.history(prompt_id)
    assert entry is not None and entry.status == "success" and entry.outputs[0].kind == "image"
    assert prompt_id in comfy.history(max_items=3)
    comfy.delete_history(prompt_id)
    assert comfy.history(prompt_id) is None
    assert comfy.history("no such prompt") is None


def test_a_queue_with_a_pending_prompt(comfy: ComfyClient, checkpoint: str, gate: Gate) -> None:
    gate.hold()
    first = comfy.queue_prompt(make_text_to_image_graph(checkpoint, steps=60))
    second = comfy.queue_prompt(make_empty_graph())
    queue = comfy.queue()
    assert queue.position(second.prompt_id) in (1, 2)
    assert comfy.queue_remaining() == 2
    comfy.delete_from_queue(second.prompt_id)
    assert comfy.queue().position(second.prompt_id) is None
    assert comfy.cancel(first.prompt_id)


def test_clear_queue_and_clear_history(serve: Serve, connect: Connect, gate: Gate) -> None:
    client = connect(serve().url)
    gate.hold()
    first = client.queue_prompt(
        make_text_to_image_graph(client.models("checkpoints")[0], steps=100)
    )
    client.queue_prompt(make_empty_graph())
    client.clear_queue()
    assert client.queue().pending == ()
    client.interrupt()
    assert client.cancel(first.prompt_id) in (True, False)
    finish(client, make_empty_graph())
    client.clear_history()
    assert client.history() == {}


def test_free(comfy: ComfyClient) -> None:
    comfy.free()


def test_refusal(comfy: ComfyClient) -> None:
    graph = make_text_to_image_graph("no such.safetensors")
    with pytest.raises(
        PromptRejected, match=r"CheckpointLoaderSimple \(node 4\): ckpt_name: 'no such.safetensors'"
    ) as caught:
        comfy.queue_prompt(graph)
    assert [(error.node_id, error.input_name) for error in caught.value.node_errors] == [
        ("4", "ckpt_name")
    ]


def test_uploads_and_downloads(comfy: ComfyClient, tmp_path: Path) -> None:
    name, picture = f"client-{uuid.uuid4().hex[:8]} ü.png", make_png(1)
    first = comfy.upload_image(picture, name)
    (tmp_path / name).write_bytes(make_png(2))
    second = comfy.upload_image(tmp_path / name)
    assert (first.value, first.type) == (name, "input") and second.name != name
    assert comfy.view(first.name, first.subfolder, first.type) == picture
    assert (
        comfy.download(tmp_path / "new" / "x.png", first.name, type="input").read_bytes() == picture
    )
    assert comfy.upload_image(make_png(3), name, overwrite=True).name == name
    assert comfy.view(name, type="input") == make_png(3)
    assert comfy.view(name, type="input", preview="webp;50")[:4] == b"RIFF"


def test_subfolders(comfy: ComfyClient) -> None:
    uploaded = comfy.upload_image(make_png(1), "a.png", subfolder="client-tests")
    assert uploaded.value == f"client-tests/{uploaded.name}"
    assert comfy.view(uploaded.name, uploaded.subfolder, uploaded.type) == make_png(1)


def test_masks(comfy: ComfyClient) -> None:
    original = comfy.upload_image(make_png(5), f"{uuid.uuid4().hex}.png")
    mask = io.BytesIO()
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(mask, "PNG")
    masked = comfy.upload_mask(mask.getvalue(), f"masked-{original.name}", original=original)
    result = Image.open(io.BytesIO(comfy.view(masked.name, masked.subfolder, masked.type)))
    assert result.getpixel((3, 3)) == (5, 0, 0, 0)


def test_files_that_are_not_there(comfy: ComfyClient, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        comfy.view("no such.png")
    with pytest.raises(NotFound):
        comfy.download(tmp_path / "x.png", "no such.png")
    assert list(tmp_path.iterdir()) == []


def test_jobs_where_they_exist(comfy: ComfyClient) -> None:
    version = comfy.server_version()
    if version is None or version < (0, 6, 0):
        with pytest.raises(NotFound):
            comfy.jobs()
        return
    prompt_id = finish(comfy, make_empty_graph())
    assert comfy.jobs(limit=1)["jobs"][0]["id"] == prompt_id
    assert comfy.job(prompt_id)["status"] == "completed"
    with pytest.raises(NotFound):
        comfy.job(str(uuid.uuid4()))


def test_versions(serve: Serve, connect: Connect) -> None:
    assert connect(serve(version="2024-01").url).server_version() is None
