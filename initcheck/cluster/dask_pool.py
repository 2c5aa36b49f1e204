"""A cluster of Dask's: one on this machine, or one that is there already."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

from initcheck.cluster.sent_tasks import Outcome, SentTask, attempt
from initcheck.errors import InitcheckError
from initcheck.frameworks.forking import PROCESSES
from initcheck.texts import reason_of

_COUNT_EVERY = 1.0  # seconds between two looks at how many workers there are
_PATIENCE = 30  # seconds until a cluster has answered
_LOCAL = re.compile(r"local:([1-9]\d{0,3})(?::(\d+(?:\.\d+)?[MG]i?B))?")


class DaskPool:
    """The workers of a Dask client.

    Args:
        client: The client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._keys: dict[Future[Outcome], Any] = {}
        self._counted, self._counted_at = 1, -_COUNT_EVERY
        self._fetching, self._closed = threading.Lock(), False

    def close(self) -> None:
        """Fetches no more: what is fetched from a client that is closed never comes, and its thread never ends."""
        self._closed = True
        if self._fetching.acquire(timeout=_PATIENCE):
            self._fetching.release()

    def submit(self, task: SentTask) -> Future[Outcome]:
        """Begins a task."""
        future: Future[Outcome] = Future()
        remote = self._client.submit(attempt, task, pure=False, retries=0)
        self._keys[future] = remote
        remote.add_done_callback(lambda one: self._hand_over(one, future))
        return future

    def count(self) -> int:
        """The number of its workers now; one where none is there yet."""
        if time.monotonic() - self._counted_at >= _COUNT_EVERY:  # the scheduler names each, which takes long for many
            with contextlib.suppress(OSError):  # the scheduler is gone, which what is waited for says
                self._counted = max(1, len(self._client.nthreads()))
            self._counted_at = time.monotonic()
        return self._counted

    def lost_worker(self, error: BaseException) -> bool:
        """Whether a worker ended with the task."""
        return type(error).__name__ == "KilledWorker"

    def is_gone(self, error: BaseException) -> bool:
        """Whether the scheduler is gone."""
        names = {kind.__name__ for kind in type(error).__mro__}
        return bool(names & {"CommClosedError", "FutureCancelledError", "CancelledError", "ClosedClientError"})

    def stop(self, future: Future[Outcome]) -> bool:
        """Restarts the worker that has the task."""
        remote = self._keys.get(future)
        if remote is None:
            return True  # it ended just now
        with contextlib.suppress(OSError):  # the same
            for address, keys in self._client.processing().items():
                if remote.key in keys:
                    remote.cancel(force=True)
                    self._client.restart_workers([address], raise_for_error=False)
        return True  # else it ended just now

    def _hand_over(self, remote: Any, future: Future[Outcome]) -> None:
        """Hands over all that is finished by now: fetched one after another, each would take a round trip."""
        with self._fetching:
            if future in self._keys and not self._closed:  # else it came together with an earlier one, or is of no use
                self._fetch(remote, future)

    def _fetch(self, remote: Any, future: Future[Outcome]) -> None:
        finished = {one: its for one, its in list(self._keys.items()) if its.status == "finished"}
        with contextlib.suppress(Exception):  # a worker has ended with one of them: then only this one
            for one, result in zip(finished, self._client.gather(list(finished.values())), strict=True):
                self._keys.pop(one, None)
                if not one.done():
                    one.set_result(result)
        if future in self._keys:
            self._fetch_alone(remote, future)

    def _fetch_alone(self, remote: Any, future: Future[Outcome]) -> None:
        try:
            result = remote.result()
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)
        self._keys.pop(future, None)


def is_local(address: str) -> bool:
    """Whether it asks for processes of this machine; else it is a scheduler's address.

    Raises:
        InitcheckError: It is neither, or Dask is not installed.
    """
    if find_spec("distributed") is None:
        raise InitcheckError("--cluster needs dask.distributed: pip install 'initcheck[cluster]'")
    local = _LOCAL.fullmatch(address) is not None
    if not local and (address.startswith("local") or not re.search(r":\d", address)):
        raise InitcheckError(
            f"cluster is {address!r}; give local:N, local:N:2GB, or a scheduler's address such as tcp://host:8786"
        )
    return local


@contextlib.contextmanager
def dask_pool(address: str) -> Iterator[DaskPool]:
    """The cluster of that address; ``local:N`` starts N processes on this machine, which end with this one.

    ``local:N:2GB`` limits the memory of each: one that takes more is ended, and its block tried again.

    Raises:
        InitcheckError: Dask is not installed, the address is none, or nobody answers there.
    """
    local = is_local(address)
    import dask
    from distributed import Client

    settings = {
        "distributed.scheduler.allowed-failures": 0,  # they are counted here, block by block
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.worker.daemon": False,
        "distributed.worker.multiprocessing-method": PROCESSES.get_start_method(),
        "distributed.worker.profile.enabled": False,  # nobody looks at it, nor at what follows: a tenth of a processor
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "10s",
        "distributed.deploy.lost-worker-timeout": "1 day",  # else one that is slow to start again never does
        "distributed.comm.timeouts.connect": f"{_PATIENCE}s",
    }
    with dask.config.set(settings), _silenced(), contextlib.ExitStack() as ending:
        try:
            named = ending.enter_context(_local_cluster(address)) if local else address
            client = ending.enter_context(Client(named, timeout=_PATIENCE, set_as_default=False))
        except (OSError, ValueError, RuntimeError) as error:
            raise InitcheckError(
                f"no cluster answers at {address} ({reason_of(error)}); start one, or give local:N"
            ) from None
        pool = DaskPool(client)
        ending.callback(pool.close)
        yield pool


@contextlib.contextmanager
def _local_cluster(address: str) -> Iterator[Any]:
    from distributed import LocalCluster

    asked = _LOCAL.fullmatch(address)
    assert asked is not None  # as is_local says so
    settings = {
        "n_workers": int(asked[1]),
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": "127.0.0.1:0",  # else a second cluster on the machine warns of the port
        "silence_logs": logging.CRITICAL,
        "memory_limit": asked[2] or "auto",
        "env": dict(os.environ),  # a fork has that of its server's start
    }
    with ThreadPoolExecutor(1) as thread:  # Ctrl-C would leave one half started, which nobody could end
        cluster = thread.submit(LocalCluster, **settings)
        try:
            yield cluster.result()
        finally:
            if cluster.exception() is None:
                _end(cluster.result())


def _end(cluster: Any) -> None:
    """Ends a cluster's processes: at once, as nobody waits for what they are at."""
    for nanny in list(cluster.workers.values()):
        nanny.close_gracefully()  # it starts no other one
        if (pid := nanny.pid) is not None:
            with contextlib.suppress(OSError):  # it has just ended
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    with contextlib.suppress(TimeoutError):  # on a busy machine it may take longer, and ends with this process
        cluster.close(timeout=10)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keeps Dask's own notes and traces off the terminal: what matters of them is said here in one line."""
    loggers = [
        logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.startswith("distribut")
    ]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
