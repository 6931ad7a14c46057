"""The engine on Dask: every worker of a cluster that stands beside a ComfyUI is a backend."""

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
    """The engine on the workers of a Dask scheduler; it has no backends yet.

    Raises SettingsError.
    """
    check_installed()
    return DaskBackends(parse_cluster(text, settings, "--engine"))


class Member:
    """A backend of the cluster, whichever worker stands for it."""

    def __init__(
        self, notice: Notice, cluster: ClusterClient, intervals: Intervals, clock: Clock
    ) -> None:
        self.notice = notice
        self.missing_since: float | None = None
        self._intervals = intervals
        self._clock = clock
        self.backend = Backend(RemoteClient(notice.url, cluster, self.find_address))

    def find_address(self) -> str:
        """Where the worker is now. Raises ServerUnreachable while there is none."""
        if self.missing_since is not None:
            raise ServerUnreachable(
                f"No worker of the cluster is beside {self.notice.url} at the moment."
            )
        return self.notice.address

    def hear(self, notice: Notice) -> bool:
        """Take in a notice; True if the backend has become well again."""
        was_ill = self.missing_since is not None or bool(self.notice.trouble)
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
        return was_ill and not trouble

    def miss(self) -> bool:
        """The scheduler does not know it; True if it is to be forgotten."""
        now = self._clock.monotonic()
        if self.missing_since is None:
            self.missing_since = now
            trouble = f"The worker beside {self.notice.url} has left the cluster."
            self.backend.fail(ServerUnreachable(trouble))
        return now - self.missing_since > self._intervals.forget


class DaskBackends:
    """The backends of a Dask cluster, as its scheduler knows them; looks every second.

    `clock` is for its looks and the age of what it hears; the network has the machine's time.
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
        self._news = threading.Event()
        self._closed = threading.Event()
        self.client = RemoteClient(str(address), self._cluster, self._find_any)
        self._threads = [
            threading.Thread(target=work, name="comfygradio-engine", daemon=True)
            for work in (self._look_on, self._tell_on)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def backends(self) -> tuple[Backend, ...]:
        """Those that there are now, by name."""
        members = self._members  # replaced as a whole, never changed
        return tuple(members[url].backend for url in sorted(members))

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` after backends came, went or got well again, or the scheduler did."""
        self._changed.append(changed)
        self._news.set()

    def wait_for_backend(self, seconds: float) -> None:
        """Wait until there is a backend. Raises ServerUnreachable with what is missing."""
        if not self._clock.wait_event(self._known, seconds):
            raise ServerUnreachable(self.trouble)

    def close(self) -> None:
        """Let go of the cluster; callable twice."""
        self._closed.set()
        self._news.set()
        self._cluster.close()
        for thread in self._threads:
            thread.join(5.0)

    def _look_on(self) -> None:
        while not self._closed.is_set():
            try:
                if self._look():
                    self._news.set()
            except Exception:
                log.exception("the cluster could not be looked at")
            self._clock.wait_event(self._closed, self._intervals.look)

    def _tell_on(self) -> None:
        """On a thread of its own: whoever asks new backends what they have may have to wait for the
        answers.
        """
        while self._news.wait() and not self._closed.is_set():
            self._news.clear()
            for changed in list(self._changed):
                self._tell(changed)

    def _tell(self, changed: Callable[[], None]) -> None:
        try:
            changed()
        except Exception:
            log.exception("a change of the cluster's backends could not be taken in")

    def _look(self) -> bool:
        """Whether anything changed that somebody should know."""
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
        is_well = self._take_in(_list_newest(notices))
        self.trouble = "" if self._members else self._explain_empty()
        if self._members:
            self._known.set()
        return is_well or backends_before != self.backends or trouble_before != self.trouble

    def _take_in(self, notices: Mapping[str, Notice]) -> bool:
        """Bring the members up to date; True if one got well again."""
        members = dict(self._members)
        is_well = False
        for url, notice in notices.items():
            if notice.is_leaving:
                members.pop(url, None)
            elif url in members:
                if members[url].hear(notice):
                    is_well = True
            else:
                members[url] = Member(notice, self._cluster, self._intervals, self._clock)
        missing = [url for url in members if url not in notices]
        for url in missing:
            if members[url].miss():
                del members[url]
        self._members = members
        return is_well

    def _explain_empty(self) -> str:
        return (
            f"No worker has joined the Dask scheduler at {self.address} yet; on each GPU host "
            "start: "
            f"comfygradio worker --scheduler {self.address} --server URL."
        )

    def _find_any(self) -> str:
        members = list(self._members.values())
        for member in members:
            if not member.backend.trouble:
                return member.find_address()
        if members:
            return members[0].find_address()
        raise ServerUnreachable(self.trouble or self._explain_empty())


def _list_newest(notices: Iterable[Notice]) -> dict[str, Notice]:
    """The notices by backend; of two workers of one backend the one that began last."""
    ordered = sorted(notices, key=lambda notice: notice.began)
    return {notice.url: notice for notice in ordered}
