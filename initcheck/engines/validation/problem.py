"""The one place that calls a problem's ``data()``: everything in a problem is checked there, before any training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initcheck.catalog.problems import Problem
from initcheck.digests import digest
from initcheck.engines.problem_models import calling
from initcheck.engines.validation.data import require_usable_data
from initcheck.engines.validation.model import require_usable_model
from initcheck.errors import InitcheckError
from initcheck.frameworks.backends import load_target_keras
from initcheck.records import Data

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# By the identity of the problem's functions, which need not be hashable; the functions are kept, so that no other
# gets the identity of one that is gone.
_tables: dict[int, tuple[Callable[[], Any], Data]] = {}
_validated: dict[tuple[object, ...], Problem] = {}


def validated_data(problem: Problem) -> Data:
    """The problem's table, after table, model, loss and optimizer were checked; both are done once in a process.

    ``data()`` is called twice, and has to give the same bits.

    Raises:
        InitcheckError: A mistake in the problem: which field, what it is, and how to fix it, in one line.
    """
    key = (problem.name, id(problem.data), id(problem.model), id(problem.optimizer), problem.loss)
    if key in _validated:
        return _tables[id(problem.data)][1]
    data = _table(problem)
    require_usable_model(load_target_keras(), problem, data)
    _validated[key] = problem
    return data


def _table(problem: Problem) -> Data:
    if id(problem.data) not in _tables:
        first = _called(problem, "; fix it, or the file that it reads")
        require_usable_data(problem, first)
        digests = {name: digest([getattr(first, name)]) for name in _ARRAYS}
        del first  # a large table need not be there twice; and the second call may write into the first's arrays
        table = _called(problem, " when it is called again; let each call return the same table")
        require_usable_data(problem, table)
        _require_same(problem, digests, table)
        _tables[id(problem.data)] = problem.data, table
    return _tables[id(problem.data)][1]


def _called(problem: Problem, fix: str) -> Any:
    with calling(problem, "data()", fix):
        return problem.data()


def _require_same(problem: Problem, digests: dict[str, str], table: Data) -> None:
    """Refuses a table that differs from call to call, as unseeded draws make it: no run could be repeated."""
    differing = [name for name in _ARRAYS if digest([getattr(table, name)]) != digests[name]]
    if differing:
        raise InitcheckError(
            f"problem {problem.name!r}: data() gives another {differing[0]} when it is called again, so that no run "
            "could be repeated; seed what draws it, within data(), such as np.random.RandomState(0)"
        )
