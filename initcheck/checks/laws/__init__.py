"""Family laws: every draw follows its documented distribution, as drawn and as layers create it."""

from initcheck.checks.laws import (
    augmentation,
    default_weights,
    fans,
    given_weights,
    initializer_draws,
    large_draws,
    layer_noise,
    library_defaults,
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
    "default_weights",
    "fans",
    "given_weights",
    "initializer_draws",
    "large_draws",
    "layer_noise",
    "library_defaults",
    "orthogonal",
    "precision",
    "random_functions",
    "score_dropout",
    "sequence_dropout",
    "strings",
    "weight_arguments",
]
