"""The job store: what was written comes back exactly, whatever happens to the process
that wrote it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygradio.comfy.workflow import Prompt, Upload
from comfygradio.errors import JobStoreError, JobStoreLocked
from comfygradio.jobs.job import Order
from comfygradio.jobs.job_store import (
    JobRecord,
    JobStore,
    Query,
    find_job_store,
    set_job_store_aside,
)
from comfygradio.jobs.kept_input import get_inputs_folder, keep_inputs
from comfygradio.jobs.results import Result, ResultSource
from comfygradio.jobs.rows import decode_order, encode_order
from comfygradio.jobs.schema import MIGRATIONS, migrate
from tests.clocks import PROCESS_SECONDS
from tests.effort import scale
from tests.jobs.records import GRAPH, make_record

ROOT = Path(__file__).parents[2]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """A new job store."""
    with closing(JobStore.open(tmp_path)) as store:
        yield store


@contextmanager
def run_child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process with a script that sees `sys`, `JobStore`, `Path` and `make_record`; killed at the
    end.
    """
    prelude = (
        "import sys\nfrom pathlib import Path\nfrom comfygradio.jobs.job_store import JobStore\n"
        "from comfygradio.errors import JobStoreError\nfrom tests.jobs.records import make_record\n"
    )
    command = [sys.executable, "-c", prelude + script, *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def read_line(child: subprocess.Popen[str]) -> str:
    """The next line that a child writes; waits for it."""
    assert child.stdout
    return child.stdout.readline().strip()


def get_everything(store: JobStore, owner: str = "user:ada") -> list[JobRecord]:
    """All jobs of a person, newest first, page by page."""
    records: list[JobRecord] = []
    before = None
    while True:
        page = store.search(owner, Query(before=before, limit=7))
        records += page.records
        before = page.next
        if before is None:
            return records


def test_a_record_comes_back_as_it_was(store: JobStore) -> None:
    source = ResultSource("9", "a b.png", "sub/folder", "temp")
    results = (
        Result(
            "image",
            store.outputs / "a" / "a.png",
            store.outputs / "a" / "display" / "a.png.jpg",
            "",
            640,
            480,
        ),
        Result("text", text="kept \ud800 as it is"),
        Result("video", partial=True, problem="The disk is full.", source=source),
        Result("file", Path("/elsewhere/b.bin"), Path("/elsewhere/b.bin")),
    )
    uploads = (
        Upload(
            get_inputs_folder(store.outputs) / "x.png", "x.png", (("1", "image"), ("2", "mask"))
        ),
    )
    prompt = Prompt(GRAPH, uploads, {"comfygradio": {"seed": 2**64 - 1}}, ("9", "10"))
    order = Order(
        "tiny", "Tiny", prompt, {"seed": 2**64 - 1, "size": [512, 768], "half": 0.1}, ("seed",)
    )
    record = replace(
        make_record(order=order, priority=1, phase="failed", attempts=2, error="It broke."),
        posted=2.25,
        started=3.5,
        ended=1700000000.123456,
        server="http://a",
        client_id="c",
        node_seconds={"3": 0.1},
        favourite=True,
        results=results,
    )
    store.add(record)
    assert store.get(record.id) == record
    assert store.find(record.token) == record
    assert get_everything(store) == [record]


@pytest.mark.deep
@given(
    values=st.dictionaries(st.text(), JSON, max_size=4),
    graph=st.dictionaries(st.text(), JSON, max_size=4),
)
@settings(max_examples=scale(200), deadline=None)
def test_orders_are_exact(values: dict[str, Any], graph: dict[str, Any]) -> None:
    order = Order("tiny", "Tiny", Prompt(graph, (), values, ("1",)), values, ("seed",))
    back = decode_order(encode_order(order, Path("/outputs")), Path("/outputs"))
    assert back == order and repr(back) == repr(order)


@pytest.mark.deep
@given(
    title=st.text(st.characters(exclude_categories=()), max_size=30),
    values=st.dictionaries(st.text(st.characters(exclude_categories=())), JSON, max_size=4),
    text=st.text(st.characters(exclude_categories=()), max_size=30),
)
@settings(max_examples=scale(60), deadline=None)
def test_any_text_can_be_stored_searched_and_deleted(
    tmp_path_factory: pytest.TempPathFactory, title: str, values: dict[str, Any], text: str
) -> None:
    with closing(JobStore.open(tmp_path_factory.mktemp("any"))) as store:
        record = make_record(title, values, title=title, error=text, phase="done")
        store.add(record)
        assert [found.id for found in store.search(title, Query(title, values=values)).records] in (
            [record.id],
            [],
        )
        found = store.search(title, Query(text=text))
        assert [one.id for one in found.records] == [record.id]
        store.find(text)
        store.delete(record.id)
        assert store.search(title, Query(text)).records == ()


def test_changes_are_all_or_none_and_say_whether_the_job_is_there(store: JobStore) -> None:
    record = make_record()
    store.add(record)
    done = Result("text", text="hello")
    assert store.change(record.id, phase="done", ended=9.0, results=[done], node_seconds={"1": 2.0})
    assert store.change(record.id, results=[done, done])
    assert store.set_favourite(record.id, True)
    changed = store.get(record.id)
    assert changed == replace(
        record,
        phase="done",
        ended=9.0,
        results=(done, done),
        node_seconds={"1": 2.0},
        favourite=True,
    )
    assert not store.change("nobody", phase="done")
    for fields in (
        {"order": record.order},
        {"owner": "user:eve"},
        {"phase": "failed", "nonsense": 1},
    ):
        with pytest.raises(ValueError, match="cannot be changed"):
            store.change(record.id, **fields)
    with pytest.raises(JobStoreError):
        store.change(record.id, error="x", phase=None)
    assert store.get(record.id) == changed


def test_many_are_added_together_or_not_at_all(store: JobStore) -> None:
    first, second = make_record(), make_record()
    with pytest.raises(JobStoreError):
        store.add(first, second, first)
    assert get_everything(store) == []
    store.add(first, second)
    assert get_everything(store) == [second, first]


def test_open_jobs_are_listed_oldest_first(store: JobStore) -> None:
    phases = ["waiting", "done", "running", "failed", "stopped", "waiting"]
    records = [make_record(f"user:{n % 2}", phase=phase) for n, phase in enumerate(phases)]
    store.add(*records)
    assert store.list_open() == [records[0], records[2], records[5]]
    mine = [record for record in store.list_open() if record.owner == "user:0"]
    assert mine == [records[0], records[2]]
    store.change(records[0].id, phase="done")
    assert store.list_open() == [records[2], records[5]]


def test_node_times_are_the_median_of_the_last_twenty_done_jobs(store: JobStore) -> None:
    graph: dict[str, Any] = {"1": {}, "2": {}, "old": {}}
    assert store.read_times("tiny").estimate_all(graph) == {}
    store.add(
        *(make_record(phase="done", node_seconds={"1": 1000.0, "old": 1.0}) for _ in range(5))
    )
    store.add(*(make_record(phase="done", node_seconds={"1": float(n)}) for n in range(19)))
    store.add(make_record(phase="done", node_seconds={"1": 500.0, "2": 4.0}))
    store.add(
        make_record(phase="failed", node_seconds={"1": 0.0}),
        make_record(preset="other", phase="done"),
    )
    assert store.read_times("tiny").estimate_all(graph) == {"1": 9.5, "2": 4.0}


def test_node_times_grow_with_the_work_that_was_written_down(store: JobStore) -> None:
    for steps in (6, 20, 50):
        seconds = {"3": 1.0 + 0.2 * steps, "9": 0.5}
        work = {"3": float(steps), "9": 1.0}
        store.add(make_record(phase="done", node_seconds=seconds, node_work=work))
    store.add(make_record(phase="done", node_seconds={"3": 1000.0}))
    graph = {"3": {"inputs": {"steps": 30}}, "9": {"inputs": {}}}
    assert store.read_times("tiny").estimate_all(graph) == pytest.approx({"3": 7.0, "9": 0.5})


def test_a_deleted_job_takes_its_files_along_and_no_others(store: JobStore, tmp_path: Path) -> None:
    folder, other = store.outputs / "day" / "one", store.outputs / "day" / "other.png"
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    for path in (folder / "a.png", folder / "display" / "a.png.jpg", other, outside):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    results = (
        Result("image", folder / "a.png", folder / "display" / "a.png.jpg"),
        Result("image", outside, outside),
        Result("image", folder / "gone.png", folder / "gone.png"),
    )
    record, kept = (
        make_record(results=results),
        make_record(phase="done", values={"prompt": "kept"}),
    )
    store.add(record, kept)
    with pytest.raises(JobStoreError, match="not over"):
        store.delete(record.id)
    assert store.get(record.id) == record and (folder / "a.png").exists()
    store.change(record.id, phase="stopped")
    store.delete(record.id)
    assert not folder.exists() and other.exists() and outside.exists()
    store.delete(record.id)
    assert store.get(record.id) is None and get_everything(store) == [kept]


def order_with(upload: Path, outputs: Path) -> Order:
    """An order that needs a file, kept as every order's files are."""
    prompt = Prompt(GRAPH, (Upload(upload, "x.png", (("1", "image"),)),))
    return Order("tiny", "Tiny", keep_inputs(prompt, outputs))


def test_a_kept_file_goes_with_the_last_job_that_needs_it(store: JobStore, tmp_path: Path) -> None:
    upload = tmp_path / "x.png"
    upload.write_bytes(b"picture")
    records = [make_record(order=order_with(upload, store.outputs), phase="done") for _ in range(2)]
    store.add(*records)
    (kept,) = get_inputs_folder(store.outputs).iterdir()
    make_old(kept)
    store.delete(records[0].id)
    assert kept.exists()
    store.delete(records[1].id)
    assert not kept.exists()


def make_old(path: Path) -> None:
    """As if a file had been touched an hour ago."""
    then = time.time() - 3600
    os.utime(path, (then, then))


def test_a_start_clears_away_what_no_job_needs(tmp_path: Path) -> None:
    upload = tmp_path / "x.png"
    upload.write_bytes(b"picture")
    with closing(JobStore.open(tmp_path / "out")) as store:
        store.add(make_record(order=order_with(upload, tmp_path / "out")))
        (needed,) = get_inputs_folder(store.outputs).iterdir()
    (needed.parent / ".part-1234").write_bytes(b"pict")
    upload.write_bytes(b"ordered, but the app was killed before it was written down")
    keep_inputs(order_with(upload, tmp_path / "out").prompt, tmp_path / "out")
    for path in needed.parent.iterdir():
        make_old(path)
    with closing(JobStore.open(tmp_path / "out")):
        assert list(needed.parent.iterdir()) == [needed]


def test_the_outputs_folder_can_be_moved(tmp_path: Path) -> None:
    upload = tmp_path / "x.png"
    upload.write_bytes(b"picture")
    with closing(JobStore.open(tmp_path / "old")) as store:
        path = tmp_path / "old" / "day" / "a.png"
        record = make_record(
            order=order_with(upload, tmp_path / "old"), results=(Result("image", path, path),)
        )
        store.add(record)
    (tmp_path / "old").rename(tmp_path / "new")
    with closing(JobStore.open(tmp_path / "new")) as store:
        found = store.get(record.id)
        assert found and found.results[0].path == tmp_path / "new" / "day" / "a.png"
        assert found.order.prompt.uploads[0].path.read_bytes() == b"picture"


def test_a_relative_outputs_folder_is_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.png").write_bytes(b"picture")
    order = order_with(Path("x.png"), Path("outputs"))
    record = make_record(
        order=order, results=(Result("image", Path("outputs/a.png")),), phase="done"
    )
    with closing(JobStore.open(Path("outputs"))) as store:
        store.add(record)
    with closing(JobStore.open(Path("outputs"))) as store:
        found = store.get(record.id)
    assert found and found.results[0].path == tmp_path / "outputs" / "a.png"
    assert found.order.prompt.uploads[0].path.read_bytes() == b"picture"


def test_threads_share_a_store(store: JobStore) -> None:
    failures: list[BaseException] = []

    def work(owner: str) -> None:
        try:
            for number in range(25):
                record = make_record(owner, {"seed": number})
                store.add(record)
                store.change(record.id, phase="done", node_seconds={"1": 1.0})
                assert store.search(owner, Query(limit=1)).records == (store.get(record.id),)
                assert store.read_times("tiny").estimate_all({"1": {}}) == {"1": 1.0}
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(f"user:{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and store.list_open() == []
    for number in range(8):
        seeds = [record.order.values["seed"] for record in get_everything(store, f"user:{number}")]
        assert seeds == list(range(24, -1, -1))


def test_a_second_process_is_refused_until_the_first_has_died(tmp_path: Path) -> None:
    script = "store = JobStore.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    with run_child(script, tmp_path) as child:
        assert read_line(child) == "open"
        with pytest.raises(JobStoreLocked, match=r"Another comfygradio .* --outputs"):
            JobStore.open(tmp_path)
        with pytest.raises(JobStoreLocked):
            set_job_store_aside(tmp_path)
        child.kill()
        child.wait()
        JobStore.open(tmp_path).close()


def test_one_process_opens_a_folder_once(store: JobStore) -> None:
    with pytest.raises(JobStoreLocked):
        JobStore.open(store.outputs)
    store.close()
    store.close()
    JobStore.open(store.outputs).close()
    with pytest.raises(JobStoreError):
        store.list_open()


def test_what_was_added_survives_a_kill_before_the_change(tmp_path: Path) -> None:
    script = """
store, record = JobStore.open(Path(sys.argv[1])), make_record()
store.add(record)
print(record.id, flush=True)
sys.stdin.readline()
store.change(record.id, phase="running", posted=1.0)
print("changed", flush=True)
sys.stdin.read()
"""
    for changes in (False, True):
        with run_child(script, tmp_path) as child:
            id = read_line(child)
            if changes and child.stdin:
                child.stdin.write("\n")
                child.stdin.flush()
                assert read_line(child) == "changed"
            child.kill()
            child.wait()
        with closing(JobStore.open(tmp_path)) as store:
            found = store.get(id)
            assert found and (found.phase, found.posted) == (
                ("running", 1.0) if changes else ("waiting", None)
            )
            assert found in store.list_open()


@pytest.mark.parametrize("lines", [1, 40, 150])
def test_a_kill_in_mid_writing_loses_nothing_that_was_promised(tmp_path: Path, lines: int) -> None:
    script = """
store = JobStore.open(Path(sys.argv[1]))
while True:
    record = make_record(values={"prompt": "word " * 300})
    store.add(record)
    store.change(record.id, phase="done", error="It broke.")
    print(record.id, flush=True)
"""
    with run_child(script, tmp_path) as child:
        promised = [read_line(child) for _ in range(lines)]
        child.kill()
        assert child.wait() == -signal.SIGKILL
    with closing(JobStore.open(tmp_path)) as store:
        found = {record.id: record for record in get_everything(store)}
        assert set(promised) <= found.keys()
        assert {found[id].phase for id in promised} == {"done"}
        assert len(found) == len(store.search("user:ada", Query("word", limit=500)).records)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = JobStore.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
try:
    while True:
        record = make_record(values={"prompt": "word " * 300})
        store.add(record)
        print(record.id, flush=True)
except JobStoreError as error:
    print(error, flush=True)
search = __import__("comfygradio.jobs.job_search").jobs.job_search
print(len(store.search("user:ada", search.Query(limit=500)).records))
"""
    with run_child(script, tmp_path) as child:
        output, _ = child.communicate(timeout=PROCESS_SECONDS)
    *promised, error, count = output.splitlines()
    assert error.startswith("The job store of the outputs folder cannot be used: ")
    assert error.endswith(".") and str(tmp_path) not in error
    assert len(promised) > 10 and int(count) == len(promised)
    with closing(JobStore.open(tmp_path)) as store:
        assert {record.id for record in get_everything(store)} == set(promised)


def fill(outputs: Path) -> Path:
    """A closed job store with 60 jobs, some hundred kilobytes; returns its file."""
    with closing(JobStore.open(outputs)) as store:
        store.add(*(make_record(values={"prompt": f"word {n} " * 100}) for n in range(60)))
    return find_job_store(outputs)


def overwrite(path: Path, offset: int, data: bytes) -> None:
    """Damage a file in its middle."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "other": lambda path: path.write_bytes(
        b"this is no database, but it is long enough to be one" * 100
    ),
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut within a page": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "a torn page": lambda path: overwrite(path, 4096 * 3, b"\xff" * 4096),
    "zeros in the middle": lambda path: overwrite(path, 4096 * 5, bytes(4096 * 20)),
    "a torn header": lambda path: overwrite(path, 0, bytes(50)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_said_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = fill(tmp_path)
    damage(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(JobStoreError, match=r"is damaged \(.*\) and was left as it is"):
            JobStore.open(tmp_path)
    assert path.read_bytes() == before
    aside = set_job_store_aside(tmp_path)
    assert aside.read_bytes() == before and not path.exists()
    with closing(JobStore.open(tmp_path)) as store:
        store.add(make_record())
    assert aside.read_bytes() == before


def test_a_file_that_is_gone_from_beside_its_wal_is_missed(tmp_path: Path) -> None:
    script = (
        "store = JobStore.open(Path(sys.argv[1])); store.add(make_record()); print(1, "
        "flush=True); sys.stdin.read()"
    )
    with run_child(script, tmp_path) as child:
        assert read_line(child) == "1"
    path = find_job_store(tmp_path)
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(JobStoreError, match="damaged"):
        JobStore.open(tmp_path)
    path.with_name("elsewhere").rename(path)
    with closing(JobStore.open(tmp_path)) as store:
        assert len(store.list_open()) == 1


def test_a_damaged_order_is_a_damaged_store(tmp_path: Path) -> None:
    path = fill(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE orders SET data = '{' WHERE seq = 1")
    with closing(JobStore.open(tmp_path)) as store, pytest.raises(JobStoreError, match="damaged"):
        store.list_open()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file where the folder should be")
    with pytest.raises(JobStoreError, match="cannot be used"):
        JobStore.open(tmp_path / "outputs")


def test_a_file_of_version_0_is_brought_up_to_date(tmp_path: Path) -> None:
    path = find_job_store(tmp_path)
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('kept')")
    with closing(JobStore.open(tmp_path)) as store:
        record = make_record()
        store.add(record)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT text FROM notes").fetchone() == ("kept",)
        assert connection.execute("SELECT id FROM jobs").fetchone() == (record.id,)


def test_a_file_that_was_cut_short_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    path = find_job_store(tmp_path)
    path.parent.mkdir(parents=True)
    path.with_name(f"{path.name}.new").write_bytes(b"SQLite format 3\0 and then the power went")
    with closing(JobStore.open(tmp_path)) as store:
        assert store.list_open() == []
    assert sorted(p.name for p in path.parent.iterdir()) == ["ledger.sqlite", "lock"]


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = fill(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(JobStoreError, match=r"newer comfygradio \(version 99 .* update"):
        JobStore.open(tmp_path)
    assert path.read_bytes() == before


def test_migrations_run_once_in_their_order_and_whole(tmp_path: Path) -> None:
    steps = [
        "CREATE TABLE a (x); INSERT INTO a VALUES (1)",
        "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1",
    ]
    with closing(sqlite3.connect(tmp_path / "a", isolation_level=None)) as connection:
        migrate(connection, steps[:1])
        migrate(connection, steps)
        migrate(connection, steps)
        assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]
        with pytest.raises(sqlite3.Error):
            migrate(
                connection, [*steps, "INSERT INTO a VALUES (5, 5); INSERT INTO nothing VALUES (1)"]
            )
        assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
