"""Results: what a job made, saved byte for byte into the outputs folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from comfygradio.comfy.file_sequence import fetch_files, is_sequence
from comfygradio.comfy.limited_download import DownloadLimits, LimitedDownload, never
from comfygradio.comfy.outputs import FileSource, Output, decide_kind, write_file
from comfygradio.comfy.prompt_progress import Preview, PromptProgress
from comfygradio.errors import (
    ComfyGradioError,
    DownloadStopped,
    NotFound,
    ResultTooLarge,
    ServerUnreachable,
)
from comfygradio.jobs.limits import Limits
from comfygradio.jobs.naming import ResultPlace
from comfygradio.media.pictures import SHOWN_FORMATS, inspect_picture, open_picture
from comfygradio.media.pixel_budget import MAX_PIXELS

MAX_DISPLAY_BYTES = 150_000
"""Pictures up to this size are shown as they are; larger ones get a smaller copy."""

BRIEF_SECONDS = 60.0
"""Download time limit for each file of a stopped job."""

MAX_DISPLAY_PIXELS = 1600
"""Longest side of the smaller copy."""


@dataclass(frozen=True)
class ResultSource:
    """Where a result is on the server: the node that made it, and the parameters of `/view`."""

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
    is_absent: bool = False
    """Whether the server says that it has no such file."""
    source: ResultSource | None = None
    """None for text and for pictures that came by socket."""

    @property
    def can_be_collected(self) -> bool:
        """Whether the file is missing here but may still be on the server."""
        if not self.problem:
            return False
        return self.source is not None


def make_download(
    limits: Limits, is_stopped: Callable[[], bool] = never, *, is_brief: bool = False
) -> LimitedDownload:
    """The download limits for results; with `is_brief`, those for a job that was stopped."""
    terms = DownloadLimits(max_mb=limits.result_mb)
    if is_brief:
        terms = replace(terms, deadline_seconds=BRIEF_SECONDS)
    return LimitedDownload(terms, is_stopped)


def collect_results(
    place: ResultPlace,
    state: PromptProgress | None,
    *,
    partial: bool = False,
    delivery: LimitedDownload | None = None,
) -> tuple[Result, ...]:
    """Download every output of a job. One that cannot be fetched or saved comes back with its
    `problem`; never raises. Each file of a sequence reported under one name becomes its own result.

    For a job that was stopped or failed (`partial`), the last preview is kept if there is no output
    at all.
    """
    if state is None:
        return ()
    preview = state.preview
    if partial and not state.outputs and preview is not None:
        return _save_preview(place, preview)
    collector = _Collector(place, delivery)
    found: list[Result] = []
    for output in state.outputs:
        found += collector.collect(output)
    return tuple(replace(result, partial=partial) for result in found)


def collect_again(
    results: Iterable[Result],
    client: FileSource,
    place: ResultPlace,
    delivery: LimitedDownload | None = None,
) -> tuple[Result, ...]:
    """Download again the results that had a problem; returns all results."""
    results = list(results)
    had: set[ResultSource] = set()
    for result in results:
        if result.source is not None and not result.problem:
            had.add(result.source)
    collector = _Collector(place, delivery, frozenset(had))
    now: list[Result] = []
    for result in results:
        if result.source is None or not result.problem:
            now.append(result)
            continue
        output = _make_output(result.source, client)
        for found in collector.collect(output):
            now.append(replace(found, partial=result.partial))
    return tuple(now)


def describe_missing(results: Sequence[Result]) -> str:
    """Say in a sentence which results are missing for good, if others were saved; else ""."""
    lacking = [result for result in results if result.problem]
    if not lacking or len(lacking) == len(results):
        return ""
    if not all(result.is_absent for result in lacking):
        return ""
    problem = lacking[0].problem
    if len(lacking) == 1:
        return problem
    return f"{problem} {len(lacking) - 1} more are missing."


def remove_files(results: Iterable[Result], outputs: Path) -> None:
    """Delete the files of results, and their folder if that leaves it empty; never anything outside
    of `outputs`.

    A file that is gone already is fine. Raises OSError for one that cannot be deleted.
    """
    root = outputs.resolve()
    inside: list[Path] = []
    for result in results:
        # Copies come first, since their folder is inside of that of the files.
        for path in (result.display, result.path):
            if path is not None and path.resolve().is_relative_to(root):
                inside.append(path)
    folders: dict[Path, None] = {}
    for path in inside:
        path.unlink(missing_ok=True)
        folders[path.parent] = None
    for folder in folders:
        if folder.resolve() != root:
            _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not folder.is_dir():
        return
    is_empty = not any(folder.iterdir())
    if is_empty:
        folder.rmdir()


def _save_preview(place: ResultPlace, preview: Preview) -> tuple[Result, ...]:
    """The last preview as the one result of a job that came to nothing else."""
    _, _, subtype = preview.mime.partition("/")
    suffix, _, _ = subtype.partition(";")
    output = Output(
        preview.node_id or "",
        "image",
        f"preview.{suffix or 'jpg'}",
        type="",
        data=preview.data,
    )
    found = _Collector(place).collect(output)
    return tuple(replace(result, kind="preview", partial=True) for result in found)


class _Collector:
    """Fetches one output after the other.

    A server that does not answer is not asked for the next files; each would wait for its own
    timeout. Neither is one whose job was stopped. Files of a sequence that are already fetched
    (`had`) are skipped.
    """

    def __init__(
        self,
        place: ResultPlace,
        delivery: LimitedDownload | None = None,
        had: frozenset[ResultSource] = frozenset(),
    ) -> None:
        self._place = place
        self._delivery = delivery
        self._had = had
        self._unreachable: ServerUnreachable | DownloadStopped | None = None

    def collect(self, output: Output) -> Iterator[Result]:
        """The result of an output, or of each file of its sequence."""
        result = self._fetch(output)
        if not result.is_absent or not is_sequence(output.filename):
            yield result
            return
        is_empty = True
        for frame in fetch_files(output, self._fetch_frame, lambda frame: frame.is_absent):
            is_empty = False
            # A frame could not be fetched now. Those after it are left to another attempt.
            if frame.can_be_collected and not frame.is_absent:
                yield replace(frame, source=result.source)  # stands for the remaining frames, too
                return
            # Otherwise an earlier attempt has fetched this frame already.
            if frame.source not in self._had:
                yield frame
        if is_empty:
            yield result

    def _fetch_frame(self, output: Output) -> Result:
        source = _make_source(output)
        if source in self._had:
            return Result(output.kind, source=source)
        return self._fetch(output)

    def _fetch(self, output: Output) -> Result:
        is_file = output.filename != "" and output.data is None
        result = Result(output.kind)
        if is_file:
            result = replace(result, source=_make_source(output))
        try:
            if self._unreachable is not None and is_file:
                raise self._unreachable
            return self._save(output, result)
        except ResultTooLarge as error:  # a retry would not help
            return replace(result, source=None, problem=str(error))
        except ComfyGradioError as error:
            if isinstance(error, ServerUnreachable | DownloadStopped):
                self._unreachable = error
            problem = f"{output.name} was made, but could not be fetched: {error}"
            return replace(result, problem=problem, is_absent=isinstance(error, NotFound))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            problem = (
                f"{output.name} was made, but could not be saved in the outputs folder: {reason}."
            )
            return replace(result, problem=problem)

    def _save(self, output: Output, result: Result) -> Result:
        if output.kind == "text" and not output.filename:
            return replace(result, text=output.text)
        target = self._place.find_free(output.name)
        path = output.save(target, self._delivery)
        return _describe(result, path)


def _make_source(output: Output) -> ResultSource:
    return ResultSource(
        output.node_id,
        output.filename,
        output.subfolder,
        output.type,
    )


def _make_output(source: ResultSource, client: FileSource) -> Output:
    return Output(
        source.node_id,
        decide_kind(source.filename),
        source.filename,
        source.subfolder,
        source.type,
        source=client,
    )


def _describe(result: Result, path: Path) -> Result:
    result = replace(result, path=path, display=path)
    if result.kind != "image":
        return result
    try:
        with inspect_picture(path, SHOWN_FORMATS) as picture:
            width, height = picture.size
        is_small = path.stat().st_size <= MAX_DISPLAY_BYTES
        # `open_picture` would refuse it.
        is_huge = width * height > MAX_PIXELS
        light = None if is_small or is_huge else _make_display_image(path)
    except Exception:  # Pillow raises SyntaxError and others for damaged files
        return replace(result, kind="file")
    display = path if light is None else _save_display_image(light, path)
    return replace(result, width=width, height=height, display=display)


def _make_display_image(path: Path) -> Image.Image | None:
    """A copy of at most 1600 pixels; None for animations."""
    with open_picture(path, SHOWN_FORMATS) as picture:
        if getattr(picture, "is_animated", False):
            return None
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        light = picture.convert(mode)
        light.thumbnail((MAX_DISPLAY_PIXELS, MAX_DISPLAY_PIXELS))
        return light


def _save_display_image(light: Image.Image, path: Path) -> Path:
    """Save a JPEG (WebP where there is transparency) beside the original; without one, the original
    is shown.
    """
    is_transparent = light.mode == "RGBA"
    suffix = "webp" if is_transparent else "jpg"
    format = "WEBP" if is_transparent else "JPEG"
    encoded = BytesIO()
    light.save(encoded, format, quality=85)
    target = path.parent / "display" / f"{path.name}.{suffix}"
    try:
        return write_file(target, iter([encoded.getvalue()]))
    except OSError:
        return path
