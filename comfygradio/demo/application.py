"""Puts the routes together, bare and below /api."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from comfygradio.demo.access import AccessMiddleware
from comfygradio.demo.machine import Machine
from comfygradio.demo.responses import (
    BodyTooLarge,
    answer_too_large,
    answer_trouble,
    answer_unknown,
)
from comfygradio.demo.routes_files import FileRoutes
from comfygradio.demo.routes_info import InfoRoutes
from comfygradio.demo.routes_jobs import JobRoutes
from comfygradio.demo.routes_prompts import PromptRoutes


def build_application(machine: Machine) -> ASGIApp:
    """The ASGI application of one machine; its lifespan sends the WebSocket messages."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sending = asyncio.create_task(machine.sockets.run())
        yield
        sending.cancel()

    handlers = {
        HTTPException: answer_unknown,
        BodyTooLarge: answer_too_large,
        Exception: answer_trouble,
    }
    app = Starlette(routes=build_routes(machine), lifespan=lifespan, exception_handlers=handlers)
    # ComfyUI answers a path with a slash too many as an unknown one.
    app.router.redirect_slashes = False
    return AccessMiddleware(app, machine.options)


def build_routes(machine: Machine) -> list[BaseRoute]:
    info = InfoRoutes(machine)
    shared = PromptRoutes(machine).routes()
    shared += FileRoutes(machine).routes()
    shared += info.routes()
    routes = [*info.bare_routes(), *shared]
    if machine.options.can("api_prefix"):
        jobs = JobRoutes(machine).routes()
        routes.append(Mount("/api", routes=[*jobs, *info.api_routes(), *shared]))
    return routes
