"""A lane as the app sees it: silent, missing, forgotten, and well again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from comfygradio.cluster.address import parse_cluster
from comfygradio.cluster.codec import Notice
from comfygradio.cluster.intervals import Intervals
from comfygradio.cluster.registry import Member
from comfygradio.cluster.rpc import ClusterClient
from comfygradio.errors import ServerUnreachable
from comfygradio.settings import Settings
from tests.clocks import ManualClock

NOTICE = Notice(
    "tcp://127.0.0.1:1", "http://gpu1:8188", "", False, began=1.0, heard=ManualClock().monotonic()
)


@pytest.fixture
def clock() -> ManualClock:
    """The time of the app."""
    return ManualClock()


@pytest.fixture
def member(clock: ManualClock) -> Iterator[Member]:
    """A lane that has just been heard of."""
    cluster = ClusterClient(parse_cluster("tcp://127.0.0.1:1", Settings(), "--engine"))
    yield Member(NOTICE, cluster, Intervals(silent=10.0, forget=60.0), clock)
    cluster.close()


def test_a_worker_whose_heartbeats_stay_away_gets_no_jobs(
    member: Member, clock: ManualClock
) -> None:
    clock.advance(10.0)
    member.hear(NOTICE)
    assert "has not been heard of" not in member.backend.trouble
    clock.advance(1.0)
    member.hear(NOTICE)
    assert "has not been heard of for 11 seconds" in member.backend.trouble
    assert not member.hear(NOTICE), "the same heartbeat is no news"


def test_a_heartbeat_makes_a_missing_one_well(member: Member, clock: ManualClock) -> None:
    assert not member.miss()
    assert "has left the cluster" in member.backend.trouble
    with pytest.raises(ServerUnreachable, match="No worker"):
        member.find_address()
    clock.advance(30.0)
    assert member.hear(replace(NOTICE, address="tcp://127.0.0.1:2", heard=clock.monotonic()))
    assert member.find_address() == "tcp://127.0.0.1:2"


def test_a_missing_one_is_forgotten_in_the_end(member: Member, clock: ManualClock) -> None:
    assert not member.miss()
    clock.advance(60.0)
    assert not member.miss()
    clock.advance(1.0)
    assert member.miss()
