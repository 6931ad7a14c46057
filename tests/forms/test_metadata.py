from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from comfygradio.errors import MetadataError
from comfygradio.metadata.load import MAX_NODES, Metadata, load_metadata
from tests.effort import scale

PICTURES = Path(__file__).parent.parent / "data" / "pictures"

SAMPLES = {
    "picture.png": "png",
    "animated.png": "png",
    "animated.webp": "webp",
    "picture.exr": "exr",
    "video.mp4": "mp4",
    "video.mkv": "mkv",
    "video.webm": "webm",
    "sound.flac": "flac",
    "sound.mp3": "mp3",
    "sound.opus": "opus",
    "latent.latent": "safetensors",
}

OWN = {
    "preset": "sample",
    "values": {"color": "#336699", "seed": 2**64 - 1, "text": "Müller “x” 灯"},
    "version": 1,
}

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 3368601},
    },
    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["1", 0]}},
}

PAGE = {"nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "version": 0.4}


def write(folder: Path, data: bytes | str, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, before: bool = True) -> bytes:
    """A 1 × 1 PNG with extra chunks before or after its pixel."""
    extra, pixel = b"".join(chunks), chunk(b"IDAT", zlib.compress(b"\0\0"))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return head + (extra + pixel if before else pixel + extra) + chunk(b"IEND", b"")


def text(name: str, value: Any) -> bytes:
    return chunk(b"tEXt", name.encode() + b"\0" + json.dumps(value).encode())


def refuse(path: Path) -> str:
    with pytest.raises(MetadataError) as caught:
        load_metadata(path)
    return str(caught.value)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_of_file_that_comfyui_writes(name: str) -> None:
    found = load_metadata(PICTURES / name)
    assert (found.kind, found.workflow, found.notes) == (SAMPLES[name], None, ())
    assert found.comfygradio == OWN
    assert found.prompt is not None and found.prompt["2"]["class_type"].startswith("Save")


def test_there_is_a_sample_of_every_file() -> None:
    assert {path.name for path in PICTURES.iterdir()} - {"README.md"} == SAMPLES.keys()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "part",
    [
        text("prompt", GRAPH),
        text("Prompt", GRAPH),
        chunk(b"zTXt", b"prompt\0\0" + zlib.compress(json.dumps(GRAPH).encode())),
        chunk(b"iTXt", b"prompt\0\0\0\0\0" + json.dumps(GRAPH).encode()),
        chunk(b"iTXt", b"prompt\0\1\0de\0x\0" + zlib.compress(json.dumps(GRAPH).encode())),
        chunk(b"comf", b"prompt\0" + json.dumps(GRAPH).encode()),
        chunk(b"tEXt", b"comment\0" + json.dumps({"prompt": json.dumps(GRAPH)}).encode()),
    ],
)
def test_texts_of_a_png_wherever_they_stand(tmp_path: Path, part: bytes, before: bool) -> None:
    assert load_metadata(write(tmp_path, png(part, before=before))) == Metadata("png", GRAPH)


def test_a_png_that_was_cut_off_still_tells_its_settings(tmp_path: Path) -> None:
    whole = png(text("prompt", GRAPH))
    assert load_metadata(write(tmp_path, whole[:-30])).prompt == GRAPH


def test_of_two_prompts_the_first_counts(tmp_path: Path) -> None:
    other = {"9": {"class_type": "SaveImage", "inputs": {}}}
    assert (
        load_metadata(write(tmp_path, png(text("prompt", GRAPH), text("prompt", other)))).prompt
        == GRAPH
    )


def test_what_the_server_added_while_it_ran_is_taken_away(tmp_path: Path) -> None:
    node = {**GRAPH["1"], "is_changed": ["ab"], "_loop_body": [1], "_meta": {"title": "T"}}
    found = load_metadata(write(tmp_path, png(text("prompt", {"1": node, "2": "nonsense"}))))
    assert found.prompt == {"1": {**GRAPH["1"], "_meta": {"title": "T"}}}
    assert found.notes == ("1 entries of its graph are not nodes and were left out.",)


def test_nodes_that_rode_along_are_taken_away(tmp_path: Path) -> None:
    carried = {"comfygradio-carried-1": GRAPH["1"], "comfygradio-carried-x-2": GRAPH["1"]}
    found = load_metadata(write(tmp_path, json.dumps({**carried, **GRAPH})))
    assert found.prompt == GRAPH and not found.notes


