"""Routes about files: /view and the uploads."""

from __future__ import annotations

import asyncio
import io
import json
import mimetypes
from fnmatch import fnmatchcase
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from comfygradio.demo.execution.folders import KINDS, PICTURE_FORMATS, OutsideFolder
from comfygradio.demo.machine import Machine
from comfygradio.demo.responses import JsonResponse, empty

FORCED_DOWNLOAD = {
    "text/html",
    "text/html-sandboxed",
    "application/xhtml+xml",
    "text/javascript",
    "text/css",
}
UNKNOWN_TYPE = "application/octet-stream"
DEFAULT_QUALITY = 90
MEDIA_TYPES = {
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
    ".webp": "image/webp",
    ".mkv": "video/x-matroska",
}
"""Types that not every Python knows."""


class FileRoutes:
    """Handlers that send and take files."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._folders = machine.folders
        self._options = machine.options

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/view", self.view),
            Route("/upload/image", self.upload_image, methods=["POST"]),
            Route("/upload/mask", self.upload_mask, methods=["POST"]),
        ]

    async def view(self, request: Request) -> Response:
        found = self._find(request)
        if isinstance(found, int):
            return empty(found)
        query = request.query_params
        channel = query.get("channel", "")
        if "preview" in query:
            data, kind = encode_preview(found, query["preview"], channel)
            return self._show(data, kind, found)
        if channel in ("rgb", "a"):
            data = encode_channel(found, channel)
            return self._show(data, "image/png", found)
        return self._send_file(request, found)

    def _find(self, request: Request) -> Path | int:
        """The file asked for, or the HTTP status that refuses it."""
        query = request.query_params
        if "filename" not in query:
            return 404
        name, kind = split_annotation(query["filename"], query.get("type", "output"))
        if not name or kind not in KINDS or is_path(name):
            return 400
        try:
            folder = self._folders.subfolder(kind, query.get("subfolder", ""))
        except OutsideFolder:
            return 403
        # Only the last part of the name counts; folders belong into `subfolder`.
        path = folder / Path(name).name
        if not path.is_file():
            return 404
        if kind != "input" and self._is_lost(path.name):
            return 404
        return path

    def _is_lost(self, name: str) -> bool:
        """Whether the options say that this result is not there."""
        if self._options.lose_outputs:
            return True
        return any(fnmatchcase(name, pattern) for pattern in self._options.lose_named)

    def _show(self, data: bytes, kind: str, path: Path) -> Response:
        headers = {
            "content-disposition": f'filename="{ascii_name(path)}"',
            "content-type": kind,
        }
        return Response(data, headers=headers)

    def _send_file(self, request: Request, path: Path) -> Response:
        kind = guess_type(path)
        disposition = f'filename="{ascii_name(path)}"'
        # A browser must not run scripts from the server's files.
        if kind in FORCED_DOWNLOAD:
            kind = UNKNOWN_TYPE
            disposition = f"attachment; {disposition}"
        headers = {"content-disposition": disposition}
        if self._options.can("view_nosniff"):
            headers["x-content-type-options"] = "nosniff"
        response = FileResponse(path, media_type=kind, headers=headers, stat_result=path.stat())
        if is_unchanged(request, response):
            kept_headers = dict(response.headers)
            kept_headers.pop("content-length", None)
            return Response(status_code=304, headers=kept_headers)
        return response

    async def upload_image(self, request: Request) -> Response:
        form = await parse_form(request)
        image = form.get("image")
        if not isinstance(image, UploadFile) or not image.filename:
            return empty(400)
        data = await image.read()
        return await self._store(form, image.filename, data)

    async def upload_mask(self, request: Request) -> Response:
        """Puts the upload's alpha on the original; an absent original is answered as if it had
        worked.
        """
        form = await parse_form(request)
        image = form.get("image")
        if not isinstance(image, UploadFile) or not image.filename:
            return empty(400)
        reference = json.loads(str(form["original_ref"]))
        original = self._find_original(reference)
        if original is None:
            return JsonResponse(describe_upload(image.filename, form))
        data = await image.read()
        masked = apply_mask(original, data)
        return await self._store(form, image.filename, masked)

    def _find_original(self, reference: dict[str, str]) -> Path | None:
        name = reference["filename"]
        if is_path(name):
            return None
        kind = reference.get("type", "output")
        subfolder = reference.get("subfolder", "")
        try:
            folder = self._folders.subfolder(kind, subfolder)
        except (OutsideFolder, ValueError):
            return None
        path = folder / Path(name).name
        return path if path.is_file() else None

    async def _store(self, form: FormData, name: str, data: bytes) -> Response:
        try:
            stored = await asyncio.to_thread(
                self._folders.store_upload,
                data,
                name,
                subfolder=str(form.get("subfolder", "")),
                kind=str(form.get("type", "input")),
                overwrite=form.get("overwrite") in ("true", "1"),
                dedup=self._options.can("upload_dedup"),
            )
        except OutsideFolder:
            return empty(400)
        return JsonResponse(describe_upload(stored, form))


def describe_upload(name: str, form: FormData) -> dict[str, str]:
    return {
        "name": name,
        "subfolder": str(form.get("subfolder", "")),
        "type": str(form.get("type", "input")),
    }


async def parse_form(request: Request) -> FormData:
    """The form, or an empty one if the body is none."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        return FormData()
    return await request.form(max_part_size=1 << 20)


