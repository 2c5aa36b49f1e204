"""Layers at other shapes than they were built for, and the shapes that they announce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from initcheck.catalog.cases.formulas import FORMULAS, exactly, layer_inputs
from initcheck.catalog.cases.lengths import OTHER_LENGTHS
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.checks.registry import NotApplicable, Subject, check, require
from initcheck.checks.within_rounding import verdict
from initcheck.records import Verdict, failed, passed
from initcheck.targets import KERAS

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


@check(
    "ARI29",
    "A layer computes its formula for any number of rows and for other lengths than it was built for.",
    subjects=[Subject(case.name, case) for case in OTHER_LENGTHS],
    on=KERAS,
)
def other_lengths(lab: Lab, case: FormulaCase) -> Verdict:
    """Eagerly, in a graph and in a model that know neither; along the axes along which the formula takes any length."""
    require(lab.layers.lacking(case))
    weights, inputs = layer_inputs(case, lab.stream("layer", case.name), "float32")
    return verdict(
        (f"output of {call}", output, case.output(*exactly(case, weights, into)))
        for call, (into, output) in lab.shapes.at_other_lengths(case, weights, inputs).items()
    )


@check(
    "ARI24",
    "A layer announces the shape of its outputs.",
    subjects=[Subject(case.name, case) for case in FORMULAS if not case.training],
    on=KERAS,
)
def announced_shapes(lab: Lab, case: FormulaCase) -> Verdict:
    """By a symbolic call and by ``compute_output_shape``, where the number of rows is unknown."""
    require(lab.layers.lacking(case))
    if lab.keras.__version__.startswith("2."):
        raise NotApplicable("a symbolic call of Keras 2 is traced, which is looked at within models")
    actual, announced = lab.shapes.announced(case)
    expected = [(None, *one[1:]) for one in actual]
    if isinstance(given := case.config.get("output_shape"), tuple) and None in given:  # which leaves some undecided
        expected = [(None, *(size and one[1 + axis] for axis, size in enumerate(given))) for one in actual]
    for way, shapes in announced.items():
        if shapes != expected:
            return failed(f"{way}: {_shown(shapes)}", _shown(expected))
    return passed(f"{_shown(actual)}, as announced by {' and '.join(announced)}")


def _shown(shapes: Sequence[tuple[int | None, ...]]) -> str:
    return " and ".join(map(str, shapes))
