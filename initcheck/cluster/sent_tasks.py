"""What another process is sent, and what it does with it: the same training, in the same environment, or a refusal."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.errors import InitcheckError
from initcheck.records import Environment, Runs
from initcheck.store.blocks import Members
from initcheck.texts import reason_of

# A batch order, and the places of initializers among the sweep's with reseeds.
Group = tuple[int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True)
class SentSweep:
    """A sweep as other processes are sent it.

    Attributes:
        payload: Problem, initializers and settings, pickled.
        key: The name of its question, by which a process keeps what it has built for it.
        environment: The environment that it is to be trained in.
        paths: Folders in which Python looks for the user's own modules.
    """

    payload: bytes
    key: str
    environment: Environment
    paths: tuple[str, ...]


@dataclass(frozen=True)
class SentTask:
    """Groups of members that one process trains.

    Attributes:
        sweep: The sweep.
        groups: The groups.
    """

    sweep: SentSweep
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Finished:
    """What came of a task.

    Attributes:
        runs: Its runs.
        seconds: That it took, without what is built once.
        by: The process, in words.
    """

    runs: list[Runs]
    seconds: float
    by: str


Outcome = Finished | InitcheckError

_built: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {}


def pickled(what: Any) -> bytes:
    """An object as bytes; functions of the main module or a notebook are in them where cloudpickle is installed.

    Raises:
        InitcheckError: It cannot be sent.
    """
    try:
        from cloudpickle import dumps
    except ImportError:
        from pickle import dumps
    try:
        return bytes(dumps(what))
    except Exception as error:  # noqa: BLE001 - whatever of the user's cannot be pickled
        raise InitcheckError(
            f"the problem cannot be sent to another process ({reason_of(error)}); define its functions in a module"
        ) from None


def work(task: SentTask) -> Finished:
    """Trains a task in this process; problem and engine are built once.

    Raises:
        InitcheckError: This process is of another environment, or finds another problem, than whoever sent it.
    """
    who = f"process {os.getpid()} on {socket.gethostname()}"
    try:
        return _work(task, who)
    except InitcheckError as error:
        raise InitcheckError(str(error)) from None  # a plain one, which can be sent back
    except Exception as error:  # noqa: BLE001 - of the user's own class, perhaps, which nobody else has
        raise InitcheckError(f"{who}: the training failed: {reason_of(error)}") from None


def attempt(task: SentTask) -> Outcome:
    """The same with a refusal returned: some executors hand over errors as texts."""
    try:
        return work(task)
    except InitcheckError as error:
        return error


def _work(task: SentTask, who: str) -> Finished:
    if task.sweep.key not in _built:
        _built.clear()  # of an earlier sweep
        _built[task.sweep.key] = _build(task.sweep, who)
    train, rows = _built[task.sweep.key]
    groups: list[Members] = [(order, [(rows[place], reseed) for place, reseed in some]) for order, some in task.groups]
    start = time.monotonic()
    runs = list(train(iter(groups)))
    return Finished(runs, time.monotonic() - start, who)


def _build(sweep: SentSweep, who: str) -> tuple[Callable[[Any], Any], Sequence[Any]]:
    sys.path.extend(path for path in sweep.paths if path not in sys.path)
    start, settings = pickle.loads(sweep.payload)
    key, train, rows = start(sweep.environment, who, **settings)
    if key != sweep.key:
        raise InitcheckError(
            f"{who} makes another problem, model or data of the same names; give it the same files and packages"
        )
    return train, rows
