"""Family laws: every draw follows its documented distribution, as drawn and as layers create it."""

from initcheck.checks.laws import (
    default_weights,
    draws,
    fans,
    given_weights,
    large_draws,
    noise,
    orthogonal,
    precision,
    random_functions,
    strings,
)

__all__ = [
    "default_weights",
    "draws",
    "fans",
    "given_weights",
    "large_draws",
    "noise",
    "orthogonal",
    "precision",
    "random_functions",
    "strings",
]
