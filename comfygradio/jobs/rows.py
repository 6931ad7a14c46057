"""Rows of the job store: jobs as rows and back, and orders and results as JSON, without loss."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from comfygradio.comfy.workflow import Prompt, StoredLayout, Upload
from comfygradio.jobs.job import FINAL_PHASES, Job, Order, Phase, Point, SubmissionRecord
from comfygradio.jobs.kept_input import get_inputs_folder
from comfygradio.jobs.results import Result, ResultSource

FILTER_CHARACTERS = 200
"""Longer values cannot be filtered by; the text search finds them."""

TEXT_CHARACTERS = 20_000
"""Number of characters of a job's values that the text search covers."""


@dataclass(frozen=True)
class JobRecord:
    """One job of the job store. `id` is its prompt's id, `token` its secret; times are seconds
    since 1970.

    `priority` is 0 for single pictures and 1 for points of a sweep; `posted`, `server` and
    `client_id` tell where to look for the prompt, `attempts` how often it was lost there.

    While the job is open, `started` is when a server accepted the prompt, and None without one.
    The end overwrites it with the time at which a worker picked the job up, even if no server ever
    accepted the prompt; a job that ended without a worker keeps what it was.

    `sweep` is the id of the sweep that a point belongs to, `point` the key of its content. `party`
    is whom limits and turns count for while the job is not over, "" for its owner. `deleted` is
    when it came into the trash, None if it is not there.
    """

    id: str
    token: str
    owner: str
    preset: str
    title: str
    priority: int
    order: Order
    phase: Phase
    created: float
    posted: float | None
    started: float | None
    ended: float | None
    server: str
    client_id: str
    attempts: int
    error: str
    node_seconds: Mapping[str, float]
    favourite: bool
    results: tuple[Result, ...]
    sweep: str = ""
    point: str = ""
    party: str = ""
    node_work: Mapping[str, float] = field(default_factory=dict)
    deleted: float | None = None


RESULT_FIELDS = frozenset(field.name for field in fields(Result))

NODE_COLUMNS = ("node_seconds", "node_work")

PLAIN_COLUMNS = tuple(
    column.name
    for column in fields(JobRecord)
    if column.name not in ("order", *NODE_COLUMNS, "favourite", "results")
)
# Rows are read in this order; `decode_record` relies on it.
COLUMNS = (*PLAIN_COLUMNS, *NODE_COLUMNS, "favourite", "results")
FIXED_COLUMNS = frozenset({"id", "token", "owner", "preset", "created", "sweep", "point", "party"})
CHANGEABLE_COLUMNS = frozenset(COLUMNS) - FIXED_COLUMNS


def make_record(job: Job) -> JobRecord:
    """The row of a new job."""
    point = job.order.point
    party = "" if job.party == job.owner else job.party
    return JobRecord(
        id=job.id,
        token=job.token,
        owner=job.owner,
        preset=job.order.preset,
        title=job.order.title,
        priority=job.priority,
        order=job.order,
        phase="waiting",
        created=job.created,
        posted=None,
        started=None,
        ended=None,
        server="",
        client_id=job.client_id,
        attempts=0,
        error="",
        node_seconds={},
        favourite=False,
        results=(),
        sweep=point.sweep if point else "",
        point=point.key if point else "",
        party=party,
    )


def make_job(record: JobRecord) -> Job:
    """The job of a row. One that was running waits again until its backend is asked about it.

    The point of a sweep keeps its sweep and key; its position is not stored with the job.
    """
    point = Point(record.sweep, (), record.point) if record.sweep else None
    job = Job(
        replace(record.order, point=point),
        record.owner,
        record.priority,
        party=record.party,
        id=record.id,
        token=record.token,
        created=record.created,
        submission=SubmissionRecord(
            backend_url=record.server,
            may_exist=record.posted is not None,
            accepted=record.started is not None,
            losses=record.attempts,
        ),
    )
    job.client_id = record.client_id
    phase = record.phase if record.phase in FINAL_PHASES else "waiting"
    ended = record.ended or 0.0
    # A job that never started took no time.
    started = record.started or ended
    job.update(
        phase=phase,
        error=record.error,
        results=record.results,
        seconds=max(ended - started, 0.0),
    )
    return job


def encode_value(name: str, value: Any, outputs: Path) -> Any:
    """One field of a record as its column takes it."""
    if name == "results":
        results = [_encode_result(result, outputs) for result in value]
        return json.dumps(results)
    if name in NODE_COLUMNS:
        return json.dumps(dict(value))
    if isinstance(value, str):
        return replace_surrogates(value)
    return value


def decode_record(row: tuple[Any, ...], outputs: Path) -> JobRecord:
    """The record of a row that has COLUMNS and the order's JSON."""
    *columns, order = row
    values: dict[str, Any] = dict(zip(COLUMNS, columns, strict=True))
    for name in NODE_COLUMNS:
        values[name] = json.loads(values[name])
    values["favourite"] = bool(values["favourite"])
    values["results"] = decode_results(values["results"], outputs)
    values["order"] = decode_order(order, outputs)
    return JobRecord(**values)


