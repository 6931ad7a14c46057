"""The fair queue of waiting jobs: single pictures before sweeps, and people in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator

from comfygradio.jobs.job import Job


class FairQueue:
    """Jobs by priority (0 before 1) and, within a priority, round robin between people
    (`Job.party`).

    Not thread-safe: the queue that owns it holds a lock.
    """

    def __init__(self) -> None:
        self._people: dict[int, OrderedDict[str, deque[Job]]] = {}
        """Priority → person → jobs, the person whose turn is next first."""

    def __len__(self) -> int:
        length = 0
        for people in self._people.values():
            for jobs in people.values():
                length += len(jobs)
        return length

    def __contains__(self, job: Job) -> bool:
        jobs = self._find_jobs(job.party, job.priority)
        return job in jobs

    def __iter__(self) -> Iterator[Job]:
        """The jobs in the order in which they would be taken if every server took every job."""
        for priority in sorted(self._people):
            people = self._people[priority]
            rest = [deque(jobs) for jobs in people.values()]
            while rest:
                # One round: a job of everybody who has one left.
                rest = [jobs for jobs in rest if jobs]
                for jobs in rest:
                    yield jobs.popleft()

    def add(self, job: Job, front: bool = False) -> None:
        """Append a job to its person's jobs, or put it first if it was taken before."""
        people = self._people.setdefault(job.priority, OrderedDict())
        jobs = people.setdefault(job.party, deque())
        if front:
            jobs.appendleft(job)
        else:
            jobs.append(job)

    def remove(self, job: Job) -> bool:
        """Take a job out; False if it does not wait."""
        if job not in self:
            return False
        self._people[job.priority][job.party].remove(job)
        self._forget_empty(job.priority, job.party)
        return True

    def take(self, accepts: Callable[[Job], bool]) -> Job | None:
        """Take the next accepted job; its person goes to the end of the round."""
        for priority in sorted(self._people):
            people = self._people[priority]
            # This is a copy, since taking a job changes the order.
            for party, jobs in list(people.items()):
                # A job that this backend cannot run does not
                # keep back the later ones of its person.
                job = next((job for job in jobs if accepts(job)), None)
                if job is None:
                    continue
                jobs.remove(job)
                people.move_to_end(party)
                self._forget_empty(priority, party)
                return job
        return None

    def count(self, party: str, priority: int) -> int:
        """How many jobs of a person wait with this priority."""
        jobs = self._find_jobs(party, priority)
        return len(jobs)

    def _find_jobs(self, party: str, priority: int) -> Collection[Job]:
        people = self._people.get(priority)
        if people is None:
            return ()
        return people.get(party, ())

    def _forget_empty(self, priority: int, party: str) -> None:
        people = self._people[priority]
        if not people[party]:
            # Whoever adds a job again joins the round at its end.
            del people[party]
