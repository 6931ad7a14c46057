"""The engine on Dask: every worker of a cluster that has a ComfyUI is a backend."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping

from comfygradio.clock import SYSTEM_CLOCK, Clock
from comfygradio.cluster.address import ClusterAddress, check_installed, parse_cluster
from comfygradio.cluster.client import RemoteClient
from comfygradio.cluster.codec import Notice
from comfygradio.cluster.intervals import DEFAULT_INTERVALS, Intervals
from comfygradio.cluster.rpc import ClusterClient
from comfygradio.errors import ServerUnreachable
from comfygradio.jobs.backend import Backend
from comfygradio.settings import Settings

log = logging.getLogger(__name__)


def connect(text: str, settings: Settings) -> DaskBackends:
    """Connect to the workers of a Dask scheduler. The engine has no backends yet.

    Raises SettingsError.
    """
    check_installed()
    address = parse_cluster(text, settings, "--engine")
    return DaskBackends(address)


class Member:
    """A backend of the cluster. Its worker may be replaced by another one."""

    def __init__(
        self, notice: Notice, cluster: ClusterClient, intervals: Intervals, clock: Clock
    ) -> None:
        self.notice = notice
        self.missing_since: float | None = None
        self._intervals = intervals
        self._clock = clock
        client = RemoteClient(notice.url, cluster, self.find_address)
        self.backend = Backend(client)

    def find_address(self) -> str:
        """The address of the worker. Raises ServerUnreachable while there is none."""
        if self.missing_since is not None:
            raise ServerUnreachable(
                f"No worker of the cluster is beside {self.notice.url} at the moment."
            )
        return self.notice.address

    def hear(self, notice: Notice) -> bool:
        """Record what the worker reported; True if that ends a trouble of the backend."""
        had_trouble = self.missing_since is not None or bool(self.notice.trouble)
        self.notice = notice
        self.missing_since = None
        trouble = notice.trouble
        silent_seconds = self._clock.monotonic() - notice.heard
        if silent_seconds > self._intervals.silent:
            trouble = (
                f"The worker beside {notice.url} has not been heard of for "
                f"{silent_seconds:.0f} seconds."
            )
        if trouble:
            self.backend.fail(ServerUnreachable(trouble))
        return had_trouble and not trouble

    def miss(self) -> bool:
        """Record that the scheduler does not know the worker; True if it is to be forgotten."""
        now = self._clock.monotonic()
        if self.missing_since is None:
            self.missing_since = now
            trouble = f"The worker beside {self.notice.url} has left the cluster."
            self.backend.fail(ServerUnreachable(trouble))
        missing_seconds = now - self.missing_since
        return missing_seconds > self._intervals.forget


class DaskBackends:
    """The backends of a Dask cluster. It asks the scheduler every second.

    `clock` times these requests and the age of what workers report; the network uses real time.
    """

    may_grow = True

    def __init__(
        self,
        address: ClusterAddress,
        intervals: Intervals = DEFAULT_INTERVALS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.address = address
        self.trouble = self._explain_empty()
        self._intervals = intervals
        self._clock = clock
        self._cluster = ClusterClient(address, intervals, clock)
        self._members: dict[str, Member] = {}
        self._changed: list[Callable[[], None]] = []
        self._known = threading.Event()
        """Set once there was a backend."""
        self._news = threading.Event()
        """Set when the watchers have to be called."""
        self._closed = threading.Event()
        self.client = RemoteClient(str(address), self._cluster, self._find_any)
        self._threads: list[threading.Thread] = []
        for work in (self._poll, self._notify):
            thread = threading.Thread(target=work, name="comfygradio-engine", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def backends(self) -> tuple[Backend, ...]:
        """The current backends, sorted by name."""
        members = self._members  # replaced as a whole, never changed
        ordered = [members[url] for url in sorted(members)]
        return tuple(member.backend for member in ordered)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after backends joined, left or recovered, or the scheduler did."""
        self._changed.append(changed)
        self._news.set()

    def wait_for_backend(self, seconds: float) -> None:
        """Wait until there is a backend. Raises ServerUnreachable with what is missing."""
        is_there = self._clock.wait_event(self._known, seconds)
        if not is_there:
            raise ServerUnreachable(self.trouble)

    def close(self) -> None:
        """Disconnect from the cluster; may be called twice."""
        self._closed.set()
        self._news.set()
        self._cluster.close()
        for thread in self._threads:
            thread.join(5.0)

    def _poll(self) -> None:
        """Ask the scheduler again and again. Runs on its own thread."""
        while not self._closed.is_set():
            try:
                if self._look():
                    self._news.set()
            except Exception:
                log.exception("the cluster could not be looked at")
            self._clock.wait_event(self._closed, self._intervals.look)

    def _notify(self) -> None:
        """Call the watchers after changes.

        Runs on its own thread: a watcher that asks new backends what they have may wait for long.
        """
        while True:
            self._news.wait()
            if self._closed.is_set():
                return
            # This precedes the calls, so that a change during them leads to further calls.
            self._news.clear()
            for changed in list(self._changed):
                _call(changed)

    def _look(self) -> bool:
        """Ask the scheduler once. Returns whether anything changed that watchers should know."""
        backends_before = self.backends
        trouble_before = self.trouble
        try:
            notices = self._cluster.look()
        except ServerUnreachable:
            self.trouble = (
                f"The Dask scheduler at {self.address} does not answer; jobs go on as soon as "
                "it is back."
            )
            return trouble_before != self.trouble
        newest = _list_newest(notices)
        has_recovered = self._update_members(newest)
        if self._members:
            self.trouble = ""
            self._known.set()
        else:
            self.trouble = self._explain_empty()
        if has_recovered or trouble_before != self.trouble:
            return True
        return backends_before != self.backends

    def _update_members(self, notices: Mapping[str, Notice]) -> bool:
        """Update the members by what their workers report; True if one has recovered."""
        members = dict(self._members)
        has_recovered = False
        for url, notice in notices.items():
            if notice.is_leaving:
                members.pop(url, None)
                continue
            member = members.get(url)
            if member is None:
                members[url] = Member(notice, self._cluster, self._intervals, self._clock)
            elif member.hear(notice):
                has_recovered = True
        missing = [url for url in members if url not in notices]
        for url in missing:
            if members[url].miss():
                del members[url]
        # Other threads read the mapping without a lock, so it is replaced as a whole.
        self._members = members
        return has_recovered

    def _explain_empty(self) -> str:
        return (
            f"No worker has joined the Dask scheduler at {self.address} yet; on each GPU host "
            "start: "
            f"comfygradio worker --scheduler {self.address} --server URL."
        )

    def _find_any(self) -> str:
        """The address of any worker, of a healthy one if possible. Raises ServerUnreachable."""
        members = list(self._members.values())
        for member in members:
            if not member.backend.trouble:
                return member.find_address()
        if members:
            return members[0].find_address()
        raise ServerUnreachable(self.trouble or self._explain_empty())


def _call(changed: Callable[[], None]) -> None:
    try:
        changed()
    except Exception:
        log.exception("a change of the cluster's backends could not be taken in")


def _list_newest(notices: Iterable[Notice]) -> dict[str, Notice]:
    """Map backends to notices; of two workers of one backend, the one that started last counts."""
    # Later entries replace earlier ones of the same backend.
    ordered = sorted(notices, key=lambda notice: notice.began)
    return {notice.url: notice for notice in ordered}
