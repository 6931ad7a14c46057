"""All servers that a command works with, as lanes of an engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from comfygradio.comfy.client import ComfyClient
from comfygradio.commands.server import advise, open_client
from comfygradio.forms.form import Form
from comfygradio.forms.preset import Preset
from comfygradio.jobs.engine import Engine, ServerList
from comfygradio.jobs.lane import Lane
from comfygradio.settings import Settings
from comfygradio.sweeps.program import bind_lanes

JOIN_SECONDS = 10.0
"""How long a command waits for the first worker of a cluster."""


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """The engine of the settings, every server a lane of it; closed at the end.

    Raises ServerUnreachable.
    """
    with ExitStack() as stack:
        if settings.engine is not None:
            from comfygradio.cluster.registry import connect

            cluster = connect(settings.engine, settings)
            stack.callback(cluster.close)
            cluster.await_lane(JOIN_SECONDS)
            yield cluster
            return
        clients = [stack.enter_context(open_client(settings))]
        more = [
            ComfyClient(url, headers=settings.headers, api_key=settings.api_key)
            for url in settings.more_servers
        ]
        engine = ServerList([*clients, *more])
        stack.callback(engine.close)
        yield engine


def bind_preset(preset: Preset, lanes: Sequence[Lane], settings: Settings) -> Form:
    """The form of a preset with what all servers have together; what is wrong with some of them
    goes to stderr.

    Raises the first server's error where none answers.
    """
    form, troubles = bind_lanes(preset, lanes)
    if form is None:
        raise advise(troubles[0], settings)
    for error in troubles:
        print(error, file=sys.stderr)
    return form
