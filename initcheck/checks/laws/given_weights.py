"""A layer's initial weights, compared with the draws of the initializers that it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.cases import kernels as layer_cases
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import VarianceScaled
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.weights import GivenOptions, PlacedWeights, TypedWeights
from initcheck.checks.registry import NotApplicable, Subject, check, require_dtype
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_GIVEN = ("he_normal", "random_uniform", "lecun_uniform", "constant")
# Options that may not change the initial weights by the documentation, and the two that may decide a bias.
OPTIONS: Mapping[str, PlacedWeights] = {case.name: case for case in select(GivenOptions)}


def _of_kind(kind: str) -> PlacedWeights:
    case = layer_cases.layer_cases(kind, 1000)[0]
    by_shape = not layer_cases.KINDS[kind].by_equation or (kind, "fan_out") not in layer_cases.QUIRKS
    return PlacedWeights(
        layer=case.request.layer,
        name=kind,
        arguments=case.request.arguments,
        inputs=case.request.inputs,
        places=layer_cases.arguments_of(kind),
        by_shape=by_shape,
    )


SUBJECTS = (*layer_cases.KINDS, *OPTIONS)
TYPED: Mapping[str, PlacedWeights] = {case.name: case for case in select(TypedWeights)}

# The dtype of the variables under each policy: https://keras.io/api/mixed_precision/policy/ ("mixed_float16: compute
# dtype float16, variable dtype float32").
POLICIES: Mapping[str, str] = {
    "float32": "float32",
    "float64": "float64",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "mixed_float16": "float32",
    "mixed_bfloat16": "float32",
}


@check(
    "LAW14",
    "A layer's initial weights are what its initializer returns for their shape.",
    on=KERAS,
    subjects=[Subject(name, name) for name in SUBJECTS],
)
def layers_use_their_initializers(lab: Lab, name: str) -> Verdict:
    """Every argument of one layer, under every initializer that it can be given.

    Bit for bit: an initializer with an integer seed returns the same values at every call (documented).
    """
    case = OPTIONS[name] if name in OPTIONS else _of_kind(name)
    if not lab.draws.layers.offers(case.layer):
        raise NotApplicable(f"the installed Keras has no {case.layer}")
    problem = _problem(lab, name, case, None)
    if problem:
        return failed(f"{name}: {problem}", "the same bits")
    return passed(f"{name}: {case.layer}'s weights are its initializers' draws")


@check(
    "LAW18",
    "A layer's weights have the dtype of its dtype policy, and are its initializers' draws in that dtype.",
    on=KERAS,
    subjects=[Subject(policy, policy) for policy in POLICIES],
)
def layer_dtypes(lab: Lab, policy: str) -> Verdict:
    """Every layer of ``TYPED`` under one dtype policy.

    Bit for bit; doubles that are cast floats differ, and mixed precision keeps its variables in float32.
    """
    require_dtype(POLICIES[policy])
    for name, case in TYPED.items():
        typed = replace(case, arguments={**case.arguments, "dtype": policy})
        problem = _problem(lab, f"{policy} {name}", typed, POLICIES[policy])
        if problem:
            return failed(f"dtype={policy}: {problem}", f"its initializer's draw in {POLICIES[policy]}, bit for bit")
    return passed(f"{policy}: {len(TYPED)} layers have {POLICIES[policy]} weights, as drawn")


def _problem(lab: Lab, name: str, case: PlacedWeights, dtype: str | None) -> str:
    """Describes what is wrong with the layer's weights; empty if nothing is.

    Each layer built has an initializer under test for every argument, until each argument had all of its own.
    """
    # One initializer suffices to show a lost dtype.
    names = {argument: list(_names(case, argument))[: 1 if dtype else None] for argument, _ in case.places}
    for turn in range(max(map(len, names.values()))):
        given = {
            argument: own[(turn + number) % len(own)]
            for number, (argument, own) in enumerate(names.items())
            if turn < len(own)
        }
        rows = dict.fromkeys(names, (INITIALIZERS["random_uniform"], 1))
        for argument, one in given.items():
            rows[argument] = INITIALIZERS[one], lab.stream("laws", "given", name, argument, one)
        weights = lab.draws.layers.weights(case.request, rows)
        if dtype and any(str(values.dtype) != dtype for values in weights):
            return f"{case.layer} has weights of {', '.join(str(values.dtype) for values in weights)}"
        for argument, place in case.places:  # an argument may decide several
            if argument not in given:
                continue
            made, drawn = weights[place], _drawn(lab, *rows[argument], weights[place].shape, dtype)
            if place == case.forced:
                made, drawn = _free(made), _free(drawn)
            if not np.array_equal(made, drawn):
                taken = given[argument]
                return f"{case.layer}({argument}={taken}): weight {place} is not what {taken} returns"
    return ""


def _names(case: PlacedWeights, argument: str) -> Iterator[str]:
    """Yields the catalogue's rows that the argument can take."""
    place = dict(case.places)[argument]
    for name in _GIVEN:
        scaled = isinstance(INITIALIZERS[name].law, VarianceScaled)
        # The documentation leaves open whether a bias with a forced part is drawn in parts: a constant is the same.
        if (case.by_shape or not scaled) and (name == "constant" or place != case.forced):
            yield name


def _drawn(lab: Lab, row: Initializer, seed: int, shape: tuple[int, ...], dtype: str | None) -> np.ndarray:
    return np.asarray(lab.draws.draw(row, shape, seed=seed, dtype=dtype))


def _free(bias: np.ndarray) -> np.ndarray:
    """The bias without its forget gate; the gates' order is input, forget, cell, output."""
    return np.delete(bias, np.s_[bias.size // 4 : bias.size // 2])
