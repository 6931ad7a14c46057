from __future__ import annotations

import itertools
import threading

from comfygradio.comfy.inbox import Inbox, TaskThread
from comfygradio.comfy.timers import PollTimers, PollTimings
from tests.clocks import HANG_SECONDS, ManualClock


def test_the_newest_of_a_kind_replaces_the_others() -> None:
    inbox = Inbox(ManualClock())
    for content, kind in [
        ("a", "preview"),
        ("event", None),
        ("b", "preview"),
        ("other", "progress"),
        ("c", "preview"),
    ]:
        inbox.put(content, kind)
    items = inbox.take(0)
    assert [(item.content, item.replaced) for item in items] == [
        ("event", 0),
        ("other", 0),
        ("c", 2),
    ]
    assert inbox.take(0) == []


def test_kinds_begin_anew_after_reading() -> None:
    inbox = Inbox(ManualClock())
    inbox.put(1, "preview")
    inbox.take(0)
    inbox.put(2, "preview")
    assert [(item.content, item.replaced) for item in inbox.take(0)] == [(2, 0)]


def test_taking_waits_for_an_item_from_another_thread() -> None:
    clock = ManualClock()
    inbox = Inbox(clock)

    def put() -> None:
        clock.await_waiters()
        inbox.put("late")

    threading.Thread(target=put, daemon=True).start()
    assert [item.content for item in inbox.take(5)] == ["late"]


def test_taking_ends_when_time_is_up_and_items_tell_their_time() -> None:
    clock = ManualClock(7.0)
    inbox = Inbox(clock)

    def pass_time() -> None:
        clock.await_waiters()
        clock.advance(5)

    threading.Thread(target=pass_time, daemon=True).start()
    assert inbox.take(5) == []
    inbox.put("late")
    assert [item.at for item in inbox.take(5)] == [12.0]


def test_a_worker_does_tasks_in_order_and_ends() -> None:
    worker, seen, done = TaskThread("test"), list[int](), threading.Event()
    for number in range(3):
        worker.submit(lambda number=number: seen.append(number))  # type: ignore[misc]
    worker.submit(done.set)
    worker.stop()
    assert done.wait(HANG_SECONDS) and seen == [0, 1, 2]


def test_silence_is_trusted_for_a_while_and_polls_back_off() -> None:
    watch = PollTimers(PollTimings(silence=2.0, slowest_poll=5.0), 0.0)
    watch.connected = True
    assert not watch.wants_poll(1.9) and watch.wants_poll(2.0)
    times, now = [], 2.0
    for _ in range(5):
        watch.note_poll(now, failed=False)
        now += watch.pause(now, 100)
        times.append(now)
    gaps = [round(after - before, 3) for before, after in itertools.pairwise(times)]
    assert gaps == [4.5, 5.0, 5.0, 5.0]
    watch.hear(now)
    assert watch.pause(now, 100) == 2.0


def test_queue_refreshes_are_throttled() -> None:
    watch = PollTimers(PollTimings(queue_refresh=1.0, silence=60.0), 0.0)
    watch.note_poll(10.0, failed=False)
    watch.refresh_queue(10.1)
    assert not watch.wants_poll(10.9) and watch.wants_poll(11.0)


