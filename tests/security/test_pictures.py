"""Pictures of people and of foreign servers: opened in one place, by named formats, looked at in
their headers before anything is decoded, and only so many pixels at once.
"""

from __future__ import annotations

import ast
import io
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from comfygradio.errors import MetadataError
from comfygradio.forms.field import Field
from comfygradio.forms.kinds.media import VIDEO
from comfygradio.forms.kinds.picture import check_mask, check_picture, compose_mask
from comfygradio.forms.kinds.value import InvalidValue
from comfygradio.jobs.results import Result, _describe
from comfygradio.media.metadata_limits import (
    MAX_METADATA_BYTES,
    MetadataTooLarge,
    check_metadata_size,
)
from comfygradio.media.pictures import (
    FORMATS,
    SHOWN_FORMATS,
    PictureTooLarge,
    inspect_picture,
    open_picture,
)
from comfygradio.media.pixel_budget import MAX_PIXELS, PIXEL_BUDGET, PixelBudget
from comfygradio.metadata.load import load_metadata
from comfygradio.sweeps.export.thumbnail import load_thumbnail
from comfygradio.ui.job.thumbnails import make_thumbnail
from tests.test_architecture import MODULES, parse

pytestmark = pytest.mark.deep

POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n"
    b"{ (never ends) pop } loop\nshowpage\n"
)

SECONDS = 60
"""Only tells a test that hangs."""


