"""Where tasks are trained: any executor of ``concurrent.futures``, or one that can do more about its workers."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from typing import Any, Protocol

from initcheck.arguments import described
from initcheck.cluster.sent_tasks import Outcome, SentTask, attempt
from initcheck.errors import InitcheckError
from initcheck.frameworks.forking import begin_loading


class WorkerPool(Protocol):
    """Trains tasks."""

    def submit(self, task: SentTask) -> Future[Outcome]:
        """Begins a task."""

    def count(self) -> int:
        """The number of its workers now, about."""

    def lost_worker(self, error: BaseException) -> bool:
        """Whether the error says that the task's worker ended, and that others go on."""

    def is_gone(self, error: BaseException) -> bool:
        """Whether the error says that no worker can be reached any more."""

    def stop(self, future: Future[Outcome]) -> bool:
        """Ends the worker that hangs on that task; False where that is not possible."""


class ExecutorPool:
    """A pool of any executor: Dask's, joblib's, submitit's, Python's own.

    Args:
        executor: The executor.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor: Any = executor

    def submit(self, task: SentTask) -> Future[Outcome]:
        """Begins a task."""
        job = self._executor.submit(attempt, task)
        return job if isinstance(job, Future) else _awaited(job)

    def count(self) -> int:
        """The number of its workers, where it says so; else that of this machine's processors."""
        return int(getattr(self._executor, "_max_workers", 0) or os.cpu_count() or 1)

    def lost_worker(self, error: BaseException) -> bool:
        """Whether the error says so: Dask's executor can go on then, and submitit's, each of whose tasks is a job."""
        return type(error).__name__ in {"KilledWorker", "UncompletedJobError"}

    def is_gone(self, error: BaseException) -> bool:
        """Whether the executor cannot be used any more."""
        return isinstance(error, BrokenExecutor)

    def stop(self, _: Future[Outcome]) -> bool:
        """An executor ends none of its workers."""
        return False


def _awaited(job: Any) -> Future[Outcome]:
    """A future of a job that is none itself, such as submitit's: a thread waits for it; it is cancelled with it."""
    future: Future[Outcome] = Future()
    future.add_done_callback(lambda ended: job.cancel() if ended.cancelled() else None)

    def wait() -> None:
        with contextlib.suppress(InvalidStateError):  # it was cancelled
            try:
                outcome = job.result()
            except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
                future.set_exception(error)
            else:
                future.set_result(outcome)

    threading.Thread(target=wait, daemon=True, name="initcheck-job").start()
    return future


def prepare_pool(cluster: str | None, executor: Executor | None) -> None:
    """Looks at what ``pool_of`` will be given, and lets local workers' framework load while this process's does.

    Raises:
        InitcheckError: Both are given, Dask is not installed, or one of them is none.
    """
    if cluster is not None and executor is not None:
        raise InitcheckError("cluster and executor are both given; give one of them")
    if cluster is not None:
        from initcheck.cluster.dask_pool import is_local

        if is_local(cluster):
            begin_loading("distributed", "initcheck.cluster.remote_sweeps")
    elif executor is not None and not callable(getattr(executor, "submit", None)):
        raise InitcheckError(f"executor is {described(executor)}; give one of concurrent.futures, or a Dask client's")


@contextlib.contextmanager
def pool_of(cluster: str | None, executor: Executor | None) -> Iterator[WorkerPool | None]:
    """The pool of that cluster, or of that executor; None where none is given.

    Raises:
        InitcheckError: There is no such cluster.
    """
    if cluster is not None:
        from initcheck.cluster.dask_pool import dask_pool

        with dask_pool(cluster) as pool:
            yield pool
    else:
        yield None if executor is None else ExecutorPool(executor)
