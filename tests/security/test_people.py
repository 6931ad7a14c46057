"""Who a job counts for: logins, network addresses and all together, at every endpoint; and from
where somebody is believed to come.
"""

from __future__ import annotations

import ipaddress
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import LimitReached, NodeError
from comfygradio.jobs.fair_queue import FairQueue
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobRecord, JobStore
from comfygradio.jobs.limits import Limits
from comfygradio.settings import SPACE_PROXIES, load_settings
from comfygradio.ui.identity.network_address import MAX_HOPS, Network, find_address, is_local
from comfygradio.ui.identity.person import NOBODY, Person, find_person
from tests.jobs.lines import draw, wait
from tests.security.attack_browser import (
    PROXY,
    browse,
    find_function,
    generate,
    log_in,
    name_address,
    run,
    write_users,
)
from tests.ui.people import make_request
from tests.ui.running import RunningApp, run_app

pytestmark = pytest.mark.app

FULL = "Your network address has 5 jobs waiting already; wait until one of them has started."


@pytest.fixture(scope="module")
def slow() -> Iterator[DemoServer]:
    """A server on which nothing ends while a test lasts: two jobs are on it, all others wait."""
    with DemoServer(DemoOptions(step_seconds=30)) as server:
        yield server


@contextmanager
def open_app(server: DemoServer, folder: Path, **settings: Any) -> Iterator[RunningApp]:
    with run_app(server.url, folder, jobs_per_person=5, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def public(slow: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app without a login, behind a proxy that is trusted."""
    folder = tmp_path_factory.mktemp("public")
    with open_app(slow, folder, trust_proxies=PROXY, jobs_in_all=12) as running:
        yield running


@pytest.fixture(scope="module")
def members(slow: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a login, behind a proxy that is trusted."""
    folder = tmp_path_factory.mktemp("members")
    users = write_users(folder / "users", "ann", "ben")
    with open_app(slow, folder / "outputs", auth=users, trust_proxies=PROXY) as running:
        yield running


@pytest.fixture
def empty() -> Iterator[Callable[[RunningApp], RunningApp]]:
    """Takes an app in which nothing waits, and leaves it so."""
    used: list[RunningApp] = []

    def take(app: RunningApp) -> RunningApp:
        used.append(app)
        fill_backend(app)
        return app

    yield take
    for app in used:
        app.app.service.queue.stop_waiting()


def fill_backend(app: RunningApp) -> None:
    """Give the server the two jobs that it holds at most, so that all that come now wait."""
    queue = app.app.service.queue
    missing = 2 - queue.count_running(queue.backends[0])
    jobs = [app.app.service.submit("text_to_image", {"steps": 60}) for _ in range(missing)]
    for job in jobs:
        wait(job, lambda snapshot: snapshot.state is not None, 60)


def call_endpoint(browser: httpx.Client, prompt: str) -> str:
    """Call `/text_to_image` as a program does, and return why it was refused, "" if it was not."""
    call = browser.post("gradio_api/call/v2/text_to_image", json={"prompt": prompt})
    path = f"gradio_api/call/text_to_image/{call.json()['event_id']}"
    beats = 0
    with browser.stream("GET", path) as lines:
        for line in lines.iter_lines():
            if line.startswith("event: error"):
                return "error"
            if line.startswith(("event: generating", "event: complete")):
                return ""
            beats += line.startswith("event: heartbeat")
            if beats == 4:  # it waits for its turn, after a minute
                return ""
    return "the stream ended"


@pytest.mark.app
def test_new_ids_of_a_browser_are_no_new_people(
    public: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    """M3. 20 ids once passed a limit of 5 with 20 jobs."""
    app, here = empty(public), browse(public, address := name_address())
    answers = [generate(app, here, secrets.token_hex(16)) for _ in range(20)]
    assert answers == [""] * 5 + [FULL] * 15
    assert generate(app, browse(app, address.replace("::1", "::2")), "") == FULL
    assert generate(app, browse(app, name_address()), secrets.token_hex(16)) == ""


@pytest.mark.app
def test_many_at_once_pass_no_limit(
    public: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app, here = empty(public), name_address()
    with ThreadPoolExecutor(10) as threads:
        browsers = [browse(app, here) for _ in range(20)]
        answers = list(threads.map(lambda one: generate(app, one, secrets.token_hex(16)), browsers))
    assert answers.count("") == 5


@pytest.mark.app
def test_all_addresses_together_have_a_limit_too(
    public: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app = empty(public)
    answers = [generate(app, browse(app, name_address()), "") for _ in range(15)]
    assert answers.count("") == 12
    assert answers[-1] == "12 jobs of many people are waiting already; try again in a while."


@pytest.mark.app
def test_what_a_person_writes_before_the_proxys_word_does_not_count(
    public: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app, here = empty(public), name_address()
    answers = []
    for _ in range(7):
        invented = f"{name_address()}, {here}"
        answers.append(generate(app, browse(app, invented), secrets.token_hex(16)))
    assert answers.count("") == 5


@pytest.mark.app
def test_programs_at_one_address_do_not_fill_anothers_limit(
    public: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    """M3. All programs were one person."""
    app, here = empty(public), browse(public, name_address())
    for _ in range(5):
        assert generate(app, here, "") == ""
    assert call_endpoint(here, "a fox") == "error"
    queue = app.app.service.queue
    there = browse(app, name_address())
    event = there.post("gradio_api/call/v2/text_to_image", json={"prompt": "an owl"})
    assert event.status_code == 200
    with queue._changed:
        owners = queue._changed.wait_for(
            lambda: [one for one in queue._waiting if one.owner.startswith("api:")], 60
        )
    assert len(owners) == 1 and owners[0].party.startswith("net:2001:db8:")


@pytest.mark.app
def test_programs_are_their_login(
    members: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app = empty(members)
    ann, ben = log_in(app, "ann"), log_in(app, "ben")
    for _ in range(5):
        assert generate(app, ann, secrets.token_hex(16)) == ""
    assert generate(app, ann, "").startswith("You have 5 jobs waiting already")
    assert call_endpoint(ann, "a fox") == "error"
    elsewhere = log_in(app, "ann", name_address())
    assert generate(app, elsewhere, "").startswith("You have 5 jobs waiting already")
    assert generate(app, ben, "") == ""
    queue = app.app.service.queue
    ben.post("gradio_api/call/v2/text_to_image", json={"prompt": "an owl"})
    with queue._changed:
        assert queue._changed.wait_for(
            lambda: [one.owner for one in queue._waiting].count("user:ben") == 2, 60
        )
    access = run(app, ben, "enter", person="x").json()["data"][0]["access"]
    history = next(
        number
        for number, block in app.app.blocks.blocks.items()
        if getattr(block, "elem_id", "") == "cg-history"
    )
    body = {"data": [access, {}], "fn_name": "search", "session_hash": "x", "component_id": history}
    found = ben.post("gradio_api/component_server", json=body).json()
    assert len(found["jobs"]) == 2
    stolen = ann.post("gradio_api/component_server", json=body).json()
    assert stolen == {"left": True}


@pytest.mark.app
def test_a_call_that_says_it_is_a_batch_counts_for_its_login(
    members: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app = empty(members)
    ann = log_in(app, "ann")
    form = app.app.service.forms["text_to_image"]
    values = [field.default for field in form.fields.values()]
    queue = app.app.service.queue
    number = find_function(app, "generate")
    body = {
        "fn_index": number,
        "data": [secrets.token_hex(16), "×1", *values],
        "session_hash": "batch",
        "batched": True,
        "trigger_id": app.app.blocks.fns[number].targets[0][0],
    }
    assert ann.post("gradio_api/queue/join", json=body).status_code == 200
    with ann.stream("GET", "gradio_api/queue/data", params={"session_hash": "batch"}) as lines:
        assert any("process_completed" in line for line in lines.iter_lines())
    assert ann.post("gradio_api/run/predict", json=body).status_code == 200
    with queue._changed:
        assert [job.party for job in queue._waiting] == ["user:ann", "user:ann"]


@pytest.mark.app
def test_a_job_of_a_login_is_for_nobody_else_who_knows_its_secret(
    members: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app = empty(members)
    ann, ben = log_in(app, "ann"), log_in(app, "ben")
    assert generate(app, ann, "") == ""
    (job,) = app.app.service.queue.list_open("user:ann")
    path = f"gradio_api/comfygradio/job/{job.token}"
    assert ann.get(path).json().get("gone") is not True
    assert ben.get(path).json() == {"token": job.token, "gone": True}
    attached = run(app, ben, "attach", "", token=job.token).json()["data"][0]
    assert attached == {"token": job.token, "gone": True}
    viewer = next(
        number
        for number, block in app.app.blocks.blocks.items()
        if getattr(block, "elem_id", "") == "cg-viewer"
    )
    body = {
        "data": [job.token],
        "fn_name": "stop",
        "session_hash": "x",
        "component_id": viewer,
    }
    assert ben.post("gradio_api/component_server", json=body).status_code == 200
    assert not job.stop_requested.is_set()
    assert ann.post("gradio_api/component_server", json=body).status_code == 200
    assert job.stop_requested.is_set()


@pytest.mark.app
def test_what_a_server_refused_is_told_to_nobody_else(
    members: RunningApp, empty: Callable[[RunningApp], RunningApp]
) -> None:
    app = empty(members)
    ann, ben = log_in(app, "ann"), log_in(app, "ben")
    assert generate(app, ann, "") == ""
    (job,) = app.app.service.queue.list_open("user:ann")
    (slot,) = app.app.service.forms["text_to_image"].fields["checkpoint"].all_slots
    refusal = NodeError(slot.node_id, "", "", "Value not in list", "ann's model", slot.input)
    job.update(node_errors=(refusal,))
    for browser, is_told in ((ann, True), (ben, False)):
        answer = run(app, browser, "explain", token=job.token)
        assert answer.status_code == 200
        assert ("ann's model" in answer.text) == is_told


def test_turns_go_by_party_and_histories_by_owner() -> None:
    line = FairQueue()
    crowd = [Job(draw(number), f"anon:{number}", party="net:10.0.0.1") for number in range(6)]
    other = Job(draw(9), "anon:9", party="net:10.0.0.2")
    for job in (*crowd, other):
        line.add(job)
    assert line.count("net:10.0.0.1", 0) == 6
    assert [line.take(lambda job: True) for _ in range(3)] == [crowd[0], other, crowd[1]]
    assert Job(draw(1), "user:ann").party == "user:ann"


def test_commands_have_no_limit(tmp_path: Path) -> None:
    queue = JobQueue((), JobStore.open(tmp_path), tmp_path, Limits(jobs_waiting=1, jobs_in_all=2))
    for number in range(4):
        queue.submit(draw(number))
    with pytest.raises(LimitReached, match="4 jobs of many people"):
        queue.submit(draw(5), "user:ann")
    queue.close()
    queue.store.close()


def test_limits_and_turns_go_on_by_party_after_a_restart(tmp_path: Path) -> None:
    """A new id of the browser was somebody new, once the app had been started again."""
    here, limits = "net:10.0.0.1", Limits(jobs_waiting=2)
    with open_queue(tmp_path, limits) as queue:
        for number in range(2):
            queue.submit(draw(number), f"anon:{number}", party=here)
        queue.submit(draw(3), "user:ann", party="user:ann")
    with open_queue(tmp_path, limits) as queue:
        queue.start()
        assert [job.party for job in queue._waiting] == [here, "user:ann", here]
        with pytest.raises(LimitReached, match="Your network address has 2 jobs waiting already"):
            queue.submit(draw(4), "anon:4", party=here)
        assert [record.party for record in queue.store.list_open()] == [here, here, ""]
        (first, _, _) = queue.store.list_open()
        assert queue.store.change(first.id, phase="stopped")
        kept = queue.store.get(first.id)
        assert kept is not None and (kept.owner, kept.party) == ("anon:0", "")


@contextmanager
def open_queue(outputs: Path, limits: Limits) -> Iterator[JobQueue]:
    """A queue without any server."""
    store = JobStore.open(outputs)
    queue = JobQueue((), store, outputs, limits)
    try:
        yield queue
    finally:
        queue.close()
        store.close()


class HeldStore(JobStore):
    """Takes its time to write down a job."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.is_asked, self.may_go_on = threading.Event(), threading.Event()

    def add(self, *records: JobRecord) -> None:
        self.is_asked.set()
        assert self.may_go_on.wait(60)
        super().add(*records)


def test_jobs_that_are_being_written_down_count_too(tmp_path: Path) -> None:
    store = HeldStore.open(tmp_path)
    assert isinstance(store, HeldStore)
    queue = JobQueue((), store, tmp_path, Limits(jobs_waiting=1, jobs_in_all=1))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(queue.submit, draw(1), "user:ann")
        assert store.is_asked.wait(60)
        with pytest.raises(LimitReached, match="You have 1 jobs waiting already"):
            queue.submit(draw(2), "user:ann")
        with pytest.raises(LimitReached, match="1 jobs of many people"):
            queue.submit(draw(3), "user:ben")
        store.may_go_on.set()
        assert first.result(60).snapshot.phase == "waiting"
    queue.close()
    store.close()


NETWORKS: list[Network] = [
    ipaddress.ip_network("127.0.0.1"),
    ipaddress.ip_network("10.0.0.0/8"),
]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.168.1.9", "", "192.168.1.9"),
        ("192.168.1.9", "1.2.3.4", "192.168.1.9"),
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.1.2.3", "1.2.3.4"),
        ("127.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
        ("127.0.0.1", "[2001:db8::1]:5678", "2001:db8::/64"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "1.2.3.4, nonsense", "127.0.0.1"),
        ("127.0.0.1", ",,,", "127.0.0.1"),
        ("127.0.0.1", "10.1.1.1", "10.1.1.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("::ffff:192.168.1.9", "", "192.168.1.9"),
        ("::ffff:127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("::1", "1.2.3.4", "::1"),
        ("", "1.2.3.4", ""),
        ("/run/app.sock", "", ""),
    ],
)
def test_where_somebody_comes_from(peer: str, forwarded: str, found: str) -> None:
    headers = Headers({"x-forwarded-for": forwarded} if forwarded else {})
    assert find_address(peer, headers, NETWORKS) == found


class Counted(list[Network]):
    """Networks that count how often somebody looks through them."""

    looks = 0

    def __iter__(self) -> Iterator[Network]:
        self.looks += 1
        return super().__iter__()


def test_many_hops_cost_nothing() -> None:
    headers = Headers({"x-forwarded-for": ",".join(["10.0.0.1"] * 100_000)})
    networks = Counted(NETWORKS)
    assert find_address("127.0.0.1", headers, networks) == "10.0.0.1"
    assert 0 < networks.looks <= MAX_HOPS


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("127.0.0.1", {"host": "localhost:7860"}, True),
        ("127.0.0.1", {"host": "127.0.0.1"}, True),
        ("::1", {"host": "[::1]:7860"}, True),
        ("10.0.0.9", {"host": "localhost"}, False),
        ("127.0.0.1", {"host": "example.org"}, False),
        ("127.0.0.1", {"host": "[x"}, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"host": "localhost", "X-Forwarded-Ssl": ""}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=x"}, False),
        ("127.0.0.1", {"host": "localhost", "Via": "1.1 x"}, False),
    ],
)
def test_who_sits_at_this_machine(peer: str, headers: dict[str, str], expected: bool) -> None:
    """M1. A remote person behind a proxy wrote `Host: localhost`."""
    assert is_local(peer, Headers(headers)) == expected


def test_a_request_without_our_layer_is_nobodys() -> None:
    asked = make_request(user="ann")
    assert find_person(asked).login == "ann" and find_person([asked]).login == "ann"
    assert find_person(object()) == NOBODY and NOBODY.party == "net:"
    assert Person(login="ann").may_see("user:ann") and Person(login="ann").may_see("anon:1")
    assert not Person(login="ann").may_see("user:ben") and not NOBODY.may_see("user:")


def test_a_space_believes_its_own_proxies() -> None:
    assert load_settings({"SPACE_ID": "a/b"}).trust_proxies == SPACE_PROXIES
    assert load_settings({}).trust_proxies == ()
