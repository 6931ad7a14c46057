"""The middleware around Gradio's app, and its order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from comfygradio.settings import Settings
from comfygradio.ui.middleware.body_limit import BodyGuard, BodyRules, UploadGuard
from comfygradio.ui.middleware.closed_route import RouteGuard
from comfygradio.ui.middleware.compression import Compression
from comfygradio.ui.middleware.cookies import CookieGuard
from comfygradio.ui.middleware.file_headers import FileGuard
from comfygradio.ui.middleware.gradio_error import GradioErrorGuard
from comfygradio.ui.middleware.guarded_app import LoginCheck, Middleware
from comfygradio.ui.middleware.headers import SPACE_FRAMES, SafeHeaders, list_space_states
from comfygradio.ui.middleware.host import HostGuard
from comfygradio.ui.middleware.host_name import find_own_names
from comfygradio.ui.middleware.login_guard import LoginGuard
from comfygradio.ui.middleware.origin import OriginGuard
from comfygradio.ui.middleware.refusal_status import RefusalGuard
from comfygradio.ui.middleware.stream_limit import StreamGuard
from comfygradio.units import MEGABYTE


def list_middleware(
    settings: Settings,
    is_logged_in: LoginCheck,
    scripts: Sequence[str] = (),
    quotas: Sequence[Middleware] = (),
) -> tuple[Middleware, ...]:
    """List the middleware of an app, outermost first; `scripts` are our inline scripts in its page.

    `SafeHeaders` comes before all that refuse, so that refusals carry the headers too, and after
    `Compression`, since it writes into the page. The host, the origin, the
    route and the login are checked before anything of a body is read. `quotas` count what a person
    sends; they see only bodies within the limits of one request.
    """
    names = find_own_names(settings)
    callers = tuple(origin for origin in settings.allow_origins if origin != "*")
    frames = settings.allow_frames + callers
    asked: list[str] = []
    if settings.space:
        frames += SPACE_FRAMES
        asked = list_space_states(names.names)
    has_authors = bool(settings.author or settings.authors)
    rules = BodyRules(int(settings.max_upload_mb * MEGABYTE), has_authors)
    shared = bool(settings.allow_origins)
    return (
        Compression,
        partial(SafeHeaders, frames=frames, scripts=scripts, asked=asked, is_shared=shared),
        partial(HostGuard, names=names, proxies=settings.trust_proxies),
        partial(_trust_proxy_headers, proxies=list(settings.trust_proxies)),
        partial(OriginGuard, names=names, allowed=settings.allow_origins),
        partial(CookieGuard, is_framed=bool(frames), is_called=bool(callers)),
        RouteGuard,
        partial(LoginGuard, is_logged_in=is_logged_in),
        StreamGuard,
        partial(BodyGuard, rules=rules, is_logged_in=is_logged_in),
        *quotas,
        GradioErrorGuard,
        RefusalGuard,
        UploadGuard,
        FileGuard,
    )


def _trust_proxy_headers(app: Any, proxies: list[str]) -> Any:
    """Believe what trusted proxies say about a person's address and scheme, and nobody else."""
    middleware = ProxyHeadersMiddleware(app, trusted_hosts=proxies)
    return cast(Any, middleware)