def test_nan_and_exact_seeds_and_half_characters(tmp_path: Path) -> None:
    raw = (
        '{"1": {"class_type": "A", "inputs": {"a": NaN, "b": -Infinity, "c": '
        '18446744073709551615, "d": "\\ud83d"}}}'
    )
    found = load_metadata(write(tmp_path, png(chunk(b"tEXt", b"prompt\0" + raw.encode()))))
    assert found.prompt is not None
    inputs = found.prompt["1"]["inputs"]
    assert inputs["a"] != inputs["a"] and (inputs["b"], inputs["c"]) == (-float("inf"), 2**64 - 1)
    inputs["d"].encode()


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "PNG"])
@pytest.mark.parametrize("tag", [0x0110, 0x010E, 0x9286])
def test_exif_of_pictures(tmp_path: Path, format: str, tag: int) -> None:
    exif = Image.Exif()
    if tag == 0x9286:
        exif.get_ifd(0x8769)[tag] = b"UNICODE\0" + json.dumps(
            {"prompt": GRAPH, "workflow": PAGE}
        ).encode("utf-16-le")
    else:
        exif[tag], exif[0x010F] = f"Prompt: {json.dumps(GRAPH)}", f"workflow:{json.dumps(PAGE)}"
    path = tmp_path / "any name.gif"
    Image.new("RGB", (8, 8)).save(path, format, exif=exif.tobytes())
    assert load_metadata(path) == Metadata(format.lower(), GRAPH, PAGE)


USER_COMMENT = 0x9286

LOOSE = json.dumps({"prompt": GRAPH, "workflow": PAGE})


def write_exif(path: Path, format: str, texts: dict[int, str | bytes]) -> Path:
    """A picture with these texts; those from 0x9000 on stand in the EXIF part, as cameras do."""
    exif = Image.Exif()
    for tag, value in texts.items():
        place = exif.get_ifd(0x8769) if 0x9000 <= tag < 0x9C00 or tag > 0xA000 else exif
        place[tag] = value
    Image.new("RGB", (8, 8)).save(path, format, exif=exif.tobytes())
    return path


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "PNG"])
@pytest.mark.parametrize(
    "texts",
    [
        {0x0131: "GIMP 2.10", 0x0132: "2026:03:04 05:06:07", 0x010E: LOOSE},
        {0x013B: "Someone", 0x8298: "(c) Someone", USER_COMMENT: b"ASCII\0\0\0" + LOOSE.encode()},
        {0x010E: "a lighthouse", USER_COMMENT: b"UNICODE\0" + LOOSE.encode("utf-16-be") + b"\0\0"},
        {0x9003: "2026:03:04 05:06:07", 0xA434: "f/2.8 35 mm", USER_COMMENT: LOOSE.encode()},
        {0x010F: "Canon", 0x9C9C: LOOSE.encode("utf-16-le") + b"\0\0"},
        {0x010F: "Canon", 0xA430: LOOSE},
        {0x010E: '{"title": "a lighthouse"}', 0x010F: LOOSE},
        {0x0110: "prompt:[1, 2]", 0x0131: "PaintShop", 0x013B: LOOSE},
        {0x010E: '{"prompt": "a lighthouse"}', 0x010F: LOOSE},
    ],
)
def test_a_text_of_another_program_hides_no_settings(
    tmp_path: Path, format: str, texts: dict[int, str | bytes]
) -> None:
    path = write_exif(tmp_path / "a.picture", format, texts)
    assert load_metadata(path) == Metadata(format.lower(), GRAPH, PAGE)


def plain(name: str, words: str) -> bytes:
    return chunk(b"tEXt", name.encode() + b"\0" + words.encode())


@pytest.mark.parametrize(
    "parts",
    [
        (plain("prompt", "a cat on a mat"), text("prompt", GRAPH)),
        (text("prompt", {"positive": "a cat"}), text("prompt", GRAPH)),
        (text("prompt", {"positive": "a cat"}), plain("comment", LOOSE)),
        (plain("comment", "Created with GIMP"), plain("comment", LOOSE)),
        (plain("Software", "Krita"), plain("Description", LOOSE)),
        (
            plain("Software", '{"name": "Krita"}'),
            plain("exif:Model", f"prompt:{json.dumps(GRAPH)}"),
        ),
        (plain("prompt", "{broken"), plain("comment", LOOSE)),
        (text("workflow", {"name": "portrait"}), plain("prompt", "1girl"), plain("comment", LOOSE)),
    ],
)
def test_of_all_texts_of_a_png_the_graph_is_taken(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    for order in (parts, parts[::-1]):
        found = load_metadata(write(tmp_path, png(*order)))
        assert (found.prompt, found.notes) == (GRAPH, ())


def test_all_comments_of_a_jpeg_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path, comment="CREATOR: gd-jpeg v1.0, quality = 90")
    data = path.read_bytes()
    for place in (2, data.index(b"\xff\xdb")):
        comment = b"\xff\xfe" + struct.pack(">H", len(LOOSE) + 2) + LOOSE.encode()
        assert load_metadata(write(tmp_path, data[:place] + comment + data[place:])) == Metadata(
            "jpeg", GRAPH, PAGE
        )


