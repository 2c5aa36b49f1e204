"""Layers at tiny sizes, to be compared with their formulas."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import FormulaCase
from initcheck.oracle.rounding import Rounded

_ALL = select(FormulaCase)
FORMULAS = tuple(case for case in _ALL if not case.image_data_format)
# Models of a few layers each, in which those are looked at together that are computed as in inference.
_SIZE = 16
INFERRED = tuple(case for case in FORMULAS if case.in_model)
GALLERIES = tuple(INFERRED[first : first + _SIZE] for first in range(0, len(INFERRED), _SIZE))
GALLERY_OF = {case.name: number for number, cases in enumerate(GALLERIES) for case in cases}


_FORMAT = "data_format"
_FIRST, _LAST = "channels_first", "channels_last"


def _by_format() -> Iterator[FormulaCase]:
    """Layers that take a data format, while the global one is channels first.

    With channels last, which they are given, and with channels first, which they are not; a case of each.
    """
    last = {case.layer: case for case in FORMULAS if _FORMAT not in case.config and not case.loss}
    first = {case.layer: case for case in reversed(FORMULAS) if case.config.get(_FORMAT) == _FIRST}
    for layer, case in first.items():
        config = {name: value for name, value in case.config.items() if name != _FORMAT}
        formula = functools.partial(case.formula, **{_FORMAT: _FIRST})
        yield _globally_first(
            replace(case, name=f"{case.name}-by-default", config=config, formula=formula, needs=(_FORMAT,))
        )
        yield _globally_first(
            replace(last[layer], name=f"{last[layer].name}-last", config={**last[layer].config, _FORMAT: _LAST})
        )


def _globally_first(case: FormulaCase) -> FormulaCase:
    dtypes = ("float32",) if "float32" in case.dtypes else case.dtypes[-1:]
    return replace(case, image_data_format=_FIRST, dtypes=dtypes, in_turn=None, graded=False, modelled=False)


def _of_whole_numbers(case: FormulaCase) -> FormulaCase:
    alone: dict[str, Any] = {"whole": (), "in_turn": None, "graded": False, "modelled": False}
    return replace(case, name=f"{case.name}-whole", dtypes=case.whole, **alone)


OF_WHOLE_NUMBERS = tuple(_of_whole_numbers(case) for case in FORMULAS if case.whole)
UNDER_A_FORMAT = (*(case for case in _ALL if case.image_data_format), *_by_format())


def layer_inputs(
    case: FormulaCase, seed: int, dtype: str, rows: int | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Random weights and inputs for the case, by default with as many rows as it states, in any type."""
    stream = np.random.RandomState(seed % 2**32)
    weights = [stream.normal(scale=0.7, size=shape).astype(dtype) for shape in case.shapes]
    for number in case.positive:
        weights[number] = np.abs(weights[number]) + np.asarray(0.1, dtype)
    shapes = [(rows or shape[0], *shape[1:]) for shape in (case.input_shape, *case.beside)]
    if case.vocabulary:
        return weights, [stream.randint(0, case.vocabulary, size=shapes[0]).astype(np.int32)]
    if np.dtype(dtype).kind != "f":
        return weights, [stream.randint(0, 2 if dtype == "bool" else 100, size=shape).astype(dtype) for shape in shapes]
    return weights, [stream.normal(size=shape).astype(dtype) for shape in shapes]


def exactly(
    case: FormulaCase, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]
) -> tuple[list[Rounded], list[Any]]:
    """Weights and inputs for the formula, which takes indices as they are."""
    return [Rounded(one) for one in weights], [one if case.vocabulary else Rounded(one) for one in inputs]
