"""Family laws: every draw follows its documented distribution, as drawn and as layers create it."""

from initcheck.checks.laws import (
    augmentation,
    complex_draws,
    default_weights,
    fans,
    given_weights,
    half_precision,
    initializer_draws,
    large_draws,
    layer_noise,
    orthogonal,
    precision,
    random_functions,
    score_dropout,
    sequence_dropout,
    strings,
    weight_arguments,
)

__all__ = [
    "augmentation",
    "complex_draws",
    "default_weights",
    "fans",
    "given_weights",
    "half_precision",
    "initializer_draws",
    "large_draws",
    "layer_noise",
    "orthogonal",
    "precision",
    "random_functions",
    "score_dropout",
    "sequence_dropout",
    "strings",
    "weight_arguments",
]
