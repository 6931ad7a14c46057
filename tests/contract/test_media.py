from __future__ import annotations

import io
import json
import random
import uuid
import wave
from typing import Any

import av
import pytest
from PIL import Image

from tests.contract.plain_client import Graph, PlainClient, node, only

pytestmark = pytest.mark.real

EXTRA = {"workflow": {"x": 1}, "comfygradio": {"preset": "ü"}}


def make_wav(seconds: float = 0.25, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(random.randbytes(int(seconds * rate) * 2))
    return buffer.getvalue()


def upload(comfy: PlainClient, data: bytes, suffix: str) -> str:
    files = {"image": (f"contract-{uuid.uuid4().hex[:8]}{suffix}", data)}
    return str(comfy.http.post("/upload/image", files=files).json()["name"])


def outputs(comfy: PlainClient, graph: Graph) -> dict[str, Any]:
    """Runs a graph; what each node shows."""
    _, messages = comfy.run(graph, extra_data={"extra_pnginfo": EXTRA})
    assert not only(messages, "execution_error")
    return {data["node"]: data["output"] for data in only(messages, "executed")}


def failure(comfy: PlainClient, graph: Graph) -> dict[str, Any]:
    """Runs a graph that has to fail; its error."""
    _, messages = comfy.run(graph)
    error: dict[str, Any] = only(messages, "execution_error")[0]
    return error


def view(comfy: PlainClient, file: dict[str, str]) -> bytes:
    return comfy.http.get("/view", params=file).content


def read_tags(data: bytes) -> dict[str, Any]:
    """The JSON texts in the tags of an audio or video file."""
    with av.open(io.BytesIO(data)) as container:
        tags = {**container.metadata, **container.streams[0].metadata}
    return {key.lower(): json.loads(value) for key, value in tags.items() if value.startswith("{")}


def clip_graph(frames: int = 3, size: int = 64) -> Graph:
    color = random.getrandbits(24)
    image = node("EmptyImage", width=size, height=size, batch_size=frames, color=color)
    return {"1": image, "2": node("CreateVideo", images=["1", 0], fps=12.5)}


def save_video(
    comfy: PlainClient, prefix: str = "contract", container: str = "auto"
) -> dict[str, Any]:
    """SaveVideo of node 2, spelled as the server's version wants it."""
    codec = "format.codec" if comfy.since(0, 4) else "codec"
    return node(
        "SaveVideo", video=["2", 0], filename_prefix=prefix, format=container, **{codec: "auto"}
    )


def make_video(comfy: PlainClient) -> bytes:
    return view(comfy, outputs(comfy, clip_graph() | {"3": save_video(comfy)})["3"]["images"][0])


def test_audio_is_saved_with_its_metadata(comfy: PlainClient) -> None:
    name = upload(comfy, make_wav(), ".wav")
    graph = {
        "1": node("LoadAudio", audio=name),
        "2": node("SaveAudio", audio=["1", 0], filename_prefix="contract/a"),
    }
    shown = outputs(comfy, graph)["2"]
    assert set(shown) == {"audio"}
    file = shown["audio"][0]
    assert (file["subfolder"], file["type"]) == ("contract", "output")
    assert file["filename"].endswith(".flac" if comfy.since(0, 4) else "_.flac")
    tags = read_tags(view(comfy, file))
    assert {key: tags[key] for key in EXTRA} == EXTRA
    assert tags["prompt"]["1"].pop("is_changed")
    assert tags["prompt"] == graph


def test_audio_previews_are_temporary_flac(comfy: PlainClient) -> None:
    name = upload(comfy, make_wav(), ".wav")
    graph = {"1": node("LoadAudio", audio=name), "2": node("PreviewAudio", audio=["1", 0])}
    file = outputs(comfy, graph)["2"]["audio"][0]
    assert file["type"] == "temp"
    assert comfy.http.get("/view", params=file).headers["content-type"] == "audio/flac"
    with av.open(io.BytesIO(view(comfy, file))) as container:
        assert (container.format.name, container.streams.audio[0].rate) == ("flac", 8000)
        assert container.duration == 250000


@pytest.mark.parametrize(
    ("class_type", "quality", "kind", "codec"),
    [("SaveAudioMP3", "128k", "audio/mpeg", "mp3"), ("SaveAudioOpus", "64k", "audio/ogg", "opus")],
)
def test_other_audio_formats_are_real_files(
    comfy: PlainClient, class_type: str, quality: str, kind: str, codec: str
) -> None:
    seconds = random.uniform(0.2, 0.4)
    graph = {
        "1": node("EmptyAudio", duration=seconds, sample_rate=44100, channels=2),
        "2": node(class_type, audio=["1", 0], filename_prefix="contract", quality=quality),
    }
    file = outputs(comfy, graph)["2"]["audio"][0]
    answer = comfy.http.get("/view", params=file)
    assert answer.headers["content-type"] == kind
    with av.open(io.BytesIO(answer.content)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec.canonical_name, stream.channels) == (codec, 2)
    assert read_tags(answer.content)["comfygradio"] == EXTRA["comfygradio"]


def test_a_video_is_saved_with_its_metadata(comfy: PlainClient) -> None:
    graph = clip_graph() | {"3": save_video(comfy, "contract/v %width%x%height%")}
    shown = outputs(comfy, graph)["3"]
    assert set(shown) == {"images", "animated"} and shown["animated"] == [True]
    file = shown["images"][0]
    assert (file["subfolder"], file["type"]) == ("contract", "output")
    assert file["filename"].startswith("v 64x64_") and file["filename"].endswith("_.mp4")
    answer = comfy.http.get("/view", params=file)
    assert answer.headers["content-type"] == "video/mp4"
    assert read_tags(answer.content) == {"prompt": graph, **EXTRA}
    with av.open(io.BytesIO(answer.content)) as container:
        stream = container.streams.video[0]
        assert (stream.codec.canonical_name, stream.width, stream.frames) == ("h264", 64, 3)
        assert float(stream.average_rate or 0) == 12.5
        assert len(list(container.decode(stream))) == 3


@pytest.mark.parametrize(
    ("container", "kind"), [("mkv", "video/x-matroska"), ("webm", "video/webm")]
)
def test_matroska_writes_its_tags_in_capitals(
    comfy: PlainClient, container: str, kind: str
) -> None:
    if not comfy.since(0, 33):
        pytest.skip("newer servers only")
    graph = clip_graph() | {"3": save_video(comfy, container=container)}
    answer = comfy.http.get("/view", params=outputs(comfy, graph)["3"]["images"][0])
    assert answer.headers["content-type"] == kind
    with av.open(io.BytesIO(answer.content)) as file:
        assert {"PROMPT", "COMFYGRADIO", "WORKFLOW"} <= set(file.metadata)
    assert read_tags(answer.content)["prompt"] == graph


def test_sound_goes_into_the_video_and_out_of_it(comfy: PlainClient) -> None:
    graph = clip_graph(frames=5)
    graph["4"] = node("EmptyAudio", duration=2.0, sample_rate=44100, channels=2)
    graph["2"]["inputs"]["audio"] = ["4", 0]
    saved = outputs(comfy, graph | {"3": save_video(comfy)})["3"]["images"][0]
    data = view(comfy, saved)
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.audio[0].codec.canonical_name == "aac"
        assert abs((container.duration or 0) - 400000) < 60000, "sound is cut to the pictures"
    taken = {
        "1": node("LoadVideo", file=upload(comfy, data, ".mp4")),
        "2": node("GetVideoComponents", video=["1", 0]),
    }
    taken |= {"3": node("PreviewAudio", audio=["2", 1]), "4": node("PreviewImage", images=["2", 0])}
    shown = outputs(comfy, taken | {"5": node("PreviewAny", source=["2", 2])})
    assert (len(shown["3"]["audio"]), len(shown["4"]["images"]), shown["5"]["text"]) == (
        1,
        5,
        ["12.5"],
    )


def test_a_loaded_video_keeps_its_tags_and_gets_the_new_ones(comfy: PlainClient) -> None:
    graph = {
        "2": node("LoadVideo", file=upload(comfy, make_video(comfy), ".mp4")),
        "3": save_video(comfy),
    }
    _, messages = comfy.run(graph, extra_data={"extra_pnginfo": {"mine": {"y": 2}}})
    tags = read_tags(view(comfy, only(messages, "executed")[0]["output"]["images"][0]))
    assert (tags["mine"], tags["comfygradio"]) == ({"y": 2}, EXTRA["comfygradio"])
    assert tags["prompt"]["2"]["class_type"] == "LoadVideo"


def test_a_silent_video_has_no_audio_to_save(comfy: PlainClient) -> None:
    graph = clip_graph() | {"3": node("GetVideoComponents", video=["2", 0])}
    graph["4"] = node("SaveAudio", audio=["3", 1], filename_prefix="contract")
    error = failure(comfy, graph)
    assert (error["node_id"], error["node_type"]) == ("4", "SaveAudio")
    if comfy.since(0, 33):
        assert error["exception_message"].startswith("SaveAudio: input audio is None")


def test_an_animated_webp_holds_its_metadata_as_exif(comfy: PlainClient) -> None:
    first = node("EmptyImage", width=32, height=32, batch_size=1, color=random.getrandbits(24))
    graph = {
        "1": first,
        "2": node("ImageInvert", image=["1", 0]),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
    }
    graph["4"] = animation(["3", 0])
    shown = outputs(comfy, graph)["4"]
    assert shown["animated"] == [True]
    assert shown["images"][0]["filename"].endswith("_.webp")
    with Image.open(io.BytesIO(view(comfy, shown["images"][0]))) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("WEBP", 2)
        texts = dict(str(value).split(":", 1) for value in picture.getexif().values())
        assert picture.getexif()[0x0110].startswith("prompt:")
        assert picture.getexif()[0x010F].startswith("workflow:")
    assert {key: json.loads(text) for key, text in texts.items()} == {"prompt": graph, **EXTRA}


def test_a_single_picture_is_no_animation(comfy: PlainClient) -> None:
    graph = {
        "1": node("EmptyImage", width=32, height=32, batch_size=1, color=random.getrandbits(24))
    }
    shown = outputs(comfy, graph | {"2": animation(["1", 0])})["2"]
    assert shown.get("animated") == (None if comfy.since(0, 4) else [False])


def animation(images: list[Any]) -> dict[str, Any]:
    settings = {"fps": 5.0, "lossless": True, "quality": 80, "method": "fastest"}
    return node("SaveAnimatedWEBP", images=images, filename_prefix="contract", **settings)


@pytest.mark.parametrize(
    ("class_type", "name", "word"),
    [("LoadAudio", "audio", "audio"), ("LoadVideo", "file", "video")],
)
def test_a_missing_media_file_is_refused(
    comfy: PlainClient, class_type: str, name: str, word: str
) -> None:
    graph = {"1": node(class_type, **{name: "nope.bin"}), "2": node("PreviewAny", source=["1", 0])}
    error = comfy.post(graph).json()["node_errors"]["1"]["errors"][0]
    assert error["type"] == "custom_validation_failed"
    assert error["details"] == f"{name} - Invalid {word} file: nope.bin"


@pytest.mark.parametrize(
    ("class_type", "name", "suffix"),
    [("LoadAudio", "audio", ".wav"), ("LoadVideo", "file", ".mp4")],
)
def test_uploads_show_up_in_the_lists_of_their_kind(
    comfy: PlainClient, class_type: str, name: str, suffix: str
) -> None:
    data = make_wav() if suffix == ".wav" else make_video(comfy)
    uploaded = upload(comfy, data, suffix)
    for other, other_name in (
        ("LoadAudio", "audio"),
        ("LoadVideo", "file"),
        ("LoadImage", "image"),
    ):
        spec = comfy.http.get(f"/object_info/{other}").json()[other]["input"]["required"][
            other_name
        ]
        offered = spec[1]["options"] if spec[0] == "COMBO" else spec[0]
        fits = other == class_type or (other, suffix) == ("LoadAudio", ".mp4")
        assert (uploaded in offered) == fits, other


def test_media_in_a_subfolder_is_accepted_though_not_listed(comfy: PlainClient) -> None:
    files = {"image": (f"{uuid.uuid4().hex}.wav", make_wav())}
    stored = comfy.http.post("/upload/image", files=files, data={"subfolder": "deep"}).json()
    graph = {
        "1": node("LoadAudio", audio=f"deep/{stored['name']}"),
        "2": node("PreviewAudio", audio=["1", 0]),
    }
    assert outputs(comfy, graph)["2"]["audio"]


def test_a_file_that_is_left_out_breaks_the_check_of_its_loader(comfy: PlainClient) -> None:
    graph = {"1": node("LoadImage"), "2": node("PreviewImage", images=["1", 0])}
    error = comfy.post(graph).json()["node_errors"]["1"]["errors"][0]
    assert error["type"] == "exception_during_inner_validation"
    assert (
        error["details"]
        == "LoadImage.VALIDATE_INPUTS() missing 1 required positional argument: 'image'"
    )


def test_the_written_prompt_tells_that_files_were_read(comfy: PlainClient) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (random.randrange(256), 2, 3)).save(buffer, "PNG")
    graph = {"1": node("LoadImage", image=upload(comfy, buffer.getvalue(), ".png"))}
    graph["2"] = node("SaveImage", images=["1", 0], filename_prefix="contract")
    saved = view(comfy, outputs(comfy, graph)["2"]["images"][0])
    with Image.open(io.BytesIO(saved)) as picture:
        assert json.loads(picture.info["prompt"])["1"]["is_changed"]


def test_a_submitted_is_changed_is_believed(comfy: PlainClient) -> None:
    """Why it has to be removed from prompts that were read out of files."""
    name = f"contract-{uuid.uuid4().hex}.png"
    loaded = node("LoadImage", image=name) | {"is_changed": ["the same"]}
    graph = {"1": loaded, "2": node("PreviewImage", images=["1", 0])}
    for color in ((1, 1, 1), (200, 200, 200)):
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16), color).save(buffer, "PNG")
        comfy.http.post(
            "/upload/image", files={"image": (name, buffer.getvalue())}, data={"overwrite": "true"}
        )
        _, messages = comfy.run(graph)
    assert set(only(messages, "execution_cached")[0]["nodes"]) == {"1", "2"}, (
        "though the file is another one"
    )
