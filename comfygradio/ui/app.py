"""The running app: its parts, and redrawing its page while it is served."""

from __future__ import annotations

import contextvars
import threading
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.utils import BaseReloader

from comfygradio.demo import DemoServer
from comfygradio.service.preset_watcher import PresetWatcher
from comfygradio.service.service import Service
from comfygradio.settings import Settings
from comfygradio.ui.identity.authenticator import Authenticator
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.role import AuthorAccess, OperatorAccess
from comfygradio.ui.job.job_stream import JobStreams
from comfygradio.ui.launch_options import copy_launch_attributes
from comfygradio.ui.page import build_page
from comfygradio.ui.scratch_directory import ScratchDirectory
from comfygradio.ui.site import Site


@dataclass
class App:
    """A built app; `demo` is the embedded demo server, if there is one."""

    settings: Settings
    service: Service
    blocks: gr.Blocks
    watcher: PresetWatcher
    page_sessions: PageSessions
    job_streams: JobStreams
    site: Site
    demo: DemoServer | None = None
    operators: OperatorAccess | None = None
    authors: AuthorAccess | None = None
    authenticator: Authenticator | None = None
    """Checks logins; None if nobody has to log in."""
    revision: int = 0
    """Grows whenever the page is drawn anew, so that open pages notice it."""
    is_stale: bool = False
    """True if the forms changed before the page was served."""
    scratch: ScratchDirectory = field(default_factory=ScratchDirectory)
    """The working directory of the process while the app is served."""
    _is_open: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Note that the page is served now, and redraw it if the forms have changed meanwhile."""
        with self._lock:
            self._is_open = True
        if self.is_stale:
            self.rebuild()

    def rebuild(self) -> None:
        """Draw the page anew and replace the old one, which open browsers show until a reload."""
        with self._lock:
            if not self._is_open:
                self.is_stale = True
                return
            revision = self.revision + 1
            # In the context of an event (*Try again*, or lists read again), Gradio 6.31 takes a new
            # component for an update of one, and leaves it half made.
            new_blocks = contextvars.Context().run(self._draw, revision)
            new_blocks.queue(default_concurrency_limit=None)
            _replace_served(self.blocks, new_blocks)
            self.blocks = new_blocks
            self.revision = revision
            self.is_stale = False

    def _draw(self, revision: int) -> gr.Blocks:
        return build_page(
            self.service,
            revision,
            self.authors,
            self.page_sessions,
            self.job_streams,
            self.operators,
            has_login=self.authenticator is not None,
            title=self.site.title,
        )

    def close(self) -> None:
        """Stop following jobs, and stop the demo server. May be called twice.

        Waits until a page that is being drawn is complete; none is drawn after that.
        """
        with self._lock:
            self._is_open = False
        self.watcher.stop()
        self.service.close()
        if self.demo:
            self.demo.stop()
        self.scratch.exit()


def _replace_served(served: gr.Blocks, new_blocks: gr.Blocks) -> None:
    """Serve new Blocks in place of those that are served now.

    The order counts: the swap makes Gradio serve the new Blocks, and what they tell a page
    (`config`) is made last, out of the attributes that were copied.
    """
    _BlocksSwapper(served).swap_blocks(new_blocks)
    # The next swap has to be made in the app that is served.
    new_blocks.app = served.app
    copy_launch_attributes(served, new_blocks)
    new_blocks.config = new_blocks.get_config_file()


class _BlocksSwapper(BaseReloader):
    """Puts new Blocks into a running app, as Gradio's reload mode does."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self._app = blocks.app

    @property
    def running_app(self) -> Any:
        return self._app
