"""Routes that only tell something: node classes, models, versions, settings."""

from __future__ import annotations

import platform
import sys
import zlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from comfygradio.demo.execution.folders import KINDS
from comfygradio.demo.machine import Machine, describe_features
from comfygradio.demo.media.model_picture import paint_model
from comfygradio.demo.responses import TROUBLE, JsonResponse, empty, text

FIRST_DATE = 1_500_000_000
"""The date of a model lies some time after this one; each keeps its own."""

SPREAD_SECONDS = 200_000_000

MEMORY = 64 * 1024**3
ASSETS_OFF = {
    "code": "SERVICE_DISABLED",
    "message": "Assets system is disabled. Start the server with --enable-assets to use this "
    "feature.",
    "details": {},
}
HOME = (
    "<!doctype html><title>ComfyUI demo server</title><p>A stand-in for ComfyUI: its API, no "
    "user interface."
)


class InfoRoutes:
    """Handlers without side effects."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._options = machine.options
        self._catalog = machine.catalog

    def routes(self) -> list[BaseRoute]:
        """Routes served bare and below /api."""
        found: list[BaseRoute] = [
            Route("/object_info", self.object_info),
            Route("/object_info/{class_type}", self.object_info_of),
            Route("/system_stats", self.system_stats),
            Route("/embeddings", self.embeddings),
            Route("/extensions", self.extensions),
            Route("/view_metadata/{folder}", self.view_metadata),
            Route("/users", self.users),
            Route("/settings", self.nothing),
            Route("/i18n", self.nothing),
            Route("/workflow_templates", self.nothing),
            Route("/userdata", self.userdata),
        ]
        return found + self._newer_routes()

    def _newer_routes(self) -> list[BaseRoute]:
        found: list[BaseRoute] = []
        if self._options.can("feature_flags"):
            found.append(Route("/features", self.features))
        if self._options.can("models_routes"):
            found.append(Route("/models", self.models))
            found.append(Route("/models/{folder}", self.models_of))
            found.append(Route("/experiment/models", self.model_folders))
            found.append(Route("/experiment/models/{folder}", self.model_details))
            preview = "/experiment/models/preview/{folder}/{index}/{name:path}"
            found.append(Route(preview, self.model_preview))
        if self._options.can("node_replacements"):
            found.append(Route("/node_replacements", self.nothing))
            found.append(Route("/global_subgraphs", self.nothing))
        return found

    def bare_routes(self) -> list[BaseRoute]:
        """Routes that exist without /api only."""
        return [
            Route("/", self.home),
            Route("/internal/files/{kind}", self.internal_files),
            Route("/internal/folder_paths", self.internal_paths),
            Route("/internal/logs/raw", self.internal_logs),
        ]

    def api_routes(self) -> list[BaseRoute]:
        """Routes that exist below /api only."""
        if not self._options.can("node_replacements"):
            return []
        return [Route("/assets", self.assets), Route("/tags", self.assets)]

    async def home(self, request: Request) -> Response:
        return Response(HOME, media_type="text/html")

    async def object_info(self, request: Request) -> Response:
        return JsonResponse(self._catalog.object_info())

    async def object_info_of(self, request: Request) -> Response:
        name = request.path_params["class_type"]
        schema = self._catalog.schema(name)
        if schema is None:
            return JsonResponse({})
        return JsonResponse({name: schema})

    async def system_stats(self, request: Request) -> Response:
        system: dict[str, Any] = {
            "os": "posix",
            "python_version": sys.version,
            "embedded_python": False,
        }
        if self._options.can("platform_os"):
            system["os"] = platform.system().lower()
        if self._options.can("versions_in_stats"):
            system |= {
                "ram_total": MEMORY,
                "ram_free": MEMORY,
                "comfyui_version": self._options.version,
                "pytorch_version": "2.13.0+cpu",
                "argv": ["main.py", "--cpu"],
                "required_frontend_version": "1.49.6",
                "installed_templates_version": "0.11.44",
                "required_templates_version": "0.11.44",
            }
        if self._options.can("missing_node_type"):
            system |= {"comfy_package_versions": [], "deploy_environment": "local-git"}
        device = {
            "name": "cpu",
            "type": "cpu",
            "index": None,
            "vram_total": MEMORY,
            "vram_free": MEMORY,
            "torch_vram_total": MEMORY,
            "torch_vram_free": MEMORY,
        }
        return JsonResponse({"system": system, "devices": [device]})

    async def features(self, request: Request) -> Response:
        return JsonResponse(describe_features(self._options))

    async def embeddings(self, request: Request) -> Response:
        return JsonResponse(list(self._options.embeddings))

    async def extensions(self, request: Request) -> Response:
        return JsonResponse([])

    async def models(self, request: Request) -> Response:
        return JsonResponse(list(self._catalog.models()))

    async def models_of(self, request: Request) -> Response:
        files = self._catalog.models().get(request.path_params["folder"])
        if files is None:
            return empty(404)
        return JsonResponse(files)

    async def model_folders(self, request: Request) -> Response:
        folders: list[dict[str, Any]] = []
        for name in self._catalog.models():
            folders.append(
                {
                    "name": name,
                    "folders": [f"/comfyui/models/{name}"],
                    "extensions": [".ckpt", ".pt", ".pth", ".safetensors"],
                }
            )
        return JsonResponse(folders)

    async def model_details(self, request: Request) -> Response:
        files = self._catalog.models().get(request.path_params["folder"])
        if files is None:
            return empty(404)
        details: list[dict[str, Any]] = []
        for name in files:
            date = FIRST_DATE + zlib.crc32(name.encode()) % SPREAD_SECONDS
            details.append(
                {"name": name, "pathIndex": 0, "modified": date, "created": date, "size": 0}
            )
        return JsonResponse(details)

    async def model_preview(self, request: Request) -> Response:
        place = request.path_params
        files = self._catalog.models().get(place["folder"])
        if files is None:
            return empty(404)
        name = place["name"]
        if not name or not place["index"].lstrip("-").isdigit():
            return empty(400)
        if place["index"] != "0":
            return empty(404)
        if self._options.model_previews == "broken":
            return text(TROUBLE, 500)
        if name not in files or not self._has_preview(name):
            return empty(404)
        picture = paint_model(name)
        return Response(picture, media_type="image/webp")

    def _has_preview(self, name: str) -> bool:
        """Whether a model has a picture: three out of four do."""
        if self._options.model_previews == "none":
            return False
        return zlib.crc32(name.encode()) % 4 != 0

    async def view_metadata(self, request: Request) -> Response:
        name = request.query_params.get("filename", "")
        files = self._catalog.models().get(request.path_params["folder"], [])
        if name not in files or not name.endswith(".safetensors"):
            return empty(404)
        return JsonResponse({"modelspec.title": name.removesuffix(".safetensors")})

    async def users(self, request: Request) -> Response:
        return JsonResponse({"storage": "server", "migrated": False})

    async def nothing(self, request: Request) -> Response:
        return JsonResponse({})

    async def userdata(self, request: Request) -> Response:
        return text("Directory not found", 404)

    async def assets(self, request: Request) -> Response:
        return JsonResponse({"error": ASSETS_OFF}, 503)

    async def internal_files(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in KINDS:
            return JsonResponse({"error": "Invalid directory type"}, 400)
        suffix = f" [{kind}]" if self._options.can("missing_node_type") else ""
        names = self._machine.folders.listing(kind)
        return JsonResponse([name + suffix for name in names])

    async def internal_paths(self, request: Request) -> Response:
        paths: dict[str, list[str]] = {}
        for name in self._catalog.models():
            paths[name] = [f"/comfyui/models/{name}"]
        return JsonResponse(paths)

    async def internal_logs(self, request: Request) -> Response:
        return JsonResponse({"entries": [], "size": {"cols": 80, "rows": 24}})
