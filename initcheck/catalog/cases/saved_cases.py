"""The cases for the checks of serialization: arguments, layers, optimizers, names."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from initcheck.catalog import optimizers
from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.cases.seed_values import LOWER, UPPER
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Constant, ElementLaw, Elementwise, Identity, Law, Orthogonal
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.weights import SavedInitializers
from initcheck.catalog.optimizers import OPTIMIZERS, Rule
from initcheck.oracle.optimizer_steps import Schedule

KINDS = ("dense", "convolution", "recurrent", "bidirectional", "branches", "nested", "double")
# Without 64 bits, which JAX has not by default.
PORTABLE_KINDS = ("dense", "convolution", "recurrent", "bidirectional", "branches", "nested")
# Many equal layers, for what depends on their number and takes time in proportion.
FILED_KINDS = (*KINDS, "tower")

_ANY = Elementwise(ElementLaw("normal", 0.0, 1.0))  # stands for any random law without limits on the shape
_SEEDED = ["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"]
ARGUMENTS: dict[str, tuple[Law, dict[str, str]]] = {
    "Constant": (Constant(0.0), {"value": "number"}),
    "Identity": (Identity(), {"gain": "number"}),
    "RandomUniform": (_ANY, {"minval": "below", "maxval": "above"}),
    "RandomNormal": (_ANY, {"mean": "number", "stddev": "above"}),
    "TruncatedNormal": (_ANY, {"mean": "number", "stddev": "above"}),
    "VarianceScaling": (_ANY, {"scale": "above", "mode": "choice", "distribution": "choice"}),
    "Orthogonal": (Orthogonal(), {"gain": "above"}),
    **dict.fromkeys(_SEEDED, (_ANY, {})),
}
CASES = 4

SAVED_LAYERS = select(SavedInitializers)

_DECAY = Schedule("ExponentialDecay", {"initial_learning_rate": 0.05, "decay_steps": 2, "decay_rate": 0.5})
CONTINUED = (
    *(Rule(row, row.continued) for row in OPTIMIZERS if row.continued is not None),
    Rule(optimizers.SGD, {"learning_rate": _DECAY, "clipnorm": 0.5}),
    Rule(optimizers.ADAM, {"use_ema": True, "ema_momentum": 0.9}),
)

NAMES = {
    "Zeros": "zeros zero",
    "Ones": "ones one",
    "Constant": "constant",
    "RandomUniform": "random_uniform uniform",
    "RandomNormal": "random_normal normal",
    "TruncatedNormal": "truncated_normal",
    "GlorotUniform": "glorot_uniform",
    "GlorotNormal": "glorot_normal",
    "HeUniform": "he_uniform",
    "HeNormal": "he_normal",
    "LecunUniform": "lecun_uniform",
    "LecunNormal": "lecun_normal",
    "VarianceScaling": "variance_scaling",
    "Orthogonal": "orthogonal",
    "Identity": "identity",
}
NOT_RANDOM = {"Zeros", "Ones", "Constant", "Identity"}

# Keras takes any integer for the seed of an initializer; a generator's state has 32 bits in some versions.
SEEDS = (*LOWER, *UPPER, 2**31 + 5, 2**32, 2**53 + 1, 2**63 - 1, -1, -3, -(2**31))
LAYER_SEEDS = (0, 1, 2**16, 2**31 - 1, 2**31, 2**31 + 5, 2**32 - 1)

FORMS = ("class", "instance", "class_name and config", "serialized", "function", "nothing")

_RANGES = {"number": (-3.0, 3.0), "above": (0.125, 3.0), "below": (-3.0, -0.125)}
_CHOICES = {
    "mode": ("fan_in", "fan_out", "fan_avg"),
    "distribution": ("truncated_normal", "untruncated_normal", "uniform"),
}


def make_initializer_case(stream: CaseStream) -> tuple[Initializer, int]:
    """A drawn class of initializers with drawn arguments, as a row, and a seed."""
    name = stream.one_of(tuple(ARGUMENTS))
    law, kinds = ARGUMENTS[name]
    config, seed = _drawn_config(stream, kinds)
    choices = {key: stream.one_of(_CHOICES[key]) for key, kind in kinds.items() if kind == "choice"}
    return Initializer(name, name, law, "", {**config, **choices}), seed


def drawn_arguments(name: str, kinds: Mapping[str, str]) -> list[tuple[dict[str, Any], int]]:
    """Sets of arguments, each with a seed: drawn numbers, and every choice at least once."""

    def make(stream: CaseStream) -> tuple[dict[str, float], int]:
        return _drawn_config(stream, kinds)

    chosen = [key for key, kind in kinds.items() if kind == "choice"]
    choices = list(itertools.product(*(_CHOICES[key] for key in chosen)))
    cases = draw_cases(make, max(CASES, len(choices)), f"arguments of {name}")
    return [
        ({**config, **dict(zip(chosen, choice, strict=True))}, seed)
        for (config, seed), choice in zip(cases, itertools.cycle(choices), strict=False)
    ]


def _drawn_config(stream: CaseStream, kinds: Mapping[str, str]) -> tuple[dict[str, float], int]:
    """The arguments that are numbers, and a seed."""
    config = {key: _long_number(stream, *_RANGES[kind]) for key, kind in kinds.items() if kind in _RANGES}
    # Keras 3.0 and 3.1 drew afresh for seed 0, which the family "seeds" tests.
    return config, stream.one_of((1, 7, 2**16, 2**31 - 1, *(stream.integer(1, 2**31 - 3) for _ in range(4))))


def _long_number(stream: CaseStream, low: float, high: float) -> float:
    """A number in single precision's range that is not exact in it, and is no default."""
    while True:
        number = stream.real(low, high)
        if float(np.float32(number)) != number and abs(number) > 2**-20:
            return number
