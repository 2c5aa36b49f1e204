"""The one place that calls a problem's ``data()``: everything in a problem is checked there, before any training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from initcheck.catalog.problems import Problem
from initcheck.errors import InitcheckError
from initcheck.records import Data
from initcheck.training.data_validation import require_usable_data
from initcheck.training.framework import load_keras
from initcheck.training.model_validation import require_usable_model
from initcheck.training.problem_models import reason_of

# By the identity of the problem's functions, which need not be hashable; the functions are kept, so that no other
# gets the identity of one that is gone.
_tables: dict[int, tuple[Callable[[], Any], Data]] = {}
_validated: dict[tuple[object, ...], Problem] = {}


def validated_data(problem: Problem) -> Data:
    """The problem's table, after table, model, loss and optimizer were checked; both are done once in a process.

    Raises:
        InitcheckError: A mistake in the problem: which field, what it is, and how to fix it, in one line.
    """
    key = (problem.name, id(problem.data), id(problem.model), id(problem.optimizer), problem.loss)
    if key in _validated:
        return _tables[id(problem.data)][1]
    data = _table(problem)
    require_usable_model(load_keras(), problem, data)
    _validated[key] = problem
    return data


def _table(problem: Problem) -> Data:
    if id(problem.data) not in _tables:
        try:
            found = problem.data()
        except (InitcheckError, MemoryError):
            raise
        except (Exception, SystemExit) as error:  # the user's code
            raise InitcheckError(
                f"problem {problem.name!r}: data() raises {reason_of(error)}; fix it, or the file that it reads"
            ) from error
        require_usable_data(problem, found)
        _tables[id(problem.data)] = problem.data, found
    return _tables[id(problem.data)][1]