def decode_results(text: str, outputs: Path) -> tuple[Result, ...]:
    """The results of a job from their JSON."""
    written = json.loads(text)
    return tuple(_decode_result(result, outputs) for result in written)


def encode_order(order: Order, outputs: Path) -> str:
    """An order as JSON, whole numbers of any size exact; files inside of the outputs folder stay
    relative to it.
    """
    prompt = order.prompt
    uploads = []
    for upload in prompt.uploads:
        path = _encode_path(upload.path, outputs)
        uploads.append({"path": path, "name": upload.name, "slots": upload.slots})
    return json.dumps(
        {
            "preset": order.preset,
            "title": order.title,
            "values": dict(order.values),
            "seeds": order.seeds,
            "graph": dict(prompt.graph),
            "uploads": uploads,
            "extra_pnginfo": dict(prompt.extra_pnginfo),
            "outputs": prompt.outputs,
            "layout": prompt.layout.digest if prompt.layout else "",
        }
    )


def decode_order(text: str, outputs: Path) -> Order:
    """Decode what `encode_order` returned."""
    data = json.loads(text)
    uploads: list[Upload] = []
    for upload in data["uploads"]:
        path = outputs / upload["path"]
        slots = tuple((node, name) for node, name in upload["slots"])
        uploads.append(Upload(path, upload["name"], slots))
    # Earlier versions wrote none.
    digest = data.get("layout", "")
    prompt = Prompt(
        data["graph"],
        uploads=tuple(uploads),
        extra_pnginfo=data["extra_pnginfo"],
        outputs=tuple(data["outputs"]),
        layout=StoredLayout(digest) if digest else None,
    )
    return Order(
        data["preset"],
        data["title"],
        prompt,
        values=data["values"],
        seeds=tuple(data["seeds"]),
    )


def encode_position(place: tuple[int, ...]) -> str:
    """The position of a point as its column stores it: `0,3,1`."""
    positions = [str(position) for position in place]
    return ",".join(positions)


def decode_position(text: str) -> tuple[int, ...]:
    """Decode what `encode_position` returned."""
    if not text:
        return ()
    return tuple(int(position) for position in text.split(","))


def list_inputs(order: Order, outputs: Path) -> set[str]:
    """Names of the kept files that an order needs; `outputs` is resolved."""
    folder = get_inputs_folder(outputs)
    names: set[str] = set()
    for upload in order.prompt.uploads:
        path = upload.path.resolve()
        if path.parent == folder:
            names.add(path.name)
    return names


def list_filters(order: Order) -> Iterator[tuple[str, str]]:
    """The field values that a job can be filtered by: names and encoded values."""
    for name, value in order.values.items():
        if value is None:
            continue
        text = encode_filter(value)
        if len(text) <= FILTER_CHARACTERS:
            yield replace_surrogates(name), text


def encode_filter(value: Any) -> str:
    """A field value as it is compared: JSON, where 20.0 is 20."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def list_texts(order: Order) -> str:
    """The texts and numbers among an order's values, a line each, folded for the search."""
    leaves = _list_leaves(order.values)
    text = "\n".join(leaves)
    return fold_text(text[:TEXT_CHARACTERS])


def fold_text(text: str) -> str:
    """A text as it is searched: without case and NUL (where SQLite stops), wide and narrow
    characters alike.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    searchable = folded.replace("\0", " ")
    return replace_surrogates(searchable)


def replace_surrogates(text: str) -> str:
    """A text without lone surrogates, which SQLite cannot store."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _list_leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _list_leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _encode_result(result: Result, outputs: Path) -> dict[str, Any]:
    """Encode only what differs from the defaults, to keep the rows short."""
    written: dict[str, Any] = {}
    for name, value in vars(result).items():
        if isinstance(value, Path):
            written[name] = _encode_path(value, outputs)
        elif isinstance(value, ResultSource):
            written[name] = vars(value)
        elif value not in (None, "", 0, False):
            written[name] = value
    return written


def _decode_result(data: Mapping[str, Any], outputs: Path) -> Result:
    known: dict[str, Any] = {}
    for name, value in data.items():
        if name in ("path", "display"):
            known[name] = outputs / value
        elif name == "source":
            known[name] = ResultSource(**value)
        elif name in RESULT_FIELDS:  # a newer program may have written others
            known[name] = value
    return Result(**known)


def _encode_path(path: Path, outputs: Path) -> str:
    """Relative to the outputs folder (which is resolved), so that this may be moved as a whole."""
    real = path.resolve()
    if not real.is_relative_to(outputs):
        return str(path.absolute())
    inside = real.relative_to(outputs)
    return inside.as_posix()
