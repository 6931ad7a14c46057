"""The viewer: the part of the page that watches a job, and the functions that its script calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import gradio as gr

from comfygradio.jobs.job import Job
from comfygradio.ui.assets import read_asset
from comfygradio.ui.describe import describe_job
from comfygradio.ui.person import name_owner
from comfygradio.ui.stream import Message, Watch, encode_frame
from comfygradio.ui.studio import Studio


class Viewer:
    """Watches of all pages. Everything is addressed by secret tokens, since a page's calls carry no identity."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._watches: dict[str, Watch] = {}

    def build(self) -> gr.HTML:
        """Draw the viewer inside the current Blocks."""
        return gr.HTML(
            None,
            html_template=read_asset("viewer.html"),
            js_on_load=read_asset("viewer.js"),
            elem_id="cg-viewer",
            server_functions=[self._make_ack(), self._make_release(), self._make_stop(), self._make_peek()],
        )

    async def watch(self, job: Job) -> AsyncIterator[Message]:
        """Messages for one page about one job; ends when the job is over or the page lets go."""
        watch = Watch(job, describe_job)
        self._watches[watch.id] = watch
        attendance = self.studio.attendance
        try:
            with attendance.watch(job.token) if attendance else nullcontext():
                async for message in watch.messages():
                    yield message
        finally:
            del self._watches[watch.id]

    async def attach(self, request: gr.Request, event: gr.EventData, who: Any) -> AsyncIterator[Message]:
        """A page that comes back: watch the job it remembers, else the newest one that its person has running."""
        token = str(getattr(event, "token", ""))
        job = self.studio.queue.find(token) if token else self._find_newest(name_owner(request, who))
        if job is None:
            yield {"token": token, "gone": True}
            return
        async for message in self.watch(job):
            yield message

    def _make_ack(self) -> Any:
        async def ack(data: Any) -> None:
            watch, number = self._find(data), data[2] if isinstance(data, list) and len(data) > 2 else 0
            if watch and isinstance(number, int):
                watch.acknowledge(number)

        return ack

    def _make_release(self) -> Any:
        async def release(data: Any) -> None:
            if watch := self._find(data):
                watch.release()

        return release

    def _make_stop(self) -> Any:
        async def stop(data: Any) -> None:
            if isinstance(data, list) and data:
                self.studio.queue.stop(str(data[0]))

        return stop

    def _make_peek(self) -> Any:
        async def peek(data: Any) -> Message:
            token, frames = (str(data[0]), bool(data[1])) if isinstance(data, list) and len(data) == 2 else ("", False)
            job = self.studio.queue.find(token)
            if job is None:
                return {"token": token, "gone": True}
            if self.studio.attendance:
                self.studio.attendance.look(token, hidden=not frames)
            snapshot = job.snapshot
            message = describe_job(job, snapshot)
            return {**message, "image": encode_frame(snapshot)} if frames and not snapshot.is_over else message

        return peek

    def _find_newest(self, owner: str) -> Job | None:
        return next(reversed(self.studio.queue.list_running(owner)), None)

    def _find(self, data: Any) -> Watch | None:
        """The watch that `[token, watch, …]` names; both secrets must fit."""
        if not isinstance(data, list) or len(data) < 2:
            return None
        watch = self._watches.get(str(data[1]))
        return watch if watch and watch.job.token == data[0] else None
