"""Saving results: names, light copies, kinds, what is missing, and what is deleted."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.outputs import Output
from comfygradio.comfy.prompt_progress import Preview, PromptProgress
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import NotFound, SettingsError
from comfygradio.jobs.naming import DEFAULT_PATTERN, ResultPlace, check_pattern, choose_result_place
from comfygradio.jobs.results import (
    MAX_DISPLAY_BYTES,
    MAX_DISPLAY_PIXELS,
    Result,
    ResultSource,
    collect_again,
    collect_results,
    remove_files,
)

NOW = datetime.datetime(2026, 7, 8, 9, 10, 11)


@pytest.fixture(scope="module")
def client() -> Iterator[ComfyClient]:
    """A client of a demo server."""
    with DemoServer(DemoOptions(step_seconds=0.01)) as server, ComfyClient(server.url) as client:
        yield client


def encode(picture: Image.Image, format: str = "PNG") -> bytes:
    """The bytes of a picture file."""
    buffer = BytesIO()
    picture.save(buffer, format)
    return buffer.getvalue()


def noise(width: int, height: int, mode: str = "RGB") -> bytes:
    """A PNG that does not compress."""
    grey = Image.effect_noise((width, height), 120)
    return encode(Image.merge(mode, [grey] * len(mode)))


def output(name: str, data: bytes, kind: str = "image") -> Output:
    """An output with inline data."""
    return Output("1", kind, name, data=data)  # type: ignore[arg-type]


def collect(
    place: Path | ResultPlace,
    *outputs: Output,
    partial: bool = False,
    preview: Preview | None = None,
) -> list[Result]:
    """The results of a job that ended like this."""
    state = PromptProgress("id", "running" if partial else "done", outputs=outputs, preview=preview)
    return list(
        collect_results(
            place if isinstance(place, ResultPlace) else ResultPlace(place), state, partial=partial
        )
    )


def test_files_are_saved_byte_for_byte(tmp_path: Path) -> None:
    data = noise(64, 64)
    (result,) = collect(tmp_path, output("a.png", data))
    assert result.path and result.path.read_bytes() == data and result.display == result.path
    assert (result.partial, result.problem, result.source) == (False, "", None)


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", ".jpg"), ("RGBA", ".webp")])
@pytest.mark.deep
def test_large_pictures_get_a_light_copy(tmp_path: Path, mode: str, suffix: str) -> None:
    data = noise(2000, 1000, mode)
    assert len(data) > MAX_DISPLAY_BYTES
    (result,) = collect(tmp_path, output("a.png", data))
    assert (
        result.display
        and result.display.suffix == suffix
        and (result.width, result.height) == (2000, 1000)
    )
    with Image.open(result.display) as light:
        assert max(light.size) == MAX_DISPLAY_PIXELS


def test_light_copies_of_like_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    picture = Image.effect_noise((900, 900), 120)
    results = collect(
        tmp_path, output("a.png", encode(picture)), output("a.bmp", encode(picture, "BMP"))
    )
    assert len({result.display for result in results}) == 2


def test_without_a_light_copy_the_original_is_shown(tmp_path: Path) -> None:
    (tmp_path / "display").write_text("a file where the folder should be")
    (result,) = collect(tmp_path, output("a.png", noise(2000, 1000)))
    assert result.kind == "image" and result.display == result.path and result.width == 2000


def test_equal_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    results = collect(tmp_path, output("a.png", noise(8, 8)), output("a.png", noise(9, 9)))
    assert [result.path.name for result in results if result.path] == ["a.png", "a (2).png"]


@pytest.mark.parametrize(
    "name", ["../../x.png", "..\\x.png", "/etc/x.png", "a\0b.png", "con:x?.png", "..", "NUL.png"]
)
def test_a_name_from_the_server_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    (result,) = collect(tmp_path, output(name, noise(8, 8)))
    assert result.path and result.path.parent == tmp_path and result.path.stem.casefold() != "nul"


def test_a_name_as_long_as_can_be_is_shortened(tmp_path: Path) -> None:
    results = collect(tmp_path, *[output("ü" * 120 + ".png", noise(8, 8)) for _ in range(2)])
    assert [result.path.suffix for result in results if result.path] == [".png", ".png"]


def test_a_damaged_picture_is_kept_as_a_file(tmp_path: Path) -> None:
    (result,) = collect(tmp_path, output("a.png", b"no picture"))
    assert result.kind == "file" and result.path and result.path.read_bytes() == b"no picture"


def test_text_needs_no_file(tmp_path: Path) -> None:
    (result,) = collect(tmp_path, Output("1", "text", type="", text="hello"))
    assert result.text == "hello" and result.path is None and not list(tmp_path.iterdir())


def test_no_state_no_results(tmp_path: Path) -> None:
    assert collect_results(ResultPlace(tmp_path), None, partial=True) == ()


def test_what_a_stopped_job_made_is_kept_and_marked(tmp_path: Path) -> None:
    preview = Preview(encode(Image.new("RGB", (8, 8)), "JPEG"), "image/jpeg", "3")
    results = collect(tmp_path, output("a.png", noise(8, 8)), partial=True, preview=preview)
    assert [(result.kind, result.partial) for result in results] == [("image", True)]


def test_the_last_preview_is_kept_only_of_a_job_that_has_nothing_else(tmp_path: Path) -> None:
    data = encode(Image.new("RGB", (16, 8)), "JPEG")
    preview = Preview(data, "image/jpeg", "3")
    (result,) = collect(tmp_path, partial=True, preview=preview)
    assert (result.kind, result.partial, result.width, result.height) == ("preview", True, 16, 8)
    assert result.path == tmp_path / "preview.jpeg" and result.path.read_bytes() == data
    assert collect(tmp_path, partial=False, preview=preview) == []


def test_a_file_that_cannot_be_fetched_does_not_take_the_others_along(
    client: ComfyClient, tmp_path: Path
) -> None:
    data = noise(8, 8)
    stored = client.upload_image(data, "there.png", type="temp")
    there = Output("1", "image", stored.name, stored.subfolder, "temp", source=client)
    results = collect(
        tmp_path, replace(there, filename="gone.png", node_id="7"), there, output("b.png", data)
    )
    assert [bool(result.problem) for result in results] == [True, False, False]
    gone = results[0]
    assert (
        gone.problem.startswith("gone.png was made, but could not be fetched: ")
        and gone.can_be_collected
    )
    assert (gone.kind, gone.path, gone.source) == (
        "image",
        None,
        ResultSource("7", "gone.png", stored.subfolder, "temp"),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "there.png"]


def test_a_result_that_was_missing_is_collected_again(client: ComfyClient, tmp_path: Path) -> None:
    data = noise(8, 8)
    stored = client.upload_image(data, "late.png", type="temp")
    late = Output("1", "image", stored.name, stored.subfolder, "temp", source=client)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    results = collect(
        blocked, Output("2", "text", type="", text="x"), late, output("b.png", data), partial=True
    )
    assert results[1].problem.startswith(
        "late.png was made, but could not be saved in the outputs folder: "
    )
    assert [result.can_be_collected for result in results] == [False, True, False]
    again = collect_again(results, client, ResultPlace(tmp_path / "again"))
    assert (
        again[1].path
        and again[1].path.read_bytes() == data
        and again[1].problem == ""
        and again[1].partial
    )
    assert (again[0], again[2]) == (results[0], results[2])
    assert collect_again(again, client, ResultPlace(tmp_path / "again")) == again


def test_a_server_that_is_gone_is_asked_once(tmp_path: Path) -> None:
    with DemoServer(DemoOptions()) as server:
        url = server.url
    with ComfyClient(url) as client:
        lost = [Output("1", "image", f"{n}.png", source=client) for n in range(3)]
        results = collect(tmp_path, *lost, output("b.png", noise(8, 8)))
    assert [result.can_be_collected for result in results] == [True, True, True, False]
    assert [result.problem.partition(" ")[0] for result in results[:3]] == [
        "0.png",
        "1.png",
        "2.png",
    ]
    assert results[3].path


class Forgetful:
    """A server that has nothing."""

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """Nothing."""
        raise NotFound("The server has no such file.")

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """Nothing."""
        raise NotFound("The server has no such file.")


def test_what_is_still_missing_keeps_its_problem_and_source(tmp_path: Path) -> None:
    missing = Result(
        "image", problem="It was not there.", source=ResultSource("1", "a.png"), partial=True
    )
    (again,) = collect_again([missing], Forgetful(), ResultPlace(tmp_path))
    assert again.problem == "a.png was made, but could not be fetched: The server has no such file."
    assert again.source == missing.source and again.partial


def test_files_are_removed_with_their_folder_and_only_within_outputs(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    results = collect(
        choose_result_place(outputs, "tiny"),
        output("a.png", noise(2000, 1000)),
        output("b.png", noise(8, 8)),
    )
    outside = tmp_path / "c.png"
    outside.write_bytes(b"x")
    sneaky = outputs / ".." / "c.png"
    remove_files([Result("image", outside, sneaky), results[0]], outputs)
    assert outside.exists() and results[1].path and results[1].path.exists()
    assert (
        results[0].path
        and not results[0].path.exists()
        and not (results[1].path.parent / "display").exists()
    )
    remove_files(results, outputs)
    assert not results[1].path.parent.exists() and outputs.exists()
    remove_files(results, outputs)


def test_folders_are_dated_and_cannot_be_guessed(tmp_path: Path) -> None:
    first, second = (
        choose_result_place(tmp_path, "tiny", now=NOW),
        choose_result_place(tmp_path, "tiny", now=NOW),
    )
    assert (
        first != second
        and first.folder.parent == tmp_path / "2026-07-08" / "tiny"
        and not list(tmp_path.iterdir())
    )
    assert re.fullmatch(r"091011-[0-9a-f]{16}", first.folder.name)
    assert first.find_free("a_00001_.png").name == "a_00001_.png"


VALUES: dict[str, Any] = {
    "prompt": "a lighthouse /../ at\ndusk " * 20,
    "seed": 2**64 - 1,
    "size": [512, 768],
    "loras": [{"name": "ink", "strength": 1.0}, {"name": "dots", "strength": 0.5}],
    "empty": None,
    "on": True,
    "preset": "a field cannot pose as the preset",
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (DEFAULT_PATTERN, r"2026-07-08/tiny/091011-R/x"),
        ("{preset}/{date}/{seed}-{random}", r"tiny/2026-07-08/18446744073709551615-R"),
        ("{random}/{name} {size} {loras} {on}", r"R/x 512_768 ink_dots True"),
        ("{random}/{prompt}", r"R/(a lighthouse _\.\._ at dusk ){2}a lighth"),
        ("{prompt} {prompt} {random}/{name}", r"(a lighthouse _\.\._ at dusk a li ){2}R/x"),
        ("{random}/{empty}/{unknown}", r"R/result/result"),
        ("con/{random}", r"_con/R"),
    ],
)
def test_names_follow_a_pattern_of_field_values(
    tmp_path: Path, pattern: str, expected: str
) -> None:
    path = choose_result_place(tmp_path, "tiny", VALUES, check_pattern(pattern), NOW).find_free(
        "x.png"
    )
    told = re.escape(str(tmp_path)) + "/" + expected.replace("R", "[0-9a-f]{16}") + r"\.png"
    assert re.fullmatch(told, str(path)), path


@pytest.mark.parametrize(
    "value",
    ["..", ".", "", "../../x", "/etc", "C:\\x", "\0", "{random}", "{name}", "a" * 5000, "…" * 300],
)
def test_no_value_leaves_the_folder_or_breaks_the_name(tmp_path: Path, value: str) -> None:
    pattern = "{preset}/{prompt}/{prompt}{prompt}{prompt} {random}-{name}"
    place = choose_result_place(tmp_path, "tiny", {"prompt": value}, pattern, NOW)
    (result,) = collect(place, output("x" * 250 + ".png", noise(8, 8)))
    assert result.path and result.path.resolve().is_relative_to(tmp_path / "tiny")
    assert len(result.path.relative_to(tmp_path).parts) == 3 and re.search(
        r"[0-9a-f]{16}-", result.path.name
    )


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "{date}/{name}",
            "../{random}",
            "/{random}",
            "{random}//x",
            "{random}/",
            "a\\{random}",
            "C:{random}",
            "",
            ".",
        ),
        *(
            "{random}/{na me}",
            "{random}}",
            "{{random}",
            "x" * 200 + "{random}",
            "{random}/..",
            "{random}" * 9,
        ),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="pattern of names"):
        check_pattern(pattern)
