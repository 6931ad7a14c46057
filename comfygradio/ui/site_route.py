"""The routes of the page's icons and manifest, which need no login."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from comfygradio.ui.site import ICON_PATH, ICON_SIZES, Site

CACHE_HEADERS = {"cache-control": "public, max-age=3600"}


def make_site_routes(site: Site) -> list[Route]:
    """Make the routes of the icons, of the one that browsers ask for by themselves, and of the
    manifest.
    """

    async def serve_icon(request: Request) -> Response:
        icon = site.icons.get(request.path_params.get("size", min(ICON_SIZES)))
        if icon is None:
            return PlainTextResponse("There is no such icon.", 404)
        return Response(icon, headers=CACHE_HEADERS, media_type="image/png")

    async def serve_manifest(request: Request) -> Response:
        manifest = site.make_manifest()
        return JSONResponse(manifest, headers=CACHE_HEADERS, media_type="application/manifest+json")

    return [
        Route(f"/{ICON_PATH.format(size='{size:int}')}", serve_icon),
        Route("/favicon.ico", serve_icon),
        Route("/manifest.json", serve_manifest),
    ]
