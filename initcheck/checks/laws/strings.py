"""Strings that stand for initializers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.catalog.cases.initializer_strings import MEANINGS
from initcheck.checks.registry import Subject, check
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "LAW20",
    "A string stands for an initializer with its documented arguments.",
    on=KERAS,
    subjects=[Subject(name, name) for name in MEANINGS],
)
def string_arguments(lab: Lab, name: str) -> Verdict:
    """The config of the initializer that ``initializers.get`` returns; SER09 judges the names that it accepts."""
    keras_class, arguments = MEANINGS[name]
    actual, config = lab.draws.described(name, keras_class)
    # Each version may have further keys; a seed that was not given is None.
    documented = {key: config.get(key) for key in (*arguments, "seed")}
    if actual != keras_class or documented != {**arguments, "seed": None}:
        return failed(f"{name!r} is {actual} with {documented}", f"{keras_class} with {dict(arguments)} and no seed")
    return passed(f"{name!r}: {keras_class} with {documented}")
