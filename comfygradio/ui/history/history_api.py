"""The functions that the History page calls: to search a person's jobs, and to show, reuse, stop
and delete them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gradio as gr

from comfygradio.comfy.workflow import WrittenLayout
from comfygradio.errors import JobStoreError, LayoutMissing, PresetError
from comfygradio.jobs.backend_client import BackendClient
from comfygradio.jobs.job import FINAL_PHASES, Job
from comfygradio.jobs.job_event import make_fetched, transition
from comfygradio.jobs.job_layout import LAYOUT_NOT_WRITTEN
from comfygradio.jobs.job_store import JobRecord, Query
from comfygradio.jobs.naming import choose_result_place
from comfygradio.jobs.results import Result, collect_again, make_download
from comfygradio.service.service import Service
from comfygradio.ui.form.reuse import FormUpdate, list_targets, restore_settings, use_picture
from comfygradio.ui.history.history_text import Json, describe_card, describe_values, parse_query
from comfygradio.ui.history.written_layouts import WrittenLayouts
from comfygradio.ui.identity.page_function import PageFunction, make_owner_function
from comfygradio.ui.identity.page_session import PageSessions
from comfygradio.ui.identity.person import NOBODY, Person

UNKNOWN = "This job is not in your history (any more)."

NOT_IN_TRASH = "This is no longer among what you have deleted."

LAYOUT_NOT_GIVEN = (
    "{reason} So the workflow is given in API format; a picture still holds the layout that it was "
    "made with."
)

RECENT_JOBS = 12
"""How many of the jobs made last are shown below the forms."""

MAX_TOKENS = 500
"""Most jobs that one call names."""


class HistoryApi:
    """The functions of the page; each sees only the jobs of `owner`."""

    def __init__(self, service: Service, page_sessions: PageSessions) -> None:
        self._service = service
        self.page_sessions = page_sessions
        self._written_layouts = WrittenLayouts()

    def list_functions(self) -> list[PageFunction]:
        """List what the page's script calls."""
        methods = (
            self.search,
            self.open,
            self.look,
            self.favourite,
            self.delete,
            self.restore,
            self.delete_for_good,
            self.stop,
            self.again,
            self.workflow,
        )
        return [make_owner_function(method, self.page_sessions) for method in methods]

    def list_looking_functions(self) -> list[PageFunction]:
        """List what the script below the forms calls, which shows results large."""
        methods = (self.recent, self.open, self.workflow)
        return [make_owner_function(method, self.page_sessions) for method in methods]

    def recent(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return the jobs made last that are over, without those of sweeps."""
        query = Query(singles=True, limit=RECENT_JOBS)
        page = self._service.store.search(owner, query)
        jobs = [self._describe(record) for record in page.records if record.phase in FINAL_PHASES]
        return {"jobs": jobs}

    def search(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return a page of jobs; with the first page also the presets to filter by, and the fields
        that take pictures.
        """
        query = parse_query(asked)
        page = self._service.store.search(owner, query)
        found: Json = {
            "jobs": [self._describe(record) for record in page.records],
            "next": page.next,
        }
        is_first = asked.get("before") is None
        if is_first:
            presets = []
            for preset in self._service.presets:
                presets.append({"name": preset.name, "title": preset.file.title})
            found["presets"] = presets
            found["sweeps"] = bool(self._service.sweeps.list_sweeps(owner, 1))
            found["hasDeleted"] = self._service.trash.has_any(owner)
            found["targets"] = list_targets(self._service.forms)
        return found

    def open(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe one job with its values, and whether they can be used again."""
        record = self._find(owner, asked.get("token"))
        form = self._service.forms.get(record.preset)
        written, note = self._write_layout(record)
        layout_notes = list(written.notes) if written else []
        if note:
            layout_notes.append(note)
        return {
            **self._describe(record),
            "values": describe_values(record, form),
            "canUse": form is not None and not form.problems,
            "hasLayout": written is not None,
            "layoutNotes": layout_notes,
        }

    def look(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Describe the current state of jobs that were still active."""
        jobs = []
        for token in _list_tokens(asked):
            record = self._service.store.find(token)
            if record and record.owner == owner:
                jobs.append(self._describe(record))
        return {"jobs": jobs}

    def favourite(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Mark a job as a favourite, or remove the mark."""
        record = self._find(owner, asked.get("token"))
        is_favourite = asked.get("on") is True
        self._service.store.set_favourite(record.id, is_favourite)
        return {"favourite": is_favourite}

    def delete(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Put jobs that are over into the trash; return which were put there, and why another was
        not.
        """

        def put(token: str) -> None:
            record = self._find(owner, token)
            self._service.trash.put(record.id)
            self._service.queue.forget(token)

        deleted, problem = _change_each(_list_tokens(asked), put)
        return {"deleted": deleted, "error": problem}

    def restore(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Take jobs out of the trash; return which, and why another is not there any more."""

        def restore(token: str) -> None:
            record = self._find_deleted(owner, token)
            self._service.trash.restore(record.id)

        restored, problem = _change_each(_list_tokens(asked), restore)
        return {"restored": restored, "error": problem}

    def delete_for_good(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Delete jobs that are in the trash, with their files, or with `all` whatever is there;
        return which of those that were named are gone, and why another is not.
        """
        trash = self._service.trash

        def delete(token: str) -> None:
            trash.delete(self._find_deleted(owner, token).id)

        deleted, problem = _change_each(_list_tokens(asked), delete)
        if asked.get("all") is True:
            _, other_problem = _change_each(trash.list_all(owner), trash.delete)
            problem = other_problem or problem
        return {"deleted": deleted, "error": problem}

    def stop(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Stop a job that waits or runs."""
        record = self._find(owner, asked.get("token"))
        self._service.queue.stop(record.token)
        return self._describe(record)

    def again(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Fetch again the results that could not be fetched from their server; the job is done if
        nothing else was wrong with it.
        """
        record = self._find(owner, asked.get("token"))
        service = self._service
        results = self._collect_again(record)
        problems = [result.problem for result in results if result.problem]
        job = service.queue.find(record.token)
        # The record may be from before the job's end, and its results with it.
        was_over = record.phase in FINAL_PHASES
        if was_over and job is not None and job.snapshot.is_over:
            transition(job, service.store, make_fetched(record, results))
        described = self.open(owner, asked)
        described["refused"] = problems[0] if problems else ""
        return described

    def _collect_again(self, record: JobRecord) -> tuple[Result, ...]:
        order = record.order
        queue = self._service.queue
        place = choose_result_place(queue.outputs, order.preset, order.values, queue.pattern)
        delivery = make_download(self._service.limits)
        client = self._find_client(record.server)
        return collect_again(record.results, client, place, delivery)

    def workflow(self, owner: str, asked: Mapping[str, Any]) -> Json:
        """Return the workflow of a job, as text: JavaScript would round large seeds in JSON.

        It is the author's layout with the values of the job, in UI format, if the preset still has
        that, else the prompt in API format.
        """
        record = self._find(owner, asked.get("token"))
        name = f"{record.preset}.json"
        written, _ = self._write_layout(record)
        if written is None:
            text = json.dumps(record.order.prompt.graph, indent=2)
            return {"name": name, "text": text, "format": "api"}
        text = json.dumps(written.workflow, indent=2)
        return {"name": name, "text": text, "format": "ui"}

    def _write_layout(self, record: JobRecord) -> tuple[WrittenLayout | None, str]:
        """Write the values of a job into the layout that it was posted with. Returns None if it had
        none, or with a note if that cannot be given any more.
        """
        stored = record.order.prompt.layout
        if stored is None:
            return None, ""
        try:
            layout = self._service.find_layout(record.preset, stored.digest)
        except LayoutMissing as missing:
            return None, LAYOUT_NOT_GIVEN.format(reason=missing)
        written = self._written_layouts.write(record, layout)
        return written, "" if written else LAYOUT_NOT_WRITTEN

    def read_settings(self, event: gr.EventData, person: Person = NOBODY) -> FormUpdate:
        """Read the settings of the job that an event names; return the preset, field → value, and
        notes.

        Raises PresetError and JobStoreError.
        """
        record = self._find_named(event, person)
        form = self._service.forms.get(record.preset)
        if form is None or form.problems:
            raise PresetError(
                f"{record.title} cannot be used at the moment, so its settings cannot be "
                "taken over."
            )
        values, notes = restore_settings(form, record, self._service.clock)
        return form.name, values, notes

    def read_picture(self, event: gr.EventData, person: Person = NOBODY) -> FormUpdate:
        """Copy the picture that an event names to the uploads; return the preset, the field → copy,
        and no notes.

        Raises PresetError and JobStoreError.
        """
        record = self._find_named(event, person)
        return use_picture(record, event, self._service.forms, self._service.clock)

    def _find_named(self, event: gr.EventData, person: Person) -> JobRecord:
        """Find the job that an event names, for the owner of its page."""
        access = getattr(event, "access", None)
        owner = self.page_sessions.require_owner(access, person.session)
        return self._find(owner, getattr(event, "token", None))

    def _find(self, owner: str, token: Any) -> JobRecord:
        """Find a job of this owner. Raises JobStoreError for any other token, known or not."""
        if not isinstance(token, str):
            raise JobStoreError(UNKNOWN)
        record = self._service.store.find(token)
        if record is None or record.owner != owner:
            raise JobStoreError(UNKNOWN)
        return record

    def _find_deleted(self, owner: str, token: str) -> JobRecord:
        """Find a job in the trash of this owner. Raises JobStoreError for any other token."""
        record = self._service.store.find_deleted(token)
        if record is None or record.owner != owner:
            raise JobStoreError(NOT_IN_TRASH)
        return record

    def _describe(self, record: JobRecord) -> Json:
        queue = self._service.queue
        job: Job | None = None
        if record.phase in ("waiting", "running"):
            job = queue.find(record.token)
        described = describe_card(record, job, queue.outputs)
        if record.deleted is not None:
            described["secondsLeft"] = self._service.trash.measure_time_left(record.deleted)
        return described

    def _find_client(self, url: str) -> BackendClient:
        """Find the client of the server that made a job's results; another server may have other
        files with the same names.
        """
        for backend in self._service.queue.backends:
            if backend.url == url:
                return backend.client
        raise JobStoreError("The server that has this is not among ours any more.")


def _change_each(names: Iterable[str], change: Callable[[str], None]) -> tuple[list[str], str]:
    """Change each of these; return those that were changed, and why the last other one was not."""
    changed = []
    problem = ""
    for name in names:
        try:
            change(name)
        except JobStoreError as error:
            problem = str(error)
        else:
            changed.append(name)
    return changed, problem


def _list_tokens(asked: Mapping[str, Any]) -> list[str]:
    """List the tokens of jobs that a call names."""
    tokens = asked.get("tokens")
    if not isinstance(tokens, list):
        return []
    texts = [token for token in tokens if isinstance(token, str)]
    return texts[:MAX_TOKENS]
