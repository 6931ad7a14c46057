"""The running app: its parts, and how its page is drawn anew while it is served."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.utils import BaseReloader

from comfygradio.demo import DemoServer
from comfygradio.service.preset_watcher import PresetWatcher
from comfygradio.service.service import Service
from comfygradio.settings import Settings
from comfygradio.ui.author.author_access import AuthorAccess
from comfygradio.ui.identity.authenticator import Authenticator
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.launch_options import copy_launch_attributes
from comfygradio.ui.page import build_page
from comfygradio.ui.scratch_directory import ScratchDirectory
from comfygradio.ui.status.operator_access import OperatorAccess


@dataclass
class App:
    """A built app; `demo` is the embedded demo server, if there is one."""

    settings: Settings
    service: Service
    blocks: gr.Blocks
    watcher: PresetWatcher
    page_sessions: PageSessions
    job_streams: JobStreams
    demo: DemoServer | None = None
    operators: OperatorAccess | None = None
    authors: AuthorAccess | None = None
    authenticator: Authenticator | None = None
    """Where people log in; None where nobody has to."""
    revision: int = 0
    """Grows whenever the page is drawn anew, so that open pages can say so."""
    is_stale: bool = False
    """The forms changed before the page was served."""
    scratch: ScratchDirectory = field(default_factory=ScratchDirectory)
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
                self.service,
                revision,
                self.authors,
                self.page_sessions,
                self.job_streams,
                self.operators,
                has_login=self.authenticator is not None,
            )
            blocks.queue(default_concurrency_limit=None)
            _BlocksSwapper(self.blocks).swap_blocks(blocks)
            # The app that is served; the next swap has to be made in it.
            blocks.app = self.blocks.app
            copy_launch_attributes(self.blocks, blocks)
            blocks.config = blocks.get_config_file()
            self.blocks = blocks
            self.revision = revision
            self.is_stale = False

    def close(self) -> None:
        """Let go of jobs and stop the demo server; callable twice."""
        self.watcher.stop()
        self.service.close()
        if self.demo:
            self.demo.stop()
        self.scratch.exit()


class _BlocksSwapper(BaseReloader):
    """Gradio's own way to put new Blocks into a running app (used by its reload mode)."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self._app = blocks.app

    @property
    def running_app(self) -> Any:
        return self._app
