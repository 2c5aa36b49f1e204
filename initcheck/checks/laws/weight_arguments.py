"""A layer's regularizers, constraints and ``trainable``, each for the weights that it is documented for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.traits.weights import InitialMatrix, LayerDefaults
from initcheck.checks.bits import first_difference
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.evidence.laws.treated_layers import SUFFIXES, Treated, share, times, value
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_REQUESTS = {case.layer: case.request for case in reversed(select(LayerDefaults))}
_UNTRAINED = {"trainable": False}
_OFF = 1e-4  # of a sum of squares; a regularizer's share is at least twice another's


def untrained(request: LayerRequest) -> LayerRequest:
    """The request of a layer that is made with ``trainable=False``."""
    return replace(request, arguments={**request.arguments, **_UNTRAINED})


@check(
    "LAW23",
    "A layer's regularizers, constraints and trainable=False concern the weights that they are documented for.",
    on=KERAS,
    subjects=[
        *(Subject(layer, request) for layer, request in sorted(_REQUESTS.items())),
        *(Subject(f"{layer}-untrained", untrained(request)) for layer, request in sorted(_REQUESTS.items())),
    ],
)
def weight_arguments(lab: Lab, request: LayerRequest) -> Verdict:
    """Every weight starts at a constant of its own argument, which tells them apart."""
    if not lab.draws.layers.offers(request.layer):
        raise NotApplicable(f"the installed Keras has no {request.layer}")
    if _UNTRAINED.items() <= request.arguments.items():
        left = {name: given for name, given in request.arguments.items() if name not in _UNTRAINED}
        return _judge_untrained(lab.draws.arguments.treat(replace(request, arguments=left)))
    return _judge_treated(lab.draws.arguments.treat(request))


def _judge_treated(seen: Treated) -> Verdict:
    owners = [_owner(weight, len(seen.arguments)) for weight in seen.weights]
    losses = sorted(
        share(owner) * float(np.square(weight.astype(np.float64)).sum())
        for owner, weight in zip(owners, seen.weights, strict=True)
        if owner is not None and owner in seen.regularized
    )
    if len(losses) != len(seen.losses) or not np.allclose(seen.losses, losses, rtol=_OFF, atol=0.0):
        return failed(f"losses of the regularizers: {seen.losses}", f"{losses}")
    for owner, before, after in zip(owners, seen.weights, seen.constrained, strict=True):
        expected = before * np.float32(times(owner) if owner is not None and owner in seen.bounded else 1.0)
        if not np.array_equal(after, expected):
            what = "a weight" if owner is None else seen.arguments[owner]
            return failed(f"{what}: {after.flat[0]:.6g} after a step with a constraint", f"{expected.flat[0]:.6g}")
    return passed(f"{len(losses)} regularizers, {len(seen.bounded)} constraints")


def _judge_untrained(seen: Treated) -> Verdict:
    shapes = sorted(weight.shape for weight in seen.weights)
    if seen.shapes != shapes:
        return failed(f"with trainable=False, weights of the shapes {seen.shapes}", f"{shapes}")
    if seen.trained != (0, 0):
        left, gained = seen.trained
        return failed(f"with trainable=False {left} weights are trained, once it is True {gained:+} of them", "0, all")
    return passed(f"{len(shapes)} weights untrained")


@check(
    "LAW26",
    "A layer that is given a matrix of initial values starts at it.",
    on=KERAS,
    subjects=[Subject(case.layer, case) for case in select(InitialMatrix)],
)
def initial_values(lab: Lab, case: InitialMatrix) -> Verdict:
    """By the argument that takes it."""
    shape = list(case.arguments.values())[:2]
    matrix = np.random.RandomState(lab.stream("matrix", case.layer) % 2**32).normal(size=shape).astype(np.float32)
    try:
        given = lab.draws.arguments.of_matrix(case, matrix)
    except ValueError:
        raise NotApplicable(f"the installed Keras has no {case.layer}({case.argument})") from None
    if wrong := first_difference([matrix], given):
        return failed(f"its weights: {wrong}", "the matrix")
    return passed("the same bits as the matrix")


def arguments_treated(layer: str, known: Iterable[str]) -> set[str]:
    """The arguments of a layer, of those, that LAW23 gives values: an initializer, a regularizer and a constraint."""
    if layer not in _REQUESTS:
        return set()
    weights = {name.removesuffix("_initializer") for name in known if name.endswith("_initializer")}
    return {f"{weight}_{suffix}" for weight in weights for suffix in SUFFIXES} & set(known)


def _owner(weight: np.ndarray, count: int) -> int | None:
    """The number of the argument whose constant it starts at, an LSTM's bias in the input gate; None without one."""
    first = float(weight.flat[0])
    return next((number for number in range(count) if value(number) == first), None)
