"""The running app: its parts, and how its page is drawn anew while it is served."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.utils import BaseReloader

from comfygradio.demo import DemoServer
from comfygradio.settings import Settings
from comfygradio.ui.author.access import Authors
from comfygradio.ui.identity.reception import Reception
from comfygradio.ui.launching import carry_launch
from comfygradio.ui.page import build_page
from comfygradio.ui.private_room import PrivateRoom
from comfygradio.ui.status.access import Operators
from comfygradio.ui.studio import Studio
from comfygradio.ui.visitors import Visitors
from comfygradio.ui.watcher import PresetWatcher


@dataclass
class App:
    """A built app; `demo` is the embedded demo server, if there is one."""

    settings: Settings
    studio: Studio
    blocks: gr.Blocks
    watcher: PresetWatcher
    visitors: Visitors
    demo: DemoServer | None = None
    operators: Operators | None = None
    authors: Authors | None = None
    reception: Reception | None = None
    """Where people log in; None where nobody has to."""
    revision: int = 0
    """Grows whenever the page is drawn anew, so that open pages can say so."""
    is_stale: bool = False
    """The forms changed before the page was served."""
    room: PrivateRoom = field(default_factory=PrivateRoom)
    """Where the process works while the app is served; left when it is closed."""
    _is_open: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """The page is served now; what changed meanwhile is drawn."""
        with self._lock:
            self._is_open = True
        if self.is_stale:
            self.rebuild()

    def rebuild(self) -> None:
        """Build the page anew and put it in the place of the old one, for the next time that a
        browser loads it.
        """
        with self._lock:
            if not self._is_open:
                self.is_stale = True
                return
            revision = self.revision + 1
            blocks = build_page(
                self.studio,
                revision,
                self.authors,
                self.visitors,
                self.operators,
                has_login=self.reception is not None,
            )
            blocks.queue(default_concurrency_limit=None)
            _Swap(self.blocks).swap_blocks(blocks)
            # The app that is served; the next swap has to be made in it.
            blocks.app = self.blocks.app
            carry_launch(self.blocks, blocks)
            blocks.config = blocks.get_config_file()
            self.blocks = blocks
            self.revision = revision
            self.is_stale = False

    def close(self) -> None:
        """Let go of jobs and stop the demo server; callable twice."""
        self.watcher.stop()
        self.studio.close()
        if self.demo:
            self.demo.stop()
        self.room.leave()


class _Swap(BaseReloader):
    """Gradio's own way to put new Blocks into a running app (used by its reload mode)."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self._app = blocks.app

    @property
    def running_app(self) -> Any:
        return self._app
