"""The outputs folder is deleted, moved or replaced while the app runs; errors name no folder."""

from __future__ import annotations

import logging
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.errors import JobStoreError, JobStoreGone
from comfygradio.jobs.job_store import FOLDER_GONE, JobStore, Query, find_job_store
from tests.jobs.lines import draw, is_over, is_running, open_queue, wait
from tests.jobs.records import make_record


def delete(outputs: Path) -> None:
    shutil.rmtree(outputs)


def move(outputs: Path) -> None:
    outputs.rename(outputs.with_name("elsewhere"))


def replace_by_copy(outputs: Path) -> None:
    """As a backup that is played back does it: everything is there, and nothing is the same."""
    move(outputs)
    shutil.copytree(outputs.with_name("elsewhere"), outputs)


def delete_store(outputs: Path) -> None:
    find_job_store(outputs).unlink()


def delete_lock(outputs: Path) -> None:
    (find_job_store(outputs).parent / "lock").unlink()


WAYS = [delete, move, replace_by_copy, delete_store, delete_lock]


@pytest.mark.parametrize("lose", WAYS)
def test_nothing_is_promised_that_reaches_nobody(lose: object, tmp_path: Path) -> None:
    assert callable(lose)
    outputs = tmp_path / "outputs"
    with closing(JobStore.open(outputs)) as store:
        record = make_record()
        store.add(record)
        lose(outputs)
        for write in (
            lambda: store.add(make_record()),
            lambda: store.change(record.id, phase="done"),
            lambda: store.set_favourite(record.id, True),
            lambda: store.delete(record.id),
        ):
            with pytest.raises(JobStoreGone):
                write()
        assert store.find(record.token) is not None, "what is known can still be looked at"


@pytest.mark.deep
@pytest.mark.parametrize("lose", WAYS)
def test_jobs_of_a_folder_that_is_gone_fail_with_a_sentence(lose: object, tmp_path: Path) -> None:
    assert callable(lose)
    outputs = tmp_path / "outputs"
    options = DemoOptions(step_seconds=0, lab_nodes=True)
    with DemoServer(options) as server, open_queue(outputs, server) as queue:
        assert wait(queue.submit(draw(1)), is_over).phase == "done"
        running, waiting = queue.submit(draw(2, 1.0)), queue.submit(draw(3, 1.0))
        wait(running, is_running)
        lose(outputs)
        for job in (running, waiting):
            told = wait(job, is_over)
            assert told.phase == "failed"
            assert FOLDER_GONE in told.error and str(tmp_path) not in told.error
        with pytest.raises(JobStoreGone):
            queue.submit(draw(4))


def test_another_app_on_the_new_folder_is_left_alone(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    with closing(JobStore.open(outputs)) as first:
        first.add(make_record())
        delete(outputs)
        with closing(JobStore.open(outputs)) as second:
            record = make_record()
            second.add(record)
            with pytest.raises(JobStoreGone):
                first.add(make_record())
            found = second.search(record.owner, Query()).records
            assert [one.id for one in found] == [record.id]


def test_errors_name_the_folder_in_the_log_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outputs = tmp_path / "outputs"
    store = JobStore.open(outputs)
    store.close()
    with caplog.at_level(logging.WARNING), pytest.raises(JobStoreError) as told:
        store.find("x")
    assert str(tmp_path) not in str(told.value) and "outputs folder" in str(told.value)
    assert str(outputs.resolve()) in caplog.text
