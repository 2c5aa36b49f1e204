"""Strings that stand for initializers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.catalog.cases.initializer_strings import MEANINGS
from initcheck.checks.registry import Subject, check
from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "LAW20",
    "A string stands for an initializer with its documented arguments.",
    subjects=[Subject(name, name) for name in MEANINGS],
)
def string_arguments(lab: Lab, name: str) -> Verdict:
    """The configuration of what ``initializers.get`` returns; SER09 judges which names it knows."""
    keras_class, arguments = MEANINGS[name]
    actual, config = lab.draws.described(name, keras_class)
    # Keys beyond the documented ones are a version's own affair; a seed nobody gave is none.
    documented = {key: config.get(key) for key in (*arguments, "seed")}
    if actual != keras_class or documented != {**arguments, "seed": None}:
        return failed(f"{name!r} is {actual} with {documented}", f"{keras_class} with {dict(arguments)} and no seed")
    return passed(f"{name!r}: {keras_class} with {documented}")
