"""Results: what a job made, saved byte for byte into the outputs folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from comfygradio.comfy.delivery import Delivery, Terms, never
from comfygradio.comfy.outputs import FileSource, Output, decide_kind, write_file
from comfygradio.comfy.state import JobState
from comfygradio.errors import (
    ComfyGradioError,
    DeliveryStopped,
    ResultTooLarge,
    ServerUnreachable,
)
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import Place
from comfygradio.media.pictures import SHOWN_FORMATS, look_at_picture, open_picture
from comfygradio.media.room import MOST_PIXELS

DISPLAY_BYTES = 150_000
"""Pictures up to this size are shown as they are; larger ones get a light copy for the page."""

BRIEF_SECONDS = 60.0
"""Each file of a job that was stopped has so long to arrive."""

DISPLAY_PIXELS = 1600
"""Longest side of a light copy."""


@dataclass(frozen=True)
class Source:
    """Where a result lies on the server: the node that made it, and how `/view` calls the file."""

    node_id: str
    filename: str
    subfolder: str = ""
    type: str = "output"


@dataclass(frozen=True)
class Result:
    """One thing that a job made: a saved file (`display` is a light copy for the page, or the file
    itself), or text.

    `kind` is that of the output, or "preview": the last preview of a job that came to nothing else.
    """

    kind: str
    path: Path | None = None
    display: Path | None = None
    text: str = ""
    width: int = 0
    height: int = 0
    partial: bool = False
    """Whether the job was stopped or failed, so that there might have been more."""
    problem: str = ""
    """Why the file is not here, in a sentence; "" while it is."""
    source: Source | None = None
    """None for text and for pictures that came by socket."""

    @property
    def can_be_collected(self) -> bool:
        """Whether the file is missing here but may still be on the server."""
        return bool(self.problem) and self.source is not None


def make_delivery(
    limits: Limits, is_stopped: Callable[[], bool] = never, *, is_brief: bool = False
) -> Delivery:
    """The terms on which results are fetched; brief ones for a job that was stopped already."""
    terms = Terms(most_mb=limits.result_mb)
    brief = replace(terms, deadline_seconds=BRIEF_SECONDS)
    return Delivery(brief if is_brief else terms, is_stopped)


def collect_results(
    place: Place,
    state: JobState | None,
    *,
    partial: bool = False,
    delivery: Delivery | None = None,
) -> tuple[Result, ...]:
    """Download every output of a job. One that cannot be fetched or saved comes back with its
    `problem`; never raises.

    For a job that was stopped or failed (`partial`), the last preview is kept if there is no output
    at all.
    """
    if state is None:
        return ()
    outputs, preview = state.outputs, state.preview
    if outputs or not partial or preview is None:
        found = _collect_all(outputs, place, delivery)
        return tuple(replace(result, partial=partial) for result in found)
    suffix = preview.mime.partition("/")[2].partition(";")[0] or "jpg"
    output = Output(preview.node_id or "", "image", f"preview.{suffix}", type="", data=preview.data)
    return tuple(
        replace(result, kind="preview", partial=True) for result in _collect_all([output], place)
    )


def collect_again(
    results: Iterable[Result],
    client: FileSource,
    place: Place,
    delivery: Delivery | None = None,
) -> tuple[Result, ...]:
    """All results, those with a problem fetched once more from their server; the others as they
    are.
    """
    results = list(results)
    missing = [result for result in results if result.can_be_collected]
    outputs = [_make_output(result.source, client) for result in missing if result.source]
    found = iter(_collect_all(outputs, place, delivery))
    return tuple(
        replace(next(found), partial=r.partial) if r.can_be_collected else r for r in results
    )


def remove_files(results: Iterable[Result], outputs: Path) -> None:
    """Delete the files of results, and their folder if that leaves it empty; never anything outside
    of `outputs`.

    A file that is gone already is fine. Raises OSError for one that cannot be deleted.
    """
    root = outputs.resolve()
    paths = [
        path for result in results for path in (result.display, result.path) if path is not None
    ]
    inside = [path for path in paths if path.resolve().is_relative_to(root)]
    for path in inside:
        path.unlink(missing_ok=True)
    for folder in dict.fromkeys(path.parent for path in inside):
        if folder.resolve() != root and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _collect_all(
    outputs: Iterable[Output], place: Place, delivery: Delivery | None = None
) -> Iterator[Result]:
    """A server that does not answer is not asked for the next files; each would wait for its own
    timeout. Neither is one whose job was stopped.
    """
    unreachable: ServerUnreachable | DeliveryStopped | None = None
    for output in outputs:
        source = Source(output.node_id, output.filename, output.subfolder, output.type)
        result = Result(
            output.kind, source=source if output.filename and output.data is None else None
        )
        try:
            if unreachable is not None and result.source is not None:
                raise unreachable
            yield _collect(output, result, place, delivery)
        except ResultTooLarge as error:  # it will not be smaller the next time
            yield replace(result, source=None, problem=str(error))
        except ComfyGradioError as error:
            if isinstance(error, ServerUnreachable | DeliveryStopped):
                unreachable = error
            yield replace(
                result, problem=f"{output.name} was made, but could not be fetched: {error}"
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            problem = (
                f"{output.name} was made, but could not be saved in the outputs folder: {reason}."
            )
            yield replace(result, problem=problem)


def _collect(
    output: Output, result: Result, place: Place, delivery: Delivery | None = None
) -> Result:
    if output.kind == "text" and not output.filename:
        return replace(result, text=output.text)
    return _describe(result, output.save(place.find_free(output.name), delivery))


def _make_output(source: Source, client: FileSource) -> Output:
    kind = decide_kind(source.filename)
    return Output(
        source.node_id, kind, source.filename, source.subfolder, source.type, source=client
    )


def _describe(result: Result, path: Path) -> Result:
    result = replace(result, path=path, display=path)
    if result.kind != "image":
        return result
    try:
        with look_at_picture(path, SHOWN_FORMATS) as picture:
            width, height = picture.size
        is_small = path.stat().st_size <= DISPLAY_BYTES
        light = None if is_small or width * height > MOST_PIXELS else _lighten(path)
    except Exception:  # Pillow raises SyntaxError and others for damaged files
        return replace(result, kind="file")
    return replace(
        result, width=width, height=height, display=_save_light(light, path) if light else path
    )


def _lighten(path: Path) -> Image.Image | None:
    """A copy of at most 1600 pixels; None for what moves."""
    with open_picture(path, SHOWN_FORMATS) as picture:
        if getattr(picture, "is_animated", False):
            return None
        light = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        light.thumbnail((DISPLAY_PIXELS, DISPLAY_PIXELS))
        return light


def _save_light(light: Image.Image, path: Path) -> Path:
    """Save a JPEG (WebP where there is transparency) beside the original; without one, the original
    is shown.
    """
    suffix, format = ("webp", "WEBP") if light.mode == "RGBA" else ("jpg", "JPEG")
    encoded = BytesIO()
    light.save(encoded, format, quality=85)
    try:
        return write_file(
            path.parent / "display" / f"{path.name}.{suffix}", iter([encoded.getvalue()])
        )
    except OSError:
        return path
