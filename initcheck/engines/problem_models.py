"""Builds a problem's model, which is its author's code, under seeds of our own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.problems import Problem
from initcheck.endings import is_mistake, outputs_kept_open
from initcheck.errors import InitcheckError
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import LayerInitializers
from initcheck.frameworks.memory import is_out_of_memory
from initcheck.texts import reason_of


def build_model(
    keras: Any,
    problem: Problem,
    row: Initializer,
    layers: LayerInitializers,
    input_shape: tuple[int, ...],
    global_seed: int | None = None,
) -> Any:
    """The problem's model, uncompiled.

    Args:
        keras: The framework.
        problem: Whose model it is.
        row: The initializer under test, for the message.
        layers: Gives each layer its initializer.
        input_shape: The shape of one row of inputs.
        global_seed: Seeds all global generators for the time of building, if given.

    Raises:
        InitcheckError: The model cannot be built, for example as the initializer admits matrices only.
    """
    with contextlib.nullcontext() if global_seed is None else globally_seeded(keras, global_seed):
        try:
            return problem.model(keras, layers, input_shape)
        except BaseException as error:  # the model is the user's code, and Keras's reasons are many
            if not is_mistake(error):
                raise
            raise InitcheckError(
                f"problem {problem.name!r} cannot be built with the initializer {row.name!r} "
                f"({reason_of(error)}); fix the model or leave that initializer out"
            ) from error


@contextlib.contextmanager
def calling(problem: Problem, field: str, fix: str) -> Iterator[None]:
    """Calls a function of the problem: what it raises, and an output that it closes, is a mistake in it.

    Args:
        problem: Whose function it is.
        field: Its name, for the message.
        fix: The end of the message, after the reason: how to fix it.

    Raises:
        InitcheckError: It raised something other than one of ours, or closed an output, which is open again.
    """
    with outputs_kept_open() as closed:
        try:
            yield
        except BaseException as error:
            if not is_mistake(error):
                raise
            raise InitcheckError(f"problem {problem.name!r}: {field} raises {reason_of(error)}{fix}") from error
    if closed:
        raise InitcheckError(
            f"problem {problem.name!r}: {field} closes standard {closed[0]}; leave it open, as the results are "
            "written to it"
        )


@contextlib.contextmanager
def training_of(problem: Problem) -> Iterator[None]:
    """Errors raised while a problem trains name the problem, as its model is its author's code.

    Raises:
        InitcheckError: Training failed, for a reason other than memory.
    """
    try:
        yield
    except BaseException as error:  # Keras's reasons are many
        if not is_mistake(error) or is_out_of_memory(error):
            raise
        raise InitcheckError(
            f"problem {problem.name!r} cannot be trained ({reason_of(error)}); fix its model, loss or data"
        ) from error
