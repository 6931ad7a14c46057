"""The application behind the page: servers, presets bound to them, and jobs. Knows no Gradio."""

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
from comfygradio.comfy.workflow import Layout
from comfygradio.errors import (
    LayoutMissing,
    LimitReached,
    PresetError,
    ServerError,
    ValuesRefused,
)
from comfygradio.forms.cover import Cover
from comfygradio.forms.field import Field
from comfygradio.forms.form import Form, fingerprint, repeat_values
from comfygradio.jobs.backend import CAPABILITIES_UNKNOWN, Backend, Capabilities, refresh_all
from comfygradio.jobs.backend_client import BackendClient
from comfygradio.jobs.backend_pool import BackendPool, StaticBackends, sync_backends
from comfygradio.jobs.job import Job, Order
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore, find_job_store
from comfygradio.jobs.job_trash import JobTrash
from comfygradio.jobs.kept_form_store import KeptFormStore
from comfygradio.jobs.limits import Limits, find_exceeded
from comfygradio.model_files.file_sizes import FileSizes
from comfygradio.service.disconnect_watch import DisconnectWatch
from comfygradio.service.model_thumbnails import ModelThumbnails
from comfygradio.service.similar_values import collect_similar_values
from comfygradio.service.thumbnail_store import ThumbnailStore
from comfygradio.service.trash_emptier import TrashEmptier
from comfygradio.service.upload_quota import Quota
from comfygradio.service.web_file import WebFiles, make_client
from comfygradio.sweeps.sweep_registry import SweepRegistry

READER_THREADS = 4
"""How many forms with files are read, or thumbnails made, at the same time."""

PLANNER_THREADS = 2
"""How many sweeps of programs are planned at the same time."""


@dataclass(frozen=True)
class SubmittedJobs:
    """Jobs that were started together; `limit_message` says why there are fewer than requested,
    `notes` what else to tell about their prompts.
    """

    jobs: Sequence[Job]
    limit_message: str = ""
    notes: tuple[str, ...] = ()