def test_reconnects_back_off_and_end() -> None:
    watch, now, pauses = PollTimers(PollTimings(), 0.0), 0.0, []
    watch.note_poll(0.0, failed=True)
    for _ in range(5):
        watch.lose(now)
        begun = now
        while not watch.wants_reconnect(now):
            now += 0.25
        pauses.append(now - begun)
        assert not watch.has_timed_out(now)
    watch.lose(now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert watch.has_timed_out(now)


def test_a_server_that_answers_polls_is_never_hopeless() -> None:
    watch = PollTimers(PollTimings(reconnect=()), 0.0)
    watch.lose(0.0)
    watch.note_poll(100.0, failed=False)
    assert not watch.has_timed_out(1000.0)


def test_a_reopened_socket_has_to_prove_itself() -> None:
    watch = PollTimers(PollTimings(), 0.0)
    watch.connect(0.0, answers_flags=True)
    assert not watch.is_forgotten(1.9) and watch.is_forgotten(2.0)
    watch.connect(0.0, answers_flags=True)
    watch.hear(1.0)
    assert not watch.is_forgotten(99.0)


def test_a_silent_server_is_noticed_within_ten_seconds() -> None:
    """It falls silent just after it has answered the question before, at the slowest pace."""
    patience = PollTimings()
    watch = PollTimers(patience, 0.0)
    watch.connected = True
    for _ in range(10):
        watch.note_poll(0.0, failed=False)
    now = 0.0
    while watch.is_answered(now):
        if watch.wants_poll(now):
            watch.begin_request(now)
        pause = watch.pause(now, 100)
        assert pause > 0
        now += pause
    assert now == patience.slowest_poll + patience.answer < 10


def test_a_late_answer_and_a_message_both_count_as_answers() -> None:
    watch = PollTimers(PollTimings(answer=4.0), 0.0)
    watch.begin_request(0.0)
    assert watch.is_answered(3.9) and not watch.is_answered(4.0)
    watch.hear(5.0)
    assert watch.is_answered(8.9) and not watch.is_answered(9.0)
    watch.end_request()
    watch.note_poll(9.0, failed=False)
    assert watch.is_answered(99.0)
    watch.note_poll(99.0, failed=True)
    assert not watch.is_answered(99.0)


def test_an_open_socket_buys_time() -> None:
    watch = PollTimers(PollTimings(reconnect=(1.0,)), 0.0)
    watch.connected = True
    watch.note_poll(1.0, failed=True)
    assert not watch.has_timed_out(9.0) and watch.has_timed_out(10.0)


def test_a_silent_socket_of_a_shared_id_is_opened_anew_ever_later() -> None:
    watch = PollTimers(PollTimings(renewal=5.0), 0.0)
    watch.connect(0.0, answers_flags=False)
    assert not watch.wants_renewal(99.0)
    watch.may_be_forgotten = True
    watch.hear(3.0)
    assert not watch.wants_renewal(7.9) and watch.wants_renewal(8.0)
    watch.renew(8.0)
    assert not watch.wants_renewal(99.0) and watch.wants_reconnect(9.0)
    watch.connect(9.0, answers_flags=False)
    assert not watch.wants_renewal(18.9) and watch.wants_renewal(19.0)
    watch.expect_messages(19.0)
    assert not watch.wants_renewal(28.9)


def test_a_socket_that_is_heard_again_is_doubted_as_soon_as_before() -> None:
    watch = PollTimers(PollTimings(renewal=5.0), 0.0)
    watch.connect(0.0, answers_flags=False)
    watch.may_be_forgotten = True
    watch.hear(0.0)
    watch.renew(5.0)
    watch.connect(6.0, answers_flags=False)
    watch.hear(16.0)
    assert not watch.wants_renewal(47.9) and watch.wants_renewal(48.0)
    watch.hear(17.0)
    assert not watch.wants_renewal(21.9) and watch.wants_renewal(22.0)


def test_steps_that_take_long_do_not_have_their_socket_opened_anew_each_time() -> None:
    watch = PollTimers(PollTimings(renewal=5.0), 0.0)
    watch.connect(0.0, answers_flags=False)
    watch.may_be_forgotten = True
    watch.hear(0.0)
    for now in (8.0, 16.0, 24.0):
        watch.hear(now)
        assert not watch.wants_renewal(now + 15.9) and watch.wants_renewal(now + 16.0)


def test_a_full_inbox_drops_the_oldest_items_and_says_how_many() -> None:
    inbox = Inbox(ManualClock(), capacity=10)
    for content in range(5):
        inbox.put(content, size=4)
    assert [item.content for item in inbox.take(0)] == [3, 4]
    assert (inbox.take_dropped_count(), inbox.take_dropped_count()) == (3, 0)
    inbox.put("large", size=11)
    assert inbox.take(0) == [] and inbox.take_dropped_count() == 1


def test_what_was_replaced_or_taken_weighs_nothing() -> None:
    inbox = Inbox(ManualClock(), capacity=10)
    for content in range(9):
        inbox.put(content, "preview", size=6)
    assert [item.content for item in inbox.take(0)] == [8]
    inbox.put("next", size=10)
    inbox.put("weightless")
    assert [item.content for item in inbox.take(0)] == ["next", "weightless"]
    assert inbox.take_dropped_count() == 0


def test_an_item_whose_predecessor_was_dropped_replaces_nothing() -> None:
    inbox = Inbox(ManualClock(), capacity=10)
    inbox.put("old", "preview", size=6)
    inbox.put("event", size=6)
    inbox.put("new", "preview", size=1)
    items = inbox.take(0)
    assert [(item.content, item.replaced) for item in items] == [("event", 0), ("new", 0)]