def make_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(path: Path, width: int, height: int, *more: bytes, pixels: bytes = b"") -> Path:
    """A PNG of these sides, whose pixels are packed zeros unless they are given."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", make_chunk(b"IHDR", head), *more]
    path.write_bytes(b"".join([*parts, make_chunk(b"IDAT", pixels), make_chunk(b"IEND", b"")]))
    return path


def make_exif(entries: int, size: int) -> bytes:
    """An EXIF block in which every entry names the same bytes."""
    start = 8 + 2 + 12 * entries + 4
    listed = (struct.pack("<HHLL", 1000 + n, 7, size, start) for n in range(entries))
    head = b"II*\0" + struct.pack("<LH", 8, entries)
    return head + b"".join(listed) + b"\0" * 4 + b"x" * size


def make_jpeg(path: Path, exif: bytes) -> Path:
    """A JPEG with an EXIF block that is spread over as many segments as it needs."""
    encoded = io.BytesIO()
    Image.new("RGB", (8, 8)).save(encoded, "JPEG")
    parts = [exif[at : at + 65_000] for at in range(0, len(exif), 65_000)]
    segments = (
        b"\xff\xe1" + struct.pack(">H", len(part) + 8) + b"Exif\0\0" + part for part in parts
    )
    path.write_bytes(b"\xff\xd8" + b"".join(segments) + encoded.getvalue()[2:])
    return path


def list_openings(tree: ast.AST) -> list[int]:
    """Lines that open a picture by Pillow, under whatever name it was imported."""
    names = {"Image"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PIL"):
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name for alias in node.names if "PIL" in alias.name}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("open", "frombuffer", "PngImageFile", "JpegImageFile")
        and ast.unparse(node.value).split(".")[-1] in names
    ]


def test_pictures_are_opened_in_one_place_alone() -> None:
    breaches = [
        f"{module}, line {line}: use open_picture"
        for module, file in MODULES.items()
        if not module.startswith(("comfygradio.demo", "comfygradio.media"))
        for line in list_openings(parse(file))
    ]
    assert not breaches, breaches
    assert list_openings(parse(MODULES["comfygradio.media.pictures"]))
    assert list_openings(ast.parse("from PIL import Image as Other\nOther.open('x')"))


def test_the_demo_server_names_its_formats_too() -> None:
    """It stands apart, and so opens pictures itself."""
    calls = [
        (module, node)
        for module, file in MODULES.items()
        if module.startswith("comfygradio.demo")
        for node in ast.walk(parse(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    ]
    assert len(calls) > 4
    for module, call in calls:
        assert "formats" in {keyword.arg for keyword in call.keywords}, (module, call.lineno)


def test_the_formats_are_named_and_no_interpreter_is_among_them() -> None:
    assert not {"EPS", "PS", "PDF", "WMF", "FPX", "MIC"} & {*FORMATS, *SHOWN_FORMATS}


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "eps", "tiff", "bmp", "avif"])
def test_postscript_is_no_picture_under_any_name(suffix: str, tmp_path: Path) -> None:
    """Pillow would start Ghostscript for it, which runs for ever here."""
    path = tmp_path / f"result.{suffix}"
    path.write_bytes(POSTSCRIPT)
    result = Result("image", path)
    assert make_thumbnail(path) is None
    assert load_thumbnail(result, 64) is None
    assert _describe(result, path).kind == "file"
    assert "not a picture" in str(check_picture(path, 10))
    with pytest.raises(MetadataError):
        load_metadata(path)


def test_a_picture_that_is_too_large_is_never_decoded(tmp_path: Path) -> None:
    """Its header alone tells; the same pixels as an honest picture of 169 megapixels would take."""
    path = make_png(tmp_path / "large.png", 13_000, 13_000, pixels=b"x" * 200_000)
    assert "169 megapixels; at most 50 are allowed" in str(check_picture(path, 10))
    with pytest.raises(PictureTooLarge), open_picture(path):
        pass
    described = _describe(Result("image", path), path)
    assert (described.kind, described.width, described.display) == ("image", 13_000, path)
    assert make_thumbnail(path) is None
    assert load_thumbnail(described, 64) is None


def test_a_mask_has_two_layers_at_most_and_none_is_larger_than_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(tmp_path / "photo.png")
    Image.new("RGBA", (64, 48), (0, 0, 0, 255)).save(tmp_path / "layer.png")
    Image.new("RGBA", (64, 49)).save(tmp_path / "larger.png")
    huge = make_png(tmp_path / "huge.png", 13_000, 13_000, pixels=b"x" * 100)
    photo, layer, target = tmp_path / "photo.png", tmp_path / "layer.png", tmp_path / "out.png"
    for layers in ([layer], [layer, layer]):
        with Image.open(compose_mask(photo, layers, target)) as made:
            assert made.size == (64, 48) and made.getchannel("A").getextrema() == (0, 0)
    for wrong in ([tmp_path / "larger.png"], [huge], [layer] * 3, [layer, huge]):
        with pytest.raises(ValueError):
            compose_mask(photo, wrong, target)
    with pytest.raises(ValueError):
        compose_mask(huge, [], target)


PIXELS = zlib.compress(b"\0" * (8 * 4 + 1) * 8)
"""Those of an honest picture of 8 × 8, so that nothing is wrong but what it carries."""


def pack(kind: bytes, count: int, size: int) -> list[bytes]:
    """Chunks with packed texts of so many letters, each of another name."""
    text = (b"\0" if kind == b"zTXt" else b"\1\0\0\0") + zlib.compress(b" " * size, 9)
    return [make_chunk(kind, b"prompt%d\0" % number + text) for number in range(count)]


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
@pytest.mark.parametrize(
    ("count", "size"), [(2000, 1_000_000), (100, 16_000_000), (9, 999_999), (1, 150_000_000)]
)
def test_packed_texts_have_one_budget_for_the_whole_file(
    kind: bytes, count: int, size: int, tmp_path: Path
) -> None:
    path = make_png(tmp_path / "texts.png", 8, 8, *pack(kind, count, size), pixels=PIXELS)
    tracemalloc.start()
    try:
        with pytest.raises(MetadataError, match="far more text than settings need"):
            load_metadata(path)
        assert check_picture(path, 100) is not None
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 12 * MAX_METADATA_BYTES


def test_what_comfyui_writes_is_far_below_the_budget(tmp_path: Path) -> None:
    path = make_png(tmp_path / "texts.png", 8, 8, *pack(b"iTXt", 3, 1_000_000), pixels=PIXELS)
    assert check_picture(path, 100) is None
    with pytest.raises(MetadataError, match=r"holds no ComfyUI settings|damaged"):
        load_metadata(path)


def write_tiff(path: Path, exif: bytes) -> Path:
    path.write_bytes(exif)
    return path


def write_webp(path: Path, exif: bytes) -> Path:
    chunk = b"EXIF" + struct.pack("<L", len(exif)) + exif + b"\0" * (len(exif) % 2)
    Image.new("RGB", (8, 8)).save(path, "WEBP")
    body = path.read_bytes()[12:] + chunk
    path.write_bytes(b"RIFF" + struct.pack("<L", len(body) + 4) + b"WEBP" + body)
    return path


def write_png(path: Path, exif: bytes) -> Path:
    return make_png(path, 8, 8, make_chunk(b"eXIf", exif), pixels=PIXELS)


@pytest.mark.parametrize(
    ("write", "name"),
    [(make_jpeg, "a.jpg"), (write_tiff, "a.tiff"), (write_webp, "a.webp"), (write_png, "a.png")],
)
def test_entries_that_all_name_the_same_megabytes_are_not_read(
    write: Callable[[Path, bytes], Path], name: str, tmp_path: Path
) -> None:
    """5,000 entries of 100 kB from a file of 160 kB: Pillow would copy each of them."""
    path = write(tmp_path / name, make_exif(5000, 100_000))
    tracemalloc.start()
    try:
        with path.open("rb") as file, pytest.raises(MetadataTooLarge):
            check_metadata_size(file)
        with pytest.raises(MetadataTooLarge), inspect_picture(path):
            pass
        assert check_picture(path, 100) is not None
        with pytest.raises(MetadataError):
            load_metadata(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 12 * MAX_METADATA_BYTES


def test_entries_that_lead_in_a_circle_come_to_an_end() -> None:
    head = b"MM\0*" + struct.pack(">LH", 8, 1) + struct.pack(">HHLL", 0x8769, 4, 1, 8)
    check_metadata_size(io.BytesIO(head + struct.pack(">L", 8)))
    many = b"II*\0" + b"".join(struct.pack("<LH", 8 + 6 * n, 0) for n in range(100))
    with pytest.raises(MetadataTooLarge):
        check_metadata_size(io.BytesIO(many))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_honest_pictures_with_exif_are_opened(format: str, tmp_path: Path) -> None:
    path, exif = tmp_path / "honest", Image.Exif()
    exif[0x010E] = "a boat"
    Image.new("RGB", (64, 48)).save(path, format, **({} if format == "GIF" else {"exif": exif}))
    with open_picture(path) as picture:
        assert picture.convert("RGB").size == (64, 48)


def test_so_many_pixels_are_open_at_once_and_no_more() -> None:
    room, first, second = PixelBudget(100), threading.Event(), threading.Event()
    order: list[str] = []

    def work(name: str, pixels: int, entered: threading.Event, leave: threading.Event) -> None:
        with room.reserve(pixels):
            order.append(name)
            assert room.used <= 100
            entered.set()
            assert leave.wait(SECONDS)

    leave = [threading.Event() for _ in range(3)]
    large = threading.Event()
    threads = [
        threading.Thread(target=work, args=("first", 60, first, leave[0])),
        threading.Thread(target=work, args=("huge", 10**9, large, leave[1])),
        threading.Thread(target=work, args=("small", 10, second, leave[2])),
    ]
    threads[0].start()
    assert first.wait(SECONDS)
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while room.waiting < number:
            threading.Event().wait(0.001)
    assert order == ["first"]  # the small one does not overtake the huge one, which would starve
    leave[0].set()
    assert large.wait(SECONDS) and room.used == 100
    leave[1].set()
    assert second.wait(SECONDS)
    leave[2].set()
    for thread in threads:
        thread.join(SECONDS)
    assert (order, room.used, room.waiting) == (["first", "huge", "small"], 0, 0)


def test_room_is_given_back_whatever_goes_wrong(tmp_path: Path) -> None:
    path = make_png(tmp_path / "broken.png", 4000, 4000, pixels=b"no pixels")
    with pytest.raises(OSError), open_picture(path) as picture:
        assert PIXEL_BUDGET.used == 16_000_000 <= MAX_PIXELS
        picture.load()
    assert PIXEL_BUDGET.used == 0


def write_picture(path: Path) -> Path:
    """A picture that is large enough to get a light copy and a thumbnail."""
    Image.effect_noise((700, 500), 80).convert("RGBA").save(path)
    return path


def name_sides(width: int, height: int) -> bytes:
    """Part of the header of an AVI file; its height is negative where rows go down."""
    return struct.pack("<Lll", 40, width, -height)


def make_frame(width: int, height: int, format: str) -> av.VideoFrame:
    """A black or green frame; a new one holds whatever was in its memory before."""
    frame = av.VideoFrame(width, height, format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def write_video(path: Path, sides: tuple[int, int] | None = None) -> Path:
    """A video of one frame of 64 × 48 in an AVI file, whose header names these sides instead."""
    with av.open(str(path), "w", format="avi") as film:
        stream = film.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr24"
        film.mux(stream.encode(make_frame(64, 48, "bgr24")))
        film.mux(stream.encode(None))
    data, known = path.read_bytes(), name_sides(64, 48)
    assert data.count(known) == 1
    path.write_bytes(data.replace(known, name_sides(*(sides or (64, 48)))))
    return path


DECODERS: dict[str, Callable[[Path], object]] = {
    "check": lambda folder: check_picture(write_picture(folder / "a.png"), 10) is None,
    "mask": lambda folder: check_mask(write_picture(folder / "a.png")),
    "painted": lambda folder: compose_mask(
        write_picture(folder / "a.png"), [folder / "a.png"], folder / "b.png"
    ),
    "result": lambda folder: (
        _describe(Result("image", folder), write_picture(folder / "a.png")).display
        != folder / "a.png"
    ),
    "thumbnail": lambda folder: make_thumbnail(write_picture(folder / "a.png")),
    "cell": lambda folder: load_thumbnail(Result("image", write_picture(folder / "a.png")), 64),
    "frame": lambda folder: READERS["cell"](write_video(folder / "a.avi")),
    "video": lambda folder: READERS["upload"](write_video(folder / "a.avi")),
}
"""All that decodes what others sent; each gives something true once it has."""


@pytest.mark.parametrize("name", DECODERS)
def test_whatever_decodes_a_picture_waits_for_room(name: str, tmp_path: Path) -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(DECODERS[name](tmp_path)))
    with PIXEL_BUDGET.reserve(MAX_PIXELS):
        thread.start()
        while PIXEL_BUDGET.waiting == 0 and thread.is_alive():
            threading.Event().wait(0.001)
        assert (PIXEL_BUDGET.waiting, found) == (1, [])
    thread.join(SECONDS)
    assert len(found) == 1 and found[0]


READERS: dict[str, Callable[[Path], object]] = {
    "cell": lambda path: load_thumbnail(Result("video", path), 64) is not None,
    "upload": lambda path: VIDEO.check(Field("film", "video", "Film", {}), path) == path,
}
"""Who decodes the first frame of a video; true where that was done."""


def try_to_read(name: str, path: Path, found: list[object]) -> None:
    try:
        found.append(READERS[name](path))
    except InvalidValue as refusal:
        found.append(str(refusal))


@pytest.mark.parametrize("name", READERS)
def test_a_frame_that_is_too_large_is_never_decoded(name: str, tmp_path: Path) -> None:
    assert READERS[name](write_video(tmp_path / "honest.avi"))
    large = write_video(tmp_path / "large.avi", (13_000, 13_000))
    found: list[object] = []
    thread = threading.Thread(target=try_to_read, args=(name, large, found))
    with PIXEL_BUDGET.reserve(MAX_PIXELS):
        thread.start()
        while PIXEL_BUDGET.waiting == 0 and thread.is_alive():
            threading.Event().wait(0.001)
        assert PIXEL_BUDGET.waiting == 0, "it waits for room, to be decoded"
    thread.join(SECONDS)
    assert found in ([False], ["the video has 169 megapixels a frame, which is too large."])


def write_lie(path: Path, sides: tuple[int, int]) -> Path:
    """A WebM video of a frame of 1200 × 1008, whose header names these sides instead."""
    with av.open(str(path), "w", format="webm") as film:
        stream = film.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1200, 1008, "yuv420p"
        film.mux(stream.encode(make_frame(1200, 1008, "yuv420p")))
        film.mux(stream.encode(None))
    data = path.read_bytes()
    for name, known, told in zip((b"\xb0", b"\xba"), (1200, 1008), sides, strict=True):
        entry = name + b"\x82" + struct.pack(">H", known)
        assert data.count(entry) == 1
        data = data.replace(entry, name + b"\x82" + struct.pack(">H", told))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", READERS)
def test_a_frame_that_is_larger_than_its_header_says_is_not_decoded(
    name: str, tmp_path: Path
) -> None:
    """Of such a codec FFmpeg believes the header of the file, until a frame is read."""
    assert READERS[name](write_lie(tmp_path / "honest.webm", (1200, 1008)))
    found: list[object] = []
    try_to_read(name, write_lie(tmp_path / "lie.webm", (64, 48)), found)
    assert found in (
        [False],
        ["this file is not a video that can be read; please use MP4 or WebM."],
    )