def test_the_damage_is_told_only_where_nothing_else_is_found(tmp_path: Path) -> None:
    own = text("comfygradio", OWN)
    found = load_metadata(write(tmp_path, png(plain("prompt", "{broken"), own)))
    assert found.notes == ("Its prompt is damaged and cannot be read.",)


@pytest.mark.parametrize(("format", "kind"), [("mov", "mov"), ("mp4", "mp4"), ("matroska", "mkv")])
@pytest.mark.parametrize("is_together", [True, False])
def test_tags_of_videos_single_or_together_in_a_comment(
    tmp_path: Path, format: str, kind: str, is_together: bool
) -> None:
    import av

    path = tmp_path / "video"
    with (
        av.open(str(PICTURES / "video.mp4")) as source,
        av.open(str(path), "w", format=format, options={"movflags": "use_metadata_tags"}) as copy,
    ):
        if is_together:
            copy.metadata["comment"] = json.dumps({"prompt": json.dumps(GRAPH), "workflow": PAGE})
        else:
            copy.metadata.update({"prompt": json.dumps(GRAPH), "workflow": json.dumps(PAGE)})
        stream = copy.add_stream_from_template(source.streams[0])
        for packet in source.demux(source.streams[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert load_metadata(path) == Metadata(kind, GRAPH, PAGE)


@pytest.mark.parametrize(
    "data",
    [
        GRAPH,
        {"prompt": GRAPH},
        {"prompt": GRAPH, "extra_data": {"extra_pnginfo": {"workflow": PAGE}}, "client_id": "x"},
    ],
)
def test_workflow_files(tmp_path: Path, data: Any) -> None:
    found = load_metadata(write(tmp_path, b"\xef\xbb\xbf\n " + json.dumps(data).encode()))
    assert (found.kind, found.prompt) == ("json", GRAPH)
    assert found.workflow == (PAGE if "extra_data" in data else None)


def test_a_workflow_of_the_page_alone_is_said_to_be_no_prompt(tmp_path: Path) -> None:
    found = load_metadata(write(tmp_path, json.dumps(PAGE)))
    assert (found.prompt, found.workflow) == (None, PAGE)
    assert found.notes == (
        "The file holds only ComfyUI's own workflow (UI format), and not the prompt that was run.",
    )


def test_svg(tmp_path: Path) -> None:
    data = json.dumps({"prompt": GRAPH, "comfygradio": OWN}, indent=2)
    svg = f'<?xml version="1.0"?><svg><metadata id="a">\n<![CDATA[\n{data}\n]]>\n</metadata></svg>'
    assert load_metadata(write(tmp_path, svg)) == Metadata("svg", GRAPH, comfygradio=OWN)


NOTHING = (
    "file holds no ComfyUI settings: it was saved again by another program, or with metadata "
    "switched off."
)


def test_files_without_settings_say_why(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for format in ("PNG", "JPEG", "WEBP", "AVIF"):
        Image.new("RGB", (8, 8)).save(path, format)
        assert refuse(path) == NOTHING
    for data in (
        "{}",
        '{"a": 1}',
        "<svg></svg>",
        png(text("prompt", "a cat")),
        png(text("comment", "Made with GIMP")),
    ):
        assert refuse(write(tmp_path, data)) == NOTHING


@pytest.mark.parametrize(
    ("part", "program"),
    [
        (
            chunk(b"tEXt", b"parameters\0a cat\nSteps: 20, Sampler: Euler a, Seed: 7"),
            "Stable Diffusion WebUI",
        ),
        (text("invokeai_metadata", {"seed": 7}), "InvokeAI"),
    ],
)
def test_pictures_of_other_programs_are_told_apart(
    tmp_path: Path, part: bytes, program: str
) -> None:
    told = refuse(write(tmp_path, png(part)))
    assert told.startswith(f"file was made by another program ({program}")
    assert load_metadata(write(tmp_path, png(part, text("prompt", GRAPH)))).prompt == GRAPH


def test_webui_in_a_jpeg(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = (
        b"UNICODE\0" + "a cat\nSteps: 20, Sampler: Euler a, Seed: 7".encode("utf-16-be")
    )
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert "another program (Stable Diffusion WebUI" in refuse(tmp_path / "a.jpg")


DEEP = '{"1": {"class_type": "A", "inputs": {"a": ' + "[" * 200 + "]" * 200 + "}}}"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is not a file with ComfyUI settings"),
        (b"hello", "is not a file with ComfyUI settings"),
        (b"RIFF\0\0\0\0AVI LIST", "is not a file with ComfyUI settings"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret.ts\n", "is not a file with ComfyUI settings"),
        (b"GIF89a" + bytes(50), "is not a file with ComfyUI settings"),
        (b"\x89PNG\r\n\x1a\n", NOTHING[5:]),
        (b"\xff\xd8\xff\xe0broken", "is damaged"),
        (b"RIFF\0\0\0\0WEBPVP8X", "is damaged"),
        (b"\0\0\0\x20ftypisom" + bytes(99), "is damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "is damaged"),
        (b"\xff" * 16 + b"{", "is damaged"),
        (b"\xff\xff\xff\x7f\0\0\0\0{}", "far more text"),
        (b"\xff\0\0\0\0\0\0\0{", "damaged"),
        (b"{", "damaged"),
        (b'{"a": \xff\xfe}', "is damaged"),
        ("[" * 100_000, "is not a file"),
        ('{"a":' * 100_000, "damaged"),
        (DEEP, "damaged"),
        ('{"a": ' + "1" * 10_000 + "}", "damaged"),
        (b"{" + b" " * (17 * 2**20), "far more text"),
        (png(chunk(b"tEXt", b"prompt\0{")), "holds settings that are damaged"),
        (png(chunk(b"tEXt", b"prompt\0" + DEEP.encode())), "holds settings that are damaged"),
        (png(chunk(b"tEXt", b"prompt\0" + b"x" * (17 * 2**20))), "far more text"),
        (png(chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(64 * 2**20)))), "far more text"),
        (
            png(chunk(b"zTXt", b"prompt\0\0rubbish"), chunk(b"iTXt", b""), chunk(b"tEXt", b"")),
            NOTHING[5:],
        ),
        (png(struct.pack(">I4s", 2**32 - 1, b"tEXt")), "far more text"),
        (png(struct.pack(">I4s", 2**32 - 1, b"IDAT")), NOTHING[5:]),
        (
            png(text("prompt", dict.fromkeys(map(str, range(MAX_NODES + 1)), GRAPH["1"]))),
            "5,001 nodes",
        ),
        (
            json.dumps({"values": {}, "comfygradio": {"values": []}, "prompt": [], "workflow": {}}),
            NOTHING[5:],
        ),
    ],
)
def test_broken_and_hostile_files_are_refused_in_a_sentence(
    tmp_path: Path, data: bytes | str, told: str
) -> None:
    assert told in refuse(write(tmp_path, data))


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    assert refuse(tmp_path / "gone.png") == "The file gone.png does not exist."
    assert "cannot be read" in refuse(tmp_path)
    assert "cannot be read" in refuse(Path("a\0b"))


def test_a_bomb_of_pixels_is_not_unpacked(tmp_path: Path) -> None:
    """50,000 × 50,000 pixels: the texts are read without decoding, or the file is refused."""
    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + text("prompt", GRAPH)
    assert load_metadata(write(tmp_path, data)).prompt == GRAPH
    jpeg = tmp_path / "a.jpg"
    Image.new("L", (8, 8)).save(jpeg, "JPEG")
    start = jpeg.read_bytes().index(b"\xff\xc0") + 5
    data = jpeg.read_bytes()
    assert "is damaged" in refuse(
        write(tmp_path, data[:start] + b"\xff\xff\xff\xff" + data[start + 4 :])
    )


def test_a_picture_saved_by_pillow_with_long_texts(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    graph = {"1": {"class_type": "A", "inputs": {"text": "灯" * 500_000}}}
    info.add_itxt("prompt", json.dumps(graph, ensure_ascii=False), zip=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    assert load_metadata(tmp_path / "a.png").prompt == graph


@settings(
    max_examples=scale(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 9000), st.binary(max_size=6)), min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(0, 9000)),
)
def test_mutated_files_are_read_or_refused(
    tmp_path: Path, name: str, changes: list[tuple[int, bytes]], length: int | None
) -> None:
    data = bytearray((PICTURES / name).read_bytes())
    for place, new in changes:
        place %= len(data)
        data[place : place + len(new)] = new
    try:
        found = load_metadata(write(tmp_path, bytes(data[:length])))
    except MetadataError:
        return
    assert found.prompt or found.workflow or found.comfygradio


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(
    ["prompt", "workflow", "comfygradio", "comment", "nodes", "class_type", "extra_data", "values"]
)


@pytest.mark.deep
@settings(
    max_examples=scale(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON))))
def test_any_json_is_read_or_refused(tmp_path: Path, data: dict[str, Any]) -> None:
    for raw in (json.dumps(data), png(*(text(name, value) for name, value in data.items()))):
        try:
            found = load_metadata(write(tmp_path, raw))
        except MetadataError:
            continue
        assert found.prompt or found.workflow is not None or found.comfygradio is not None
