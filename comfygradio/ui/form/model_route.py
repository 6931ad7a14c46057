"""The route of the pictures of models: of those that a form offers, and of no others."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfygradio.forms.model_folder import find_model_folder
from comfygradio.service.service import Service

MODEL_PATH = "/gradio_api/comfygradio/model/{preset}/{field}"

SHOWN_HEADERS = {"cache-control": "private, max-age=3600"}

ABSENT_HEADERS = {"cache-control": "private, max-age=300"}

NO_CONTENT = 204
"""Status of the answer if there is no picture. Unlike for 404, browsers write nothing into the log
of the page: most models have none.
"""


def make_model_route(service: Service) -> Route:
    """Make the route of MODEL_PATH, where `name` is a model as the server spells it."""

    def find_folder(preset: str, name: str, value: str) -> str:
        """Find the folder of a model; "" if the field does not offer it."""
        form = service.forms.get(preset)
        field = service.find_field(preset, name)
        if form is None or field is None:
            return ""
        is_offered = any(choice.value == value for choice in field.choices or ())
        return find_model_folder(field, form.workflow) if is_offered else ""

    def find_picture(preset: str, name: str, value: str) -> bytes | None:
        folder = find_folder(preset, name, value)
        return service.model_thumbnails.get(folder, value) if folder else None

    async def serve_model(request: Request) -> Response:
        place = request.path_params
        value = request.query_params.get("name", "")
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(
            service.model_thumbnails.threads, find_picture, place["preset"], place["field"], value
        )
        if picture is None:
            return Response(status_code=NO_CONTENT, headers=ABSENT_HEADERS)
        return Response(picture, media_type="image/webp", headers=SHOWN_HEADERS)

    return Route(MODEL_PATH, serve_model)
