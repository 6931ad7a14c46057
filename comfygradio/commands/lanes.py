"""All servers that a command works with, as lanes of a queue."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from comfygradio.comfy.client import ComfyClient
from comfygradio.commands.server import advise, open_client
from comfygradio.forms.form import Form
from comfygradio.forms.preset import Preset
from comfygradio.jobs.lane import Lane
from comfygradio.settings import Settings
from comfygradio.sweeps.program import bind_lanes


@contextmanager
def open_lanes(settings: Settings) -> Iterator[Sequence[Lane]]:
    """Every server of the settings as a lane of a queue; closed at the end."""
    with ExitStack() as stack:
        clients = [stack.enter_context(open_client(settings))]
        more = (ComfyClient(url, headers=settings.headers) for url in settings.more_servers)
        yield [Lane(client) for client in [*clients, *map(stack.enter_context, more)]]


def bind_preset(preset: Preset, lanes: Sequence[Lane], settings: Settings) -> Form:
    """The form of a preset with what all servers have together; what is wrong with some of them goes to stderr.

    Raises the first server's error where none answers.
    """
    form, troubles = bind_lanes(preset, lanes)
    if form is None:
        raise advise(troubles[0], settings)
    for error in troubles:
        print(error, file=sys.stderr)
    return form