def split_annotation(name: str, kind: str) -> tuple[str, str]:
    """`x.png [temp]` is the file x.png of temp/; without an annotation the kind stays."""
    for word in KINDS:
        annotation = f" [{word}]"
        if name.endswith(annotation):
            return name.removesuffix(annotation), word
    return name, kind


def is_path(name: str) -> bool:
    """Whether a file name leads somewhere else."""
    return name.startswith("/") or ".." in name


def guess_type(path: Path) -> str:
    """The content type of a file, from its suffix."""
    known = MEDIA_TYPES.get(path.suffix)
    if known is None:
        known, _ = mimetypes.guess_type(path.name)
    return known or UNKNOWN_TYPE


def ascii_name(path: Path) -> str:
    sendable = path.name.encode("latin-1", "replace").decode("latin-1")
    return sendable.replace('"', "'")


def is_unchanged(request: Request, response: Response) -> bool:
    header = request.headers.get("if-none-match", "")
    tags = [tag.strip() for tag in header.split(",")]
    return response.headers["etag"] in tags


def encode_preview(path: Path, wanted: str, channel: str) -> tuple[bytes, str]:
    """webp or jpeg of the full size; `wanted` is `format;quality`, other formats become webp."""
    format, _, quality = wanted.partition(";")
    # JPEG has no alpha.
    if format not in ("webp", "jpeg") or "a" in channel:
        format = "webp"
    level = int(quality) if quality.isdigit() else DEFAULT_QUALITY
    buffer = io.BytesIO()
    with Image.open(path, formats=PICTURE_FORMATS) as image:
        shown: Image.Image = image
        if format == "jpeg" or channel == "rgb":
            shown = image.convert("RGB")
        shown.save(buffer, format, quality=level)
    return buffer.getvalue(), f"image/{format}"


def encode_channel(path: Path, channel: str) -> bytes:
    """PNG without alpha (`rgb`), or black with the image's alpha (`a`)."""
    buffer = io.BytesIO()
    with Image.open(path, formats=PICTURE_FORMATS) as image:
        if channel == "rgb":
            shown = image.convert("RGB")
        else:
            shown = Image.new("RGBA", image.size)
            shown.putalpha(take_alpha(image))
        shown.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def take_alpha(image: Image.Image) -> Image.Image:
    """The alpha of a picture, white where it has none."""
    with_alpha = image.convert("RGBA")
    return with_alpha.getchannel("A")


def apply_mask(original: Path, upload: bytes) -> bytes:
    """The original with the upload's alpha (ValueError if sizes differ), PNG texts kept."""
    buffer = io.BytesIO()
    with (
        Image.open(original, formats=PICTURE_FORMATS) as image,
        Image.open(io.BytesIO(upload), formats=PICTURE_FORMATS) as mask,
    ):
        texts = PngInfo()
        if isinstance(image, PngImageFile):
            for key, value in image.text.items():
                texts.add_text(key, value)
        masked = image.convert("RGBA")
        masked.putalpha(take_alpha(mask))
        masked.save(buffer, "PNG", compress_level=1, pnginfo=texts)
    return buffer.getvalue()
