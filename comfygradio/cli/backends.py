"""All servers that a command works with, as backends of a pool."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from comfygradio.binding.preset import Preset
from comfygradio.cli.server import advise, open_client
from comfygradio.comfy.client import ComfyClient
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.backend_pool import BackendPool, StaticBackends
from comfygradio.settings import Settings
from comfygradio.sweeps.program import bind_backends

JOIN_SECONDS = 10.0
"""How long a command waits for the first worker of a cluster."""


@contextmanager
def open_backends(settings: Settings) -> Iterator[BackendPool]:
    """Open the pool of all servers that the settings name; close it at the end.

    Raises ServerUnreachable.
    """
    with ExitStack() as stack:
        if settings.engine is not None:
            from comfygradio.cluster.registry import connect

            cluster = connect(settings.engine, settings)
            stack.callback(cluster.close)
            cluster.wait_for_backend(JOIN_SECONDS)
            yield cluster
            return
        clients = [stack.enter_context(open_client(settings))]
        more = [
            ComfyClient(url, headers=settings.headers, api_key=settings.api_key)
            for url in settings.more_servers
        ]
        pool = StaticBackends([*clients, *more])
        stack.callback(pool.close)
        yield pool


def bind_preset(preset: Preset, backends: Sequence[Backend], settings: Settings) -> Form:
    """Bind a preset to what all servers have together; write to stderr what is wrong with some of
    them.

    Raises the first server's error if none answers.
    """
    form, troubles = bind_backends(preset, backends)
    if form is None:
        raise advise(troubles[0], settings)
    for error in troubles:
        print(error, file=sys.stderr)
    return form
