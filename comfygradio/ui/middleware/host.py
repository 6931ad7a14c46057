"""Refuses requests for another host than ours.

Otherwise a website that points its own name to our address (DNS rebinding) would have our origin,
and its scripts could read everything that the page can.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygradio.ui.middleware.error_response import refuse
from comfygradio.ui.middleware.host_name import OwnNames, split_name

NETLOC_KEY = "comfygradio.netloc"
"""The key in a request's scope of the host, with its port, by which browsers reach the app."""


class HostGuard:
    """Passes on only requests for our own names, and no WebSockets.

    If a request comes from one of `proxies` (addresses and networks), the name of the page is what
    `X-Forwarded-Host` says. From everybody else that header has to be one of our names, since
    Gradio believes it.
    """

    def __init__(self, app: ASGIApp, names: OwnNames, proxies: Sequence[str] = ()) -> None:
        self._app = app
        self._names = names
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is not for this host."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        forwarded = headers.getlist("x-forwarded-host")
        if len(hosts) != 1 or split_name(hosts[0]) is None:
            await refuse(send, 400, "The request names no host.", close=True)
            return
        netloc = hosts[0]
        if forwarded:
            netloc = ",".join(forwarded).split(",")[0].strip()
        trusted = False
        if forwarded and split_name(netloc) is not None:
            trusted = self._trusts(scope)
        if not trusted and not self._names.is_own(hosts[0]):
            await refuse(
                send,
                403,
                "The page is not served under this name. Whoever runs it can add the name with "
                "--allow-host.",
                close=True,
            )
            return
        if not trusted and not self._names.is_own(netloc):
            await refuse(
                send,
                403,
                "The page is not served under the name in X-Forwarded-Host. Whoever runs it can "
                "add the name with --allow-host, or the proxy with --trust-proxy.",
                close=True,
            )
            return
        scope[NETLOC_KEY] = netloc
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        client = scope.get("client")
        peer = client[0] if client else ""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
