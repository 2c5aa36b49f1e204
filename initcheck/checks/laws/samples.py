"""Draws of one initializer over drawn shapes of every class, each divided by its own law."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import ElementLaw, Elementwise, Shape, VarianceScaled
from initcheck.checks.registry import NotApplicable, require_law
from initcheck.statistics.goodness import Sample, unit_law

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

SHAPES_PER_CLASS = 4
CLASS_SAMPLES = 28_000  # elements of one class of shapes, times the effort's factor

# Each class has one axis left open, filled until the draw is large enough. The fans are far apart in both directions,
# so that a fan taken for another, or a window left out, changes the scale several times over.
_ANY, _FEW, _WINDOW, _OPEN = (80, 160), (1, 12), (1, 6), None
_Axis = tuple[int, int] | None
_CLASSES: Mapping[str, tuple[_Axis, ...]] = {
    "vector": (_OPEN,),
    "wide": (_FEW, _OPEN),
    "tall": (_OPEN, _FEW),
    "square": (_ANY, _OPEN),
    "conv1d": (_WINDOW, _FEW, _OPEN),
    "conv1d, few filters": (_WINDOW, _OPEN, _FEW),
    "conv2d": (_WINDOW, _WINDOW, _FEW, _OPEN),
    "conv2d, few filters": (_WINDOW, _WINDOW, _OPEN, _FEW),
    "depthwise": (_WINDOW, _WINDOW, _OPEN, (1, 1)),
    "conv3d": (_WINDOW, _WINDOW, _WINDOW, _FEW, _OPEN),
    "rank 6": ((1, 3), (1, 3), (1, 3), (1, 3), _FEW, _OPEN),
}
CLASSES = len(_CLASSES)
GROUPS = 1 + CLASSES * (1 + SHAPES_PER_CLASS)  # the pool, each class, each shape


@dataclass(frozen=True)
class Draw:
    """One draw with its law.

    Attributes:
        kind: The class of its shape.
        shape: The requested shape.
        seed: The seed given.
        values: The values returned by the framework.
        law: The documented distribution of each element.
    """

    kind: str
    shape: Shape
    seed: int
    values: np.ndarray
    law: ElementLaw

    @property
    def standardized(self) -> Sample:
        """The elements less the law's mean, divided by its standard deviation."""
        return (self.values.astype(np.float64).ravel() - self.law.mean) / self.law.stddev


@functools.cache
def shapes(size: int) -> tuple[tuple[str, Shape], ...]:
    """Shapes of every class with about ``size`` elements each, or up to a quarter more."""
    return tuple(
        (kind, shape)
        for kind, axes in _CLASSES.items()
        for shape in draw_cases(functools.partial(_filled, axes, size), SHAPES_PER_CLASS, f"laws {kind}")
    )


def _filled(axes: tuple[_Axis, ...], size: int, stream: CaseStream) -> Shape:
    """A shape of that class, whose open axis brings it to that many elements, or up to a quarter more."""
    total = stream.integer(size, size + size // 4)
    fixed = [stream.integer(*axis) for axis in axes if axis is not None]
    lengths = iter(fixed)
    return tuple(math.ceil(total / math.prod(fixed)) if axis is None else next(lengths) for axis in axes)


def element_law(row: Initializer, shape: Shape) -> ElementLaw:
    """The law of each element of a draw of that shape.

    Raises:
        NotApplicable: The row's elements are no independent draws, or it states no law.
    """
    require_law(row)
    if not isinstance(row.law, Elementwise | VarianceScaled):
        raise NotApplicable(f"{row.name} has no independent random elements")
    return row.law.at(shape)


def sample(lab: Lab, row: Initializer) -> tuple[Draw, ...]:
    """One draw of every shape, each from a stream of its own."""
    element_law(row, ())

    def make() -> tuple[Draw, ...]:
        drawn = []
        for kind, shape in shapes(math.ceil(CLASS_SAMPLES / SHAPES_PER_CLASS * lab.factor)):
            if not row.law.allows(shape):
                continue
            seed = lab.stream("laws", row.name, kind, *shape)
            values = lab.draws.draw(row, shape, seed=seed)
            drawn.append(Draw(kind, shape, seed, values, element_law(row, shape)))
        return tuple(drawn)

    made: tuple[Draw, ...] = lab.once(("laws", "sample", row.name), make)
    return made


def one(lab: Lab, row: Initializer, shape: Shape) -> Draw:
    """One draw of that shape, from a stream of its own."""
    seed = lab.stream("laws", row.name, "one", *shape)
    return Draw("one", shape, seed, lab.draws.draw(row, shape, seed=seed), element_law(row, shape))


def groups(drawn: tuple[Draw, ...], see: Callable[[Sample], Sample] = lambda one: one) -> dict[str, Sample]:
    """The standardized elements of each draw, of each class of shapes, and of all together."""
    parts = {f"{draw.kind} {draw.shape}": see(draw.standardized) for draw in drawn}
    kinds: dict[str, list[Sample]] = {}
    for draw, part in zip(drawn, parts.values(), strict=True):
        kinds.setdefault(draw.kind, []).append(part)
    gathered = {f"all shapes of class {kind}": np.concatenate(some) for kind, some in kinds.items()}
    return {"all shapes": np.concatenate(list(parts.values())), **gathered, **parts}


def unit(drawn: tuple[Draw, ...]) -> ElementLaw:
    """The law of the standardized elements."""
    return unit_law(drawn[0].law.family)