class Service:
    """Presets, forms and jobs of one running app.

    While no server has answered yet, `forms` is empty and `trouble` says why; `connect` tries
    again. `others` are further servers that share the jobs with `client`. With a
    `backend_pool`, servers come and go instead, and `client` is one of the pool's.
    `disconnect_watch` is set if jobs that nobody watches any more are to be stopped. Raises
    JobStoreLocked if another app uses the outputs folder.
    """

    def __init__(
        self,
        client: BackendClient,
        folders: Sequence[Path],
        outputs: Path,
        is_demo: bool = False,
        others: Sequence[BackendClient] = (),
        limits: Limits | None = None,
        backend_pool: BackendPool | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.clock = clock
        self.client = client
        self.folders = folders
        self.limits = limits or Limits()
        self.store = JobStore.open(outputs)
        self.kept_forms = KeptFormStore(self.store, clock)
        self.trash = JobTrash(self.store, clock)
        self.trash_emptier = TrashEmptier(self.trash, clock)
        """Deletes for good what was in the trash for a day, once it is started."""
        self.forms: Mapping[str, Form] = {}
        self.backend_pool = backend_pool or StaticBackends((client, *others))
        self.queue = JobQueue(
            self.backend_pool.backends,
            self.store,
            outputs,
            self.limits,
            may_grow=self.backend_pool.may_grow,
            find_layout=self.find_layout,
            clock=clock,
        )
        self.sweeps = SweepRegistry(self.queue, self.find_form, self._refuse_excess)
        self.upload_quota = Quota()
        self.web_files = WebFiles(make_client(self.limits), Quota())
        self.model_sizes = FileSizes(clock=clock)
        """The sizes of model files on the web, as their servers tell them."""
        thumbnails = ThumbnailStore(find_job_store(outputs).parent / "model-thumbnails")
        self.model_thumbnails = ModelThumbnails(thumbnails, self._list_backends, clock)
        """The pictures of models, as the servers have them."""
        self.readers = ThreadPoolExecutor(READER_THREADS, "comfygradio-reader")
        """Threads that read the files people send; few, so that clicks need not wait for them."""
        self.planners = ThreadPoolExecutor(PLANNER_THREADS, "comfygradio-planner")
        """Threads that plan the sweeps of programs."""
        self.disconnect_watch: DisconnectWatch | None = None
        self.is_demo = is_demo
        self.presets, self.errors = self._load()
        self.trouble = ""
        self.on_forms_changed: Callable[[], None] = lambda: None
        """Called whenever the page has to be drawn anew: after servers joined or answered again,
        the presets were read again, or a refresh changed more than lists of choices.
        """
        self._lock = threading.Lock()
        # This is last: the call comes from another thread and needs what was set above.
        self.backend_pool.watch(self._sync_backends)

    def connect(self) -> bool:
        """Read the object_info of the presets' node classes, bind every preset to it, and resume
        the sweeps that were running when the app last ended.

        Returns False, and resumes nothing, if no server answered.
        """
        is_open = self._bind()
        if is_open:
            self.sweeps.resume()
        return is_open

    def refresh(self) -> bool:
        """Read the server's node classes again.

        Returns True if more than lists of choices changed, so that the page was drawn anew. Raises
        ServerError if no server can be used.
        """
        before = self._fingerprint_forms()
        if not self.connect():
            raise ServerError(self.trouble)
        changed = before != self._fingerprint_forms()
        if changed:
            self.on_forms_changed()
        return changed

    def reload(self) -> None:
        """Read the preset files again, and have the page drawn anew."""
        self.presets, self.errors = self._load()
        if self.connect():
            self.on_forms_changed()

    def reconnect(self) -> None:
        """Try the server again; if it answers, have the page drawn anew."""
        if self.connect():
            self.on_forms_changed()

    def make_order(self, name: str, values: Mapping[str, Any]) -> Order:
        """Check the values of a preset and build the order for them.

        Raises ValuesRefused, PresetError for a form with problems, and LimitReached for one that no
        value brings within the limits.
        """
        form = self.find_form(name)
        checked = form.check(values)
        prompt = form.build(checked)
        self._refuse_excess(form, prompt.graph)
        stored_values = form.values_to_json(checked)
        return Order(name, form.title, prompt, stored_values, form.seeds)

    def submit(
        self, name: str, values: Mapping[str, Any], owner: str = "local", party: str = ""
    ) -> Job:
        """Check the values and start a job of this owner.

        Limits and turns count for `party`, or for the owner if that is "". Raises ValuesRefused,
        PresetError and LimitReached.
        """
        order = self.make_order(name, values)
        return self.queue.submit(order, owner, party=party)

    def submit_several(
        self, name: str, values: Mapping[str, Any], count: int, owner: str, party: str
    ) -> SubmittedJobs:
        """Check the values and start `count` jobs, each with its own seeds.

        If a limit is reached after the first job, the jobs before it are kept. Raises as `submit`.
        """
        form = self.find_form(name)
        # All of them are checked before the first one starts.
        orders = []
        for one in repeat_values(form, values, count):
            orders.append(self.make_order(name, one))
        jobs: list[Job] = []
        notes = orders[0].prompt.notes
        for order in orders:
            try:
                job = self.queue.submit(order, owner, party=party)
            except LimitReached as error:
                if not jobs:
                    raise
                message = f"{len(jobs)} of {count} were started. {error}"
                return SubmittedJobs(jobs, message, notes)
            jobs.append(job)
        return SubmittedJobs(jobs, notes=notes)

    def submit_similar(self, order: Order, owner: str = "local", party: str = "") -> Job:
        """Start a job with the values of an order, and with new seeds.

        Raises as `submit`, and ValuesRefused if a file of the order is gone.
        """
        form = self.find_form(order.preset)
        values = collect_similar_values(form, order)
        return self.submit(order.preset, values, owner, party)

    def find_form(self, name: str) -> Form:
        """Find the form of a preset. Raises PresetError if there is none."""
        form = self.forms.get(name)
        if form is None:
            raise PresetError(self.trouble or f"There is no preset {name}.")
        return form

    def find_field(self, preset: str, name: str) -> Field | None:
        """Find the newest state of a field; None if the preset or the field is gone."""
        form = self.forms.get(preset)
        if form is None:
            return None
        return form.fields.get(name)

    def find_layout(self, preset: str, digest: str) -> Layout:
        """Find the layout of a preset that has this digest. Raises LayoutMissing."""
        form = self.forms.get(preset)
        if form is not None and form.layout is not None and form.layout.digest == digest:
            return form.layout
        found = self.find_preset(preset)
        if found is None:
            raise LayoutMissing("The preset is gone or cannot be read.")
        if found.layout_digest != digest:
            raise LayoutMissing("The author has changed or removed the layout since this started.")
        # No server has answered since the preset was read.
        raise LayoutMissing("The nodes of ComfyUI were not known yet.")

    def find_preset(self, name: str) -> Preset | None:
        """Find the preset with this name, or None."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        return None

    def choose_threads(self, form: Form) -> ThreadPoolExecutor | None:
        """Choose the threads that read a form's values: `readers` if one of its fields takes a
        file, else None, which stands for the event loop's default threads.
        """
        for field in form.fields.values():
            if field.kind.is_media:
                return self.readers
        return None

    def _bind(self) -> bool:
        """Bind the presets to the backends; return False, and set `trouble`, if none answered."""
        # One binding at a time, so that an older one never replaces a newer one.
        with self._lock:
            backends = self.queue.backends
            found = refresh_all(backends, self._list_classes())
            trouble = self._describe_trouble(backends, found)
            self.trouble = trouble
            if not trouble:
                self.forms = self._bind_presets(found)
        # Jobs that wait may be able to run now.
        self.queue.update_backends(self.queue.backends, self.backend_pool.trouble)
        return not self.trouble

    def _describe_trouble(self, backends: Sequence[Backend], found: Capabilities) -> str:
        """Say why no backend can be used; "" if one can."""
        if not backends:
            return self.backend_pool.trouble or "No ComfyUI is there yet."
        if len(found.errors) == len(backends):  # not one of them has answered
            return str(found.errors[0])
        return ""

    def find_cover(self, name: str) -> Cover | None:
        """Find the cover of a preset; None if it has none."""
        for preset in self.presets:
            if preset.name == name:
                return preset.cover
        return None

    def _bind_presets(self, found: Capabilities) -> dict[str, Form]:
        forms = {}
        for preset in self.presets:
            form = preset.bind(found.object_info, found.embeddings)
            forms[form.name] = _limit_uploads(form, self.limits.upload_mb)
        return forms

    def _sync_backends(self) -> None:
        """Use the backends that are there now, after some came or went, and redraw the page if
        that changed the forms.
        """
        before = self._fingerprint_forms()
        sync_backends(self.queue, self.backend_pool, self._list_classes())
        if not self._has_usable_backend() or not self.connect():
            return
        if before != self._fingerprint_forms():
            self.on_forms_changed()

    def _has_usable_backend(self) -> bool:
        """Return whether a backend answers, or was not asked yet."""
        usable = ("", CAPABILITIES_UNKNOWN)
        return any(backend.trouble in usable for backend in self.queue.backends)

    def _fingerprint_forms(self) -> list[str]:
        """Compute a digest of each form; it ignores the choices in lists."""
        forms = self.forms.values()
        return [fingerprint(form) for form in forms]

    def _list_backends(self) -> Sequence[Backend]:
        return self.queue.backends

    def _list_classes(self) -> set[str]:
        classes = set[str]()
        for preset in self.presets:
            classes.update(preset.class_types)
        return classes

    def _load(self) -> tuple[list[Preset], list[str]]:
        presets, errors = load_presets(self.folders)
        problems = []
        for error in errors:
            problems.append(_strip_folders(str(error), self.folders))
        return presets, problems

    def _refuse_excess(self, form: Form, graph: Mapping[str, Any]) -> None:
        """Check a prompt against the limits.

        Raises ValuesRefused for the fields that ask for too much, and LimitReached if the excess
        comes from no field.
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
        """Disconnect from the servers. Jobs go on there, and the next start follows them again.

        May be called twice.
        """
        self.trash_emptier.stop()
        self.model_sizes.close()
        self.model_thumbnails.close()
        self.readers.shutdown(wait=False, cancel_futures=True)
        self.planners.shutdown(wait=False, cancel_futures=True)
        # Workers write to the store until they have ended.
        self.queue.close()
        self.store.close()
        self.backend_pool.close()


def _strip_folders(text: str, folders: Sequence[Path]) -> str:
    """Remove the folders from the file names in a text: everybody sees the page, and where files
    are on this machine does not concern them.
    """
    for folder in folders:
        text = text.replace(f"{folder}{os.sep}", "")
    return text


def _limit_uploads(form: Form, max_mb: float | None) -> Form:
    """Lower the limit of each upload of a form to `max_mb` megabytes; None changes nothing."""
    if max_mb is None:
        return form
    fields = dict(form.fields)
    for name, field in form.fields.items():
        if field.kind.is_media:
            lowered = min(field.max_mb, max_mb)
            fields[name] = replace(field, max_mb=lowered)
    return replace(form, fields=fields)


def _find_field(form: Form, slots: Iterable[tuple[str, str]]) -> Field | None:
    """Find the field that fills one of these slots; the first slot that has one counts."""
    for node, slot in slots:
        field = form.find_field(node, slot)
        if field:
            return field
    return None
