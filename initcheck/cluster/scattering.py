"""Has groups of members trained elsewhere, several at once, whatever happens to whoever trains them."""

from __future__ import annotations

import collections
import contextlib
import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from initcheck.catalog.initializers import Initializer
from initcheck.cluster.pools import WorkerPool
from initcheck.cluster.sent_tasks import Finished, Group, Outcome, SentSweep, SentTask
from initcheck.errors import InitcheckError
from initcheck.records import Runs
from initcheck.store.blocks import Members

TASK_SECONDS = 30.0  # that a task is to take
MOST_TRIES = 3  # of a group whose worker ended, or was ended as it hung
_ROUNDS = 2  # tasks of each worker that what is left makes, at least
_AHEAD = 1  # tasks that wait for a worker beyond those at work


@dataclass
class _Sent:
    """A task at work.

    Attributes:
        groups: Its groups.
        deadline: When it counts as hanging; measured by a clock that is never set.
    """

    groups: list[Group]
    deadline: float


@dataclass
class Scattering:
    """Trains groups by a pool.

    A task takes about ``seconds``: as many groups as took that long before. One whose worker ends is tried again, each
    of its groups alone and with nothing beside it, so that a group that ends its worker is known by name and takes no
    others along.

    Attributes:
        sweep: The sweep.
        rows: Its initializers.
        pool: What trains.
        total: Groups that are likely to come.
        limit: Seconds after which a task counts as hanging, a worker's start included; None for no limit.
        seconds: That a task is to take.
        given_up: Groups that were tried as often as they may, with what happened.
    """

    sweep: SentSweep
    rows: Sequence[Initializer]
    pool: WorkerPool
    total: int
    limit: float | None = None
    seconds: float = TASK_SECONDS
    given_up: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._at_work: dict[Future[Outcome], _Sent] = {}
        self._done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()  # so that no look goes over a thousand
        self._suspects: collections.deque[Group] = collections.deque()
        self._tries: collections.Counter[Group] = collections.Counter()
        self._groups_a_task = 1.0
        self._left = self.total
        self._numbers = {row.name: place for place, row in enumerate(self.rows)}

    def train(self, groups: Iterator[Members]) -> Iterator[Runs]:
        """The runs of groups, as they come back.

        Raises:
            InitcheckError: The pool is gone, a task was refused, or a group was given up; all others come before.
        """
        more = True
        ahead = _AHEAD if self.limit is None else 0  # a task that waits would seem to hang
        try:
            while more or self._at_work or self._suspects:
                while more and not self._suspects and len(self._at_work) < (workers := self.pool.count()) + ahead:
                    some = self._take(groups, workers)
                    more = bool(some)
                    if some:
                        self._send(some)
                if self._suspects and not self._at_work:
                    self._send([self._suspects.popleft()])
                if self._at_work:
                    yield from self._come_back()
        finally:
            for future in self._at_work:
                future.cancel()
        if self.given_up:
            raise InitcheckError(f"{'; '.join(self.given_up)}; all other runs are kept")

    def _take(self, groups: Iterator[Members], workers: int) -> list[Group]:
        some: list[Group] = []
        most = min(self._groups_a_task, self._left / (_ROUNDS * workers))  # all workers are to end at about one time
        for order, members in groups:
            some.append((order, tuple((self._numbers[row.name], reseed) for row, reseed in members)))
            if len(some) >= most:
                break
        self._left = max(0, self._left - len(some))
        return some

    def _send(self, groups: list[Group]) -> None:
        deadline = float("inf") if self.limit is None else time.monotonic() + self.limit
        future = self.pool.submit(SentTask(self.sweep, tuple(groups)))
        self._at_work[future] = _Sent(groups, deadline)
        future.add_done_callback(self._done.put)

    def _come_back(self) -> Iterator[Runs]:
        patience = None
        if self.limit is not None:
            patience = max(0.0, min(sent.deadline for sent in self._at_work.values()) - time.monotonic())
        with contextlib.suppress(queue.Empty):
            future = self._done.get(timeout=patience)
            if sent := self._at_work.pop(future, None):  # None where it was given up, as it hung
                outcome = future.exception() or future.result()
                if isinstance(outcome, Finished):
                    yield from self._received(sent, outcome)
                else:
                    self._failed(sent, outcome)
        for future, sent in list(self._at_work.items()) if self.limit is not None else ():
            if time.monotonic() >= sent.deadline:
                del self._at_work[future]
                if not self.pool.stop(future):
                    raise InitcheckError(
                        f"{self._named(sent.groups)} took longer than {self.limit:g} s, and this executor cannot end "
                        "its worker; end it, and start again: finished runs are kept"
                    )
                self._suspect(sent.groups, f"took longer than {self.limit:g} s")

    def _received(self, sent: _Sent, finished: Finished) -> Iterator[Runs]:
        each = max(finished.seconds / len(sent.groups), 1e-3)
        self._groups_a_task = min(self.seconds / each, 4 * self._groups_a_task)
        yield from finished.runs

    def _failed(self, sent: _Sent, error: BaseException) -> None:
        if self.pool.lost_worker(error):
            self._suspect(sent.groups, "ended its worker")
        elif self.pool.is_gone(error):
            raise InitcheckError(
                f"the workers are gone ({type(error).__name__}); finished runs are kept: start again"
            ) from None
        else:
            raise error

    def _suspect(self, groups: list[Group], what: str) -> None:
        for group in groups:
            self._tries[group] += 1
            if self._tries[group] >= MOST_TRIES:
                self.given_up.append(f"{self._named([group])} {what} {MOST_TRIES} times")
            else:
                self._suspects.append(group)

    def _named(self, groups: list[Group]) -> str:
        order, members = groups[0]
        first, last = members[0], members[-1]
        names = f"{self.rows[first[0]].name}, reseed {first[1]}"
        if last != first:
            names += f" to {self.rows[last[0]].name}, reseed {last[1]}"
        return f"the block of {names}" + (f", order {order}" if order else "")
