"""What the page works on: the servers, the presets bound to them, and the jobs. Knows no Gradio."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from comfygradio.binding.preset import Preset, load_presets
from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.errors import LimitReached, PresetError, ServerError, ValuesRefused
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form, fingerprint, repeat_values
from comfygradio.jobs.backend import CAPABILITIES_UNKNOWN, refresh_all
from comfygradio.jobs.backend_client import BackendClient
from comfygradio.jobs.backend_pool import BackendPool, StaticBackends, sync_backends
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from comfygradio.jobs.limits import Limits, find_exceeded
from comfygradio.service.disconnect_watch import DisconnectWatch
from comfygradio.service.upload_quota import Quota
from comfygradio.service.web_file import WebFiles, make_client
from comfygradio.sweeps.sweep_registry import SweepRegistry

READER_THREADS = 4
"""Forms with files that are read at the same time, and thumbnails that are made."""

PLANNER_THREADS = 2
"""Sweeps of programs that are planned at the same time."""


@dataclass(frozen=True)
class SubmittedJobs:
    """Jobs that were started together; `limit_message` says why there are fewer than requested."""

    jobs: Sequence[Job]
    limit_message: str = ""


class Service:
    """Presets, forms and jobs of one running app.

    `forms` are empty and `trouble` says why while no server has answered yet; `connect` tries
    again. `others` are further servers that share the jobs with the first; an `engine` gives
    servers that come and go instead, and `client` is then its own. `disconnect_watch` is there
    where a job that nobody watches any more is stopped. Raises JobStoreLocked where another app
    uses the outputs folder.
    """

    def __init__(
        self,
        client: BackendClient,
        folders: Sequence[Path],
        outputs: Path,
        is_demo: bool = False,
        others: Sequence[BackendClient] = (),
        limits: Limits | None = None,
        engine: BackendPool | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.clock = clock
        self.client = client
        self.folders = folders
        self.limits = limits or Limits()
        self.store = JobStore.open(outputs)
        self.engine = engine or StaticBackends((client, *others))
        self.queue = JobQueue(
            self.engine.backends,
            self.store,
            outputs,
            self.limits,
            may_grow=self.engine.may_grow,
            clock=clock,
        )
        self.sweeps = SweepRegistry(self.queue, self.find_form, self._refuse_excess)
        self.upload_quota = Quota()
        self.web_files = WebFiles(make_client(self.limits), Quota())
        self.readers = ThreadPoolExecutor(READER_THREADS, "comfygradio-reader")
        """Where files that people send are read: never so many that a click has to wait."""
        self.planners = ThreadPoolExecutor(PLANNER_THREADS, "comfygradio-planner")
        """Where sweeps of programs are planned."""
        self.disconnect_watch: DisconnectWatch | None = None
        self.is_demo = is_demo
        self.presets, self.errors = self._load()
        self.forms: Mapping[str, Form] = {}
        self.trouble = ""
        self.on_reconnect: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self.engine.watch(self._renew)

    def connect(self) -> bool:
        """Read object_info of the classes that the presets use and bind every preset; False if that
        failed.

        Sweeps that ran when the app ended go on from here.
        """
        is_open = self._bind()
        if is_open:
            self.sweeps.resume()
        return is_open

    def refresh(self) -> bool:
        """Read the server again; True when more than lists changed, so that the page was drawn
        anew.

        Raises ServerError with what is wrong with the server.
        """
        before = self._fingerprint_forms()
        if not self.connect():
            raise ServerError(self.trouble)
        changed = before != self._fingerprint_forms()
        if changed:
            self.on_reconnect()
        return changed

    def reload(self) -> None:
        """Read the preset files again; whoever draws the page is told to draw it anew."""
        self.presets, self.errors = self._load()
        if self.connect():
            self.on_reconnect()

    def reconnect(self) -> None:
        """Try the server again; when it answers, whoever draws the page is told to draw it anew."""
        if self.connect():
            self.on_reconnect()

    def make_order(self, name: str, values: Mapping[str, Any]) -> Order:
        """The order for these values of a preset.

        Raises ValuesRefused, PresetError for a form with problems, and LimitReached for one that no
        value brings within the limits.
        """
        form = self.find_form(name)
        checked = form.check(values)
        prompt = form.build(checked)
        self._refuse_excess(form, prompt.graph)
        return Order(name, form.title, prompt, form.values_to_json(checked), form.seeds)

    def submit(
        self, name: str, values: Mapping[str, Any], owner: str = "local", party: str = ""
    ) -> Job:
        """Check the values and start a job of this person's; `party` is whom limits and turns count
        for, the owner if "".

        Raises ValuesRefused, PresetError and LimitReached.
        """
        order = self.make_order(name, values)
        return self.queue.submit(order, owner, party=party)

    def submit_several(
        self, name: str, values: Mapping[str, Any], count: int, owner: str, party: str
    ) -> SubmittedJobs:
        """Check the values and start so many jobs, each with seeds of its own.

        Where a limit is reached after the first one, those before it are kept. Raises as `submit`.
        """
        form = self.find_form(name)
        orders = [self.make_order(name, one) for one in repeat_values(form, values, count)]
        jobs: list[Job] = []
        for order in orders:
            try:
                jobs.append(self.queue.submit(order, owner, party=party))
            except LimitReached as error:
                if not jobs:
                    raise
                return SubmittedJobs(jobs, f"{len(jobs)} of {count} were started. {error}")
        return SubmittedJobs(jobs)

    def find_form(self, name: str) -> Form:
        """The form of a preset. Raises PresetError where there is none."""
        form = self.forms.get(name)
        if form is None:
            raise PresetError(self.trouble or f"There is no preset {name}.")
        return form

    def find_field(self, preset: str, name: str) -> Field | None:
        """The newest state of a field, or None where preset or field are gone."""
        form = self.forms.get(preset)
        return form.fields.get(name) if form else None

    def find_preset(self, name: str) -> Preset | None:
        """The preset with this name, or None."""
        named = (preset for preset in self.presets if preset.name == name)
        return next(named, None)

    def choose_threads(self, form: Form) -> ThreadPoolExecutor | None:
        """The threads on which values of a form are read; None for those that everything uses,
        where there is no file among the values.
        """
        if any(field.kind.is_media for field in form.fields.values()):
            return self.readers
        return None

    def _bind(self) -> bool:
        with self._lock:
            backends = self.queue.backends
            found = refresh_all(backends, self._list_classes())
            trouble = ""
            if not backends:
                trouble = self.engine.trouble or "No ComfyUI is there yet."
            elif len(found.errors) == len(backends):  # not one of them has answered
                trouble = str(found.errors[0])
            self.trouble = trouble
            if not trouble:
                forms = {}
                for preset in self.presets:
                    form = preset.bind(found.object_info, found.embeddings)
                    forms[form.name] = _limit_uploads(form, self.limits.upload_mb)
                self.forms = forms
        self.queue.update_backends(
            self.queue.backends, self.engine.trouble
        )  # what waits may go on now
        return not self.trouble

    def _renew(self) -> None:
        """Backends came or went: the queue works on those that are there, and the page shows what
        they have.
        """
        before = self._fingerprint_forms()
        sync_backends(self.queue, self.engine, self._list_classes())
        may_answer = any(
            backend.trouble in ("", CAPABILITIES_UNKNOWN) for backend in self.queue.backends
        )
        if not may_answer or not self.connect():
            return
        if before != self._fingerprint_forms():
            self.on_reconnect()

    def _fingerprint_forms(self) -> list[str]:
        """A digest of each form, which stays the same while nothing but its lists changes."""
        return [fingerprint(form) for form in self.forms.values()]

    def _list_classes(self) -> set[str]:
        classes = set[str]()
        for preset in self.presets:
            classes.update(preset.class_types)
        return classes

    def _load(self) -> tuple[list[Preset], list[str]]:
        presets, errors = load_presets(self.folders)
        problems = [_without_folders(str(error), self.folders) for error in errors]
        return presets, problems

    def _refuse_excess(self, form: Form, graph: Mapping[str, Any]) -> None:
        """Raises ValuesRefused for the fields that ask for too much, and LimitReached where no
        field does.
        """
        problems: dict[str, str] = {}
        for excess in find_exceeded(graph, self.limits, form.object_info):
            field = _find_field(form, excess.inputs)
            if field is None:
                raise LimitReached(f"{form.title}: {excess.sentence}")
            problems.setdefault(field.name, excess.sentence)
        if problems:
            raise ValuesRefused(problems)

    def close(self) -> None:
        """Let go of the servers; what they run goes on, and the next start takes it up again.

        Callable twice.
        """
        for threads in (self.readers, self.planners):
            threads.shutdown(wait=False, cancel_futures=True)
        self.queue.close()
        self.store.close()
        self.engine.close()


def _without_folders(text: str, folders: Sequence[Path]) -> str:
    """A page is for everybody: it names preset files, not where they lie on this machine."""
    for folder in folders:
        text = text.replace(f"{folder}{os.sep}", "")
    return text


def _limit_uploads(form: Form, most_mb: float | None) -> Form:
    """The form with no upload larger than this."""
    if most_mb is None:
        return form
    fields = dict(form.fields)
    for name, field in form.fields.items():
        if field.kind.is_media:
            fields[name] = replace(field, max_mb=min(field.max_mb, most_mb))
    return replace(form, fields=fields)


def _find_field(form: Form, slots: Iterable[tuple[str, str]]) -> Field | None:
    """The field that fills the first of these slots that one fills."""
    for node, slot in slots:
        field = form.find_field(node, slot)
        if field:
            return field
    return None
